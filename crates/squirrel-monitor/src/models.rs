//! Models of the parts that work without locks: the real code of `counter`, `slot`, `table` and `histogram`,
//! run by loom in every order in which its threads can meet.
//!
//! `cargo xtask test` runs them, with `--cfg squirrel_loom`.

use std::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;
use loom::sync::atomic::Ordering::Relaxed;
use loom::thread;

use crate::counter::Sharded;
use crate::histogram::Histogram;
use crate::slot;
use crate::table::{OTHER, Table};

/// So often one thread may be interrupted where it would not have to wait. Faults that need more are rare, and
/// the number of orders grows with each.
fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        run();
        slot::wait_for_the_returned();
    });
}

/// A counter with so many lines of one writer each, added to by two threads at once and by a third that
/// gets the number of one that has ended.
fn check_counter(exclusive: usize) {
    model(move || {
        let counter = Arc::new(Sharded::<2>::with_exclusive(exclusive));
        let adding = |amount| {
            let counter = Arc::clone(&counter);
            thread::spawn(move || counter.add([1, amount]))
        };
        let (first, second) = (adding(10), adding(20));
        first.join().unwrap();
        let third = adding(40);
        second.join().unwrap();
        third.join().unwrap();
        assert_eq!(counter.sums(), [3, 70]);
    });
}

#[test]
fn no_addition_is_lost_on_lines_of_one_writer() {
    check_counter(3);
}

#[test]
fn no_addition_is_lost_on_shared_lines() {
    check_counter(0);
}

#[test]
fn no_addition_is_lost_when_one_thread_has_a_line_and_another_shares() {
    check_counter(1);
}

#[test]
fn a_reader_never_sees_a_sum_go_back() {
    model(|| {
        let counter = Arc::new(Sharded::<1>::with_exclusive(2));
        let threads = [(); 2].map(|()| {
            let counter = Arc::clone(&counter);
            thread::spawn(move || counter.add([1]))
        });
        let (before, after) = (counter.sums(), counter.sums());
        assert!(before <= after, "{before:?} {after:?}");
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(counter.sums(), [2]);
    });
}

/// A model must do the same each time it is run, and so the hash has no secret.
fn table_for_one() -> Table<AtomicU64> {
    Table::with_seeds(1, [7, 11])
}

#[test]
fn threads_that_meet_at_a_new_name_share_its_row_and_none_is_counted_as_other() {
    model(|| {
        // Room for one name: whoever finds it taken must find the name itself.
        let table = Arc::new(table_for_one());
        let threads = [(); 2].map(|()| {
            let table = Arc::clone(&table);
            thread::spawn(move || table.row("name").fetch_add(1, Relaxed))
        });
        threads.into_iter().for_each(|thread| _ = thread.join().unwrap());
        assert!(!table.overflowed());
        assert_eq!((table.used(), table.existing("name").map(|row| row.load(Relaxed))), (1, Some(2)));
    });
}

#[test]
fn of_two_new_names_the_last_room_takes_one_and_both_are_counted() {
    model(|| {
        let table = Arc::new(table_for_one());
        let threads = ["a", "b"].map(|name| {
            let table = Arc::clone(&table);
            thread::spawn(move || table.row(name).fetch_add(1, Relaxed))
        });
        threads.into_iter().for_each(|thread| _ = thread.join().unwrap());
        let counts: Vec<u64> = table.rows().map(|(_, row)| row.load(Relaxed)).collect();
        assert_eq!((counts, table.used(), table.overflowed()), (vec![1, 1], 1, true));
        assert_eq!(table.existing(OTHER).map(|row| row.load(Relaxed)), Some(1));
    });
}

/// A histogram with so many parts of one writer each, recorded into by two threads while a third reads.
fn check_histogram(exclusive: usize, first: u64, second: u64) {
    model(move || {
        let histogram = Arc::new(Histogram::with_exclusive(exclusive));
        let threads = [first, second].map(|nanoseconds| {
            let histogram = Arc::clone(&histogram);
            thread::spawn(move || histogram.record(Duration::from_nanos(nanoseconds)))
        });
        let early = histogram.snapshot().count();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let whole = histogram.snapshot();
        assert_eq!(
            (whole.count(), whole.sum(), whole.max()),
            (2, Duration::from_nanos(first + second), Duration::from_nanos(second))
        );
        assert!(early <= 2);
    });
}

#[test]
fn no_duration_is_lost_on_parts_of_one_writer() {
    check_histogram(2, 3, 5);
}

#[test]
fn no_duration_is_lost_on_shared_parts() {
    check_histogram(0, 3, 5);
    check_histogram(0, 5, 5);
}
