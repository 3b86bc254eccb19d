//! Counters that many threads add to without waiting for each other.

use crate::slot;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A few numbers that are written together, alone on their cache lines. 128 octets, because
/// processors fetch lines in pairs.
#[repr(align(128))]
struct Line<const WIDTH: usize>([AtomicU64; WIDTH]);

/// `WIDTH` counters that grow together, one line for each thread.
///
/// All orders are relaxed: a sum of counters promises nothing about other memory. What is promised
/// follows from each line alone: its value as seen by one reader never goes back (coherence), and so
/// the sums that one reader sees never go back either. A reader that must see an addition (a test
/// after joining a thread) has its happens-before from the join.
pub(crate) struct Sharded<const WIDTH: usize> {
    lines: Box<[Line<WIDTH>]>,
    exclusive: usize,
}

impl<const WIDTH: usize> Sharded<WIDTH> {
    pub(crate) fn new() -> Self {
        Self::with_exclusive(slot::exclusive_lines())
    }

    pub(crate) fn with_exclusive(exclusive: usize) -> Self {
        let zero = || Line(std::array::from_fn(|_| AtomicU64::new(0)));
        Self { lines: (0..slot::all_lines(exclusive)).map(|_| zero()).collect(), exclusive }
    }

    /// Adds to each counter; they wrap at 2⁶⁴.
    #[inline]
    pub(crate) fn add(&self, amounts: [u64; WIDTH]) {
        let place = slot::place(self.exclusive);
        let Some(Line(cells)) = self.lines.get(place.line) else {
            return;
        };
        for (cell, amount) in cells.iter().zip(amounts) {
            if place.exclusive {
                // No other thread writes here (see `slot`), so nothing is lost between load and store.
                cell.store(cell.load(Relaxed).wrapping_add(amount), Relaxed);
            } else {
                cell.fetch_add(amount, Relaxed);
            }
        }
    }

    /// The sums, wrapping at 2⁶⁴.
    pub(crate) fn sums(&self) -> [u64; WIDTH] {
        let mut sums = [0u64; WIDTH];
        for Line(cells) in &self.lines {
            for (sum, cell) in sums.iter_mut().zip(cells) {
                *sum = sum.wrapping_add(cell.load(Relaxed));
            }
        }
        sums
    }
}

#[cfg(all(test, not(squirrel_loom)))]
mod tests {
    use super::*;

    fn check_exact(exclusive: usize) {
        const ROUNDS: u64 = 50_000;
        let counter = Sharded::<2>::with_exclusive(exclusive);
        // Two generations of threads, so that numbers are handed on while others write.
        for _ in 0..2 {
            std::thread::scope(|scope| {
                for thread in 0..8u64 {
                    let counter = &counter;
                    scope.spawn(move || (0..ROUNDS).for_each(|_| counter.add([1, thread])));
                }
            });
        }
        assert_eq!(counter.sums(), [2 * 8 * ROUNDS, 2 * 28 * ROUNDS], "{exclusive} exclusive lines");
    }

    #[test]
    fn eight_threads_lose_nothing() {
        for exclusive in [0, 3, 64] {
            check_exact(exclusive);
        }
    }

    #[test]
    fn sums_wrap() {
        let counter = Sharded::<1>::new();
        counter.add([u64::MAX]);
        counter.add([5]);
        assert_eq!(counter.sums(), [4]);
    }

    #[test]
    fn a_reader_never_sees_a_sum_go_back() {
        let counter = Sharded::<1>::new();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| (0..20_000).for_each(|_| counter.add([1])));
            }
            let mut last = 0;
            while last < 60_000 {
                let [sum] = counter.sums();
                assert!(sum >= last, "{sum} after {last}");
                last = sum;
            }
        });
    }
}
