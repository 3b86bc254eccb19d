//! Warnings and remarks that go with an answer.

use crate::Span;

/// Most of each kind that are kept; more say nothing new.
const LIMIT: usize = 10;

/// Warnings (the answer may be wrong) and infos (the question may be), each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    pub(crate) warnings: Vec<String>,
    pub(crate) infos: Vec<String>,
}

impl Notes {
    pub(crate) fn warn(&mut self, span: Span, text: &str) {
        add(&mut self.warnings, format!("PromQL warning: {text} ({span})"));
    }

    pub(crate) fn info(&mut self, span: Span, text: &str) {
        add(&mut self.infos, format!("PromQL info: {text} ({span})"));
    }
}

fn add(list: &mut Vec<String>, text: String) {
    if list.len() < LIMIT && !list.contains(&text) {
        list.push(text);
    }
}
