//! Selectors: `name{label="value", …}`.

use squirrel_model::{MatchOp, Matcher, NAME_LABEL};

use super::{Parser, Tree, leaf};
use crate::ast::{ExprKind, Selector, Shift};
use crate::lexer::{TokenKind, tokens, unexpected};
use crate::{ParseError, ParseOptions, check};

/// Parses a selector alone, such as the `match[]` of the series API: matchers only, no range, no
/// offset.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse_selector(text: &str) -> Result<Vec<Matcher>, ParseError> {
    let options = ParseOptions::default();
    if text.len() > options.max_bytes {
        let message = format!("the selector has {} bytes, more than {} are refused", text.len(), options.max_bytes);
        return Err(ParseError::new(crate::Span::default(), message));
    }
    let tokens = tokens(text);
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, options: &options };
    let tree = parser.selector()?;
    parser.end()?;
    check::check(&tree.expr)?;
    match tree.expr.kind {
        ExprKind::Selector(selector) => Ok(selector.matchers),
        _ => Err(ParseError::new(tree.expr.span, "expected a selector")),
    }
}

impl Parser<'_> {
    pub(super) fn selector(&mut self) -> Result<Tree, ParseError> {
        let first = self.peek();
        let mut span = first.span;
        let name = match &first.kind {
            TokenKind::Word => Some(first.text.to_owned()),
            TokenKind::Keyword(keyword) if keyword.can_be_metric() => Some(first.text.to_owned()),
            TokenKind::Sign("{") => None,
            _ => return Err(unexpected(first, "", "a selector")),
        };
        let mut matchers = Vec::new();
        if let Some(name) = &name {
            self.take();
            matchers.push(Matcher::equal(NAME_LABEL, name.clone()));
        }
        if self.take_if("{") {
            while !self.peek().is("}") {
                matchers.push(self.matcher()?);
                if !self.peek().is("}") && !self.take_if(",") {
                    return Err(unexpected(self.peek(), "label matching", "\",\" or \"}\""));
                }
            }
            span = span.to(self.take().span);
        }
        Ok(leaf(ExprKind::Selector(Selector { name, matchers, shift: Shift::default() }), span))
    }

    /// `label="value"`, `"label"="value"`, or `"metric name"`.
    fn matcher(&mut self) -> Result<Matcher, ParseError> {
        const PLACE: &str = "label matching";
        let token = self.take();
        let (label, quoted) = match &token.kind {
            TokenKind::Word => (token.text.to_owned(), false),
            TokenKind::String(name) => (name.clone(), true),
            _ => return Err(unexpected(token, PLACE, "a label name or \"}\"")),
        };
        let op = match &self.peek().kind {
            TokenKind::Sign("=") => MatchOp::Equal,
            TokenKind::Sign("!=") => MatchOp::NotEqual,
            TokenKind::Sign("=~") => MatchOp::Regex,
            TokenKind::Sign("!~") => MatchOp::NotRegex,
            _ if quoted => return Ok(Matcher::equal(NAME_LABEL, label)),
            _ => return Err(unexpected(self.peek(), PLACE, "a matching operator: =, !=, =~ or !~")),
        };
        self.take();
        let value = self.take();
        let TokenKind::String(text) = &value.kind else {
            return Err(unexpected(value, PLACE, "a string"));
        };
        let limit = self.options.max_regex_bytes;
        Matcher::within(label, op, text.clone(), limit)
            .map_err(|e| ParseError::new(token.span.to(value.span), e.to_string()))
    }
}
