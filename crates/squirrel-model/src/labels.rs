//! Label sets: what tells one series from another.

use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::text::is_label_name;

/// The label that holds the metric's name.
pub const NAME_LABEL: &str = "__name__";

/// A sorted set of label names and values, unique by name, cheap to clone and to compare.
///
/// One allocation holds the whole set: for each pair the length of the name as one `char`, the
/// name, the length of the value as one `char`, the value. A label with an empty value is the
/// same as no label (Prometheus data model), so none is kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Labels(Arc<str>);

/// Why a label set was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelsError {
    /// The name is empty or is not valid as a label name.
    #[error("label name {0:?} is not valid: letters, digits and underscores, not beginning with a digit")]
    BadName(String),
    /// The same name was given twice.
    #[error("label {0:?} is given twice")]
    Duplicate(String),
    /// Name or value is longer than a million bytes.
    #[error("label {0:?} is longer than 1,000,000 bytes")]
    TooLong(String),
}

/// Longest name or value in bytes; its length must fit one `char`.
const MAX_BYTES: usize = 1_000_000;

/// Lengths are written as one scalar value, stepping over the surrogates.
fn length_char(len: usize) -> Option<char> {
    let n = u32::try_from(len).ok()?;
    char::from_u32(if n < 0xD800 { n } else { n + 0x800 })
}

fn char_length(c: char) -> usize {
    let n = c as u32;
    (if n < 0xD800 { n } else { n - 0x800 }) as usize
}

impl Labels {
    /// The empty set. All empty sets made here share one allocation: most of the kernel's counters
    /// have no labels, and are read each second.
    pub fn empty() -> Self {
        static EMPTY: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(""));
        Self(Arc::clone(&EMPTY))
    }

    /// Makes a set from pairs in any order; pairs with an empty value are left out.
    ///
    /// # Errors
    /// A name that is not a label name, a name given twice, or a text above a million bytes.
    pub fn new<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, LabelsError>
    where
        N: Into<String>,
        V: Into<String>,
    {
        let mut builder = LabelsBuilder::default();
        for (name, value) in pairs {
            let (name, value) = (name.into(), value.into());
            if builder.get(&name).is_some() {
                return Err(LabelsError::Duplicate(name));
            }
            builder.set(name, value);
        }
        builder.build()
    }

    /// The value of a label, if the set has it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The metric's name (`__name__`), or an empty text.
    pub fn metric_name(&self) -> &str {
        self.get(NAME_LABEL).unwrap_or_default()
    }

    /// The pairs, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        let mut rest: &str = &self.0;
        std::iter::from_fn(move || {
            let (name, after) = take(rest)?;
            let (value, after) = take(after)?;
            rest = after;
            Some((name, value))
        })
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes that the set occupies, for memory accounts.
    pub fn heap_bytes(&self) -> usize {
        self.0.len()
    }

    /// A builder that starts with these labels.
    pub fn to_builder(&self) -> LabelsBuilder {
        LabelsBuilder { pairs: self.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect() }
    }

    /// The same set without `__name__`.
    #[must_use]
    pub fn without_name(&self) -> Self {
        self.filter(|name| name != NAME_LABEL)
    }

    /// The same set with only the labels whose name `keep` accepts.
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        let mut text = String::with_capacity(self.0.len());
        for (name, value) in self.iter().filter(|(name, _)| keep(name)) {
            push(&mut text, name);
            push(&mut text, value);
        }
        Self(Arc::from(text))
    }

    /// Whether both handles share one allocation: true implies equal, false says nothing.
    pub fn same_allocation(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

fn take(text: &str) -> Option<(&str, &str)> {
    let mut chars = text.chars();
    let len = char_length(chars.next()?);
    chars.as_str().split_at_checked(len)
}

fn push(text: &mut String, part: &str) {
    // `build` has refused anything longer, so the length always fits.
    text.push(length_char(part.len()).unwrap_or('\0'));
    text.push_str(part);
}

impl Default for Labels {
    fn default() -> Self {
        Self::empty()
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// By pairs in the order of names, as Prometheus sorts results.
impl Ord for Labels {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.iter().cmp(other.iter())
    }
}

/// `name{label="value",…}` with quotes, backslashes and line breaks escaped.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric_name())?;
        let mut open = false;
        for (name, value) in self.iter().filter(|(name, _)| *name != NAME_LABEL) {
            f.write_str(if open { "," } else { "{" })?;
            open = true;
            write!(f, "{name}=\"{}\"", crate::exposition::escape_value(value))?;
        }
        if open || self.metric_name().is_empty() {
            f.write_str(if open { "}" } else { "{}" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Collects labels one by one; a later value replaces an earlier one.
#[derive(Clone, Debug, Default)]
pub struct LabelsBuilder {
    pairs: Vec<(String, String)>,
}

impl LabelsBuilder {
    /// The value set so far.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Sets a label; an empty value removes it.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        let (name, value) = (name.into(), value.into());
        match self.pairs.iter_mut().find(|(n, _)| *n == name) {
            Some(pair) => pair.1 = value,
            None => self.pairs.push((name, value)),
        }
        self
    }

    /// Removes a label.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.pairs.retain(|(n, _)| n != name);
        self
    }

    /// The finished set.
    ///
    /// # Errors
    /// A name that is not a label name, or a text above a million bytes.
    pub fn build(&self) -> Result<Labels, LabelsError> {
        let mut pairs: Vec<_> = self.pairs.iter().filter(|(_, value)| !value.is_empty()).collect();
        pairs.sort();
        let mut text = String::new();
        for (name, value) in pairs {
            if !is_label_name(name) {
                return Err(LabelsError::BadName(name.clone()));
            }
            if name.len() > MAX_BYTES || value.len() > MAX_BYTES {
                return Err(LabelsError::TooLong(name.chars().take(64).collect()));
            }
            push(&mut text, name);
            push(&mut text, value);
        }
        Ok(Labels(Arc::from(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_set_is_sorted_whatever_the_order_given() {
        let set = Labels::new([("job", "squirrel"), ("__name__", "up"), ("device", "eth0")]).unwrap();
        assert_eq!(set.to_string(), r#"up{device="eth0",job="squirrel"}"#);
        assert_eq!(set.get("device"), Some("eth0"));
        assert_eq!(set.without_name().to_string(), r#"{device="eth0",job="squirrel"}"#);
    }

    #[test]
    fn an_empty_value_is_no_label() {
        assert_eq!(Labels::new([("a", "")]).unwrap(), Labels::empty());
        assert!(Labels::empty().same_allocation(&Labels::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(Labels::new([("a", "1"), ("a", "2")]), Err(LabelsError::Duplicate("a".into())));
        assert_eq!(Labels::new([("0a", "1")]), Err(LabelsError::BadName("0a".into())));
        let long = "x".repeat(MAX_BYTES + 1);
        assert_eq!(Labels::new([("a", long)]), Err(LabelsError::TooLong("a".into())));
    }

    proptest! {
        #[test]
        fn any_values_come_back(values in prop::collection::btree_map("[a-z_][a-z0-9_]{0,9}", ".{0,300}", 0..8)) {
            let set = Labels::new(values.clone()).unwrap();
            let back: Vec<_> = set.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            let want: Vec<_> = values.into_iter().filter(|(_, v)| !v.is_empty()).collect();
            prop_assert_eq!(back, want);
        }

        #[test]
        fn lengths_around_the_surrogates_come_back(len in 0xD7F0usize..0xE010) {
            let value = "y".repeat(len);
            let set = Labels::new([("a", value.clone())]).unwrap();
            prop_assert_eq!(set.get("a"), Some(value.as_str()));
        }
    }
}
