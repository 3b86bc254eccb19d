//! A small number for each living thread, so that a thread finds memory that nobody else writes.
//!
//! The numbers belong to the process and not to a monitor: a thread has one however many monitors
//! there are, and nothing is learned about a monitor from them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::PoisonError;

use crate::sync::{Mutex, thread_local};

/// Lines that are shared by the threads beyond the exclusive ones; one in the models, so that they meet.
const SHARED: usize = if cfg!(squirrel_loom) { 1 } else { 4 };

/// Numbers in use and given back.
struct Numbers {
    next: usize,
    returned: BinaryHeap<Reverse<usize>>,
}

#[cfg(not(all(test, squirrel_loom)))]
static NUMBERS: Mutex<Numbers> = Mutex::new(Numbers { next: 0, returned: BinaryHeap::new() });

#[cfg(all(test, squirrel_loom))]
loom::lazy_static! {
    static ref NUMBERS: Mutex<Numbers> = Mutex::new(Numbers { next: 0, returned: BinaryHeap::new() });
}

/// A thread's number, which is given back when the thread ends.
///
/// Why one writer's plain stores are safe to hand on: the old thread's stores come before its drop of
/// this value, which unlocks `NUMBERS`; the new thread locks `NUMBERS` before it gets the number. So
/// the new thread's first load sees the old thread's last store, and adds to it.
struct Slot(usize);

impl Slot {
    fn take() -> Self {
        let mut numbers = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Reverse(number)) = numbers.returned.pop() {
            return Self(number);
        }
        let number = numbers.next;
        numbers.next += 1;
        Self(number)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut numbers = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.returned.push(Reverse(self.0));
    }
}

thread_local! {
    static SLOT: Slot = Slot::take();
}

/// Where the running thread writes, among the lines of a sharded metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which line.
    pub(crate) line: usize,
    /// Whether no other living thread writes there, so that a load and a store do for an addition.
    pub(crate) exclusive: bool,
}

/// The running thread's place when the first `exclusive` lines have one writer each.
#[inline]
pub(crate) fn place(exclusive: usize) -> Place {
    // A thread that is ending has given its number back; what its last destructors record is shared.
    match SLOT.try_with(|slot| slot.0) {
        Ok(number) if number < exclusive => Place { line: number, exclusive: true },
        Ok(number) => Place { line: exclusive + number % SHARED, exclusive: false },
        Err(_) => Place { line: exclusive, exclusive: false },
    }
}

/// How many lines have one writer each: twice the processors, since a runtime has as many workers and
/// some helpers besides.
pub(crate) fn exclusive_lines() -> usize {
    static LINES: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *LINES.get_or_init(|| {
        let processors = std::thread::available_parallelism().map_or(4, std::num::NonZero::get);
        processors.saturating_mul(2).clamp(8, 64)
    })
}

/// All lines of a metric with this many exclusive ones.
pub(crate) fn all_lines(exclusive: usize) -> usize {
    exclusive + SHARED
}

/// Waits until all threads have given their numbers back. In the models a thread that was joined may not have
/// come to that yet, other than with the standard library, and what it needs ends with the model.
#[cfg(all(test, squirrel_loom))]
pub(crate) fn wait_for_the_returned() {
    let all_returned = || {
        let numbers = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.returned.len() == numbers.next
    };
    while !all_returned() {
        loom::thread::yield_now();
    }
}

#[cfg(all(test, not(squirrel_loom)))]
mod tests {
    use super::*;

    #[test]
    fn living_threads_have_different_numbers_and_dead_ones_give_theirs_back() {
        let barrier = std::sync::Barrier::new(6);
        let mut seen: Vec<usize> = std::thread::scope(|scope| {
            let run = || {
                let place = place(usize::MAX);
                barrier.wait();
                place.line
            };
            let threads: Vec<_> = (0..6).map(|_| scope.spawn(run)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 6);
        let largest = (0..200).map(|_| std::thread::spawn(|| place(usize::MAX).line).join().unwrap()).max();
        assert!(largest.unwrap() < 150, "numbers are used again: {largest:?}");
    }

    #[test]
    fn threads_beyond_the_exclusive_lines_share() {
        let place = place(0);
        assert!(!place.exclusive && place.line < all_lines(0), "{place:?}");
    }
}
