//! PromQL: text to a checked tree, and a tree to numbers out of anything that is [`Select`].
//!
//! - [`parse`] reads the whole of Prometheus 3's language. Every node has its [`Span`], so errors
//!   and warnings point at the place. Printing a tree gives its text back.
//! - [`evaluate_instant`] and [`evaluate_range`] answer as Prometheus 3 does: ranges and lookback
//!   open on the left, stale markers, extrapolated rates, names removed at the end.
//!
//! - [`Engine`] is the boundary between those who ask and whatever answers: [`Embedded`] is the two above, another
//!   program may be the other.
//!
//! Evaluation goes by columns. A step of a range query never walks the tree: each node is computed
//! once, for all steps, as one column of numbers per series; windows slide over samples that were
//! read once; what does not change from step to step is computed for one step only. An instant
//! query is a range of one step.
//!
//! Absences: no files, no threads, no clock. Limits are arguments; the caller says when to stop.
#![forbid(unsafe_code)]

mod answer;
pub mod ast;
mod check;
pub mod engine;
mod error;
mod eval;
pub mod functions;
mod lexer;
mod number;
mod parser;
mod print;
mod span;

pub use answer::{Answer, EvalOptions, InstantSample, Value, evaluate_instant, evaluate_range};
pub use ast::Expr;
pub use engine::{Embedded, Engine, EngineError, Query};
pub use error::{EvalError, ParseError};
pub use parser::{ParseOptions, parse, parse_selector};
pub use span::Span;

use squirrel_model::Matcher;
#[cfg(doc)]
use squirrel_model::Select;

/// The matchers of each selector in the expression, in the order of the text.
pub fn selectors(expr: &Expr) -> Vec<&[Matcher]> {
    expr.selectors()
}
