//! What stands before, after and between operands: groupings, matching, ranges, `offset`, `@`.

use squirrel_model::{MAX_DURATION_MS, Timestamp};

use super::{Parser, Tree};
use crate::ast::{At, Expr, ExprKind, Grouping, Many, Matching, Shift, Subquery};
use crate::lexer::{Keyword, TokenKind, unexpected};
use crate::{ParseError, Span};

impl Parser<'_> {
    /// `by (…)` or `without (…)`, if one stands here.
    pub(super) fn grouping(&mut self) -> Result<Option<Grouping>, ParseError> {
        if self.take_keyword(Keyword::By) {
            return Ok(Some(Grouping::By(self.label_names()?)));
        }
        if self.take_keyword(Keyword::Without) {
            return Ok(Some(Grouping::Without(self.label_names()?)));
        }
        Ok(None)
    }

    /// `(a, b, "c")`, a comma at the end allowed.
    fn label_names(&mut self) -> Result<Vec<String>, ParseError> {
        const PLACE: &str = "list of labels";
        self.expect("(", PLACE)?;
        let mut names = Vec::new();
        while !self.take_if(")") {
            let token = self.take();
            match &token.kind {
                TokenKind::Word | TokenKind::Keyword(_) if !token.text.contains(':') => {
                    names.push(token.text.to_owned());
                }
                TokenKind::String(name) if !name.is_empty() => names.push(name.clone()),
                _ => return Err(unexpected(token, PLACE, "a label name")),
            }
            if !self.peek().is(")") && !self.take_if(",") {
                return Err(unexpected(self.peek(), PLACE, "\",\" or \")\""));
            }
        }
        Ok(names)
    }

    /// What may stand between an operator and its right operand.
    pub(super) fn binary_modifiers(&mut self) -> Result<(bool, Matching), ParseError> {
        let returns_bool = self.take_keyword(Keyword::Bool);
        let mut matching = Matching { on: self.peek().is_keyword(Keyword::On), ..Matching::default() };
        if self.take_keyword(Keyword::On) || self.take_keyword(Keyword::Ignoring) {
            matching.labels = Some(self.label_names()?);
            if self.take_keyword(Keyword::GroupLeft) {
                matching.many = Many::Left;
            } else if self.take_keyword(Keyword::GroupRight) {
                matching.many = Many::Right;
            }
            if matching.many != Many::None && self.peek().is("(") {
                matching.include = self.label_names()?;
            }
        }
        self.fill(&mut matching)?;
        Ok((returns_bool, matching))
    }

    /// `fill(0)`, `fill_left(0)`, `fill_right(0)`: words of their own only before a parenthesis, so
    /// that metrics may be called so.
    fn fill(&mut self, matching: &mut Matching) -> Result<(), ParseError> {
        while self.peek().kind == TokenKind::Word && self.peek_after(1).is("(") {
            let token = self.peek();
            let of = |word: &str| token.text.eq_ignore_ascii_case(word);
            let (left, right) = (of("fill") || of("fill_left"), of("fill") || of("fill_right"));
            let again = (left && matching.fill.left.is_some()) || (right && matching.fill.right.is_some());
            if !left && !right {
                return Ok(());
            }
            if !self.options.experimental {
                return Err(ParseError::new(
                    token.span,
                    format!("{} is experimental and not enabled here", token.text),
                ));
            }
            if again {
                return Err(ParseError::new(token.span, format!("{} is set twice", token.text)));
            }
            self.take();
            self.take();
            let negative = self.sign();
            let number = self.take();
            let TokenKind::Number { value, .. } = number.kind else {
                return Err(unexpected(number, token.text, "a number"));
            };
            self.expect(")", token.text)?;
            let value = Some(if negative { -value } else { value });
            matching.fill.left = if left { value } else { matching.fill.left };
            matching.fill.right = if right { value } else { matching.fill.right };
        }
        Ok(())
    }

    /// `[range]`, `[range:step]`, `offset` and `@` after an operand, in any number.
    pub(super) fn suffixes(&mut self, mut tree: Tree) -> Result<Tree, ParseError> {
        loop {
            let token = self.peek();
            if token.is("[") {
                tree = self.range(tree)?;
                if tree.height > super::MAX_HEIGHT {
                    return Err(ParseError::new(token.span, "too many subqueries within each other"));
                }
            } else if token.is_keyword(Keyword::Offset) {
                self.take();
                let (ms, last) = self.signed_duration()?;
                let place = tree.expr.span;
                let shift = shift_of(&mut tree.expr, "offset")?;
                if shift.offset_ms.replace(ms).is_some() {
                    return Err(ParseError::new(place, "offset may be set only once"));
                }
                tree.expr.span = place.to(last);
            } else if token.is("@") {
                self.take();
                let (at, last) = self.moment()?;
                let place = tree.expr.span;
                let shift = shift_of(&mut tree.expr, "@")?;
                if shift.at.replace(at).is_some() {
                    return Err(ParseError::new(place, "@ may be set only once"));
                }
                tree.expr.span = place.to(last);
            } else {
                return Ok(tree);
            }
        }
    }

    fn range(&mut self, tree: Tree) -> Result<Tree, ParseError> {
        let open = self.take().span;
        let range_ms = self.positive_duration()?;
        let subquery = self.take_if(":");
        let step_ms = if subquery && !self.peek().is("]") { Some(self.positive_duration()?) } else { None };
        let wanted = if subquery { "\"]\"" } else { "\":\" or \"]\"" };
        if !self.peek().is("]") {
            return Err(unexpected(self.peek(), "range", wanted));
        }
        let close = self.take().span;
        let span = tree.expr.span.to(close);
        if subquery {
            let inner = Subquery { expr: tree.expr, range_ms, step_ms, shift: Shift::default() };
            let kind = ExprKind::Subquery(Box::new(inner));
            return Ok(Tree { expr: Expr { kind, span }, height: tree.height + 1 });
        }
        let message = match tree.expr.kind {
            ExprKind::Selector(selector) if selector.shift == Shift::default() => {
                return Ok(Tree { expr: Expr { kind: ExprKind::Range { selector, range_ms }, span }, height: 1 });
            }
            ExprKind::Selector(_) => "offset and @ stand after the range, not before it",
            _ => "a range needs a selector before it; for an expression write a subquery, such as [5m:]",
        };
        Err(ParseError::new(open.to(close), message))
    }

    /// A number of seconds or a duration, in milliseconds.
    fn duration(&mut self, negative: bool) -> Result<(i64, Span), ParseError> {
        let token = self.take();
        let TokenKind::Number { value, .. } = token.kind else {
            return Err(unexpected(token, "", "a duration"));
        };
        let ms = (value * 1000.0).round();
        if ms.is_nan() || ms.abs() > MAX_DURATION_MS as f64 {
            return Err(ParseError::new(token.span, "duration out of range"));
        }
        Ok((if negative { -(ms as i64) } else { ms as i64 }, token.span))
    }

    fn positive_duration(&mut self) -> Result<i64, ParseError> {
        let (ms, span) = self.duration(false)?;
        if ms > 0 { Ok(ms) } else { Err(ParseError::new(span, "duration must be greater than 0")) }
    }

    fn sign(&mut self) -> bool {
        let negative = self.peek().is("-");
        if negative || self.peek().is("+") {
            self.take();
        }
        negative
    }

    fn signed_duration(&mut self) -> Result<(i64, Span), ParseError> {
        let negative = self.sign();
        self.duration(negative)
    }

    /// What follows `@`.
    fn moment(&mut self) -> Result<(At, Span), ParseError> {
        for (keyword, at) in [(Keyword::Start, At::Start), (Keyword::End, At::End)] {
            if self.take_keyword(keyword) {
                self.expect("(", "@")?;
                return Ok((at, self.expect(")", "@")?));
            }
        }
        let negative = self.sign();
        let token = self.take();
        let TokenKind::Number { value, .. } = token.kind else {
            return Err(unexpected(token, "@", "a timestamp, start() or end()"));
        };
        if !value.is_finite() || value.abs() >= i64::MAX as f64 / 1000.0 {
            return Err(ParseError::new(token.span, "timestamp out of bounds for @"));
        }
        let seconds = if negative { -value } else { value };
        Ok((At::Time(Timestamp::from_seconds(seconds)), token.span))
    }
}

/// The part of an expression that `offset` and `@` set.
fn shift_of<'e>(expr: &'e mut Expr, word: &str) -> Result<&'e mut Shift, ParseError> {
    match &mut expr.kind {
        ExprKind::Selector(selector) | ExprKind::Range { selector, .. } => Ok(&mut selector.shift),
        ExprKind::Subquery(subquery) => Ok(&mut subquery.shift),
        _ => {
            let message = format!("{word} must stand after a selector, a range or a subquery");
            Err(ParseError::new(expr.span, message))
        }
    }
}
