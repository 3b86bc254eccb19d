//! Alerting: rules in, alerts out.
//!
//! - [`RuleFile`] reads Prometheus' rule files, and says of a bad one everything that is wrong, with
//!   line and column.
//! - [`Template`] fills in labels and annotations.
//!
//! Absences: no files, no HTTP, no threads, no clock. Time is an argument, and samples are seen
//! through [`Select`] alone.
#![forbid(unsafe_code)]

mod read;
mod rules;
mod template;
mod yaml;

pub use rules::{AlertParts, Rule, RuleErrors, RuleFile, RuleGroup};
pub use template::{MAX_TEMPLATE_OUTPUT, QueryAnswer, Template, TemplateData, TemplateError};
pub use yaml::{Place, Problem};

#[cfg(doc)]
use squirrel_model::Select;
