//! Alerting: rules in, alerts out.
//!
//! - [`RuleFile`] reads Prometheus' rule files, and says of a bad one everything that is wrong, with
//!   line and column.
//! - [`Template`] fills in labels and annotations.
//! - [`Group`] evaluates rules at given moments: samples to append, and alerts that go from pending to
//!   firing to over. After a start they take up where the last run left them.
//! - [`built_in()`] are the rules that Squirrel brings along, with their thresholds and what to do.
//! - [`backtest()`] tries a rule file on the past.
//! - [`UnitTests`] runs the files of `promtool test rules`.
//!
//! Absences: no files, no HTTP, no threads, no clock. Time is an argument, and samples are seen
//! through [`Select`], or another engine's answers through [`Engine`].
#![forbid(unsafe_code)]

mod alert;
mod backtest;
mod built_in;
mod compared;
mod group;
mod memory;
mod overlay;
mod rules;
mod source;
mod template;
mod unit_test;

pub use alert::{Alert, AlertState};
pub use backtest::{Backtest, BacktestError, Episode, backtest};
pub use built_in::thresholds;
pub use built_in::{BUILT_IN_FILE, BuiltIn, Fault, Shown, built_in, built_in_rules, built_in_text};
pub use compared::Compared;
pub use group::{Group, Health, NewSample, RuleStatus, Surroundings};
pub use rules::{AlertParts, Rule, RuleErrors, RuleFile, RuleGroup};
pub use squirrel_yaml::{Place, Problem};
pub use template::{MAX_TEMPLATE_OUTPUT, QueryAnswer, Template, TemplateData, TemplateError, TemplateTree};
pub use unit_test::{TestFailure, UnitTests};

#[cfg(doc)]
use squirrel_model::Select;
#[cfg(doc)]
use squirrel_promql::Engine;
