//! Tokens to a tree.

use regex::Regex;

use crate::FilterError;
use crate::condition::{Condition, containing, regex};
use crate::error::did_you_mean;
use crate::field::{self, Field, Kind};
use crate::lexer::{Placed, Token, Value, tokens};
use crate::services::Services;

/// A filter's meaning.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    /// One of the conditions holds for one of the field's values.
    Field(usize, Vec<Condition>),
    /// One of the searched fields matches.
    Anywhere(Regex),
}

/// Longest filter, in bytes.
const MOST_BYTES: usize = 4096;
/// Deepest nesting of parentheses and negations.
const MOST_DEPTH: usize = 32;
/// Most comparisons: each costs for each row.
const MOST_TERMS: usize = 64;

struct Parser<'a, R> {
    fields: &'a [Field<R>],
    services: &'a Services,
    tokens: std::iter::Peekable<std::vec::IntoIter<Placed>>,
    end: usize,
    terms: usize,
}

/// Reads a filter for the table with these fields; an empty text is all rows.
pub(crate) fn parse<R>(text: &str, fields: &[Field<R>], services: &Services) -> Result<Node, FilterError> {
    if text.len() > MOST_BYTES {
        let message = format!("a filter has at most {MOST_BYTES} bytes and this one has {}", text.len());
        return Err(FilterError::new(1, message));
    }
    let tokens = tokens(text)?.into_iter().peekable();
    let mut parser = Parser { fields, services, tokens, end: text.chars().count() + 1, terms: 0 };
    if parser.tokens.peek().is_none() {
        return Ok(Node::All(Vec::new()));
    }
    let node = parser.any(0)?;
    match parser.tokens.next() {
        None => Ok(node),
        Some((column, _)) => Err(FilterError::new(column, "this ) closes nothing")),
    }
}

impl<R> Parser<'_, R> {
    fn any(&mut self, depth: usize) -> Result<Node, FilterError> {
        let mut nodes = vec![self.all(depth)?];
        while self.tokens.next_if(|(_, token)| *token == Token::Or).is_some() {
            nodes.push(self.all(depth)?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Any(nodes) })
    }

    fn all(&mut self, depth: usize) -> Result<Node, FilterError> {
        let mut nodes = vec![self.one(depth)?];
        loop {
            let joined = self.tokens.next_if(|(_, token)| *token == Token::And).is_some();
            let more = matches!(self.tokens.peek(), Some((_, Token::Open | Token::Not | Token::Term { .. })));
            if !joined && !more {
                return Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::All(nodes) });
            }
            nodes.push(self.one(depth)?);
        }
    }

    fn one(&mut self, depth: usize) -> Result<Node, FilterError> {
        let Some((column, token)) = self.tokens.next() else {
            return Err(FilterError::new(self.end, "the filter ends where a condition was expected"));
        };
        if depth > MOST_DEPTH {
            return Err(FilterError::new(column, format!("nested deeper than {MOST_DEPTH}")));
        }
        match token {
            Token::Not => Ok(Node::Not(Box::new(self.one(depth + 1)?))),
            Token::Open => {
                let node = self.any(depth + 1)?;
                match self.tokens.next() {
                    Some((_, Token::Close)) => Ok(node),
                    _ => Err(FilterError::new(column, "the ( that opens here is not closed")),
                }
            }
            Token::Term { field, value } => self.term(column, field.as_deref(), value),
            Token::Close => Err(FilterError::new(column, "a condition was expected before this )")),
            Token::And | Token::Or => {
                Err(FilterError::new(column, "a condition was expected here; to look for this word write it in quotes"))
            }
        }
    }

    fn term(&mut self, column: usize, name: Option<&str>, value: Value) -> Result<Node, FilterError> {
        let Some(name) = name else {
            self.count(column)?;
            let found = match value {
                Value::Plain(text) | Value::Quoted(text) => containing(&text),
                Value::Pattern(text) => regex(&text),
            };
            return found.map(Node::Anywhere).map_err(|message| FilterError::new(column, message));
        };
        let Some(index) = field::find(self.fields, name) else {
            let hint = did_you_mean(name, self.fields.iter().map(|field| field.name));
            let names = field::names(self.fields);
            return Err(FilterError::new(column, format!("there is no field {name:?}.{hint} There are: {names}")));
        };
        let kind = self.fields.get(index).map_or(Kind::Text, |field| field.kind);
        let conditions = self.conditions(column, kind, value)?;
        Ok(Node::Field(index, conditions))
    }

    /// A list such as `80,443` is one condition for each element.
    fn conditions(&mut self, column: usize, kind: Kind, value: Value) -> Result<Vec<Condition>, FilterError> {
        let at = |message| FilterError::new(column, message);
        match value {
            Value::Pattern(text) => {
                self.count(column)?;
                Ok(vec![Condition::pattern(kind, &text).map_err(at)?])
            }
            Value::Quoted(text) => {
                self.count(column)?;
                Ok(vec![Condition::parse(kind, &text, true, self.services).map_err(at)?])
            }
            Value::Plain(text) => {
                let mut conditions = Vec::new();
                for part in text.split(',') {
                    self.count(column)?;
                    conditions.push(Condition::parse(kind, part, false, self.services).map_err(at)?);
                }
                Ok(conditions)
            }
        }
    }

    fn count(&mut self, column: usize) -> Result<(), FilterError> {
        self.terms += 1;
        if self.terms > MOST_TERMS {
            return Err(FilterError::new(column, format!("more than {MOST_TERMS} conditions")));
        }
        Ok(())
    }
}
