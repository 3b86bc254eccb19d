//! Why a query was refused or failed.

use squirrel_model::SelectError;

use crate::Span;

/// A query that is not PromQL, with the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{span}: parse error: {message}")]
pub struct ParseError {
    /// The place in the query's text.
    pub span: Span,
    /// What is wrong there.
    pub message: String,
}

impl ParseError {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }
}

/// Why an evaluation gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The question itself cannot be answered: a range that ends before it begins, too many steps,
    /// a text asked for over a range.
    #[error("{0}")]
    BadData(String),
    /// The data do not fit the expression, such as two series where one was expected.
    #[error("{0}")]
    Execution(String),
    /// The answer would need the content of native histograms, of which only their presence is kept.
    #[error(
        "{subject} needs the content of native histograms, which is not kept here: leave these series out, or ask for \
         what needs their presence alone, such as count or absent"
    )]
    HistogramContent {
        /// What needs it.
        subject: String,
    },
    /// The query would touch more samples than allowed.
    #[error(
        "the query touches more than {limit} samples: ask for a shorter range or fewer series, \
         take a longer step, or raise the limit"
    )]
    TooManySamples {
        /// The limit that was in force.
        limit: u64,
    },
    /// The query's intermediate results would take more memory than allowed.
    #[error(
        "the query needs more than {limit} bytes of memory for what it has computed so far: ask for fewer series, take \
         a longer step, or aggregate in smaller parts"
    )]
    TooMuchMemory {
        /// The limit that was in force.
        limit: u64,
    },
    /// The caller asked to stop (deadline passed or nobody waits for the answer any more).
    #[error("the query was stopped before it was done: its time was over or nobody waits for it")]
    Stopped,
    /// Samples could not be read.
    #[error(transparent)]
    Store(#[from] SelectError),
}

impl EvalError {
    pub(crate) fn execution(message: impl Into<String>) -> Self {
        Self::Execution(message.into())
    }

    pub(crate) fn histogram_content(subject: impl Into<String>) -> Self {
        Self::HistogramContent { subject: subject.into() }
    }
}
