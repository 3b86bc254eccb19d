//! Alerts as people follow them: `GET /api/alerts`, and what can be done about them. Times are seconds since the epoch.

use serde::{Deserialize, Serialize};

use crate::rules::Texts;

/// Everything about alerts at one moment: `GET /api/alerts`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlertsPage {
    /// The version of this document's form.
    pub schema: u32,
    /// When it was asked.
    pub time: f64,
    /// Alerts, the worst first; those that ended lately among them.
    pub alerts: Vec<ShownAlert>,
    /// Alerts beyond those that are listed.
    pub alerts_left_out: usize,
    /// Alerts that are told together.
    pub groups: Vec<ShownGroup>,
    /// Silences that are active, to come, or over since a few days.
    pub silences: Vec<ShownSilence>,
    /// What happened, the newest first.
    pub history: Vec<ShownEvent>,
    /// What became of messages, the newest first.
    pub deliveries: Vec<ShownDelivery>,
    /// Channels by name.
    pub channels: Vec<ShownChannel>,
    /// What is wrong with rule files, with line and column.
    pub problems: Vec<String>,
    /// Until when quiet hours last, while they do.
    pub quiet_until: Option<f64>,
}

/// An alert and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownAlert {
    /// Its number: sixteen hexadecimal digits, the same that Alertmanager gives these labels.
    pub fingerprint: String,
    /// `firing`, `pending`, or `inactive` for one that is over.
    pub state: String,
    /// Its labels, `alertname` and `severity` among them.
    pub labels: Texts,
    /// Its texts for people.
    pub annotations: Texts,
    /// How bad, from 0 to 4.
    pub severity_rank: u8,
    /// The last value; null when it is no number.
    pub value: Option<f64>,
    /// What the value is held against, where the rule compares with one number.
    pub threshold: Option<f64>,
    /// The rule's expression.
    pub query: String,
    /// The expression without the comparison, for a chart beside the threshold.
    pub value_query: Option<String>,
    /// File and group of the rule.
    pub source: String,
    /// Since when the condition holds.
    pub starts_at: f64,
    /// Since when it is over.
    pub ends_at: Option<f64>,
    /// The alert's own page; empty when `external_url` is not configured.
    pub generator_url: String,
    /// What holds it back, in words.
    pub held: Vec<String>,
    /// Ids of the silences that take it.
    pub silenced_by: Vec<String>,
    /// Numbers of the alerts that hold it back.
    pub inhibited_by: Vec<String>,
    /// Names of the planned work and quiet hours that hold it back.
    pub muted_by: Vec<String>,
    /// Who takes care.
    pub acknowledgement: Option<ShownAcknowledgement>,
    /// How often it changes, in per cent of the last evaluations.
    pub flapping_percent: f64,
    /// Channels that take it for firing.
    pub told: Vec<String>,
    /// Channels that its routes name.
    pub receivers: Vec<String>,
    /// When the next step of its escalation is due.
    pub escalates_at: Option<f64>,
}

/// Alerts that are told together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownGroup {
    /// Its key; messages carry the same.
    pub key: String,
    /// The labels that make it.
    pub labels: Texts,
    /// Numbers of its alerts.
    pub members: Vec<String>,
    /// The channels that are told.
    pub channels: Vec<String>,
}

/// Somebody takes care.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownAcknowledgement {
    /// Who.
    pub who: String,
    /// What they say.
    pub comment: String,
    /// Since when.
    pub at: f64,
    /// Until when at most.
    pub until: Option<f64>,
}

/// A silence and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownSilence {
    /// Its id.
    pub id: String,
    /// `active`, `pending` or `expired`.
    pub state: String,
    /// Conditions, one a text.
    pub matchers: Vec<String>,
    /// When it begins.
    pub starts_at: f64,
    /// When it ends.
    pub ends_at: f64,
    /// When it was changed last.
    pub updated_at: f64,
    /// Who asked.
    pub author: String,
    /// Why.
    pub comment: String,
    /// How many firing alerts it takes now.
    pub takes: usize,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownEvent {
    /// When.
    pub at: f64,
    /// What: `fired`, `resolved`, `told`, `held`, `released`, `acknowledged`, `silenced` …
    pub event: String,
    /// The alert, where it is about one.
    pub fingerprint: Option<String>,
    /// What it is about.
    pub subject: String,
    /// Who or why.
    pub detail: String,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownDelivery {
    /// The channel.
    pub channel: String,
    /// The group that it tells of.
    pub group: String,
    /// Why it was sent: `new`, `changed`, `repeat`, `escalated`, `flapping`, `held`, `resolved`, `test`.
    pub reason: String,
    /// `waiting`, `delivered`, `replaced`, `given_up` or `lost`.
    pub state: String,
    /// Attempts so far.
    pub attempts: u32,
    /// When it was decided.
    pub accepted_at: f64,
    /// When it came to its end, or is tried next.
    pub at: f64,
    /// What the other side said, or why it was not sent.
    pub answer: Option<String>,
    /// The channel that it was meant for.
    pub instead_of: Option<String>,
}

/// A channel and how it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownChannel {
    /// Its name.
    pub name: String,
    /// What it is, as its table in the configuration is called.
    pub kind: String,
    /// Messages that wait.
    pub waiting: usize,
    /// Whether every attempt fails now.
    pub failing: bool,
}

/// What can be done: the bodies of `POST /api/silences`, `/api/silences/expire`, `/api/alerts/acknowledge`,
/// `/api/alerts/unacknowledge` and `/api/notify/test`.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertAction {
    /// Silence alerts.
    Silence(SilenceRequest),
    /// End a silence.
    Expire(ExpireRequest),
    /// Take care of alerts.
    Acknowledge(AcknowledgeRequest),
    /// Take an acknowledgement back.
    Unacknowledge(AcknowledgeRequest),
    /// Try a channel.
    Test(TestRequest),
}

/// The body of `POST /api/silences`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SilenceRequest {
    /// Conditions, one a text: `alertname=LinkDown`, `instance=~"db.*"`.
    pub matchers: Vec<String>,
    /// When it begins; now when not given.
    #[serde(default)]
    pub starts_at: Option<f64>,
    /// When it ends.
    pub ends_at: f64,
    /// Who asks.
    pub author: String,
    /// Why.
    #[serde(default)]
    pub comment: String,
    /// The silence that it replaces.
    #[serde(default)]
    pub replaces: Option<String>,
}

/// The body of `POST /api/silences/expire`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpireRequest {
    /// The silence.
    pub id: String,
}

/// The body of `POST /api/alerts/acknowledge` and `/api/alerts/unacknowledge`: one alert by its number, or all that
/// fulfil conditions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeRequest {
    /// The alert's number.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// Conditions, one a text.
    #[serde(default)]
    pub matchers: Vec<String>,
    /// Who takes care.
    pub who: String,
    /// What they say.
    #[serde(default)]
    pub comment: String,
    /// Until when at most.
    #[serde(default)]
    pub until: Option<f64>,
}

/// The body of `POST /api/notify/test`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestRequest {
    /// The channel.
    pub channel: String,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActionDone {
    /// The silence that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How many alerts are meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<usize>,
    /// What became of the message that tried a channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<ShownDelivery>,
}
