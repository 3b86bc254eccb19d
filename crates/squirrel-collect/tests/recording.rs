//! A recorded host brings the rows that the host brought.

use squirrel_collect::{COLLECTORS, Schedule, State, Status};
use squirrel_model::{Batch, Elapsed};
use squirrel_sys::{Kernel, Linux, Recorder, Replay};

/// One tick of every collector, and what the schedule says afterwards.
fn tick(kernel: &dyn Kernel) -> (Batch, Vec<Status>) {
    let mut schedule = Schedule::open::<&str>(kernel, &[], Elapsed::default());
    let mut batch = Batch::default();
    schedule.tick(kernel, &Elapsed::default, &mut batch);
    (batch, schedule.status())
}

fn rows(batch: &Batch) -> Vec<String> {
    batch.rows.iter().map(|row| format!("{}{} {}", row.metric.name, row.labels, row.value)).collect()
}

#[test]
fn a_recording_of_this_host_replays_to_the_same_rows_faults_and_states() {
    let folder = tempfile::TempDir::new().unwrap();
    let recorder = Recorder::create(Linux::open().unwrap(), folder.path(), "a test").unwrap();
    let (live, states) = tick(&recorder);
    let recorded = recorder.finish().unwrap();
    assert!(recorded.answers >= COLLECTORS.len(), "{recorded:?}");

    let (replayed, replayed_states) = tick(&Replay::open(folder.path()).unwrap());
    let (replayed_rows, live_rows) = (rows(&replayed), rows(&live));
    let differ: Vec<_> = live_rows.iter().zip(&replayed_rows).filter(|(live, replayed)| live != replayed).collect();
    assert_eq!(differ, Vec::<(&String, &String)>::new());
    assert_eq!(replayed_rows.len(), live_rows.len());
    assert_eq!(replayed.faults, live.faults);
    let shown = |states: &[Status]| states.iter().map(|s| (s.name, s.state.clone())).collect::<Vec<_>>();
    assert_eq!(shown(&replayed_states), shown(&states));
}

#[test]
fn every_collector_that_runs_here_brings_rows_of_its_own() {
    let kernel = Linux::open().unwrap();
    for desc in COLLECTORS {
        let others: Vec<&str> = COLLECTORS.iter().map(|other| other.name).filter(|name| *name != desc.name).collect();
        let mut schedule = Schedule::open(&kernel, &others, Elapsed::default());
        let mut batch = Batch::default();
        schedule.tick(&kernel, &Elapsed::default, &mut batch);
        let status = schedule.status().into_iter().find(|status| status.name == desc.name).unwrap();
        match status.state {
            State::Running => {
                let own = batch.rows.iter().filter(|row| row.labels.get("collector").is_none()).count();
                assert!(own > 0, "{} brought no row: {:?}", desc.name, batch.faults);
                for row in batch.rows.iter().filter(|row| row.labels.get("collector").is_none()) {
                    assert!(desc.metrics.iter().any(|metric| metric.covers(&row.metric.name)), "{}", row.metric.name);
                }
            }
            State::Unavailable(reason) => squirrel_testkit::skip(desc.name, &reason),
            other => panic!("{}: {other:?}", desc.name),
        }
    }
}
