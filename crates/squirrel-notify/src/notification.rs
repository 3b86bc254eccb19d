//! What one receiver is told at one moment: the document between deciding and delivering. It is plain data that
//! can be written down, since the queue of deliveries survives a stop.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Labels or annotations by name.
pub type Texts = BTreeMap<String, String>;

/// One message to one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Which message this is: the same state told to the same channel has the same number, also after a restart.
    pub id: u64,
    /// The channel's name in the configuration.
    pub channel: String,
    /// Which group it tells of; messages of one key belong to one thread.
    pub group_key: String,
    /// Why it is sent.
    pub reason: Reason,
    /// When it was decided, in milliseconds since the epoch.
    pub at_ms: i64,
    /// The labels by which alerts were put together.
    pub group_labels: Texts,
    /// Labels that all its alerts share.
    pub common_labels: Texts,
    /// Annotations that all its alerts share.
    pub common_annotations: Texts,
    /// The alerts, firing ones first, as many as a message holds.
    pub alerts: Vec<NotifiedAlert>,
    /// Alerts that the message has no room for.
    pub more: usize,
    /// Where Squirrel's pages are found; empty when not known.
    pub external_url: String,
    /// The course of the first alert's value, for a picture.
    pub chart: Option<Chart>,
}

/// Why a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The group fires for the first time.
    New,
    /// Alerts joined or left the group.
    Changed,
    /// Nobody was told for the repeat interval, and it still fires.
    Repeat,
    /// Nobody took care in time; the next person is told.
    Escalated,
    /// All is over.
    Resolved,
    /// Somebody tries the channel.
    Test,
}

/// An alert as a message tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotifiedAlert {
    /// Whether it fires; otherwise it is over.
    pub firing: bool,
    /// Its labels, `alertname` and `severity` among them.
    pub labels: Texts,
    /// Its texts for people: `summary`, `description`, what to check.
    pub annotations: Texts,
    /// Since when the condition holds, in milliseconds since the epoch.
    pub starts_at_ms: i64,
    /// Since when it is over.
    pub ends_at_ms: Option<i64>,
    /// The last value of the rule's expression.
    pub value: f64,
    /// What the value is held against, where the rule compares with one number.
    pub threshold: Option<f64>,
    /// The rule's expression.
    pub expr: String,
    /// The page that shows the expression's course.
    pub generator_url: String,
    /// A number made of its labels.
    pub fingerprint: u64,
    /// Who took care of it.
    pub acknowledged_by: Option<String>,
}

/// Values over time, as a message pictures them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// What is shown.
    pub title: String,
    /// Name of each line, and its points: milliseconds since the epoch, value.
    pub lines: Vec<(String, Vec<(i64, f64)>)>,
    /// The limit that was crossed.
    pub threshold: Option<f64>,
}
