//! Rules and alerts, as far as the server must know them.

use squirrel_alert::thresholds::Thresholds;
use squirrel_api::alerts::{ActionDone, AlertAction, AlertsPage};
use squirrel_api::rules::RuleGroup;
use squirrel_api::{ApiError, Level};

/// What the program knows of its rules and of who was told. Every answer is of this moment, and none waits for an
/// evaluation.
pub trait Alerting: Send + Sync {
    /// All groups by file and name, with their alerts.
    fn groups(&self) -> Vec<RuleGroup>;

    /// What the verdict needs.
    fn watch(&self) -> Watch;

    /// Alerts, silences, what happened, what was delivered. May take a moment: call it on a thread that may wait.
    fn page(&self) -> AlertsPage;

    /// Where Alertmanagers are told of alerts.
    fn alertmanagers(&self) -> Vec<String>;

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

/// What the verdict needs of the rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watch {
    /// The thresholds in force, which the verdict's checks share with the built-in rules.
    pub thresholds: Thresholds,
    /// How many alerts fire.
    pub firing: usize,
    /// Names of those, each once, as many as a sentence holds.
    pub names: Vec<String>,
    /// How bad the worst of them is.
    pub worst: Option<Level>,
    /// What is wrong with rule files.
    pub problems: Vec<String>,
    /// Which rules are not evaluated, and why; parts of a sentence.
    pub not_evaluated: Vec<String>,
}

impl Watch {
    /// Most names.
    pub const NAMES: usize = 3;

    /// The sentence about what fires.
    pub(crate) fn sentence(&self) -> Option<String> {
        let names = self.names.join(", ");
        let more = if self.firing > self.names.len() { " …" } else { "" };
        match self.firing {
            0 => None,
            1 => Some(format!("1 alert fires: {names}.")),
            firing => Some(format!("{firing} alerts fire: {names}{more}.")),
        }
    }
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

    fn watch(&self) -> Watch {
        Watch::default()
    }

    fn page(&self) -> AlertsPage {
        AlertsPage::default()
    }

    fn alertmanagers(&self) -> Vec<String> {
        Vec::new()
    }

    fn act(&self, _: AlertAction) -> Result<ActionDone, ApiError> {
        Err(ApiError::bad_data("this server has no alerts"))
    }

    fn alertmanager(&self, _: AlertmanagerRequest) -> Result<serde_json::Value, ApiError> {
        Ok(serde_json::Value::Array(Vec::new()))
    }
}
