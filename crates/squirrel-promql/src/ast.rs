//! The tree of an expression. Each node knows its place in the text.

mod operators;

use squirrel_model::{Matcher, Timestamp};

pub use operators::{AggregateOp, BinaryOp};

use crate::Span;
use crate::functions::Function;

/// What an expression yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// One number per step.
    Scalar,
    /// Series with at most one sample per step.
    Vector,
    /// Series with a range of samples per step.
    Matrix,
    /// A text.
    String,
}

impl Type {
    /// As the documentation calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
            Self::String => "string",
        }
    }
}

/// A checked expression, or a part of one.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A number, or a duration in seconds.
    Number {
        /// The value.
        value: f64,
        /// Whether it was written as a duration (`5m`).
        duration: bool,
    },
    /// A text.
    String(String),
    /// Series by name and labels, the latest sample of each.
    Selector(Selector),
    /// Series by name and labels, the samples of a span of time.
    Range {
        /// Which series, and their offset.
        selector: Selector,
        /// How far back, in milliseconds; above zero.
        range_ms: i64,
    },
    /// An expression evaluated at each step of a span of time.
    Subquery(Box<Subquery>),
    /// An expression in parentheses.
    Paren(Box<Expr>),
    /// `-x` or `+x`.
    Unary {
        /// Whether the sign is a minus.
        minus: bool,
        /// What it stands before.
        operand: Box<Expr>,
    },
    /// Two operands and what joins them.
    Binary(Box<Binary>),
    /// Many series to fewer.
    Aggregate(Box<Aggregate>),
    /// A function and its arguments.
    Call(Box<Call>),
}

impl Expr {
    /// What the expression yields.
    pub fn result_type(&self) -> Type {
        match &self.kind {
            ExprKind::Number { .. } => Type::Scalar,
            ExprKind::String(_) => Type::String,
            ExprKind::Selector(_) | ExprKind::Aggregate(_) => Type::Vector,
            ExprKind::Range { .. } | ExprKind::Subquery(_) => Type::Matrix,
            ExprKind::Paren(inner) | ExprKind::Unary { operand: inner, .. } => inner.result_type(),
            ExprKind::Binary(binary) => {
                let scalar = |e: &Self| e.result_type() == Type::Scalar;
                if scalar(&binary.left) && scalar(&binary.right) { Type::Scalar } else { Type::Vector }
            }
            ExprKind::Call(call) => call.function.returns,
        }
    }

    /// The expression without parentheses around it.
    pub fn unwrapped(&self) -> &Self {
        let mut expr = self;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// The parts one level below, in the order of the text.
    pub fn children(&self) -> Vec<&Self> {
        match &self.kind {
            ExprKind::Number { .. } | ExprKind::String(_) | ExprKind::Selector(_) | ExprKind::Range { .. } => vec![],
            ExprKind::Subquery(subquery) => vec![&subquery.expr],
            ExprKind::Paren(inner) | ExprKind::Unary { operand: inner, .. } => vec![inner],
            ExprKind::Binary(binary) => vec![&binary.left, &binary.right],
            ExprKind::Aggregate(aggregate) => aggregate.param.iter().chain([&aggregate.expr]).collect(),
            ExprKind::Call(call) => call.args.iter().collect(),
        }
    }

    /// The matchers of each selector in the expression, in the order of the text.
    pub fn selectors(&self) -> Vec<&[Matcher]> {
        match &self.kind {
            ExprKind::Selector(selector) | ExprKind::Range { selector, .. } => vec![&selector.matchers],
            _ => self.children().into_iter().flat_map(Self::selectors).collect(),
        }
    }
}

/// Which series, and when.
#[derive(Clone, Debug)]
pub struct Selector {
    /// The name outside the braces.
    pub name: Option<String>,
    /// All conditions, that of the name among them (first).
    pub matchers: Vec<Matcher>,
    /// `offset` and `@`.
    pub shift: Shift,
}

/// A point in time given with `@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// A moment.
    Time(Timestamp),
    /// `start()`: the first step of the query.
    Start,
    /// `end()`: the last step of the query.
    End,
}

/// How a selector or subquery moves its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    /// `offset` in milliseconds, positive into the past; `None` when not written.
    pub offset_ms: Option<i64>,
    /// `@`.
    pub at: Option<At>,
}

/// An expression over a span of time: `expr[range:step]`.
#[derive(Clone, Debug)]
pub struct Subquery {
    /// What is evaluated.
    pub expr: Expr,
    /// How far back, in milliseconds; above zero.
    pub range_ms: i64,
    /// Distance of evaluations in milliseconds; `None` for the default.
    pub step_ms: Option<i64>,
    /// `offset` and `@`.
    pub shift: Shift,
}

/// Two operands and what joins them.
#[derive(Clone, Debug)]
pub struct Binary {
    /// What joins them.
    pub op: BinaryOp,
    /// Left operand.
    pub left: Expr,
    /// Right operand.
    pub right: Expr,
    /// Whether a comparison answers 0 or 1 instead of filtering.
    pub returns_bool: bool,
    /// Which series of the two sides belong together.
    pub matching: Matching,
}

/// Which side of an operation may have several series for one of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Many {
    /// None: one to one.
    #[default]
    None,
    /// The left side: `group_left`.
    Left,
    /// The right side: `group_right`.
    Right,
}

/// Which series of two sides belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matching {
    /// `on(…)` if true, `ignoring(…)` (or nothing) if false.
    pub on: bool,
    /// The labels of `on` or `ignoring`; `None` when neither is written.
    pub labels: Option<Vec<String>>,
    /// Which side may have several.
    pub many: Many,
    /// Labels to take over from the side that has one.
    pub include: Vec<String>,
    /// `fill_left` and `fill_right`: what a series without partner is computed with.
    pub fill: Fill,
}

/// What stands in for a missing partner; `None` for nothing, so that the series is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fill {
    /// For one missing on the left.
    pub left: Option<f64>,
    /// For one missing on the right.
    pub right: Option<f64>,
}

impl Fill {
    /// Whether anything stands in.
    pub fn is_some(self) -> bool {
        self.left.is_some() || self.right.is_some()
    }
}

/// Many series to fewer: `sum by (job) (x)`.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// How.
    pub op: AggregateOp,
    /// The number or text that some need before the series.
    pub param: Option<Expr>,
    /// The series.
    pub expr: Expr,
    /// Which labels make a group.
    pub grouping: Grouping,
}

/// Which labels make a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// Those named; nothing written is `by ()`.
    By(Vec<String>),
    /// All but those named.
    Without(Vec<String>),
}

/// A function and its arguments.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which.
    pub function: &'static Function,
    /// Its arguments.
    pub args: Vec<Expr>,
}
