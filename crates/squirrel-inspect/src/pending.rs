//! Requests that await their answer.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::time::Duration;

/// What is kept of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting<T> {
    /// What the owner wants to remember.
    pub(crate) what: T,
    /// When it was sent.
    pub(crate) sent: Duration,
    /// Whether nobody is surprised when no answer comes.
    pub(crate) excused: bool,
}

/// Hashes keys that are numbers, or hashed already, by two multiplications with numbers that nobody
/// knows. Weaker than the standard library's and several times faster; the table is small.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberHash {
    seeds: [u64; 2],
    state: u64,
}

impl Default for NumberHash {
    fn default() -> Self {
        let random = RandomState::new();
        let seeds = [random.hash_one(1_u8), random.hash_one(2_u8) | 1];
        Self { seeds, state: seeds[0] }
    }
}

impl BuildHasher for NumberHash {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for NumberHash {
    fn finish(&self) -> u64 {
        self.state
    }

    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.write_u64(u64::from(*octet));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.state ^ number) * u128::from(self.seeds[1]);
        self.state = (product as u64) ^ ((product >> 64) as u64) ^ self.seeds[0];
    }

    fn write_i64(&mut self, number: i64) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }
}

/// A bounded table of requests by key, in the order of their arrival.
///
/// An answer removes its entry from the map at once; its place in the queue is dropped when it comes
/// to the front, or when such places outnumber the others.
#[derive(Debug)]
pub(crate) struct Pending<K, T> {
    entries: HashMap<K, (u64, Waiting<T>), NumberHash>,
    order: VecDeque<(u64, K, Duration)>,
    next: u64,
    capacity: usize,
    evicted: u64,
}

impl<K: Copy + Eq + Hash, T: Copy> Pending<K, T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::default(), order: VecDeque::new(), next: 0, capacity, evicted: 0 }
    }

    /// Remembers a request; what stood under the same key before.
    pub(crate) fn insert(&mut self, key: K, waiting: Waiting<T>) -> Option<Waiting<T>> {
        if self.capacity == 0 {
            self.evicted += 1;
            return None;
        }
        let before = self.entries.remove(&key).map(|(_, waiting)| waiting);
        let full = self.entries.len() >= self.capacity;
        if let Some((key, _)) = full.then(|| self.oldest()).flatten() {
            self.entries.remove(&key);
            self.order.pop_front();
            self.evicted += 1;
        }
        if self.order.len() >= self.capacity.saturating_mul(2) {
            let entries = &self.entries;
            self.order.retain(|(number, key, _)| entries.get(key).is_some_and(|(current, _)| current == number));
        }
        self.entries.insert(key, (self.next, waiting));
        self.order.push_back((self.next, key, waiting.sent));
        self.next += 1;
        before
    }

    /// Takes the request out that an answer belongs to.
    pub(crate) fn take(&mut self, key: K) -> Option<Waiting<T>> {
        self.entries.remove(&key).map(|(_, waiting)| waiting)
    }

    /// Whether a request awaits an answer under this key.
    pub(crate) fn contains(&self, key: K) -> bool {
        self.entries.contains_key(&key)
    }

    /// From now on it is no fault when no answer comes to this request.
    pub(crate) fn excuse(&mut self, key: K) {
        if let Some((_, waiting)) = self.entries.get_mut(&key) {
            waiting.excused = true;
        }
    }

    /// The oldest request when it waits for longer than `patience`, which is then forgotten.
    pub(crate) fn expire(&mut self, now: Duration, patience: Duration) -> Option<Waiting<T>> {
        // Nothing is hashed while even the first place is young.
        let (_, _, first) = self.order.front()?;
        if now.saturating_sub(*first) <= patience {
            return None;
        }
        let (key, waiting) = self.oldest()?;
        if now.saturating_sub(waiting.sent) <= patience {
            return None;
        }
        self.order.pop_front();
        self.entries.remove(&key);
        Some(waiting)
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many were forgotten for want of room.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The oldest that still waits; drops places before it that were answered.
    fn oldest(&mut self) -> Option<(K, Waiting<T>)> {
        while let Some((number, key, _)) = self.order.front().copied() {
            match self.entries.get(&key) {
                Some((current, waiting)) if *current == number => return Some((key, *waiting)),
                _ => self.order.pop_front(),
            };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(second: u64) -> Waiting<u64> {
        Waiting { what: second, sent: Duration::from_secs(second), excused: false }
    }

    #[test]
    fn a_million_requests_leave_the_newest_few() {
        let mut pending = Pending::new(4);
        for number in 0..1_000_000_u64 {
            assert_eq!(pending.insert(number, waiting(number)), None);
        }
        assert_eq!((pending.len(), pending.evicted()), (4, 999_996));
        assert!(pending.order.len() <= 8);
        assert_eq!(pending.take(999_996), Some(waiting(999_996)));
        assert_eq!(pending.take(5), None);
    }

    #[test]
    fn answers_in_any_order_leave_no_places_behind() {
        let mut pending = Pending::new(4);
        pending.insert(u64::MAX, waiting(0));
        for number in 0..100_000_u64 {
            pending.insert(number, waiting(number));
            assert_eq!(pending.take(number), Some(waiting(number)));
            assert!(pending.order.len() <= 8);
        }
        assert_eq!((pending.len(), pending.evicted()), (1, 0));
    }

    #[test]
    fn the_oldest_expire_first_and_a_repeated_key_counts_from_its_last() {
        let mut pending = Pending::new(8);
        pending.insert(1, waiting(1));
        pending.insert(2, waiting(2));
        assert_eq!(pending.insert(1, waiting(10)), Some(waiting(1)));
        let patience = Duration::from_secs(5);
        assert_eq!(pending.expire(Duration::from_secs(9), patience), Some(waiting(2)));
        assert_eq!(pending.expire(Duration::from_secs(9), patience), None);
        assert_eq!(pending.expire(Duration::from_secs(16), patience), Some(waiting(10)));
        assert_eq!(pending.expire(Duration::from_secs(99), patience), None);
    }

    #[test]
    fn no_room_at_all_remembers_nothing() {
        let mut pending = Pending::new(0);
        assert_eq!(pending.insert(1, waiting(1)), None);
        assert_eq!((pending.len(), pending.evicted(), pending.contains(1)), (0, 1, false));
    }
}
