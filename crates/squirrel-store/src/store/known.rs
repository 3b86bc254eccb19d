//! Which series have labels, asked in the order of their numbers.

use std::cell::Cell;

use crate::series::SeriesId;

/// The numbers of series, for questions that come in rising order, as the rows of the log bring them.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Rising.
    ids: Vec<SeriesId>,
    /// How often an id was compared, so that a test can hold what a row costs.
    compared: Cell<u64>,
}

/// Questions with rising ids.
pub(super) struct Walk<'a> {
    rest: &'a [SeriesId],
    compared: &'a Cell<u64>,
}

impl Known {
    /// The numbers, rising.
    pub(super) fn new(ids: Vec<SeriesId>) -> Self {
        Self { ids, compared: Cell::new(0) }
    }

    /// Adds a number, which nearly always is the greatest.
    pub(super) fn insert(&mut self, id: SeriesId) {
        if let Err(at) = self.ids.binary_search(&id) {
            self.ids.insert(at, id);
        }
    }

    pub(super) fn walk(&self) -> Walk<'_> {
        Walk { rest: &self.ids, compared: &self.compared }
    }
}

impl Walk<'_> {
    /// Whether the series is known. Steps double until they pass it, so that near ones are found at once and far ones
    /// in the logarithm of the distance.
    pub(super) fn has(&mut self, id: SeriesId) -> bool {
        let below = |at: usize| {
            self.compared.set(self.compared.get() + 1);
            self.rest.get(at).is_some_and(|other| *other < id)
        };
        let (mut from, mut step) = (0, 1);
        while below(from + step - 1) {
            from += step;
            step *= 2;
        }
        // It stands in `from..from + step`, if anywhere: the last of these is not below it.
        let mut to = (from + step - 1).min(self.rest.len());
        while from < to {
            let middle = from + (to - from) / 2;
            if below(middle) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        self.rest = self.rest.get(from..).unwrap_or_default();
        self.rest.first() == Some(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn rising_questions_are_answered_like_by_a_set(known in prop::collection::btree_set(0u64..300, 0..200), asked in prop::collection::btree_set(0u64..320, 0..200)) {
            let mut all = Known::default();
            known.iter().rev().for_each(|id| all.insert(SeriesId(*id)));
            let mut walk = all.walk();
            let found: BTreeSet<u64> = asked.iter().copied().filter(|id| walk.has(SeriesId(*id))).collect();
            prop_assert_eq!(found, known.intersection(&asked).copied().collect::<BTreeSet<_>>());
        }
    }

    #[test]
    fn a_row_of_neighbours_costs_a_few_comparisons_an_id_however_many_series_there_are() {
        let all = Known::new((0..1_000_000).map(SeriesId).collect());
        let mut walk = all.walk();
        assert!((500_000..510_000).all(|id| walk.has(SeriesId(id))));
        assert!(all.compared.get() <= 3 * 10_000 + 40, "{}", all.compared.get());
    }
}
