//! Conditions on labels as people write them, in Alertmanager's form: `severity="critical"`, `team=~"net|sys"`.

use serde::Deserialize;
use squirrel_model::{Labels, MatchOp, Matcher, MatcherError, is_label_name};

/// Most conditions in one list.
pub const MAX_MATCHERS: usize = 50;
/// Most octets of one condition.
const MAX_MATCHER_BYTES: usize = 2_000;

/// Why a text is no condition, or a list none of conditions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatchersError {
    /// Nothing compares.
    #[error(
        "{0:?} is no condition on a label: write name=\"value\", name!=\"value\", name=~\"regex\" or name!~\"regex\""
    )]
    Shape(String),
    /// The value's quotes do not close, or something follows them.
    #[error("the value in {0:?} is not closed by a quote, or something follows it: write name=\"value\"")]
    Quote(String),
    /// The regular expression is not valid.
    #[error(transparent)]
    Regex(#[from] MatcherError),
    /// One condition is longer than 2,000 octets.
    #[error("a condition has {0} octets, at most {MAX_MATCHER_BYTES} are taken")]
    TooLong(usize),
    /// More conditions than [`MAX_MATCHERS`].
    #[error("{0} conditions are too many: at most {MAX_MATCHERS}")]
    TooMany(usize),
}

/// Conditions that must all hold; none hold always. Equal when they are written alike.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Matchers(Vec<Matcher>);

impl Matchers {
    /// Takes conditions that were made elsewhere.
    ///
    /// # Errors
    /// More than [`MAX_MATCHERS`], or one of them longer than 2,000 octets.
    pub fn new(matchers: Vec<Matcher>) -> Result<Self, MatchersError> {
        if matchers.len() > MAX_MATCHERS {
            return Err(MatchersError::TooMany(matchers.len()));
        }
        match matchers.iter().map(|one| one.name().len() + one.value().len()).max() {
            Some(longest) if longest > MAX_MATCHER_BYTES => Err(MatchersError::TooLong(longest)),
            _ => Ok(Self(matchers)),
        }
    }

    /// Reads conditions, one a text.
    ///
    /// # Errors
    /// The first text that is no condition, or too many of them.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, MatchersError> {
        if texts.len() > MAX_MATCHERS {
            return Err(MatchersError::TooMany(texts.len()));
        }
        texts.iter().map(|text| parse_matcher(text.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether all conditions hold for these labels.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|one| one.matches(labels.get(one.name()).unwrap_or_default()))
    }

    /// The conditions.
    pub fn iter(&self) -> impl Iterator<Item = &Matcher> {
        self.0.iter()
    }

    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether they hold where there are no labels at all, and so would hold for everything that is not
    /// excluded by name.
    pub fn match_nothing_in_particular(&self) -> bool {
        self.0.iter().all(Matcher::matches_absent)
    }

    /// The conditions as texts that [`Matchers::parse`] reads.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(Matcher::to_string).collect()
    }

    /// `name="value",…`, as keys of groups carry it.
    pub(crate) fn joined(&self) -> String {
        self.texts().join(",")
    }
}

impl PartialEq for Matchers {
    fn eq(&self, other: &Self) -> bool {
        let written = |one: &Matcher| (one.name().to_owned(), one.op(), one.value().to_owned());
        self.0.iter().map(written).eq(other.0.iter().map(written))
    }
}

impl Eq for Matchers {}

impl TryFrom<Vec<String>> for Matchers {
    type Error = MatchersError;

    fn try_from(texts: Vec<String>) -> Result<Self, MatchersError> {
        Self::parse(&texts)
    }
}

/// Reads one condition; the quotes around the value may be left out where it has no quote, comma or brace.
///
/// # Errors
/// A text of another shape, or a regular expression that is not valid.
pub fn parse_matcher(text: &str) -> Result<Matcher, MatchersError> {
    if text.len() > MAX_MATCHER_BYTES {
        return Err(MatchersError::TooLong(text.len()));
    }
    let shape = || MatchersError::Shape(text.to_owned());
    let at = text.find(['=', '!']).ok_or_else(shape)?;
    let (name, rest) = text.split_at_checked(at).ok_or_else(shape)?;
    let name = name.trim();
    // Two characters before one: `=` begins `=~` too.
    let ops = [("=~", MatchOp::Regex), ("!~", MatchOp::NotRegex), ("!=", MatchOp::NotEqual), ("=", MatchOp::Equal)];
    let (op, value) =
        ops.into_iter().find_map(|(word, op)| rest.strip_prefix(word).map(|rest| (op, rest))).ok_or_else(shape)?;
    if !is_label_name(name) {
        return Err(shape());
    }
    let value = value.trim();
    let value = match value.strip_prefix('"') {
        Some(quoted) => unquoted(quoted).ok_or_else(|| MatchersError::Quote(text.to_owned()))?,
        None if value.contains(['"', ',', '{', '}']) => return Err(MatchersError::Quote(text.to_owned())),
        None => value.to_owned(),
    };
    Ok(Matcher::new(name, op, value)?)
}

/// What stands before the closing quote, which must be the end.
fn unquoted(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return chars.as_str().is_empty().then_some(out),
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                c @ ('"' | '\\') => out.push(c),
                // As in a regular expression: `\d` stays `\d`.
                c => out.extend(['\\', c]),
            },
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn conditions_are_read_as_alertmanager_reads_them() {
        for (text, shown) in [
            (r#"severity="critical""#, r#"severity="critical""#),
            ("severity=critical", r#"severity="critical""#),
            (r#" team =~ "net|sys" "#, r#"team=~"net|sys""#),
            (r#"a!="""#, r#"a!="""#),
            (r#"a!~"\d+""#, r#"a!~"\\d+""#),
            (r#"a="say \"x\"\n""#, r#"a="say \"x\"\n""#),
            ("a=", r#"a="""#),
        ] {
            assert_eq!(parse_matcher(text).map(|one| one.to_string()), Ok(shown.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused_with_the_form_to_write() {
        for text in ["", "severity", "9a=b", "a==\"x", "a=\"x", "a=\"x\" y", "=x", "a=x,b=y", "a!x"] {
            let said = parse_matcher(text).expect_err(text).to_string();
            assert!(said.contains("write name="), "{text}: {said}");
        }
        assert!(matches!(parse_matcher("a=~\"(\""), Err(MatchersError::Regex(_))));
        assert_eq!(Matchers::parse(&["a=b"; 51]), Err(MatchersError::TooMany(51)));
        assert!(matches!(parse_matcher(&format!("a={}", "x".repeat(2_000))), Err(MatchersError::TooLong(2_002))));
    }

    #[test]
    fn a_list_that_holds_without_labels_is_known() {
        let holds = |text: &str| Matchers::parse(&[text]).expect(text).match_nothing_in_particular();
        assert!(holds("a!=b") && holds("a=~.*") && !holds("a=b"));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,40}") {
            let _ = parse_matcher(&text);
        }

        #[test]
        fn what_is_shown_is_read_again(value in ".{0,20}") {
            let shown = Matcher::equal("a", value.clone()).to_string();
            let read = parse_matcher(&shown).expect("own form");
            prop_assert_eq!(read.value(), value);
        }
    }
}
