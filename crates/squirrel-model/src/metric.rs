//! What a number means: the declaration of a metric, made once beside the code that feeds it.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

/// How a metric's values behave over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Only goes up, except when its source starts anew.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Constant 1; its labels are the information.
    Info,
    /// Not known; node_exporter gives the kernel's protocol counters this type.
    Untyped,
    /// One of the three names of a histogram, which only go up: `…_bucket` with the label `le`, `…_sum`, `…_count`.
    Histogram,
}

impl Kind {
    /// The word after `# TYPE` in the text exposition format.
    pub fn exposition_word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge | Self::Info => "gauge",
            Self::Untyped => "untyped",
            Self::Histogram => "histogram",
        }
    }
}

/// The base unit of a metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A count of nothing in particular, a flag, or an identifier.
    None,
    /// Bytes (octets).
    Bytes,
    /// Bytes a second.
    BytesPerSecond,
    /// Frames, packets, segments or datagrams, as the name says.
    Packets,
    /// Seconds.
    Seconds,
    /// A share: 0 to 1.
    Ratio,
}

impl Unit {
    /// The word in the metadata API and the manual; empty for [`Unit::None`].
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "bytes/second",
            Self::Packets => "packets",
            Self::Seconds => "seconds",
            Self::Ratio => "ratio",
        }
    }
}

/// The declaration of a metric. `# HELP`, tooltips, `squirrel explain` and the manual are printed
/// from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Full name, such as `node_network_receive_bytes_total`. In a family (names that the kernel
    /// or a driver makes up) the changing part is written `<like_this>`.
    pub name: Cow<'static, str>,
    /// How values behave.
    pub kind: Kind,
    /// Base unit.
    pub unit: Unit,
    /// One line: what is counted. Also the `# HELP` text.
    pub help: Cow<'static, str>,
    /// Why a person would care.
    pub why: &'static str,
    /// What to look at first when it looks wrong, most useful first.
    pub check: &'static [&'static str],
    /// Names of the labels that its rows may carry.
    pub labels: &'static [&'static str],
}

impl Metric {
    /// Declares a metric, for `static` items.
    pub const fn new(name: &'static str, kind: Kind, unit: Unit, help: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), kind, unit, help: Cow::Borrowed(help), why: "", check: &[], labels: &[] }
    }

    /// Adds why a person would care.
    #[must_use]
    pub const fn why(mut self, why: &'static str) -> Self {
        self.why = why;
        self
    }

    /// Adds what to look at first.
    #[must_use]
    pub const fn check(mut self, check: &'static [&'static str]) -> Self {
        self.check = check;
        self
    }

    /// Adds the names of the labels.
    #[must_use]
    pub const fn labels(mut self, labels: &'static [&'static str]) -> Self {
        self.labels = labels;
        self
    }

    /// Whether this declares a family of names, such as `node_ethtool_<statistic>`.
    pub fn is_family(&self) -> bool {
        self.name.contains('<')
    }

    /// Whether `name` is this metric's name, or fits the pattern of this family: the parts outside
    /// `<…>` as written, the parts inside at least one character each.
    pub fn covers(&self, name: &str) -> bool {
        fn fits(pattern: &str, name: &str) -> bool {
            let Some((before, rest)) = pattern.split_once('<') else {
                return pattern == name;
            };
            let Some(name) = name.strip_prefix(before) else { return false };
            let after = rest.split_once('>').map_or("", |(_, after)| after);
            name.char_indices().skip(1).map(|(i, _)| i).chain([name.len()]).any(|i| i > 0 && fits(after, &name[i..]))
        }
        fits(&self.name, name)
    }

    /// A member of this family, with everything else inherited. Keep the result and hand it out
    /// again each tick: it allocates.
    pub fn member(&self, name: impl Into<String>, help: impl Into<String>) -> MetricRef {
        MetricRef::Member(Arc::new(Self {
            name: Cow::Owned(name.into()),
            help: Cow::Owned(help.into()),
            ..self.clone()
        }))
    }
}

/// A declared metric, or a member of a declared family.
#[derive(Clone, Debug)]
pub enum MetricRef {
    /// Declared as a `static`.
    Static(&'static Metric),
    /// A name met at run time that belongs to a declared family.
    Member(Arc<Metric>),
}

impl MetricRef {
    /// Whether both refer to the very same declaration in memory: true implies equal.
    pub fn same(&self, other: &Self) -> bool {
        std::ptr::eq::<Metric>(&raw const **self, &raw const **other)
    }
}

impl Deref for MetricRef {
    type Target = Metric;

    fn deref(&self) -> &Metric {
        match self {
            Self::Static(metric) => metric,
            Self::Member(metric) => metric,
        }
    }
}

impl From<&'static Metric> for MetricRef {
    fn from(metric: &'static Metric) -> Self {
        Self::Static(metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static FAMILY: Metric = Metric::new("node_ethtool_<statistic>", Kind::Untyped, Unit::None, "A driver's counter.");

    #[test]
    fn a_family_covers_its_members_only() {
        assert!(FAMILY.covers("node_ethtool_rx_packets"));
        assert!(!FAMILY.covers("node_ethtool_"));
        assert!(!FAMILY.covers("node_network_up"));
        let between = Metric::new("node_network_receive_<reason>_total", Kind::Counter, Unit::Packets, "");
        assert!(between.covers("node_network_receive_drop_total"));
        assert!(!between.covers("node_network_receive_drop"));
    }

    #[test]
    fn a_member_has_its_own_name_and_the_familys_meaning() {
        let member = FAMILY.member("node_ethtool_rx_drops", "rx_drops of the driver");
        assert_eq!((member.name.as_ref(), member.kind), ("node_ethtool_rx_drops", Kind::Untyped));
        assert!(member.same(&member.clone()));
    }
}
