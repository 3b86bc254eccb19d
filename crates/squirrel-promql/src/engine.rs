//! The query boundary: whoever asks PromQL asks an [`Engine`], be it the evaluator of this crate over samples that
//! are kept here ([`Embedded`]) or another program.

mod embedded;

use std::time::Duration;

use squirrel_model::{Labels, Matcher, TimeRange, Timestamp};

pub use embedded::Embedded;

use crate::print::selector_text;
use crate::{Answer, Expr, ParseError, ParseOptions, parse};

/// An expression that was checked here, and its text, which another engine is sent as it was written: places in that
/// engine's words then mean the same text.
#[derive(Clone, Debug)]
pub struct Query {
    text: String,
    expr: Expr,
}

impl Query {
    /// Parses and checks an expression.
    ///
    /// # Errors
    /// As [`parse`].
    pub fn parse(text: &str, options: &ParseOptions) -> Result<Self, ParseError> {
        Ok(Self { text: text.to_owned(), expr: parse(text, options)? })
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The checked tree.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }
}

impl From<Expr> for Query {
    fn from(expr: Expr) -> Self {
        Self { text: expr.to_string(), expr }
    }
}

/// The moments of a range query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    /// The first.
    pub start: Timestamp,
    /// Not after this.
    pub end: Timestamp,
    /// Milliseconds between two; above zero.
    pub step_ms: i64,
}

/// What an answer may cost, and who may end the work.
pub struct Terms<'a> {
    /// Time for the answer.
    pub time: Duration,
    /// How old a sample may be and still be the latest, in milliseconds; none for the engine's own measure, which is
    /// five minutes for all that are known.
    pub lookback_ms: Option<i64>,
    /// Asked now and then: whether to give up. A deadline of the caller's clock belongs here too.
    pub stop: &'a dyn Fn() -> bool,
}

/// What was looked up: names, values or series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed<T> {
    /// Sorted, each once.
    pub items: Vec<T>,
    /// Why they may not be all.
    pub warnings: Vec<String>,
}

/// What is looked up: the union of what each set of matchers finds, or everything when there is no set.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    /// All matchers of a set must be fulfilled.
    pub sets: &'a [Vec<Matcher>],
    /// With a sample in this range.
    pub range: TimeRange,
    /// Most items that are wanted; none for all.
    pub limit: Option<usize>,
}

impl Lookup<'_> {
    /// The sets as selectors, in the text that `match[]` takes.
    pub fn selectors(&self) -> impl Iterator<Item = String> {
        self.sets.iter().map(|set| selector_text(set))
    }
}

/// What kind of trouble a question met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trouble {
    /// The question is no question: syntax, or times that do not fit.
    BadData,
    /// The data do not fit the expression, or a limit was passed.
    Execution,
    /// [`Terms::stop`] said so, or [`Terms::time`] is over.
    Stopped,
    /// The engine is not there, or takes no question now: later it may.
    Unavailable,
    /// A fault of the engine, or samples that cannot be read.
    Internal,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    /// What kind of trouble.
    pub trouble: Trouble,
    /// What is wrong and, where possible, what to do. Words of another program in it are made harmless.
    pub message: String,
}

impl EngineError {
    /// An error of this kind.
    pub fn new(trouble: Trouble, message: impl Into<String>) -> Self {
        Self { trouble, message: message.into() }
    }
}

/// Whatever answers PromQL.
///
/// All calls block the thread: call them where that does no harm. They may come from many threads at once.
pub trait Engine: Send + Sync {
    /// The value at one moment.
    ///
    /// # Errors
    /// What the data, a limit, the time or the engine's state refuse.
    fn instant(&self, query: &Query, at: Timestamp, terms: &Terms<'_>) -> Result<Answer, EngineError>;

    /// The values over a range.
    ///
    /// # Errors
    /// As [`Engine::instant`].
    fn range(&self, query: &Query, moments: Moments, terms: &Terms<'_>) -> Result<Answer, EngineError>;

    /// The label sets of series.
    ///
    /// # Errors
    /// As [`Engine::instant`].
    fn series(&self, lookup: Lookup<'_>, terms: &Terms<'_>) -> Result<Listed<Labels>, EngineError>;

    /// The names of labels.
    ///
    /// # Errors
    /// As [`Engine::instant`].
    fn label_names(&self, lookup: Lookup<'_>, terms: &Terms<'_>) -> Result<Listed<String>, EngineError>;

    /// The values of one label.
    ///
    /// # Errors
    /// As [`Engine::instant`].
    fn label_values(&self, label: &str, lookup: Lookup<'_>, terms: &Terms<'_>) -> Result<Listed<String>, EngineError>;
}
