//! What one receiver is told at one moment: the document between deciding and delivering. It is plain data that
//! can be written down, since the queue of deliveries survives a stop.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use squirrel_model::Labels;

/// Labels or annotations by name.
pub type Texts = BTreeMap<String, String>;

/// Label sets as plain texts.
pub(crate) fn texts(labels: &Labels) -> Texts {
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

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
    /// Alerts come and go so often that nothing more is told of them until they settle.
    Flapping,
    /// Quiet hours are over: what was held back and still fires, of all groups.
    Held,
    /// All is over.
    Resolved,
    /// Somebody tries the channel.
    Test,
}

impl Reason {
    /// One word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Repeat => "repeated",
            Self::Escalated => "escalated",
            Self::Flapping => "flapping",
            Self::Held => "held back in quiet hours",
            Self::Resolved => "resolved",
            Self::Test => "test",
        }
    }
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
    #[serde(with = "crate::number")]
    pub value: f64,
    /// What the value is held against, where the rule compares with one number.
    #[serde(with = "crate::number::option")]
    pub threshold: Option<f64>,
    /// The rule's expression.
    pub expr: String,
    /// The alert's own page: its value against the threshold, who was told, what can be done. Empty when it is not known
    /// where pages are found.
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
    #[serde(with = "crate::number::lines")]
    pub lines: Vec<(String, Vec<(i64, f64)>)>,
    /// The limit that was crossed.
    #[serde(with = "crate::number::option")]
    pub threshold: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_being_written_down_whatever_its_numbers() {
        let alert = NotifiedAlert {
            firing: true,
            labels: Texts::from([("alertname".to_owned(), "Lost\u{202e}\n".to_owned())]),
            annotations: Texts::new(),
            starts_at_ms: i64::MIN,
            ends_at_ms: Some(i64::MAX),
            value: f64::INFINITY,
            threshold: Some(f64::NEG_INFINITY),
            expr: "up == 0".to_owned(),
            generator_url: String::new(),
            fingerprint: u64::MAX,
            acknowledged_by: None,
        };
        let points = vec![(0, 0.1), (1, f64::INFINITY), (2, f64::NEG_INFINITY)];
        let message = Notification {
            id: u64::MAX,
            channel: "mail".to_owned(),
            group_key: "{}:{}".to_owned(),
            reason: Reason::Held,
            at_ms: 0,
            group_labels: Texts::new(),
            common_labels: Texts::new(),
            common_annotations: Texts::new(),
            alerts: vec![alert],
            more: 3,
            external_url: String::new(),
            chart: Some(Chart { title: String::new(), lines: vec![("a".to_owned(), points)], threshold: None }),
        };
        let text = serde_json::to_string(&message).expect("plain data");
        assert_eq!(serde_json::from_str::<Notification>(&text).expect("own form"), message);
        let mut other = message;
        other.alerts.iter_mut().for_each(|alert| alert.value = f64::NAN);
        let text = serde_json::to_string(&other).expect("plain data");
        let back: Notification = serde_json::from_str(&text).expect("own form");
        assert!(back.alerts.iter().all(|alert| alert.value.is_nan()));
    }
}
