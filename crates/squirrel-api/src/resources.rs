//! Squirrel's own resources: what the dashboard, the terminal and scripts read beside Prometheus'
//! API. Each is answered as plain JSON, without an envelope.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use squirrel_model::{Fault, Kind, Metric};

/// How a collector does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectorState {
    /// It runs, and its last reading was whole.
    Running,
    /// It runs, and parts of its last reading failed.
    Degraded,
    /// It cannot run here; the sentence says why and what would help.
    Unavailable,
    /// The configuration switched it off.
    Disabled,
}

/// A part of a reading that failed; the JSON twin of [`Fault`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultReport {
    /// What could not be read.
    pub subject: String,
    /// Why.
    pub reason: String,
}

impl From<&Fault> for FaultReport {
    fn from(fault: &Fault) -> Self {
        Self { subject: fault.subject.clone(), reason: fault.reason.clone() }
    }
}

/// One collector and how it does: an element of `GET /api/collectors`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CollectorStatus {
    /// Its name.
    pub name: String,
    /// What it reads, in a sentence.
    pub about: String,
    /// How it does.
    pub state: CollectorState,
    /// For one that is unavailable or disabled: why, and what would help. Empty otherwise.
    pub sentence: String,
    /// How long its last reading took.
    pub duration_seconds: f64,
    /// Parts of its last reading that failed.
    pub faults: Vec<FaultReport>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing to do.
    Ok,
    /// Not known: there are no samples to judge by.
    #[default]
    Unknown,
    /// Look at it when there is time.
    Warning,
    /// Users feel it.
    Bad,
}

crate::live::shape::words!(Level: "ok", "unknown", "warning", "bad");

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The check that found it; stable, for links and scripts.
    pub check: Cow<'static, str>,
    /// How bad it is.
    pub level: Level,
    /// What it is about: an interface, a queue, `this host`.
    pub subject: String,
    /// A sentence that names the subject and the value.
    pub sentence: String,
    /// The value that the check looked at.
    pub value: f64,
    /// The PromQL that gave the value, to go on from.
    pub expr: Cow<'static, str>,
    /// What to look at first, most useful first.
    pub check_first: Vec<Cow<'static, str>>,
}

/// Is the network fine, and if not, what is wrong: `GET /api/verdict`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// When it was given, in seconds since the epoch; null before the first samples.
    pub time: Option<f64>,
    /// The worst level of the findings.
    pub level: Level,
    /// One sentence for a person.
    pub sentence: String,
    /// What is wrong, worst first.
    pub findings: Vec<Finding>,
    /// What could not be judged, in sentences: checks that failed, collectors that cannot run.
    pub not_judged: Vec<String>,
}

/// The unit of a chart's axis, after the query's own scaling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartUnit {
    /// Bits a second.
    BitsPerSecond,
    /// Bytes.
    Bytes,
    /// A count.
    Count,
    /// Packets a second.
    PacketsPerSecond,
    /// Events a second.
    PerSecond,
    /// A share: 0 to 1.
    Ratio,
    /// Seconds.
    Seconds,
}

/// One line or band of a chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartQuery {
    /// The legend; `{{label}}` stands for a label's value.
    pub legend: Cow<'static, str>,
    /// PromQL; `$device` stands for an interface's name and `$window` for a range such as `15s`.
    pub expr: Cow<'static, str>,
    /// Drawn below zero, as transmitted against received.
    pub mirrored: bool,
}

/// A chart, declared once for all screens: an element of `GET /api/charts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartSpec {
    /// The page it stands on: `overview` or `interfaces`.
    pub page: Cow<'static, str>,
    /// Its name, unique on all pages.
    pub id: Cow<'static, str>,
    /// Its title.
    pub title: Cow<'static, str>,
    /// The unit of its axis.
    pub unit: ChartUnit,
    /// What it shows and how to read it.
    pub help: Cow<'static, str>,
    /// Its lines.
    pub queries: Cow<'static, [ChartQuery]>,
}

/// A declared metric: an element of `GET /api/catalogue`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueEntry {
    /// Full name; in a family the changing part stands in `<…>`.
    pub name: String,
    /// `counter`, `gauge`, `info` or `untyped`.
    pub kind: String,
    /// Base unit; empty for none.
    pub unit: String,
    /// What is counted.
    pub help: String,
    /// Why a person would care.
    pub why: String,
    /// What to look at first when it looks wrong.
    pub check: Vec<String>,
    /// Names of its labels.
    pub labels: Vec<String>,
}

impl From<&Metric> for CatalogueEntry {
    fn from(metric: &Metric) -> Self {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Info => "info",
            Kind::Untyped => "untyped",
            Kind::Histogram => "histogram",
        };
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Self {
            name: metric.name.clone().into_owned(),
            kind: kind.to_owned(),
            unit: metric.unit.word().to_owned(),
            help: metric.help.clone().into_owned(),
            why: metric.why.to_owned(),
            check: texts(metric.check),
            labels: texts(metric.labels),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_rise_from_ok_to_bad() {
        assert!(Level::Ok < Level::Unknown && Level::Unknown < Level::Warning && Level::Warning < Level::Bad);
    }

    #[test]
    fn field_names_are_fixed() {
        let status = CollectorStatus {
            name: "conntrack".into(),
            about: "Connection tracking.".into(),
            state: CollectorState::Unavailable,
            sentence: "The module is not loaded.".into(),
            duration_seconds: 0.0,
            faults: vec![],
        };
        assert_eq!(
            serde_json::to_string(&status).unwrap(),
            r#"{"name":"conntrack","about":"Connection tracking.","state":"unavailable","sentence":"The module is not loaded.","duration_seconds":0.0,"faults":[]}"#
        );
        let verdict = Verdict {
            time: Some(1.5),
            level: Level::Ok,
            sentence: "All is well.".into(),
            findings: vec![],
            not_judged: vec![],
        };
        let text = serde_json::to_string(&verdict).unwrap();
        assert_eq!(text, r#"{"time":1.5,"level":"ok","sentence":"All is well.","findings":[],"not_judged":[]}"#);
        assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
    }
}
