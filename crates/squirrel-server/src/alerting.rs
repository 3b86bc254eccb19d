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

    /// Answers in the words of Alertmanager's API.
    ///
    /// # Errors
    /// What was asked for cannot be, and why.
    fn alertmanager(&self, request: AlertmanagerRequest) -> Result<serde_json::Value, ApiError>;
}

/// What is asked under Alertmanager's paths.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertmanagerRequest {
    /// `GET /api/v2/receivers`
    Receivers,
    /// `GET /api/v2/alerts`
    Alerts(AlertmanagerAlerts),
    /// `GET /api/v2/alerts/groups`
    Groups(AlertmanagerAlerts),
    /// `GET /api/v2/silences`
    Silences {
        /// Conditions, one a text.
        filter: Vec<String>,
    },
    /// `GET /api/v2/silence/{id}`
    Silence {
        /// Which.
        id: String,
    },
    /// `POST /api/v2/silences`: the body, from somebody who may send it.
    PostSilence(serde_json::Value),
}

/// Which alerts are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertmanagerAlerts {
    /// Those that nothing holds back.
    pub active: bool,
    /// Those that a silence holds back.
    pub silenced: bool,
    /// Those that another alert holds back.
    pub inhibited: bool,
    /// A pattern of receivers' names.
    pub receiver: Option<String>,
    /// Conditions, one a text.
    pub filter: Vec<String>,
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

    fn alertmanager(&self, _: AlertmanagerRequest) -> Result<serde_json::Value, ApiError> {
        Ok(serde_json::Value::Array(Vec::new()))
    }
}
