//! Which series a sender has sent of late.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use squirrel_model::{Elapsed, Labels, Timestamp};

/// A series that was silent for one to two of these makes room for another.
const GENERATION: Duration = Duration::from_hours(1);

/// A place among the series of now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(u64);

/// The series of a sender, by a hash of their labels with a key that nobody outside knows, and the time of
/// the newest sample of each.
#[derive(Debug)]
pub(super) struct Seen {
    most: usize,
    hasher: RandomState,
    now: HashMap<u64, i64>,
    before: HashMap<u64, i64>,
    since: Elapsed,
}

impl Seen {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            hasher: RandomState::new(),
            now: HashMap::new(),
            before: HashMap::new(),
            since: Elapsed(Duration::ZERO),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.now.len() + self.before.len()
    }

    /// The place of a series; `None` when there is no room for one more.
    pub(super) fn place(&mut self, labels: &Labels, elapsed: Elapsed) -> Option<Place> {
        let age = elapsed.0.saturating_sub(self.since.0);
        if age >= GENERATION {
            self.before = if age < 2 * GENERATION { std::mem::take(&mut self.now) } else { HashMap::new() };
            self.now.clear();
            self.since = elapsed;
        }
        let key = self.hasher.hash_one(labels);
        if self.now.contains_key(&key) {
            return Some(Place(key));
        }
        // A series is in one of the two.
        let newest = match self.before.remove(&key) {
            Some(newest) => newest,
            None if self.len() >= self.most => return None,
            None => i64::MIN,
        };
        self.now.insert(key, newest);
        Some(Place(key))
    }

    /// How a sample's time lies to the newest of its series, which it becomes if it is newer.
    pub(super) fn order(&mut self, Place(key): Place, at: Timestamp) -> Ordering {
        let newest = self.now.entry(key).or_insert(i64::MIN);
        let order = at.millis().cmp(newest);
        *newest = (*newest).max(at.millis());
        order
    }
}
