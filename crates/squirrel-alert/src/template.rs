//! The templates of labels and annotations: Go's text/template as people write it in rule files.
//!
//! Known are `$labels`, `$value`, `$externalLabels`, `$externalURL` and their long forms (`.Labels.x`),
//! variables, pipelines, `if`, `with`, `range`, trimming and comments, and the functions of
//! Prometheus: see `functions.rs`. Not known: `define`, `template`, `block`, `call`, `html`, `js`,
//! `toTime`, `toDuration`.
//!
//! Templates come with rules of others and are filled with values of others, so steps, output,
//! queries and depth have limits.
//!
//! <https://prometheus.io/docs/prometheus/latest/configuration/template_reference/>,
//! <https://pkg.go.dev/text/template>

mod ast;
mod compare;
mod format;
mod functions;
mod humanize;
mod lexer;
mod parser;
mod run;
mod tree;
mod value;

use std::fmt;
use std::sync::Arc;

use squirrel_model::{Labels, Timestamp};

pub use tree::TemplateTree;

/// A template that was read without mistakes.
#[derive(Clone)]
pub struct Template {
    text: Arc<str>,
    nodes: Arc<[ast::Node]>,
}

/// Why a template is refused, or failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct TemplateError {
    /// Line within the template, from 1.
    pub line: u32,
    /// Character within the line, from 1.
    pub column: u32,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// What a query answers: series with one value each.
pub type QueryAnswer = Result<Vec<(Labels, f64)>, String>;

/// What a template is filled with.
pub struct TemplateData<'a> {
    /// Labels of the sample that the alert is about.
    pub labels: &'a Labels,
    /// Its value.
    pub value: f64,
    /// Labels that this Squirrel adds to everything it tells others.
    pub external_labels: &'a Labels,
    /// Where its pages are found, such as `https://squirrel.example/`.
    pub external_url: &'a str,
    /// The moment of evaluation.
    pub now: Timestamp,
    /// Answers `query`.
    pub query: &'a dyn Fn(&str) -> QueryAnswer,
}

/// Longest text that a template yields, in bytes.
pub const MAX_TEMPLATE_OUTPUT: usize = 64 * 1024;

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// The first mistake, with its place in the text.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let nodes = parser::parse(text).map_err(|e| e.locate(text))?;
        Ok(Self { text: text.into(), nodes: nodes.into() })
    }

    /// A text in which nothing is filled in, whatever it looks like.
    pub fn plain(text: &str) -> Self {
        Self { text: text.into(), nodes: Arc::new([ast::Node::Text(text.to_owned())]) }
    }

    /// The template as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Fills the template in.
    ///
    /// # Errors
    /// The first thing that failed, with its place in the text.
    pub fn expand(&self, data: &TemplateData<'_>) -> Result<String, TemplateError> {
        run::run(&self.nodes, data, &value::Value::Data).map_err(|e| e.locate(&self.text))
    }

    /// Fills the template in from a tree of values: what the dot and `$` are. `query` has no answer, and the variables
    /// of rules are empty.
    ///
    /// # Errors
    /// The first thing that failed, with its place in the text.
    pub fn fill(&self, root: &TemplateTree, external_url: &str, now: Timestamp) -> Result<String, TemplateError> {
        let query = |_: &str| Err("there are no queries in the templates of messages".to_owned());
        let labels = Labels::empty();
        let data = TemplateData {
            labels: &labels,
            value: f64::NAN,
            external_labels: &labels,
            external_url,
            now,
            query: &query,
        };
        run::run(&self.nodes, &data, &root.value()).map_err(|e| e.locate(&self.text))
    }

    /// Fills the template in; a failure is told in the text's place, so that whoever gets the alert
    /// gets it anyway and sees what to mend.
    pub fn expand_or_show(&self, data: &TemplateData<'_>) -> String {
        self.expand(data).unwrap_or_else(|e| format!("<error expanding template: {e}>"))
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}

/// A failure at a byte of the template.
#[derive(Debug)]
struct Failure {
    at: usize,
    message: String,
}

impl Failure {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    fn locate(self, text: &str) -> TemplateError {
        let before = text.get(..self.at).unwrap_or(text);
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
        TemplateError { line, column, message: self.message }
    }
}
