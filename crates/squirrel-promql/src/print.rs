//! An expression as text again. Parsing the text gives the same tree.

use std::fmt;
use std::fmt::Write as _;

use squirrel_model::{MatchOp, Matcher, NAME_LABEL, duration_text, is_label_name, is_metric_name};

use crate::ast::{Aggregate, At, Binary, Expr, ExprKind, Grouping, Many, Matching, Selector, Shift};
use crate::number::number_text;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Number { value, duration: true } => f.write_str(&duration_text((value * 1000.0).round() as i64)),
            // Without the plus of +Inf: before a ^ that would be a sign of the whole power.
            ExprKind::Number { value, duration: false } => f.write_str(number_text(*value).trim_start_matches('+')),
            ExprKind::String(text) => f.write_str(&quoted(text)),
            ExprKind::Selector(selector) => write!(f, "{selector}{}", selector.shift),
            ExprKind::Range { selector, range_ms } => {
                write!(f, "{selector}[{}]{}", duration_text(*range_ms), selector.shift)
            }
            ExprKind::Subquery(subquery) => {
                let step = subquery.step_ms.map(duration_text).unwrap_or_default();
                write!(f, "{}[{}:{step}]{}", subquery.expr, duration_text(subquery.range_ms), subquery.shift)
            }
            ExprKind::Paren(inner) => write!(f, "({inner})"),
            ExprKind::Unary { minus, operand } => write!(f, "{}{operand}", if *minus { '-' } else { '+' }),
            ExprKind::Binary(binary) => binary.fmt(f),
            ExprKind::Aggregate(aggregate) => aggregate.fmt(f),
            ExprKind::Call(call) => {
                write!(f, "{}(", call.function.name)?;
                list(f, call.args.iter())?;
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bool_word = if self.returns_bool { " bool" } else { "" };
        write!(f, "{} {}{bool_word}{} {}", self.left, self.op.sign(), self.matching, self.right)
    }
}

impl fmt::Display for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(labels) = &self.labels {
            write!(f, " {} {}", if self.on { "on" } else { "ignoring" }, Names(labels))?;
        }
        match self.many {
            Many::None => {}
            Many::Left => write!(f, " group_left {}", Names(&self.include))?,
            Many::Right => write!(f, " group_right {}", Names(&self.include))?,
        }
        for (word, value) in [("fill_left", self.fill.left), ("fill_right", self.fill.right)] {
            if let Some(value) = value {
                write!(f, " {word} ({})", number_text(value))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.op.word())?;
        match &self.grouping {
            Grouping::By(labels) if labels.is_empty() => {}
            Grouping::By(labels) => write!(f, " by {} ", Names(labels))?,
            Grouping::Without(labels) => write!(f, " without {} ", Names(labels))?,
        }
        f.write_str("(")?;
        list(f, self.param.iter().chain([&self.expr]))?;
        f.write_str(")")
    }
}

/// Name and matchers, without `offset` and `@` (they stand after a range).
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_deref().unwrap_or_default())?;
        let others = self.matchers.get(usize::from(self.name.is_some())..).unwrap_or_default();
        if self.name.is_none() || !others.is_empty() {
            f.write_str("{")?;
            list(f, others.iter().map(Condition))?;
            f.write_str("}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            None => {}
            Some(At::Time(time)) => write!(f, " @ {time}")?,
            Some(At::Start) => f.write_str(" @ start()")?,
            Some(At::End) => f.write_str(" @ end()")?,
        }
        self.offset_ms.map_or(Ok(()), |offset| write!(f, " offset {}", duration_text(offset)))
    }
}

/// A set of matchers as a selector. A name of the classic shape stands before the braces, where every engine of
/// whatever age understands it.
pub(crate) fn selector_text(matchers: &[Matcher]) -> String {
    let named = |m: &&Matcher| m.op() == MatchOp::Equal && m.name() == NAME_LABEL && is_metric_name(m.value());
    let named = matchers.iter().find(named);
    let others: Vec<&Matcher> =
        matchers.iter().filter(|m| named.is_none_or(|named| !std::ptr::eq(named, *m))).collect();
    let mut out = named.map(|m| m.value().to_owned()).unwrap_or_default();
    if named.is_none() || !others.is_empty() {
        // Writing into a String cannot fail.
        let _ = write!(out, "{{{}}}", Conditions(&others));
    }
    out
}

struct Conditions<'a>(&'a [&'a Matcher]);

impl fmt::Display for Conditions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.0.iter().map(|one| Condition(one)))
    }
}

struct Condition<'a>(&'a Matcher);

impl fmt::Display for Condition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(matcher) = self;
        let op = match matcher.op() {
            MatchOp::Equal if matcher.name() == NAME_LABEL => return f.write_str(&quoted(matcher.value())),
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        };
        write!(f, "{}{op}{}", name(matcher.name()), quoted(matcher.value()))
    }
}

struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        list(f, self.0.iter().map(|label| name(label)))?;
        f.write_str(")")
    }
}

fn list(f: &mut fmt::Formatter<'_>, items: impl Iterator<Item = impl fmt::Display>) -> fmt::Result {
    for (i, item) in items.enumerate() {
        write!(f, "{}{item}", if i > 0 { ", " } else { "" })?;
    }
    Ok(())
}

/// A label's name, in quotes if it is not of the classic shape.
fn name(label: &str) -> String {
    if is_label_name(label) { label.to_owned() } else { quoted(label) }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
