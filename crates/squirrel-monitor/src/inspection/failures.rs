//! Failures by message type: who fails, and how.

use std::sync::OnceLock;

use squirrel_inspect::{Failure, FailureKind};

use crate::config::MAX_MESSAGE_TYPES;
use crate::recorder::ErrorRow;
use crate::table::{OTHER, Table};

/// Octets of the longest name that is put together: a word, a label and a detail, of 64 octets each at most
/// when they come from a built-in inspector.
pub(super) const LONGEST_NAME: usize = 256;

/// What kind of failure it is: who is to be asked about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FailureClass {
    /// The protocol's own error: a code of JSON-RPC, a status of HTTP, a close code.
    Protocol,
    /// A tool of an MCP server failed, and its answer says so: the protocol is in order.
    Tool,
    /// No answer came in time.
    Unanswered,
    /// A message is not as its protocol wants it.
    Conformance,
}

impl FailureClass {
    fn of(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Tool => Self::Tool,
            FailureKind::Unanswered => Self::Unanswered,
            FailureKind::Conformance(_) => Self::Conformance,
            _ => Self::Protocol,
        }
    }

    /// `protocol`, `tool`, `unanswered` or `conformance`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Protocol => "protocol",
            Self::Tool => "tool",
            Self::Unanswered => "unanswered",
            Self::Conformance => "conformance",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Protocol, Self::Tool, Self::Unanswered, Self::Conformance].into_iter().find(|class| class.name() == name)
    }
}

/// How often messages of one type failed in one way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct FailureMetrics {
    /// The message type, as among the message types; `other` when there were too many to tell apart.
    pub message_type: String,
    /// What kind of failure. `Protocol` for the row of all others.
    pub class: FailureClass,
    /// A word from the inspector's list, such as `invalid_params` or `tool_error`; `other` for the rest.
    pub error: String,
    /// How often.
    pub count: u64,
}

/// A bounded table, made when the first failure comes.
#[derive(Default)]
pub(super) struct Failures {
    rows: OnceLock<Table<ErrorRow>>,
    limit: usize,
}

impl Failures {
    /// Each type may fail in several ways.
    pub(super) fn new(max_message_types: usize) -> Self {
        Self { rows: OnceLock::new(), limit: max_message_types.saturating_mul(4).min(MAX_MESSAGE_TYPES) }
    }

    pub(super) fn count(&self, failure: &Failure<'_>, name: &mut String) {
        let rows = self.rows.get_or_init(|| Table::new(self.limit));
        name.clear();
        for part in [FailureClass::of(failure.kind).name(), "\n", failure.kind.name(), "\n"] {
            name.push_str(part);
        }
        push_type(name, failure.label, failure.detail);
        rows.row(name).add();
    }

    /// All that failed, in the order of types.
    pub(super) fn metrics(&self) -> Vec<FailureMetrics> {
        let Some(rows) = self.rows.get() else { return Vec::new() };
        let metrics = |(name, row): (&str, &ErrorRow)| {
            let mut parts = name.splitn(3, '\n');
            let class = parts.next().and_then(FailureClass::from_name).unwrap_or(FailureClass::Protocol);
            let error = parts.next().unwrap_or(OTHER).to_owned();
            let message_type = parts.next().unwrap_or(OTHER).to_owned();
            FailureMetrics { message_type, class, error, count: row.count() }
        };
        let mut all: Vec<_> = rows.rows().map(metrics).filter(|row| row.count > 0).collect();
        all.sort_unstable();
        all
    }
}

/// A message type's name: the label, and the detail after a space.
pub(super) fn push_type(name: &mut String, label: &str, detail: Option<&str>) {
    name.push_str(label);
    if let Some(detail) = detail {
        name.push(' ');
        name.push_str(detail);
    }
}
