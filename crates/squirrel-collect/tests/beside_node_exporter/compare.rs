//! Reading two expositions and telling them apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Metrics of the exporter's own life.
const NOT_COMPARED: &[&str] = &[
    "node_exporter_build_info",
    // Both have them, for collectors of different names and durations of their own.
    "node_scrape_collector_duration_seconds",
    "node_scrape_collector_success",
    "promhttp_metric_handler_errors_total",
];

/// Numbers that reading changes: the metric, the value of one of its labels, by how much the
/// exporter's may lie outside ours, and why.
const SLACK: &[(&str, &str, f64, &str)] = &[
    (
        "node_sockstat_sockets_used",
        "",
        4.0,
        "the exporter opens netlink sockets while it reads, in several threads at once",
    ),
    (
        "node_tcp_connection_states",
        "tx_queued_bytes",
        200.0,
        "the request of the scrape is not acknowledged yet while the exporter reads",
    ),
];

/// Labels that ours follow a newer node_exporter in: metric, label, the first release with it. They are
/// left out where the exporter at hand does not have them.
const NEWER_LABELS: &[(&str, &str, &str)] = &[("node_network_info", "adminstate", "1.6.0")];

/// The series of one exposition and their values.
#[derive(Default)]
pub(crate) struct Samples(BTreeMap<Series, f64>);

/// A name and its labels. A label with an empty value is the same as none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    name: String,
    labels: BTreeMap<String, String>,
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.name, self.labels)
    }
}

impl Samples {
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        Self(lines.map(|line| parse_line(line).unwrap_or_else(|| panic!("{line:?} is no sample"))).collect())
    }

    /// Without the labels that the exporter which gave `theirs` does not know yet.
    fn as_old_as(&self, theirs: &Self) -> Self {
        let mut old = self.0.clone();
        for (name, label, _) in NEWER_LABELS {
            let of_metric = |series: &Series| series.name == *name && series.labels.contains_key(*label);
            if !theirs.0.keys().any(of_metric) {
                let strip = |(mut series, value): (Series, f64)| {
                    if of_metric(&series) {
                        series.labels.remove(*label);
                    }
                    (series, value)
                };
                old = old.into_iter().map(strip).collect();
            }
        }
        Self(old)
    }
}

fn parse_line(line: &str) -> Option<(Series, f64)> {
    let (head, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, rest)) = head.split_once('{') else {
        return Some((Series { name: head.to_owned(), labels: BTreeMap::new() }, value));
    };
    let mut labels = BTreeMap::new();
    let mut rest = rest.strip_suffix('}')?;
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"")?;
        let mut text = String::new();
        let mut chars = after.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => text.push(match chars.next()? {
                    'n' => '\n',
                    other => other,
                }),
                other => text.push(other),
            }
        }
        if !text.is_empty() {
            labels.insert(label.to_owned(), text);
        }
        rest = chars.as_str();
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    Some((Series { name: name.to_owned(), labels }, value))
}

/// What several rounds brought.
#[derive(Default)]
pub(crate) struct Comparison {
    ours: BTreeSet<Series>,
    theirs: BTreeSet<Series>,
    equal: BTreeSet<Series>,
    /// The last round's values of series that were not equal in it: before, theirs, after.
    apart: BTreeMap<Series, (f64, f64, f64)>,
}

impl Comparison {
    pub(crate) fn round(&mut self, before: &Samples, theirs: &Samples, after: &Samples) {
        let (before, after) = (before.as_old_as(theirs), after.as_old_as(theirs));
        self.ours.extend(before.0.keys().chain(after.0.keys()).cloned());
        for (series, &value) in &theirs.0 {
            if NOT_COMPARED.contains(&series.name.as_str()) {
                continue;
            }
            self.theirs.insert(series.clone());
            let (Some(&before), Some(&after)) = (before.0.get(series), after.0.get(series)) else { continue };
            let slack = SLACK.iter().find(|(name, label, ..)| {
                *name == series.name && (label.is_empty() || series.labels.values().any(|value| value == label))
            });
            let slack = slack.map_or(0.0, |(.., slack, _)| *slack);
            let between = (before.min(after) - slack..=before.max(after) + slack).contains(&value);
            if between {
                self.equal.insert(series.clone());
            } else {
                self.apart.insert(series.clone(), (before, value, after));
            }
        }
    }

    /// How many series both sides have.
    pub(crate) fn compared(&self) -> usize {
        self.theirs.intersection(&self.ours).count()
    }

    pub(crate) fn missing_names(&self) -> Vec<&str> {
        let ours = names(&self.ours);
        names(&self.theirs).into_iter().filter(|name| !ours.contains(name)).collect()
    }

    pub(crate) fn missing_series(&self) -> Vec<String> {
        self.theirs.difference(&self.ours).map(ToString::to_string).collect()
    }

    /// Series whose values never met.
    pub(crate) fn differences(&self) -> Vec<String> {
        let never = self.apart.iter().filter(|(series, _)| !self.equal.contains(*series));
        never
            .map(|(series, (before, theirs, after))| format!("{series}: {theirs}, ours {before} and {after}"))
            .collect()
    }
}

fn names(series: &BTreeSet<Series>) -> BTreeSet<&str> {
    series.iter().map(|series| series.name.as_str()).collect()
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let theirs = names(&self.theirs);
        let shared: BTreeSet<_> = names(&self.ours).intersection(&theirs).copied().collect();
        writeln!(f, "{} series of {} names compared", self.compared(), shared.len())?;
        let (once, always): (Vec<_>, Vec<_>) = self.equal.iter().partition(|series| self.apart.contains_key(*series));
        writeln!(f, "{} equal in every round, {} in some", always.len(), once.len())?;
        for series in self.ours.difference(&self.theirs).filter(|series| shared.contains(series.name.as_str())) {
            writeln!(f, "only ours: {series}")?;
        }
        let only_ours: Vec<_> = names(&self.ours).difference(&theirs).copied().collect();
        writeln!(f, "names that only we have: {}", only_ours.join(" "))
    }
}

#[test]
fn a_difference_is_seen_and_a_moving_counter_is_none() {
    let samples = Samples::parse;
    let mut comparison = Comparison::default();
    let theirs = samples("a{x=\"1\",y=\"\"} 5\nb 2\nc{d=\"\\\"\\\\e\"} 1\nonly_theirs 1\na{x=\"2\"} 1\n");
    comparison.round(
        &samples("a{x=\"1\"} 4\nb 1\nc{d=\"\\\"\\\\e\"} 1\n"),
        &theirs,
        &samples("a{x=\"1\"} 6\nb 1\nc{d=\"\\\"\\\\e\"} 1\n"),
    );
    assert_eq!(comparison.compared(), 3);
    assert_eq!(comparison.missing_names(), ["only_theirs"]);
    assert_eq!(comparison.missing_series(), ["a{\"x\": \"2\"}", "only_theirs{}"]);
    assert_eq!(comparison.differences(), ["b{}: 2, ours 1 and 1"]);
    // A later round in which it agrees clears it.
    comparison.round(&samples("b 2\n"), &theirs, &samples("b 2\n"));
    assert_eq!(comparison.differences(), Vec::<String>::new());
}
