//! An alert as the rules show it after an evaluation.

use std::sync::Arc;

use squirrel_alert::{Alert, AlertState};
use squirrel_model::{Labels, Timestamp};

use crate::Texts;

/// What all alerts of one rule share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleFacts {
    /// The rule's expression.
    pub expr: String,
    /// The number that the expression compares with, where it is one.
    pub threshold: Option<f64>,
    /// Where the rule stands: file and group.
    pub source: String,
    /// Milliseconds between two evaluations. An alert of which nothing is heard for four of them, and at least
    /// five minutes, is over: its rule is gone, or is not evaluated any more.
    pub interval_ms: i64,
}

/// An alert at one evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The labels that make it this alert.
    pub labels: Labels,
    /// Its texts for people.
    pub annotations: Texts,
    /// How far it has come; inactive means that it is over.
    pub state: AlertState,
    /// The last value of the expression.
    pub value: f64,
    /// Since when the condition holds.
    pub active_at: Timestamp,
    /// Since when it is over.
    pub resolved_at: Option<Timestamp>,
    /// Its rule.
    pub rule: Arc<RuleFacts>,
}

impl Observed {
    /// An alert of a rule.
    pub fn new(alert: &Alert, rule: &Arc<RuleFacts>) -> Self {
        Self {
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
            state: alert.state,
            value: alert.value,
            active_at: alert.active_at,
            resolved_at: alert.resolved_at,
            rule: Arc::clone(rule),
        }
    }
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// Numbers made of octets, the same in every run: FNV-1a with 64 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digest(u64);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(FNV_START)
    }

    pub(crate) fn add(&mut self, octets: &[u8]) -> &mut Self {
        for octet in octets {
            self.0 = (self.0 ^ u64::from(*octet)).wrapping_mul(FNV_PRIME);
        }
        // No text holds this octet, so that two texts are not the same as one.
        self.0 = (self.0 ^ 0xff).wrapping_mul(FNV_PRIME);
        self
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}

/// The number of a label set, the same that Prometheus and Alertmanager give it (`model/labelset.go`).
pub fn fingerprint(labels: &Labels) -> u64 {
    let mut digest = Digest::new();
    for (name, value) in labels.iter() {
        digest.add(name.as_bytes()).add(value.as_bytes());
    }
    digest.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_the_number_that_alertmanager_gives_them() {
        assert_eq!(fingerprint(&Labels::empty()), 0xcbf2_9ce4_8422_2325);
        // FNV-1a of "a", 0xff, "b", 0xff.
        let mut want = FNV_START;
        for octet in [b'a', 0xff, b'b', 0xff] {
            want = (want ^ u64::from(octet)).wrapping_mul(FNV_PRIME);
        }
        assert_eq!(fingerprint(&Labels::new([("a", "b")]).expect("a label")), want);
    }
}
