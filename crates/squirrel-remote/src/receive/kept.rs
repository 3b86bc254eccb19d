//! What a request brought, sorted by what became of it.

use squirrel_model::{Labels, Timestamp};

use super::metrics::Reason;

/// What is kept of a request, and what is not.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) samples: Vec<(Labels, Timestamp, f64)>,
    pub(super) refused: Vec<(Reason, usize)>,
    pub(super) invalid: &'static str,
    /// Kept, though later ones of the series came before.
    pub(super) late: usize,
    /// Kept, though the series had one of this time.
    pub(super) again: usize,
}

impl Kept {
    pub(super) fn count(&mut self, reason: Reason, count: usize) {
        match self.refused.iter_mut().find(|(known, _)| *known == reason) {
            _ if count == 0 => {}
            Some((_, known)) => *known += count,
            None => self.refused.push((reason, count)),
        }
    }

    pub(super) fn sentence(&self, samples: usize, series: usize) -> String {
        let reasons: Vec<String> = self
            .refused
            .iter()
            .map(|(reason, count)| match reason {
                Reason::Series => format!("{count} of series beyond the {series} of this sender"),
                Reason::Old => format!("{count} older than samples are kept here"),
                Reason::Future => format!("{count} more than 10 minutes in the future (is a clock wrong?)"),
                Reason::Own => format!(
                    "{count} with the job and instance of this Squirrel, which tells of itself (two hosts of one name?)"
                ),
                Reason::Histogram => format!("{count} native histograms, which are not kept"),
                Reason::Invalid => format!("{count} because {}", self.invalid),
            })
            .collect();
        format!("kept {samples} samples; refused {}", reasons.join(", "))
    }
}
