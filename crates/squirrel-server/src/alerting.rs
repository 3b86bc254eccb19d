//! Rules and alerts, as far as the server must know them.

use squirrel_alert::thresholds::Thresholds;
use squirrel_api::ApiError;
use squirrel_api::alerts::{ActionDone, AlertAction, AlertsPage};
use squirrel_api::rules::RuleGroup;

/// What the program knows of its rules and of who was told. Every answer is of this moment, and none waits for an
/// evaluation.
pub trait Alerting: Send + Sync {
    /// All groups by file and name, with their alerts.
    fn groups(&self) -> Vec<RuleGroup>;

    /// The thresholds in force, which the verdict's checks share with the built-in rules.
    fn thresholds(&self) -> Thresholds;

    /// Alerts, silences, what happened, what was delivered. May take a moment: call it on a thread that may wait.
    fn page(&self) -> AlertsPage;

    /// Does something about alerts. When it returns, a crash does not undo it. May take some seconds.
    ///
    /// # Errors
    /// What was asked for cannot be, and why.
    fn act(&self, action: AlertAction) -> Result<ActionDone, ApiError>;
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

    fn page(&self) -> AlertsPage {
        AlertsPage::default()
    }

    fn act(&self, _: AlertAction) -> Result<ActionDone, ApiError> {
        Err(ApiError::bad_data("this server has no alerts"))
    }
}
