//! This host's own series: a Squirrel that is the hub of others keeps theirs too, and its verdict is about itself.

use squirrel_model::{Figure, Found, Labels, Matcher, Samples, Select, SelectError, Tier, TimeRange, Timestamp};

/// The series of one host among all.
pub(crate) struct Own<'a> {
    all: &'a dyn Select,
    matchers: Vec<Matcher>,
}

impl<'a> Own<'a> {
    /// Those of `all` that have these labels.
    pub(crate) fn new(all: &'a dyn Select, own: &Labels) -> Self {
        Self { all, matchers: own.iter().map(|(name, value)| Matcher::equal(name, value)).collect() }
    }
}

impl Select for Own<'_> {
    fn find(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Found>, SelectError> {
        self.all.find(&[matchers, &self.matchers].concat(), range)
    }

    fn read(&self, series: &Found, range: TimeRange, out: &mut Samples) -> Result<(), SelectError> {
        self.all.read(series, range, out)
    }

    fn full_from(&self) -> Option<Timestamp> {
        self.all.full_from()
    }

    fn tiers(&self) -> Vec<Tier> {
        self.all.tiers()
    }

    fn read_tier(
        &self,
        tier: usize,
        figure: Figure,
        series: &Found,
        range: TimeRange,
        out: &mut Samples,
    ) -> Result<(), SelectError> {
        self.all.read_tier(tier, figure, series, range, out)
    }
}
