//! Rules and alerts, as far as the server must know them.

use squirrel_alert::thresholds::Thresholds;
use squirrel_api::rules::RuleGroup;

/// What the program knows of its rules. Every answer is of this moment, and none waits for an evaluation.
pub trait Alerting: Send + Sync {
    /// All groups by file and name, with their alerts.
    fn groups(&self) -> Vec<RuleGroup>;

    /// The thresholds in force, which the verdict's checks share with the built-in rules.
    fn thresholds(&self) -> Thresholds;
}

/// No rules at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAlerting;

impl Alerting for NoAlerting {
    fn groups(&self) -> Vec<RuleGroup> {
        Vec::new()
    }

    fn thresholds(&self) -> Thresholds {
        Thresholds::default()
    }
}
