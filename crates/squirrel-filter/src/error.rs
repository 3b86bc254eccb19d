//! Where a filter is wrong, and what to write instead.

use std::fmt;

/// A text that is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FilterError {
    /// The place, counted in characters from 1.
    pub column: usize,
    /// What is wrong there and what would be right.
    pub message: String,
}

impl FilterError {
    pub(crate) fn new(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into() }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.message)
    }
}

/// The known names most like `name`, for "did you mean", as ` Did you mean X?`; empty when none is like it.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let closest = known.map(|known| (distance(name, known), known)).min();
    closest
        .filter(|(distance, _)| *distance <= name.len().div_ceil(2).min(4))
        .map_or_else(String::new, |(_, known)| format!(" Did you mean {known}?"))
}

/// Edits (insert, delete, replace one byte) from `a` to `b`; the beginning of a name costs little.
fn distance(a: &str, b: &str) -> usize {
    if !a.is_empty() && b.starts_with(a) {
        return 1;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cb, place) in b.bytes().zip(row.iter_mut().skip(1)) {
            let above = *place;
            let cost = (diagonal + usize::from(ca != cb)).min(above + 1).min(left + 1);
            diagonal = above;
            *place = cost;
            left = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_nonsense_is_not() {
        let known = || ["process", "port", "state"].into_iter();
        assert_eq!(did_you_mean("proces", known()), " Did you mean process?");
        assert_eq!(did_you_mean("prot", known()), " Did you mean port?");
        assert_eq!(did_you_mean("zebra", known()), "");
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
