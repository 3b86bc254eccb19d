//! A filter that was understood, for one kind of table.

use std::fmt::Write as _;

use regex::Regex;

use crate::FilterError;
use crate::field::{Field, Value};
use crate::parser::{self, Node};
use crate::services::Services;

/// Conditions on the rows `R` of a table.
pub struct Filter<R: 'static> {
    fields: &'static [Field<R>],
    root: Node,
}

impl<R> Filter<R> {
    /// Reads a filter for the table with these fields. An empty text chooses all rows.
    ///
    /// Conditions beside each other must all hold; `or`, `and`, `not` (or `-`) and parentheses combine them.
    /// `field:value` compares (`>`, `>=`, `<`, `<=`, `=`, `low..high`, `a,b` for either, `*` for any value,
    /// `/regex/`); a word, a quoted text or a `/regex/` alone is looked for in every searched field.
    ///
    /// # Errors
    /// The column of the mistake and what to write instead.
    pub fn parse(text: &str, fields: &'static [Field<R>], services: &Services) -> Result<Self, FilterError> {
        Ok(Self { fields, root: parser::parse(text, fields, services)? })
    }

    /// Whether the row fulfils the filter.
    pub fn matches(&self, row: &R) -> bool {
        self.holds(&self.root, row)
    }

    fn holds(&self, node: &Node, row: &R) -> bool {
        match node {
            Node::All(nodes) => nodes.iter().all(|node| self.holds(node, row)),
            Node::Any(nodes) => nodes.iter().any(|node| self.holds(node, row)),
            Node::Not(node) => !self.holds(node, row),
            Node::Field(index, conditions) => self.fields.get(*index).is_some_and(|field| {
                let mut found = false;
                (field.values)(row, &mut |value| {
                    found = found || conditions.iter().any(|condition| condition.holds(value));
                });
                found
            }),
            Node::Anywhere(regex) => self.is_anywhere(regex, row),
        }
    }

    fn is_anywhere(&self, regex: &Regex, row: &R) -> bool {
        let mut found = false;
        let mut text = String::new();
        for field in self.fields.iter().filter(|field| field.searched) {
            (field.values)(row, &mut |value| {
                found = found
                    || match value {
                        Value::Text(value) => regex.is_match(value),
                        Value::Number(number) => {
                            text.clear();
                            let _ = write!(text, "{number}");
                            regex.is_match(&text)
                        }
                        Value::Address(address) => {
                            text.clear();
                            let _ = write!(text, "{address}");
                            regex.is_match(&text)
                        }
                    };
            });
            if found {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
