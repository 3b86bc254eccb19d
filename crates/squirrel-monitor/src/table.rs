//! A bounded table of names, read without locks.
//!
//! Open addressing over places that are filled once and never emptied. A reader walks from the name's
//! hash until it finds the name or an empty place; `OnceLock::get` is an acquire load that pairs with
//! the release of the filling, so a place that is seen filled is seen whole. Since nothing is ever
//! removed, a name that was found once is found again, and an empty place ends every walk. Writers
//! are few (one for each new name) and take turns by a mutex.
//!
//! At most half of the places are filled, and the hash has a secret of its own for each table: whoever
//! chooses the names cannot choose where they collide.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError};

use crate::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::sync::atomic::{AtomicBool, AtomicUsize};
use crate::sync::{Mutex, OnceLock};

/// The name of the row for what has no row of its own.
pub(crate) const OTHER: &str = "other";

/// Longest name that gets a row, in octets: a table must not become large by the length of its names.
pub(crate) const MAX_NAME: usize = 256;

struct Entry<R> {
    hash: u64,
    name: Box<str>,
    row: Arc<R>,
}

/// Rows by name, at most `limit` and one for all others.
pub(crate) struct Table<R> {
    places: Box<[OnceLock<Entry<R>>]>,
    limit: usize,
    seeds: [u64; 2],
    used: AtomicUsize,
    filling: Mutex<()>,
    other: Arc<R>,
    overflowed: AtomicBool,
}

impl<R: Default> Table<R> {
    pub(crate) fn new(limit: usize) -> Self {
        let secret = RandomState::new();
        // An even factor would lose bits.
        Self::with_seeds(limit, [secret.hash_one(0u8), secret.hash_one(1u8) | 1])
    }

    pub(crate) fn with_seeds(limit: usize, seeds: [u64; 2]) -> Self {
        let places = (limit * 2).next_power_of_two().max(2);
        Self {
            places: (0..places).map(|_| OnceLock::new()).collect(),
            limit,
            seeds,
            used: AtomicUsize::new(0),
            filling: Mutex::new(()),
            other: Arc::default(),
            overflowed: AtomicBool::new(false),
        }
    }

    /// The row of a name; a new one while there is room, then the row of all others.
    #[inline]
    pub(crate) fn row(&self, name: &str) -> &Arc<R> {
        let hash = hash(self.seeds, name.as_bytes());
        match self.find(hash, name) {
            Found::Row(row) => row,
            Found::Empty(_) => self.insert(hash, name),
        }
    }

    /// How many names may have a row.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How many names have a row.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// Whether a name was counted as one of the others.
    pub(crate) fn overflowed(&self) -> bool {
        self.overflowed.load(Relaxed)
    }

    /// The names with their rows, in no order; last the row of all others.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&str, &R)> {
        let named = self.places.iter().filter_map(OnceLock::get).map(|entry| (&*entry.name, &*entry.row));
        named.chain([(OTHER, &*self.other)])
    }

    /// The row of a name that is there already.
    pub(crate) fn existing(&self, name: &str) -> Option<&Arc<R>> {
        if name == OTHER {
            return Some(&self.other);
        }
        match self.find(hash(self.seeds, name.as_bytes()), name) {
            Found::Row(row) => Some(row),
            Found::Empty(_) => None,
        }
    }

    #[inline]
    fn find(&self, hash: u64, name: &str) -> Found<'_, R> {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            // The mask keeps `at` inside, and at least half of the places are empty, so the walk ends.
            match self.places.get(at).and_then(OnceLock::get) {
                None => return Found::Empty(at),
                Some(entry) if entry.hash == hash && *entry.name == *name => return Found::Row(&entry.row),
                Some(_) => at = (at + 1) & mask,
            }
        }
    }

    #[cold]
    fn insert(&self, hash: u64, name: &str) -> &Arc<R> {
        // Whoever names the row of the others means it.
        if name == OTHER {
            return &self.other;
        }
        if name.len() > MAX_NAME {
            return self.overflow();
        }
        // A full table stays full, so this needs no lock: a flood of new names waits for nobody. The
        // name may have been put there since it was looked for, among the last that had room: `used`
        // is acquired, and each filling came before its release, so looking again finds it.
        if self.used.load(Acquire) >= self.limit {
            return match self.find(hash, name) {
                Found::Row(row) => row,
                Found::Empty(_) => self.overflow(),
            };
        }
        let _turn = self.filling.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have put it there since, or taken the last room.
        let empty = match self.find(hash, name) {
            Found::Row(row) => return row,
            Found::Empty(at) => at,
        };
        if self.used.load(Relaxed) >= self.limit {
            return self.overflow();
        }
        let entry = || Entry { hash, name: name.into(), row: Arc::default() };
        let row = self.places.get(empty).map_or(&self.other, |place| &place.get_or_init(entry).row);
        self.used.fetch_add(1, Release);
        row
    }

    fn overflow(&self) -> &Arc<R> {
        self.overflowed.store(true, Relaxed);
        &self.other
    }
}

enum Found<'a, R> {
    Row(&'a Arc<R>),
    Empty(usize),
}

/// A hash by multiplication to 128 bits and folding, eight octets at a time; the ends of short names
/// are read overlapping, so that no loop over single octets is needed.
#[inline]
fn hash(seeds: [u64; 2], octets: &[u8]) -> u64 {
    let [seed, factor] = seeds;
    let mut state = seed ^ (octets.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    if let Some(last) = octets.last_chunk::<8>() {
        for word in octets.chunks_exact(8).filter_map(<[u8]>::first_chunk) {
            state = fold(state ^ u64::from_le_bytes(*word), factor);
        }
        return fold(state ^ u64::from_le_bytes(*last), factor);
    }
    let short = match (octets.first_chunk::<4>(), octets.last_chunk::<4>()) {
        (Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)),
        _ => octets.iter().fold(0, |word, octet| word << 8 | u64::from(*octet)),
    };
    fold(fold(state ^ short, factor), seed | 1)
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(all(test, not(squirrel_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;
    use std::sync::atomic::AtomicU64;

    fn names(table: &Table<AtomicU64>) -> Vec<&str> {
        let mut names: Vec<&str> = table.rows().map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_comes_after_the_limit_is_other_and_what_was_there_stays() {
        let table = Table::<AtomicU64>::new(2);
        for name in ["a", "b", "c", "a", "d"] {
            table.row(name).fetch_add(1, Relaxed);
        }
        assert_eq!(names(&table), ["a", "b", "other"]);
        let count = |name| table.existing(name).map(|row| row.load(Relaxed));
        assert_eq!((count("a"), count("b"), count("other"), count("c")), (Some(2), Some(1), Some(2), None));
        assert!(table.overflowed());
    }

    #[test]
    fn a_limit_of_zero_puts_everything_into_other() {
        let table = Table::<AtomicU64>::new(0);
        table.row("a").fetch_add(1, Relaxed);
        assert_eq!(names(&table), ["other"]);
    }

    #[test]
    fn an_endless_name_gets_no_row() {
        let table = Table::<AtomicU64>::new(8);
        table.row(&"x".repeat(MAX_NAME + 1));
        assert!(table.overflowed());
        table.row(&"x".repeat(MAX_NAME));
        assert_eq!(names(&table).len(), 2);
    }

    #[test]
    fn other_is_one_row_however_it_is_reached() {
        let table = Table::<AtomicU64>::new(1);
        table.row("other").fetch_add(1, Relaxed);
        assert!(!table.overflowed());
        table.row("a");
        table.row("b").fetch_add(1, Relaxed);
        assert_eq!(table.existing("other").map(|row| row.load(Relaxed)), Some(2));
    }

    #[test]
    fn threads_that_meet_at_a_new_name_share_one_row() {
        for _ in 0..50 {
            let table = Table::<AtomicU64>::new(20);
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| (0..40).for_each(|i| _ = table.row(&format!("type {i}")).fetch_add(1, Relaxed)));
                }
            });
            let rows: Vec<u64> = table.rows().map(|(_, row)| row.load(Relaxed)).collect();
            assert_eq!((rows.len(), rows.iter().sum::<u64>()), (21, 320));
            assert!(rows.iter().take(20).all(|count| *count == 8), "{rows:?}");
        }
    }

    #[test]
    fn a_million_names_leave_the_table_as_large_as_it_was() {
        let table = Table::<AtomicU64>::new(100);
        for i in 0..1_000_000u32 {
            table.row(&i.to_string()).fetch_add(1, Relaxed);
        }
        assert_eq!((names(&table).len(), table.places.len()), (101, 256));
        assert_eq!(table.existing("other").map(|row| row.load(Relaxed)), Some(999_900));
    }

    proptest! {
        #[test]
        fn each_name_finds_its_own_row(names in prop::collection::hash_set(".{0,20}", 1..60)) {
            let table = Table::<AtomicU64>::new(60);
            for _ in 0..2 {
                for name in &names {
                    table.row(name).fetch_add(1, Relaxed);
                }
            }
            for name in &names {
                prop_assert_eq!(table.existing(name).map(|row| row.load(Relaxed)), Some(2), "{}", name);
            }
        }

        #[test]
        fn hashes_of_names_differ(names in prop::collection::hash_set(prop::collection::vec(any::<u8>(), 0..30), 2..40)) {
            let hashes: HashSet<u64> = names.iter().map(|name| hash([0x1234_5678_9ABC_DEF0, 0x0F1E_2D3C_4B5A_6979], name)).collect();
            prop_assert_eq!(hashes.len(), names.len());
        }
    }
}
