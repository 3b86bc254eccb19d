//! What is remembered of one alert.

use std::sync::Arc;

use squirrel_alert::AlertState;
use squirrel_model::{Labels, Timestamp};

use crate::flap::Flap;
use crate::suppression::Suppression;
use crate::{NotifiedAlert, RuleFacts, SEVERITY_LABEL, Texts, fingerprint, severity_rank};

/// An alert and where it stands. Moments that end in `_ms` are times of waiting ([`crate::awake`]).
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) labels: Labels,
    pub(crate) annotations: Texts,
    pub(crate) rule: Arc<RuleFacts>,
    pub(crate) state: AlertState,
    pub(crate) value: f64,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Option<Timestamp>,
    /// When it was shown last.
    pub(crate) seen_ms: i64,
    /// When it ended.
    pub(crate) ended_ms: i64,
    pub(crate) flap: Flap,
    /// Since when somebody could have taken care: since it was first told, or was released.
    pub(crate) told_ms: Option<i64>,
    /// How many steps of its escalation were taken.
    pub(crate) steps: usize,
    /// What held it back when that was last looked at.
    pub(crate) held: Vec<Suppression>,
    /// Silences whose conditions it fulfils, as of a revision of the silences.
    pub(crate) silences: (Option<u64>, Vec<String>),
    pub(crate) facts: Facts,
    /// Whether it is known from the last run alone: its rule may begin to wait anew, and it still fires.
    pub(crate) from_last_run: bool,
}

/// What follows from an alert's labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) fingerprint: u64,
    /// The number of its labels without the severity: a warning that becomes critical is the same trouble.
    pub(crate) subject: u64,
    pub(crate) rank: u8,
}

impl Facts {
    pub(crate) fn of(labels: &Labels) -> Self {
        Self {
            fingerprint: fingerprint(labels),
            subject: fingerprint(&labels.filter(|name| name != SEVERITY_LABEL)),
            rank: severity_rank(labels),
        }
    }
}

impl Record {
    pub(crate) fn is_firing(&self) -> bool {
        self.state == AlertState::Firing
    }

    /// Whether what it tells of is going on: it fires, or comes and goes.
    pub(crate) fn is_trouble(&self) -> bool {
        self.is_firing() || self.flap.flapping
    }

    /// Whether it is told as one that fires: nothing holds it back.
    pub(crate) fn is_free(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether nothing but its flapping holds it back.
    pub(crate) fn only_flaps(&self) -> bool {
        self.held == [Suppression::Flapping]
    }

    /// As a message tells it, with the address of its page below that of all pages.
    pub(crate) fn notified(&self, acknowledged_by: Option<String>, pages: &str) -> NotifiedAlert {
        let (pages, number) = (pages.trim_end_matches('/'), self.facts.fingerprint);
        NotifiedAlert {
            firing: self.is_firing(),
            labels: crate::notification::texts(&self.labels),
            annotations: self.annotations.clone(),
            starts_at_ms: self.starts_at.millis(),
            ends_at_ms: self.ends_at.map(Timestamp::millis),
            value: self.value,
            threshold: self.rule.threshold,
            expr: self.rule.expr.clone(),
            generator_url: if pages.is_empty() { String::new() } else { format!("{pages}/alerts/{number:016x}") },
            fingerprint: self.facts.fingerprint,
            acknowledged_by,
        }
    }
}
