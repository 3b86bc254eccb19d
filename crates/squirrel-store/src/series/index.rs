//! From matchers to series: for each label value the sorted list of the series that have it.
//!
//! The index is immutable parts: a large one, and small ones with the series of the last while. A
//! reader keeps them by reference; a writer copies at most one small part, however many series
//! come. Maintenance folds the small ones into the large one.

use std::collections::BTreeMap;
use std::sync::Arc;

use squirrel_model::{Labels, Matcher};

use super::{Definition, SeriesId};

/// All series, searchable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    base: Arc<Part>,
    /// Series that came since, rising from part to part.
    recent: Arc<Vec<Arc<Part>>>,
}

/// A part to which series are still added has fewer than this: so many are copied for a new one at most.
const PART_SERIES: usize = 1024;

/// Positions of series in [`Part::series`], rising.
type Postings = Vec<u32>;

#[derive(Clone, Debug, Default)]
struct Part {
    /// Rising by id.
    series: Vec<Definition>,
    by_name: BTreeMap<Box<str>, BTreeMap<Box<str>, Postings>>,
}

impl Index {
    /// An index of the given series, in any order.
    pub(crate) fn new(mut series: Vec<Definition>) -> Self {
        series.sort_by_key(|(id, _)| *id);
        series.dedup_by_key(|(id, _)| *id);
        Self { base: Arc::new(Part::new(series)), recent: Arc::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.base.series.len() + self.recent_len()
    }

    pub(crate) fn recent_len(&self) -> usize {
        self.recent.iter().map(|part| part.series.len()).sum()
    }

    /// Adds series whose ids are greater than all before.
    pub(crate) fn add(&mut self, series: &[Definition]) {
        if series.is_empty() {
            return;
        }
        let parts = Arc::make_mut(&mut self.recent);
        if parts.last().is_none_or(|part| part.series.len() >= PART_SERIES) {
            parts.push(Arc::default());
        }
        if let Some(last) = parts.last_mut() {
            let part = Arc::make_mut(last);
            for definition in series {
                part.push(definition.clone());
            }
        }
    }

    /// All series with those of `self.recent` folded in that satisfy `keep`.
    pub(crate) fn folded(&self, keep: impl Fn(SeriesId) -> bool) -> Self {
        Self::new(self.iter().filter(|(id, _)| keep(*id)).cloned().collect())
    }

    /// The series of this index that `older` did not have yet, when both grew from one.
    pub(crate) fn since(&self, older: &Self) -> Vec<Definition> {
        self.recent.iter().flat_map(|part| &part.series).skip(older.recent_len()).cloned().collect()
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(self.base.as_ref()).chain(self.recent.iter().map(AsRef::as_ref))
    }

    /// All series, rising by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Definition> {
        self.parts().flat_map(|part| &part.series)
    }

    /// The series that fulfil all matchers, rising by id.
    pub(crate) fn find(&self, matchers: &[Matcher]) -> Vec<&Definition> {
        self.parts().flat_map(|part| part.find(matchers)).collect()
    }
}

impl Part {
    fn new(series: Vec<Definition>) -> Self {
        let mut part = Self { series: Vec::with_capacity(series.len()), by_name: BTreeMap::new() };
        for definition in series {
            part.push(definition);
        }
        part
    }

    fn push(&mut self, definition: Definition) {
        let position = self.series.len() as u32;
        for (name, value) in definition.1.iter() {
            if !self.by_name.contains_key(name) {
                self.by_name.insert(name.into(), BTreeMap::new());
            }
            let Some(values) = self.by_name.get_mut(name) else { continue };
            match values.get_mut(value) {
                Some(postings) => postings.push(position),
                None => {
                    values.insert(value.into(), vec![position]);
                }
            }
        }
        self.series.push(definition);
    }

    fn find(&self, matchers: &[Matcher]) -> Vec<&Definition> {
        // Matchers that demand a value select few series: apply them first, as intersections.
        // Those that an absent label fulfils can only take series away.
        let (demands, allows): (Vec<&Matcher>, Vec<&Matcher>) = matchers.iter().partition(|m| !m.matches_absent());
        let mut kept: Option<Postings> = None;
        for matcher in demands {
            let hits = self.having(matcher);
            kept = Some(kept.map_or_else(|| hits.clone(), |kept| intersect(&kept, &hits)));
            if kept.as_ref().is_some_and(Vec::is_empty) {
                return Vec::new();
            }
        }
        let mut kept = kept.unwrap_or_else(|| (0..self.series.len() as u32).collect());
        for matcher in allows {
            let misses = self.union(matcher.name(), |value| !matcher.matches(value));
            kept = subtract(&kept, &misses);
        }
        kept.iter().filter_map(|position| self.series.get(*position as usize)).collect()
    }

    /// The series that have the label with a value that matches.
    fn having(&self, matcher: &Matcher) -> Postings {
        let Some(values) = self.by_name.get(matcher.name()) else { return Vec::new() };
        match matcher.literals() {
            Some(words) => merged(words.into_iter().filter_map(|word| values.get(word))),
            None => self.union(matcher.name(), |value| matcher.matches(value)),
        }
    }

    /// Tests each value once, however many series have it.
    fn union(&self, name: &str, test: impl Fn(&str) -> bool) -> Postings {
        let values = self.by_name.get(name).into_iter().flatten();
        merged(values.filter(|(value, _)| test(value)).map(|(_, postings)| postings))
    }
}

/// A series has one value of a label, so the lists never share a member.
fn merged<'a>(lists: impl Iterator<Item = &'a Postings>) -> Postings {
    let mut all: Postings = Vec::new();
    let mut n = 0;
    for list in lists {
        all.extend_from_slice(list);
        n += 1;
    }
    if n > 1 {
        all.sort_unstable();
        all.dedup(); // `a|a` names a value twice
    }
    all
}

fn intersect(a: &[u32], b: &[u32]) -> Postings {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    short.iter().copied().filter(|n| long.binary_search(n).is_ok()).collect()
}

fn subtract(from: &[u32], these: &[u32]) -> Postings {
    if these.is_empty() {
        return from.to_vec();
    }
    from.iter().copied().filter(|n| these.binary_search(n).is_err()).collect()
}

/// The labels of a series by its id.
pub(crate) fn labels_of(index: &Index, id: SeriesId) -> Option<&Labels> {
    index.parts().find_map(|part| {
        part.series.first().zip(part.series.last()).filter(|(first, last)| (first.0..=last.0).contains(&id))?;
        let at = part.series.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        part.series.get(at).map(|(_, labels)| labels)
    })
}

impl Index {
    /// The labels of a series.
    pub(crate) fn labels(&self, id: SeriesId) -> Option<&Labels> {
        labels_of(self, id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use squirrel_model::MatchOp;

    fn op() -> impl Strategy<Value = MatchOp> {
        prop::sample::select(vec![MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex])
    }

    proptest! {
        #[test]
        fn the_index_finds_what_testing_each_series_finds(
            sets in prop::collection::vec(prop::collection::btree_map("[abc]", "[xyz]{0,2}", 0..4), 0..30),
            split in 0usize..30,
            conditions in prop::collection::vec(("[abcd]", op(), prop::sample::select(vec!["", "x", "xy", "x|y", "x|", "x|x", "x.*", ".+", ".*", "[xy]z?"])), 0..4),
        ) {
            let all: Vec<Definition> =
                sets.into_iter().enumerate().map(|(i, set)| (SeriesId(i as u64 + 5), Labels::new(set).unwrap())).collect();
            let (base, recent) = all.split_at(split.min(all.len()));
            let mut index = Index::new(base.to_vec());
            index.add(recent);
            let matchers: Vec<Matcher> = conditions.into_iter().map(|(n, op, v)| Matcher::new(n, op, v).unwrap()).collect();
            let want: Vec<SeriesId> = all.iter()
                .filter(|(_, labels)| matchers.iter().all(|m| m.matches(labels.get(m.name()).unwrap_or_default())))
                .map(|(id, _)| *id).collect();
            let found = |index: &Index| index.find(&matchers).into_iter().map(|(id, _)| *id).collect::<Vec<_>>();
            prop_assert_eq!(found(&index), want.clone());
            prop_assert_eq!(found(&index.folded(|_| true)), want);
        }
    }

    #[test]
    fn adding_series_copies_no_more_than_one_small_part() {
        let series = |id: u64| (SeriesId(id), Labels::new([("a", id.to_string())]).unwrap());
        let mut index = Index::default();
        let mut copied = 0;
        for some in (0..20_000).map(series).collect::<Vec<_>>().chunks(10) {
            let shown = index.clone(); // as a reader holds it
            index.add(some);
            let is_shared = |part: &Arc<Part>| shown.recent.iter().any(|other| Arc::ptr_eq(part, other));
            let made = index.recent.iter().filter(|part| !is_shared(part));
            copied = made.map(|part| part.series.len()).sum::<usize>().max(copied);
        }
        assert!(copied <= PART_SERIES + 10, "{copied}");
        assert_eq!(index.len(), 20_000);
        let one = Matcher::new("a", MatchOp::Equal, "12345").unwrap();
        assert_eq!(index.find(&[one]).len(), 1);
    }

    #[test]
    fn series_added_while_the_index_was_folded_are_not_forgotten() {
        let series = |id: u64| (SeriesId(id), Labels::new([("a", id.to_string())]).unwrap());
        let mut live = Index::new(vec![series(1)]);
        live.add(&[series(2)]);
        let older = live.clone();
        let mut folded = older.folded(|id| id != SeriesId(1));
        live.add(&[series(3)]);
        folded.add(&live.since(&older));
        assert_eq!(folded.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(folded.labels(SeriesId(3)), Some(&series(3).1));
        assert_eq!(folded.labels(SeriesId(1)), None);
    }
}
