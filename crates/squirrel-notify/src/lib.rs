//! From alert to person: grouping, inhibition, silences, acknowledgement, escalation, flapping, dependencies,
//! quiet hours, and the record of them.
//!
//! - [`Settings`] is what can be configured, as TOML writes it.
//! - [`Notifier`] takes alerts as evaluations leave them ([`Observed`]) and says what is to be delivered now
//!   ([`Notification`]).
//! - [`Views`] is what pages and the API show.
//!
//! Routes, grouping, inhibition and silences are Alertmanager's; flapping is Icinga's; dependencies are Nagios'.
//!
//! Absences: no files, no HTTP, no threads, no clock. Time is an argument, and the state is written down and taken
//! up again as one text.
#![forbid(unsafe_code)]

mod acknowledgement;
mod alertmanager;
mod awake;
mod calendar;
mod decide;
mod flap;
mod group;
mod history;
mod matchers;
mod message;
mod notification;
mod notifier;
mod number;
mod observed;
mod plan;
mod record;
mod saved;
mod settings;
mod severity;
mod show;
mod silences;
mod suppression;
#[cfg(test)]
mod tests;
mod view;

pub use acknowledgement::{AckError, AckTarget, Acknowledgement};
pub use alertmanager::{
    ApiAlertStatus, ApiMatcher, ApiReceiver, ApiShow, ApiSilenceError, ApiState, GettableAlert, GettableSilence,
    PostableSilence,
};
pub use calendar::{Days, Span, TimeOfDay};
pub use history::{Event, HistoryEntry, MAX_HISTORY};
pub use matchers::{MAX_MATCHERS, Matchers, MatchersError, parse_matcher};
pub use notification::{Chart, Notification, NotifiedAlert, Reason, Texts};
pub use notifier::{MAX_ALERTS, MAX_GROUPS, Notifier};
pub use observed::{Observed, RuleFacts, fingerprint};
pub use plan::SettingsError;
pub use settings::{
    Dependency, Escalation, Flapping, Grouping, Inhibit, Maintenance, QuietHours, Route, Settings, Step,
};
pub use severity::{DEFAULT_SEVERITY, SEVERITY_LABEL, severity_of, severity_rank};
pub use silences::{MAX_SILENCES, NewSilence, Silence, SilenceError, SilenceState};
pub use suppression::Suppression;
pub use view::{AlertView, Counts, GroupView, SilenceView, Views, WindowView};
