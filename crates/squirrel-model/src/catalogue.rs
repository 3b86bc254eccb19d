//! All declared metrics of a program, searchable.

use crate::Metric;

/// The declared metrics, sorted by name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    metrics: Vec<&'static Metric>,
}

impl Catalogue {
    /// Puts lists of declarations together.
    pub fn new<'a>(lists: impl IntoIterator<Item = &'a [&'static Metric]>) -> Self {
        let mut metrics: Vec<&'static Metric> = lists.into_iter().flatten().copied().collect();
        metrics.sort_by(|a, b| a.name.cmp(&b.name));
        Self { metrics }
    }

    /// All declarations, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &'static Metric> + '_ {
        self.metrics.iter().copied()
    }

    /// The declaration of `name`: the metric itself, else the family that covers it.
    pub fn find(&self, name: &str) -> Option<&'static Metric> {
        let exact = self.metrics.binary_search_by(|metric| metric.name.as_ref().cmp(name));
        match exact {
            Ok(i) => self.metrics.get(i).copied(),
            Err(_) => self.iter().find(|metric| metric.is_family() && metric.covers(name)),
        }
    }

    /// Up to `count` declared names most like `name`, most like first, for "did you mean".
    pub fn like(&self, name: &str, count: usize) -> Vec<&'static str> {
        let mut scored: Vec<(usize, &'static str)> =
            self.iter().map(|m| (distance(name, &m.name), m.name.as_ref())).collect();
        scored.sort_unstable();
        let limit = name.len() / 2;
        scored.into_iter().filter(|(d, _)| *d <= limit).take(count).map(|(_, name)| name).collect()
    }

    /// Names declared more than once; a catalogue without a mistake has none.
    pub fn duplicates(&self) -> Vec<&'static str> {
        self.metrics.windows(2).filter(|pair| pair[0].name == pair[1].name).map(|pair| pair[0].name.as_ref()).collect()
    }
}

/// Edits (insert, delete, replace one byte) from `a` to `b`; a text contained in the other costs
/// only a little, so that a user who types half a name is understood.
fn distance(a: &str, b: &str) -> usize {
    if !a.is_empty() && b.contains(a) {
        return (b.len() - a.len()) / 16;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Unit};

    static UP: Metric = Metric::new("node_network_up", Kind::Gauge, Unit::None, "up");
    static FAMILY: Metric = Metric::new("node_netstat_<protocol>_<counter>", Kind::Untyped, Unit::None, "counter");

    #[test]
    fn finds_exact_names_families_and_near_misses() {
        let catalogue = Catalogue::new([[&UP, &FAMILY].as_slice()]);
        assert_eq!(catalogue.find("node_network_up").unwrap().name, "node_network_up");
        assert_eq!(catalogue.find("node_netstat_Tcp_InSegs").unwrap().name, FAMILY.name);
        assert!(catalogue.find("nothing").is_none());
        assert_eq!(catalogue.like("node_netwrk_up", 3), ["node_network_up"]);
        assert_eq!(catalogue.like("network_up", 3), ["node_network_up"]);
        assert!(catalogue.duplicates().is_empty());
    }
}
