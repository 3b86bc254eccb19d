//! Connections from one collection to the next: how old each is, how fast it goes, and which are gone.
//!
//! Rows lie densely in one vector, and a map leads from an id to its row. Above the limit a sample is
//! kept: each connection has a rank by a hash of its id, and those with the lowest ranks stay. Every set of that
//! size is as likely as any other, and a connection that was in the sample stays in it while no lower
//! one comes.

use std::collections::HashMap;
use std::time::Duration;

use super::SocketConnection;
use super::packed::Packed;

/// What a tracked connection costs at the worst moment, in bytes: all connections were replaced since the
/// last collection, so that old and new ones are there together, and both the vector and the map have
/// just grown to twice their size.
pub(super) const WORST_BYTES: usize = (2 * size_of::<Packed>() + MAP_BYTES) * 9 / 4;

/// What a map of the standard library takes for an entry, at its emptiest: filled to 7/16, just after it has grown.
const MAP_BYTES: usize = (size_of::<(u64, u32)>() + 1) * 16 / 7;

/// The tracked connections.
pub(super) struct Book {
    rows: Vec<Packed>,
    places: HashMap<u64, u32>,
    limit: usize,
    /// Those of this rank and above are not kept in this collection.
    threshold: u64,
    /// Rows that this collection has told.
    seen: usize,
    last: Duration,
    /// Whether the last collection came to its end. If not, some rows are older than others.
    complete: bool,
    /// Seconds since the collection before, when it makes rates.
    seconds: Option<f64>,
}

impl Book {
    pub(super) fn new() -> Self {
        Self {
            rows: Vec::new(),
            places: HashMap::new(),
            limit: 0,
            threshold: u64::MAX,
            seen: 0,
            last: Duration::ZERO,
            complete: false,
            seconds: None,
        }
    }

    /// A collection begins that keeps at most `limit` connections. Rates need the collection before to be
    /// at most `longest_gap` ago.
    pub(super) fn begin(&mut self, now: Duration, limit: usize, longest_gap: Duration) {
        let since = now.saturating_sub(self.last);
        let makes_rates = std::mem::take(&mut self.complete) && !since.is_zero() && since <= longest_gap;
        self.seconds = makes_rates.then_some(since.as_secs_f64());
        // Places are 32 bits wide.
        self.limit = limit.min(u32::MAX as usize / 4);
        (self.last, self.threshold, self.seen) = (now, u64::MAX, 0);
        for row in &mut self.rows {
            row.seen = false;
        }
    }

    /// Takes a connection that the collection tells. Whoever comes a second time is left out.
    pub(super) fn offer(&mut self, connection: &SocketConnection) {
        if self.limit == 0 || rank(connection.id) >= self.threshold {
            self.forget(connection.id);
            return;
        }
        match self.places.get(&connection.id).and_then(|place| self.rows.get_mut(*place as usize)) {
            Some(row) if row.seen => return,
            Some(row) => {
                row.update(connection, self.last, self.seconds);
            }
            None => {
                self.places.insert(connection.id, self.rows.len() as u32);
                self.rows.push(Packed::new(connection, self.last));
            }
        }
        self.seen += 1;
        if self.seen > self.limit + self.limit / 8 {
            self.cut();
        }
    }

    /// The collection is complete: hands over what is gone, and forgets it.
    pub(super) fn end(&mut self, mut closed: impl FnMut(&Packed)) {
        self.complete = true;
        if self.seen > self.limit {
            self.cut();
        }
        let mut at = 0;
        while let Some(row) = self.rows.get(at) {
            if row.seen {
                at += 1;
            } else {
                closed(row);
                self.forget(row.id);
            }
        }
        // What was taken in a flood is given back.
        if self.rows.capacity() > 64 + 4 * self.rows.len() {
            self.rows.shrink_to(2 * self.rows.len());
            self.places.shrink_to(2 * self.rows.len());
        }
    }

    /// Lowers the threshold until no more than the limit are kept of those told so far.
    fn cut(&mut self) {
        let mut ranks: Vec<u64> = self.rows.iter().filter(|row| row.seen).map(|row| rank(row.id)).collect();
        let Some(last) = (self.limit < ranks.len()).then_some(self.limit) else { return };
        let (_, threshold, _) = ranks.select_nth_unstable(last);
        self.threshold = *threshold;
        let mut at = 0;
        while let Some(row) = self.rows.get(at) {
            if row.seen && rank(row.id) >= self.threshold {
                self.seen -= 1;
                self.forget(row.id);
            } else {
                at += 1;
            }
        }
    }

    fn forget(&mut self, id: u64) {
        let Some(place) = self.places.remove(&id) else { return };
        self.rows.swap_remove(place as usize);
        // The last row has come to this place.
        if let Some(moved) = self.rows.get(place as usize) {
            self.places.insert(moved.id, place);
        }
    }

    /// The rows, in no order. Between the beginning and the end of a collection some are new, and some old.
    pub(super) fn rows(&self) -> &[Packed] {
        &self.rows
    }

    /// What it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        // The map keeps an eighth of its places free, and a byte for each.
        self.rows.capacity() * size_of::<Packed>() + self.places.capacity() * 8 / 7 * (size_of::<(u64, u32)>() + 1)
    }

    /// When the last collection began.
    pub(super) fn last(&self) -> Duration {
        self.last
    }
}

/// The finishing steps of splitmix64: ids follow each other, ranks must not.
fn rank(id: u64) -> u64 {
    let mut x = id.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests;
