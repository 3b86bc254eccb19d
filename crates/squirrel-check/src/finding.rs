//! What a check brought.

use std::time::Duration;

use squirrel_model::{Batch, Labels, Metric, Untrusted};

use crate::metrics;

/// Lines that a check tells at most, and characters of each.
const MOST_LINES: usize = 100;
const LONGEST_LINE: usize = 500;

/// What a check brought: whether all is well, the numbers, and what happened.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Whether everything was as it should be.
    pub success: bool,
    /// How long it took.
    pub duration: Duration,
    /// The metrics, `probe_success` and `probe_duration_seconds` among them.
    pub batch: Batch,
    /// What happened, in order; the last line of a failure says why. Fit for every screen.
    pub log: Vec<String>,
}

/// Why a check failed, in words fit for every screen.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String);

impl Failed {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// What is collected while a check runs.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    batch: Batch,
    log: Vec<String>,
}

impl Notes {
    /// Sets a metric that has no labels; the last value holds.
    pub(crate) fn set(&mut self, metric: &'static Metric, value: f64) {
        self.set_labelled(metric, &Labels::empty(), value);
    }

    /// Whether a metric was set.
    pub(crate) fn has(&self, metric: &'static Metric) -> bool {
        self.batch.rows.iter().any(|row| row.metric.name == metric.name)
    }

    /// Sets one row of a metric.
    pub(crate) fn set_labelled(&mut self, metric: &'static Metric, labels: &Labels, value: f64) {
        let same = |row: &&mut squirrel_model::Row| row.metric.name == metric.name && row.labels == *labels;
        match self.batch.rows.iter_mut().find(same) {
            Some(row) => row.value = value,
            None => self.batch.put(metric, labels, value),
        }
    }

    /// Adds to one row of a metric of phases.
    pub(crate) fn add_phase(&mut self, metric: &'static Metric, phase: &'static str, seconds: Duration) {
        let labels = Labels::new([("phase", phase)]).unwrap_or_default();
        let before = self.batch.rows.iter().find(|row| row.metric.name == metric.name && row.labels == labels);
        let before = before.map_or(0.0, |row| row.value);
        self.set_labelled(metric, &labels, before + seconds.as_secs_f64());
    }

    /// Tells what happened. What strangers wrote in it is escaped.
    pub(crate) fn say(&mut self, line: &str) {
        if self.log.len() < MOST_LINES {
            let line: String = line.chars().take(LONGEST_LINE).collect();
            self.log.push(Untrusted(&line).to_string());
        }
    }

    /// The end of it.
    pub(crate) fn finish(mut self, result: Result<(), Failed>, duration: Duration) -> Finding {
        let success = result.is_ok();
        if let Err(Failed(reason)) = result {
            // The reason is worth more than the last of many lines.
            self.log.truncate(MOST_LINES - 1);
            self.say(&reason);
        }
        self.set(&metrics::SUCCESS, f64::from(u8::from(success)));
        self.set(&metrics::DURATION, duration.as_secs_f64());
        Finding { success, duration, batch: self.batch, log: self.log }
    }
}

/// A text of a stranger as a label's value: at most 500 characters.
pub(crate) fn label_value(text: &str) -> String {
    text.chars().take(LONGEST_LINE).collect()
}

/// Octets as people compare them.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        text += &format!("{octet:02x}");
        text
    })
}
