//! A template as a tree. Places are bytes of its text.

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Node {
    /// Written as it is.
    Text(String),
    /// `{{ … }}`: its value is written, unless it only sets variables.
    Action(Pipeline),
    /// `if`, `with` or `range`, with what stands before `else` and after it.
    Branch { kind: Branch, pipeline: Pipeline, body: Vec<Node>, otherwise: Vec<Node> },
    /// `{{break}}`.
    Break,
    /// `{{continue}}`.
    Continue,
}

/// What a pipeline decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Branch {
    /// Whether the body is written.
    If,
    /// The same, and the value is the dot within.
    With,
    /// The body is written for each item.
    Range,
}

/// Commands, each given the value of the one before as its last argument.
#[derive(Debug)]
pub(super) struct Pipeline {
    /// Variables that take the value.
    pub(super) variables: Vec<String>,
    /// `=` and not `:=`.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
    pub(super) at: usize,
}

/// A function with its arguments, or one value.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) terms: Vec<Term>,
}

/// A value, and fields of it: `(query "up" | first).Labels.job`.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) base: Base,
    pub(super) fields: Vec<String>,
    pub(super) at: usize,
}

/// What a term begins with.
#[derive(Debug)]
pub(super) enum Base {
    Dot,
    Variable(String),
    Function(&'static super::functions::Function),
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    Nil,
    Group(Box<Pipeline>),
}
