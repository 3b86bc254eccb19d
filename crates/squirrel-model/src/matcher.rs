//! Conditions on labels, as written between the braces of a PromQL selector.

use std::fmt;

use regex::Regex;

/// How a matcher compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

/// One condition on one label. A label that is absent has the empty value.
///
/// Regular expressions are anchored on both sides and `.` matches line breaks too
/// (Prometheus 3: `^(?s:…)$`).
#[derive(Clone, Debug)]
pub struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    regex: Option<Regex>,
}

/// A regular expression that cannot be compiled or is too large.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("regular expression {pattern:?} of label {label:?}: {reason}")]
pub struct MatcherError {
    /// The label it was for.
    pub label: String,
    /// The expression as written.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Largest compiled size of a regular expression in bytes, unless another is asked for.
pub const REGEX_BYTES: usize = 1 << 20;

/// Compiles a pattern as Prometheus 3 means it: anchored on both sides, and `.` matches line breaks too.
///
/// # Errors
/// What is wrong with it, as a sentence: it is no regular expression, or it compiles to more than `limit` bytes.
pub fn anchored_regex(pattern: &str, limit: usize) -> Result<Regex, String> {
    let built = regex::RegexBuilder::new(&format!("^(?s:{pattern})$")).size_limit(limit).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!(
            "it compiles to more than {limit} bytes, which is refused: repeat less, as {{100}} does, or split it into \
             several matchers"
        ),
        other => other.to_string(),
    })
}

impl Matcher {
    /// Makes a condition.
    ///
    /// # Errors
    /// A regular expression that is not valid or compiles to more than 1 MiB.
    pub fn new(name: impl Into<String>, op: MatchOp, value: impl Into<String>) -> Result<Self, MatcherError> {
        Self::within(name, op, value, REGEX_BYTES)
    }

    /// Makes a condition whose regular expression compiles to no more than `limit` bytes.
    ///
    /// # Errors
    /// A regular expression that is not valid or is larger.
    pub fn within(
        name: impl Into<String>,
        op: MatchOp,
        value: impl Into<String>,
        limit: usize,
    ) -> Result<Self, MatcherError> {
        let (name, value) = (name.into(), value.into());
        let regex = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Regex | MatchOp::NotRegex => match anchored_regex(&value, limit) {
                Ok(regex) => Some(regex),
                Err(reason) => return Err(MatcherError { label: name, pattern: value, reason }),
            },
        };
        Ok(Self { name, op, value, regex })
    }

    /// `name="value"`.
    pub fn equal(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), op: MatchOp::Equal, value: value.into(), regex: None }
    }

    /// The label's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it compares.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The value or expression as written.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a label value (empty when the label is absent) fulfils the condition.
    pub fn matches(&self, value: &str) -> bool {
        let hit = match &self.regex {
            Some(regex) => regex.is_match(value),
            None => self.value == value,
        };
        hit == matches!(self.op, MatchOp::Equal | MatchOp::Regex)
    }

    /// Whether the condition holds for a series that lacks the label.
    pub fn matches_absent(&self) -> bool {
        self.matches("")
    }

    /// The values that can match, if the condition is an equality or an alternation of plain
    /// words (`a|b|c`): an index can look these up instead of trying each value.
    pub fn literals(&self) -> Option<Vec<&str>> {
        let plain = |text: &str| !text.contains(['\\', '.', '+', '*', '?', '(', ')', '[', ']', '{', '}', '^', '$']);
        match self.op {
            MatchOp::Equal => Some(vec![&self.value]),
            MatchOp::Regex if plain(&self.value) => Some(self.value.split('|').collect()),
            _ => None,
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = match self.op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        };
        write!(f, "{}{op}\"{}\"", self.name, crate::exposition::escape_value(&self.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(op: MatchOp, value: &str) -> Matcher {
        Matcher::new("l", op, value).unwrap()
    }

    #[test]
    fn all_four_operators_and_absence() {
        assert!(matcher(MatchOp::Equal, "a").matches("a") && !matcher(MatchOp::Equal, "a").matches("b"));
        assert!(matcher(MatchOp::NotEqual, "a").matches("") && matcher(MatchOp::Equal, "").matches_absent());
        assert!(matcher(MatchOp::Regex, "a|b").matches("b") && !matcher(MatchOp::Regex, "a").matches("ab"));
        assert!(matcher(MatchOp::NotRegex, "a.*").matches("b"));
        assert!(matcher(MatchOp::Regex, "a.b").matches("a\nb"), "the dot matches a line feed in Prometheus 3");
    }

    #[test]
    fn literals_are_seen() {
        assert_eq!(matcher(MatchOp::Regex, "a|b").literals(), Some(vec!["a", "b"]));
        assert_eq!(matcher(MatchOp::Regex, "a.*").literals(), None);
    }

    #[test]
    fn a_bad_or_huge_expression_is_refused_with_its_label() {
        let error = Matcher::new("device", MatchOp::Regex, "(").unwrap_err();
        assert_eq!(error.label, "device");
        assert!(Matcher::new("device", MatchOp::Regex, "(\\w{1000}){100}").is_err());
    }
}
