//! The schedule keeps going, whatever one collector does.

use std::cell::Cell;

use squirrel_testkit::FakeKernel;

use super::*;
use crate::{Opened, Unavailable};

static READINGS: Metric = Metric::new("squirrel_test_readings", Kind::Gauge, Unit::None, "Readings so far.");

/// Emits one row a tick; `/broken` makes it panic after the row, `/faulty` brings a fault.
struct Tester(f64);

impl Collector for Tester {
    fn collect(&mut self, kernel: &dyn Kernel, _now: Elapsed, out: &mut Batch) {
        self.0 += 1.0;
        out.put_plain(&READINGS, self.0);
        if kernel.read("/faulty", &mut Vec::new()).is_ok() {
            out.fault("/faulty", "It is faulty.");
        }
        assert!(kernel.read("/broken", &mut Vec::new()).is_err(), "the test broke it");
    }
}

fn open(kernel: &dyn Kernel) -> Opened {
    let read = kernel.read("/needed", &mut Vec::new());
    read.map_err(|error| Unavailable::because(&error, "Load module needed."))?;
    Ok(Box::new(Tester(0.0)))
}

static FIRST: CollectorDesc =
    CollectorDesc { name: "first", about: "Tests.", metrics: &[&READINGS], open: |_| Ok(Box::new(Tester(0.0))) };
static SECOND: CollectorDesc = CollectorDesc { name: "second", about: "Tests.", metrics: &[&READINGS], open };
static TABLE: &[&CollectorDesc] = &[&FIRST, &SECOND];

/// A clock that goes on a millisecond each time it is read.
fn clock() -> (Cell<Duration>, impl Fn(&Cell<Duration>) -> Elapsed) {
    (Cell::new(Duration::ZERO), |now: &Cell<Duration>| {
        now.set(now.get() + Duration::from_millis(1));
        Elapsed(now.get())
    })
}

fn tick(schedule: &mut Schedule, kernel: &FakeKernel, now: &Cell<Duration>) -> Batch {
    let (_, step) = clock();
    let mut batch = Batch::default();
    schedule.tick(kernel, &|| step(now), &mut batch);
    batch
}

fn value(batch: &Batch, metric: &str, collector: &str) -> Option<f64> {
    let row = |row: &&squirrel_model::Row| row.metric.name == metric && row.labels.get("collector") == Some(collector);
    batch.rows.iter().find(row).map(|row| row.value)
}

fn readings(batch: &Batch) -> Vec<f64> {
    batch.rows.iter().filter(|row| row.metric.name == READINGS.name).map(|row| row.value).collect()
}

#[test]
fn an_unavailable_collector_says_why_and_starts_within_a_minute_of_becoming_possible() {
    let (kernel, now) = (FakeKernel::default(), Cell::new(Duration::ZERO));
    let mut schedule = Schedule::open_table::<&str>(TABLE, &kernel, &[], Elapsed::default());
    let batch = tick(&mut schedule, &kernel, &now);
    assert_eq!(readings(&batch), [1.0]);
    assert_eq!(value(&batch, "node_scrape_collector_success", "first"), Some(1.0));
    assert_eq!(value(&batch, "node_scrape_collector_success", "second"), Some(0.0));
    assert_eq!(value(&batch, "node_scrape_collector_duration_seconds", "second"), None);
    let reason = State::Unavailable("/needed does not exist on this kernel. Load module needed.".into());
    assert_eq!(schedule.status()[1].state, reason);

    kernel.write("/needed", "");
    now.set(Duration::from_secs(59));
    assert_eq!(readings(&tick(&mut schedule, &kernel, &now)), [2.0]);
    now.set(Duration::from_mins(1));
    assert_eq!(readings(&tick(&mut schedule, &kernel, &now)), [3.0, 1.0]);
    assert_eq!(schedule.status()[1].state, State::Running);
}

#[test]
fn a_panic_costs_only_its_own_collector() {
    let kernel = FakeKernel::default().with("/needed", "").with("/broken", "");
    let now = Cell::new(Duration::ZERO);
    let mut schedule = Schedule::open_table(TABLE, &kernel, &["first"], Elapsed::default());
    let batch = tick(&mut schedule, &kernel, &now);
    assert_eq!(readings(&batch), Vec::<f64>::new(), "the rows of a broken reading are taken back");
    assert_eq!(batch.faults.len(), 1);
    assert!(batch.faults[0].reason.contains("the test broke it"), "{}", batch.faults[0].reason);
    assert_eq!(value(&batch, "node_scrape_collector_success", "second"), Some(0.0));
    assert_eq!(value(&batch, "squirrel_collector_faults_total", "second"), Some(1.0));

    kernel.remove("/broken");
    now.set(Duration::from_mins(10));
    let batch = tick(&mut schedule, &kernel, &now);
    assert!(readings(&batch).is_empty() && batch.faults.is_empty(), "it stays off, and says so once");
    assert!(matches!(&schedule.status()[1].state, State::Broken(why) if why.contains("the test broke it")));
}

#[test]
fn faults_are_counted_and_kept_until_the_next_tick() {
    let kernel = FakeKernel::default().with("/faulty", "");
    let now = Cell::new(Duration::ZERO);
    let mut schedule = Schedule::open_table::<&str>(TABLE, &kernel, &[], Elapsed::default());
    tick(&mut schedule, &kernel, &now);
    let batch = tick(&mut schedule, &kernel, &now);
    assert_eq!(readings(&batch), [2.0], "rows beside the fault are kept");
    assert_eq!(value(&batch, "squirrel_collector_faults_total", "first"), Some(2.0));
    assert_eq!(value(&batch, "node_scrape_collector_success", "first"), Some(0.0));
    let status = &schedule.status()[0];
    assert_eq!((status.faults.len(), status.faults_total), (1, 2));
    assert_eq!(status.last_duration, Some(Duration::from_millis(1)));

    kernel.remove("/faulty");
    let batch = tick(&mut schedule, &kernel, &now);
    assert_eq!(value(&batch, "node_scrape_collector_success", "first"), Some(1.0));
    assert!(schedule.status()[0].faults.is_empty());
}

#[test]
fn a_disabled_collector_is_neither_opened_nor_reported() {
    let kernel = FakeKernel::default();
    let mut schedule = Schedule::open_table(TABLE, &kernel, &["first", "second"], Elapsed::default());
    let batch = tick(&mut schedule, &kernel, &Cell::new(Duration::ZERO));
    assert!(batch.rows.is_empty() && batch.faults.is_empty());
    assert!(schedule.status().iter().all(|status| status.state == State::Disabled));
}

#[test]
fn a_collector_is_switched_off_and_on_while_others_go_on() {
    let kernel = FakeKernel::default().with("/needed", "");
    let now = Cell::new(Duration::ZERO);
    let none: [&str; 0] = [];
    let mut schedule = Schedule::open_table(TABLE, &kernel, &none, Elapsed::default());
    assert_eq!(readings(&tick(&mut schedule, &kernel, &now)), [1.0, 1.0]);
    schedule.set_disabled(&kernel, &["second"], Elapsed(now.get()));
    assert_eq!(readings(&tick(&mut schedule, &kernel, &now)), [2.0], "the first goes on where it was");
    assert_eq!(schedule.status()[1].state, State::Disabled);
    schedule.set_disabled(&kernel, &none, Elapsed(now.get()));
    assert_eq!(readings(&tick(&mut schedule, &kernel, &now)), [3.0, 1.0], "the second begins anew");
}
