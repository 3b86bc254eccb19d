//! What pages and the API show.

use squirrel_alert::AlertState;
use squirrel_model::Timestamp;

use crate::{Acknowledgement, NotifiedAlert, Silence, SilenceState, Suppression};

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Views {
    /// Alerts, the worst first, then the oldest.
    pub alerts: Vec<AlertView>,
    /// Groups by their key.
    pub groups: Vec<GroupView>,
    /// Planned work, and when it takes place.
    pub windows: Vec<WindowView>,
    /// Until when quiet hours last, while they do.
    pub quiet_until: Option<Timestamp>,
}

/// An alert and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertView {
    /// The alert as messages tell it.
    pub alert: NotifiedAlert,
    /// How far it has come; inactive means that it is over.
    pub state: AlertState,
    /// How bad, from 0 to 4.
    pub severity_rank: u8,
    /// Where its rule stands: file and group.
    pub source: String,
    /// What holds it back.
    pub suppressed: Vec<Suppression>,
    /// Who takes care.
    pub acknowledgement: Option<Acknowledgement>,
    /// Weighted changes of state within the last 20 evaluations, in per cent.
    pub flapping_percent: f64,
    /// Channels that take it for firing.
    pub told: Vec<String>,
    /// Channels that its routes name.
    pub receivers: Vec<String>,
    /// When the next step of its escalation is due.
    pub escalates_at: Option<Timestamp>,
}

/// A group and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Its key; messages carry the same.
    pub key: String,
    /// The labels that make it.
    pub labels: crate::Texts,
    /// Numbers of its alerts.
    pub members: Vec<u64>,
    /// Each channel, and when it was told last.
    pub channels: Vec<(String, Option<Timestamp>)>,
}

/// Planned work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowView {
    /// Its name.
    pub name: String,
    /// Which alerts; none means all.
    pub matchers: Vec<String>,
    /// Until when it lasts, while it does.
    pub until: Option<Timestamp>,
    /// When it begins or ends next.
    pub next_change: Option<Timestamp>,
}

/// A silence and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilenceView {
    /// The silence.
    pub silence: Silence,
    /// Where it stands.
    pub state: SilenceState,
    /// How many firing alerts it takes now.
    pub takes: usize,
}

/// How much there is, and what was given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Alerts that are remembered.
    pub alerts: usize,
    /// Firing ones.
    pub firing: usize,
    /// Firing ones that something holds back.
    pub suppressed: usize,
    /// Groups.
    pub groups: usize,
    /// Silences, those that are over among them.
    pub silences: usize,
    /// Acknowledgements.
    pub acknowledgements: usize,
    /// Messages that were decided since the first start.
    pub messages: u64,
    /// Observations of alerts for which there was no room.
    pub refused: u64,
    /// Entries of the history that newer ones displaced.
    pub history_forgotten: u64,
}
