//! What an application tells the daemon of itself: the push of `squirrel-monitor`.
//!
//! An application posts an [`ApplicationReport`] as JSON to [`APPLICATIONS_PATH`], again and again, and
//! is answered an [`ApplicationReceipt`]. A report holds every number as it is now and nothing of
//! before, so that one which is lost costs nothing but its moment; the alerts since the last report that
//! was taken go with it, numbered, so that one which arrives twice can be told.
//!
//! Both ends hold to the same bounds by [`ApplicationReport::check`]. Fields that a reader does not know
//! are passed over: an application may be newer than the daemon. A change that an old reader would
//! misunderstand raises [`APPLICATION_SCHEMA`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use squirrel_model::is_label_name;

use crate::Level;

/// Where reports are posted.
pub const APPLICATIONS_PATH: &str = "/api/applications";

/// The version of [`ApplicationReport`] that is written and read here.
pub const APPLICATION_SCHEMA: u32 = 1;

/// The largest report, in bytes of JSON.
pub const MAX_REPORT_BYTES: usize = 8 << 20;

/// Most metrics (names with labels) in one report.
pub const MAX_REPORT_METRICS: usize = 20_000;

/// Most alerts in one report.
pub const MAX_REPORT_ALERTS: usize = 64;

/// Most labels of one metric.
pub const MAX_REPORT_LABELS: usize = 16;

/// Most buckets of one histogram.
pub const MAX_REPORT_BUCKETS: usize = 256;

/// The longest text of a report (a name, a label's value, a sentence), in octets.
pub const MAX_REPORT_TEXT: usize = 1_024;

/// One application as it is now. Texts come from its author or from its peers: hostile on every screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicationReport {
    /// [`APPLICATION_SCHEMA`].
    pub schema: u32,
    /// The application's name, as people call it; the program's name unless it was told another.
    pub application: String,
    /// What tells this process from others of the same application; host and process id unless told otherwise.
    pub instance: String,
    /// Process id in the application's own namespace. Claimed, not proven.
    pub pid: u32,
    /// When the monitor was made, in seconds since the epoch. A later one of the same instance means
    /// that counters began again.
    pub started: f64,
    /// When the numbers were taken, in seconds since the epoch by the application's clock.
    pub sent_at: f64,
    /// How often reports come. One that is silent for three times as long has gone, or cannot reach us.
    pub interval_seconds: f64,
    /// The application's protocol and its version as last told, such as `2025-06-18`; empty when not known.
    #[serde(default)]
    pub protocol_version: String,
    /// The numbers.
    pub metrics: Vec<ApplicationMetric>,
    /// What happened since the last report that was taken, the oldest first.
    #[serde(default)]
    pub alerts: Vec<ApplicationAlert>,
    /// What could not be told.
    #[serde(default)]
    pub lost: ApplicationLosses,
}

/// How a metric's values behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationMetricKind {
    /// Only goes up, except when the application starts anew.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts of values by size.
    Histogram,
}

/// One number, or one histogram, with its name and labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicationMetric {
    /// Its name after Prometheus' manner, such as `squirrel_messages_total`; a histogram's without `_bucket`.
    pub name: String,
    /// How it behaves. The same for all metrics of one name in a report.
    pub kind: ApplicationMetricKind,
    /// Base unit as a word, such as `bytes` or `seconds`; empty for a count.
    pub unit: String,
    /// What it counts, in a sentence.
    pub help: String,
    /// Its labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// `"value": 5` or `"histogram": {…}`.
    #[serde(flatten)]
    pub value: ApplicationValue,
}

/// What a metric says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationValue {
    /// Of a counter or a gauge. Finite: JSON has no other numbers.
    Value(f64),
    /// Of a histogram.
    Histogram(ApplicationHistogram),
}

/// Counts of values by size.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApplicationHistogram {
    /// How many values.
    pub count: u64,
    /// All of them together, in the metric's unit.
    pub sum: f64,
    /// The largest; null when there is none.
    pub max: Option<f64>,
    /// Finite bounds in rising order; the bucket above the last holds the rest of `count`.
    pub buckets: Vec<ApplicationBucket>,
}

/// One bucket, as Prometheus counts them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicationBucket {
    /// Upper bound, included, in the metric's unit.
    pub le: f64,
    /// How many values are not above it: those of the buckets below are counted again.
    pub count: u64,
}

/// What an alert does to what was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationAlertState {
    /// It holds until an alert of the same name clears it.
    Raised,
    /// It holds no longer.
    Cleared,
    /// Something that happened, and does not last.
    Told,
}

/// Something that the owner of the application should know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicationAlert {
    /// Its number since the monitor was made, from 1: one that was seen before is the same alert again.
    pub number: u64,
    /// When, in seconds since the epoch.
    pub at: f64,
    /// What kind of alert, stable, such as `receive_rate` or `types_full`.
    pub name: String,
    /// Whether it begins, ends, or only happened.
    pub state: ApplicationAlertState,
    /// How bad it is.
    pub level: Level,
    /// A sentence for people, with the value.
    pub sentence: String,
    /// The value that was judged, where there is one.
    pub value: Option<f64>,
    /// What it should not exceed, where there is such a thing.
    pub threshold: Option<f64>,
}

/// What an application could not tell since its monitor was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationLosses {
    /// Reports that nobody took in time.
    pub reports: u64,
    /// Metrics that this report has no room for.
    pub metrics: u64,
    /// Alerts that came faster than they could be told.
    pub alerts: u64,
}

/// What the daemon answers to a report (200).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationReceipt {
    /// Metrics that are kept.
    pub taken: u64,
    /// Metrics that are not.
    pub refused: u64,
    /// Why, in sentences; empty when all were taken.
    #[serde(default)]
    pub sentences: Vec<String>,
}

/// Why a report is not taken. Texts of the report are not repeated here: they are not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// It is of a version that is not known here.
    #[error("the report has schema {found}, and this end knows {APPLICATION_SCHEMA}: update the older of the two")]
    Schema {
        /// What it says.
        found: u32,
    },
    /// There is too much of something.
    #[error("{what}: {found}, and at most {limit} are taken")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The application or the instance has no name.
    #[error("{0} is empty: a report must say whose it is")]
    Nameless(&'static str),
    /// Something of a metric cannot be.
    #[error("metric {index} of the report: {what}")]
    Metric {
        /// Its place in `metrics`, from 0.
        index: usize,
        /// What cannot be.
        what: &'static str,
    },
    /// A time that cannot be.
    #[error("{0} is not a time since 1970")]
    Time(&'static str),
}

impl ApplicationReport {
    /// Whether the report holds to the bounds and says what can be.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ReportError> {
        if self.schema != APPLICATION_SCHEMA {
            return Err(ReportError::Schema { found: self.schema });
        }
        for (what, text) in [("application", &self.application), ("instance", &self.instance)] {
            if text.is_empty() {
                return Err(ReportError::Nameless(what));
            }
        }
        let times = [("started", self.started), ("sent_at", self.sent_at), ("interval_seconds", self.interval_seconds)];
        if let Some((what, _)) = times.into_iter().find(|(_, time)| !(0.0..1e11).contains(time)) {
            return Err(ReportError::Time(what));
        }
        at_most("metrics", self.metrics.len(), MAX_REPORT_METRICS)?;
        at_most("alerts", self.alerts.len(), MAX_REPORT_ALERTS)?;
        let own = [&self.application, &self.instance, &self.protocol_version];
        let alerts = self.alerts.iter().flat_map(|alert| [&alert.name, &alert.sentence]);
        own.into_iter().chain(alerts).try_for_each(|text| at_most("octets of a text", text.len(), MAX_REPORT_TEXT))?;
        if self.alerts.iter().any(|alert| !(0.0..1e11).contains(&alert.at)) {
            return Err(ReportError::Time("at of an alert"));
        }
        self.metrics.iter().enumerate().try_for_each(|(index, metric)| {
            metric.check_bounds()?;
            metric.wrong().map_or(Ok(()), |what| Err(ReportError::Metric { index, what }))
        })
    }
}

impl ApplicationMetric {
    fn check_bounds(&self) -> Result<(), ReportError> {
        at_most("labels of a metric", self.labels.len(), MAX_REPORT_LABELS)?;
        let own = [&self.name, &self.unit, &self.help].into_iter();
        let labels = self.labels.iter().flat_map(|(name, value)| [name, value]);
        own.chain(labels).try_for_each(|text| at_most("octets of a text", text.len(), MAX_REPORT_TEXT))?;
        match &self.value {
            ApplicationValue::Value(_) => Ok(()),
            ApplicationValue::Histogram(histogram) => {
                at_most("buckets of a histogram", histogram.buckets.len(), MAX_REPORT_BUCKETS)
            }
        }
    }

    fn wrong(&self) -> Option<&'static str> {
        // Colons are for recording rules, so no application's metric has one.
        if !is_label_name(&self.name) {
            return Some("its name is not one: letters, digits and underscores");
        }
        if self.labels.keys().any(|name| !is_label_name(name) || name.starts_with("__") || name == "le") {
            return Some("a label's name is not one that it may have");
        }
        match (&self.value, self.kind) {
            (ApplicationValue::Value(value), ApplicationMetricKind::Counter) if *value < 0.0 => {
                Some("a counter below zero")
            }
            (ApplicationValue::Value(value), ApplicationMetricKind::Counter | ApplicationMetricKind::Gauge) => {
                (!value.is_finite()).then_some("its value is not finite")
            }
            (ApplicationValue::Histogram(histogram), ApplicationMetricKind::Histogram) => histogram.wrong(),
            _ => Some("its kind and its value do not belong together"),
        }
    }
}

impl ApplicationHistogram {
    fn wrong(&self) -> Option<&'static str> {
        if !self.sum.is_finite() || self.max.is_some_and(|max| !max.is_finite()) {
            return Some("its sum or maximum is not finite");
        }
        let rising = self.buckets.windows(2).all(|pair| match pair {
            [low, high] => low.le < high.le && low.count <= high.count,
            _ => true,
        });
        if !rising || self.buckets.iter().any(|bucket| !bucket.le.is_finite()) {
            return Some("its buckets are not in rising order");
        }
        (self.buckets.last().is_some_and(|last| last.count > self.count))
            .then_some("its buckets hold more than its count")
    }
}

fn at_most(what: &'static str, found: usize, limit: usize) -> Result<(), ReportError> {
    if found > limit { Err(ReportError::TooMany { what, found, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
