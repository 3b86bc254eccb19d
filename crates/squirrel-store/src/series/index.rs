//! From matchers to series: for each label value the sorted list of the series that have it.
//!
//! The index is immutable parts: a large one, and small ones with the series of the last while. A
//! reader keeps them by reference; a writer copies at most one small part, however many series
//! come. Maintenance folds the small ones into the large one.

use std::borrow::Cow;
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
        // Matchers that name values are looked up; the shortest list comes first, so that the long ones (a metric's
        // name may have all series) are only searched in, never copied.
        let (named, others): (Vec<&Matcher>, Vec<&Matcher>) =
            matchers.iter().partition(|m| !m.matches_absent() && m.literals().is_some());
        let mut lists: Vec<Cow<'_, [u32]>> = named.iter().map(|matcher| self.having(matcher)).collect();
        lists.sort_unstable_by_key(|list| list.len());
        let mut kept = lists.into_iter().reduce(|kept, list| Cow::Owned(intersect(&kept, &list)));
        for matcher in others {
            kept = Some(match kept {
                Some(kept) if kept.is_empty() => return Vec::new(),
                Some(kept) if kept.len() <= self.values_of(matcher.name()) => Cow::Owned(self.asked(&kept, matcher)),
                kept => Cow::Owned(self.among_values(kept, matcher)),
            });
        }
        let found = |position: u32| self.series.get(position as usize);
        match kept {
            Some(kept) => kept.iter().filter_map(|position| found(*position)).collect(),
            None => self.series.iter().collect(),
        }
    }

    /// How many values a label has.
    fn values_of(&self, name: &str) -> usize {
        self.by_name.get(name).map_or(0, BTreeMap::len)
    }

    /// Of few series those that fulfil a matcher, by their labels.
    fn asked(&self, kept: &[u32], matcher: &Matcher) -> Postings {
        let label = |position: u32| Some(self.series.get(position as usize)?.1.get(matcher.name()).unwrap_or_default());
        kept.iter().copied().filter(|at| label(*at).is_some_and(|value| matcher.matches(value))).collect()
    }

    /// Of all series, or of many, those that fulfil a matcher, by the values that there are. One that an absent label
    /// fulfils can only take series away.
    fn among_values(&self, kept: Option<Cow<'_, [u32]>>, matcher: &Matcher) -> Postings {
        if matcher.matches_absent() {
            let misses = self.union(matcher.name(), |value| !matcher.matches(value));
            return match kept {
                Some(kept) => subtract(kept.iter().copied(), &misses),
                None => subtract(0..self.series.len() as u32, &misses),
            };
        }
        let hits = self.union(matcher.name(), |value| matcher.matches(value));
        match kept {
            Some(kept) => intersect(&kept, &hits),
            None => hits,
        }
    }

    /// The series that have the label with a value that the matcher names.
    fn having(&self, matcher: &Matcher) -> Cow<'_, [u32]> {
        let (Some(values), Some(words)) = (self.by_name.get(matcher.name()), matcher.literals()) else {
            return Cow::Borrowed(&[]);
        };
        match words[..] {
            [word] => values.get(word).map_or(Cow::Borrowed(&[]), |list| Cow::Borrowed(list)),
            _ => Cow::Owned(merged(words.into_iter().filter_map(|word| values.get(word)))),
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

fn subtract(from: impl Iterator<Item = u32>, these: &[u32]) -> Postings {
    from.filter(|n| these.binary_search(n).is_err()).collect()
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
