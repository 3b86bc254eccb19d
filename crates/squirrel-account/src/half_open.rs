//! Connections that others began to open and that are not open yet (`SYN-RECV`).
//!
//! They belong to nobody until they are accepted, moved no byte, and anybody can make many of them under made-up
//! addresses. So they stand beside the table of connections: for each local end a few of them with the address of the
//! other side, the rest as one number, and ends beyond the bound as one number more. A flood makes the dump long;
//! then they are dumped seldom.

use std::collections::HashMap;
use std::net::SocketAddr;

/// Shown one by one for each local end.
const EXAMPLES: usize = 8;
/// Local ends that are told apart.
const MAX_ENDS: usize = 1_000;
/// From so many on they are a flood.
const FLOOD: usize = 10_000;
/// Steps between two dumps during a flood.
const FLOOD_EVERY: u64 = 8;

/// Those of one local end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// All of them.
    pub(crate) count: u64,
    /// The other sides of some.
    pub(crate) examples: Vec<SocketAddr>,
}

/// Those of one namespace, by the last dump.
#[derive(Clone, Debug, Default)]
pub(crate) struct HalfOpen {
    ends: HashMap<SocketAddr, End>,
    /// Those of ends beyond the bound.
    pub(crate) beyond: u64,
    all: usize,
}

impl HalfOpen {
    /// Whether a dump in this step shall list them.
    pub(crate) fn is_due(&self, step: u64) -> bool {
        self.all < FLOOD || step.is_multiple_of(FLOOD_EVERY)
    }

    /// Begins a new list.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn add(&mut self, local: SocketAddr, remote: SocketAddr) {
        self.all += 1;
        if self.ends.len() >= MAX_ENDS && !self.ends.contains_key(&local) {
            self.beyond += 1;
            return;
        }
        let end = self.ends.entry(local).or_default();
        end.count += 1;
        if end.examples.len() < EXAMPLES {
            end.examples.push(remote);
        }
    }

    pub(crate) fn ends(&self) -> impl Iterator<Item = (SocketAddr, &End)> {
        self.ends.iter().map(|(local, end)| (*local, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(number: u32) -> SocketAddr {
        SocketAddr::from((number.to_be_bytes(), 1))
    }

    #[test]
    fn a_million_are_a_few_rows_and_a_number() {
        let mut half_open = HalfOpen::default();
        let local = from(0x0A00_0001);
        assert!(half_open.is_due(1));
        (0..1_000_000).for_each(|number| half_open.add(local, from(number)));
        let ends: Vec<_> = half_open.ends().collect();
        assert_eq!((ends.len(), ends[0].1.count, ends[0].1.examples.len()), (1, 1_000_000, EXAMPLES));
        assert!(!half_open.is_due(1) && half_open.is_due(FLOOD_EVERY), "the flood costs an eighth");
        half_open.clear();
        assert!(half_open.is_due(1) && half_open.ends().next().is_none());
    }

    #[test]
    fn ends_beyond_the_bound_are_counted() {
        let mut half_open = HalfOpen::default();
        (0..MAX_ENDS as u32 + 5).for_each(|number| half_open.add(from(number), from(1)));
        assert_eq!((half_open.ends().count(), half_open.beyond), (MAX_ENDS, 5));
    }
}
