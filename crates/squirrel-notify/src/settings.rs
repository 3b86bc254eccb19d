//! What can be configured, table by table, as TOML writes it. [`Settings::check`] says what is wrong with it.

use serde::Deserialize;

use crate::calendar::{Days, Span, TimeOfDay};
use crate::{DEFAULT_SEVERITY, Matchers};

/// Everything between an alert and the people who hear of it. Each field is one table of the configuration, so
/// that a file may have them beside its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// `[grouping]`
    pub grouping: Grouping,
    /// `[[route]]`: who gets what. With none, every channel gets everything.
    #[serde(rename = "route")]
    pub routes: Vec<Route>,
    /// `[[inhibit]]`
    pub inhibit: Vec<Inhibit>,
    /// `[[dependency]]`
    #[serde(rename = "dependency")]
    pub dependencies: Vec<Dependency>,
    /// `[[maintenance]]`
    pub maintenance: Vec<Maintenance>,
    /// `[quiet_hours]`
    pub quiet_hours: Option<QuietHours>,
    /// `[[escalation]]`
    #[serde(rename = "escalation")]
    pub escalations: Vec<Escalation>,
    /// `[flapping]`
    pub flapping: Flapping,
    /// Where Squirrel's pages are found, for links in messages; set by the program.
    #[serde(skip)]
    pub external_url: String,
}

/// `[grouping]`: which alerts make one message, and when it is sent; each route may say otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grouping {
    /// Labels whose values make a group; `["..."]` puts every alert in a group of its own, `[]` all in one.
    pub by: Vec<String>,
    /// How long a new group waits for more alerts before it is told. No time: alerts of one evaluation come
    /// together anyway, and the first message is the one that counts.
    pub wait: Span,
    /// How long at least lies between two messages of a group that has changed. That all of it is over is told at
    /// once.
    pub interval: Span,
    /// How long after the last message a group that still fires is told again.
    pub repeat: Span,
    /// Most alerts that one message tells in full, as far as it has room; the others are counted.
    pub max_alerts: usize,
}

impl Default for Grouping {
    fn default() -> Self {
        Self {
            by: vec!["alertname".to_owned()],
            wait: Span(0),
            interval: Span(5 * 60_000),
            repeat: Span(4 * 3_600_000),
            max_alerts: 50,
        }
    }
}

/// `[[route]]`: alerts that fulfil all conditions go to these channels. The first route that fits takes an alert,
/// unless it says `continue`; an alert that no route takes goes to every channel, so that none is lost by
/// forgetting it. What is not written is taken from the route around it, else from `[grouping]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    /// Conditions on labels.
    #[serde(rename = "match")]
    pub matchers: Matchers,
    /// Names of channels; an empty list tells nobody.
    pub channels: Option<Vec<String>>,
    /// Whether the routes that follow are tried too.
    #[serde(rename = "continue")]
    pub go_on: bool,
    /// As [`Grouping::by`].
    pub group_by: Option<Vec<String>>,
    /// As [`Grouping::wait`].
    pub group_wait: Option<Span>,
    /// As [`Grouping::interval`].
    pub group_interval: Option<Span>,
    /// As [`Grouping::repeat`].
    pub repeat_interval: Option<Span>,
    /// `[[route.route]]`: finer routes, tried first.
    #[serde(rename = "route")]
    pub routes: Vec<Route>,
}

/// `[[inhibit]]`: while an alert fires that `source` fits, those that `target` fits are held back, where the
/// labels `equal` have equal values (Alertmanager's rules).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inhibit {
    /// Which alert holds back.
    pub source: Matchers,
    /// Which alerts are held back.
    pub target: Matchers,
    /// Labels that must be equal; a label that both lack is.
    #[serde(default)]
    pub equal: Vec<String>,
}

/// `[[dependency]]`: what lies behind something that is down is not told singly. Unlike inhibition it goes on for a
/// while after the parent came back, since those behind it are tried again only then.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// Which alert says that the parent is down.
    pub parent: Matchers,
    /// Alerts of what lies behind it.
    pub child: Matchers,
    /// Labels that must be equal.
    #[serde(default)]
    pub equal: Vec<String>,
    /// How long after the parent came back the children may take to come back themselves.
    #[serde(default = "Dependency::default_settle")]
    pub settle: Span,
}

impl Dependency {
    fn default_settle() -> Span {
        Span(2 * 60_000)
    }
}

/// `[[maintenance]]`: planned work, each week or once, during which matching alerts are not told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Maintenance {
    /// What pages call it.
    pub name: String,
    /// Which alerts; none written means all.
    #[serde(rename = "match")]
    pub matchers: Matchers,
    /// Each week: on which days it begins.
    pub days: Days,
    /// Each week: when it begins.
    pub from: Option<TimeOfDay>,
    /// Each week: when it ends; a time not after `from` is on the next day.
    pub to: Option<TimeOfDay>,
    /// The zone of `from` and `to`, a name of IANA's list; UTC when not written.
    pub time_zone: Option<String>,
    /// Once: when it begins (RFC 3339).
    pub start: Option<String>,
    /// Once: when it ends.
    pub end: Option<String>,
}

/// `[quiet_hours]`: what can wait is held back, and told in one message when they end, if it still fires.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// When they begin.
    pub from: TimeOfDay,
    /// When they end; a time not after `from` is on the next day.
    pub to: TimeOfDay,
    /// On which days they begin.
    #[serde(default)]
    pub days: Days,
    /// The zone of `from` and `to`, a name of IANA's list.
    #[serde(default = "QuietHours::default_zone")]
    pub time_zone: String,
    /// Severities that are told at any hour.
    #[serde(default = "QuietHours::default_through")]
    pub through: Vec<String>,
}

impl QuietHours {
    fn default_zone() -> String {
        "UTC".to_owned()
    }

    fn default_through() -> Vec<String> {
        vec![DEFAULT_SEVERITY.to_owned()]
    }
}

/// `[[escalation]]`: who is told when nobody takes care. An alert follows the first escalation that fits it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Escalation {
    /// Which alerts; none written means all.
    #[serde(rename = "match")]
    pub matchers: Matchers,
    /// `[[escalation.step]]`, each later than the one before.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// `[[escalation.step]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// How long after it was first told an alert fires without an acknowledgement.
    pub after: Span,
    /// Who is told then.
    pub channels: Vec<String>,
}

/// `[flapping]`: Icinga's method. The changes of state within the last 20 evaluations are weighed, recent ones more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Flapping {
    /// Whether flapping is looked for.
    pub enabled: bool,
    /// Per cent of changes above which an alert flaps.
    pub high: u8,
    /// Per cent below which it has settled.
    pub low: u8,
}

impl Default for Flapping {
    fn default() -> Self {
        Self { enabled: true, high: 30, low: 25 }
    }
}
