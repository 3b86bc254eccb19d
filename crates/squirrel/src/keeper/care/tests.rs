//! Keepers that die, hang and come back, at times that the tests choose.

use super::*;

fn at(seconds: u64) -> Elapsed {
    Elapsed(Duration::from_secs(seconds))
}

fn row(care: &mut Care, now: Elapsed, metric: &Metric) -> f64 {
    let mut batch = Batch::default();
    care.rows(now, None, &mut batch);
    batch.rows.iter().find(|row| row.metric.name == metric.name).expect("it is there").value
}

#[test]
fn the_first_death_is_mended_at_once_and_one_that_dies_again_waits_longer_each_time() {
    let mut care = Care::default();
    let mut now = 100;
    let mut waits = Vec::new();
    for _ in 0..9 {
        assert_eq!(care.judge(Standing::Gone, at(now)), Step::End);
        care.ended("signal: 9", true, at(now));
        let died = now;
        while care.judge(Standing::Gone, at(now)) != Step::Start {
            now += 1;
        }
        waits.push(now - died);
    }
    assert_eq!(waits, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(row(&mut care, at(now), &RESTARTS), 9.0);
    assert!(matches!(care.judge(Standing::Answers, at(now)), Step::Answers(_)));
    care.judge(Standing::Answers, at(now + 60));
    care.judge(Standing::Gone, at(now + 61));
    assert!(care.ended("signal: 9", true, at(now + 61)).contains("in 0 s"), "it was well for a minute");
}

#[test]
fn one_that_is_late_is_given_time_and_one_that_hangs_is_ended() {
    let mut care = Care::default();
    assert_eq!(care.judge(Standing::Late, at(10)), Step::Nothing);
    assert!(care.failure(at(12)).unwrap().contains("not answered for 2 s"));
    assert_eq!(row(&mut care, at(12), &UP), 0.0);
    assert_eq!(care.judge(Standing::Answers, at(13)), Step::Answers("the keeper answers again, after 3.0 s".into()));
    assert_eq!(care.judge(Standing::Late, at(20)), Step::Nothing);
    assert_eq!(care.judge(Standing::Late, at(34)), Step::Nothing);
    assert_eq!(care.judge(Standing::Late, at(35)), Step::End);
    assert!(care.ended("signal: 9", true, at(35)).contains("did not answer for 15 s"));
    assert_eq!(care.judge(Standing::Gone, at(35)), Step::Start);
    // The new one loads its programs, and may hang at that as well.
    assert_eq!(care.judge(Standing::Late, at(36)), Step::Nothing);
    assert_eq!(care.judge(Standing::Late, at(50)), Step::End);
}

#[test]
fn a_gap_is_measured_and_shown_for_a_while_after_its_end() {
    let mut care = Care::default();
    assert_eq!((care.failure(at(1)), row(&mut care, at(1), &UP)), (None, 1.0));
    care.judge(Standing::Gone, at(10));
    let said = care.ended("signal: 9 (SIGKILL)", true, at(10));
    assert!(said.contains("died (signal: 9 (SIGKILL))") && said.contains("UDP is not counted"), "{said}");
    assert_eq!(care.judge(Standing::Gone, at(10)), Step::Start);
    assert!(care.failure(at(12)).unwrap().contains("SIGKILL"));
    assert_eq!(row(&mut care, at(12), &DOWN), 2.0);
    let Step::Answers(said) = care.judge(Standing::Answers, at(14)) else { panic!("it answers") };
    assert!(said.contains("for 4.0 s"), "{said}");
    assert!(care.failure(at(100)).unwrap().contains("did not answer for 4.0 s, until 86 s ago"));
    assert_eq!((care.failure(at(314)), row(&mut care, at(314), &DOWN)), (None, 4.0));
}

#[test]
fn without_a_starter_nothing_more_is_tried_and_a_restart_is_asked_for() {
    let mut care = Care::default();
    care.judge(Standing::Gone, at(10));
    assert!(care.ended("it has ended", false, at(10)).contains("restart squirrel"));
    assert_eq!(care.judge(Standing::Gone, at(1_000)), Step::Nothing);
    assert!(care.failure(at(1_000)).unwrap().contains("990 s"));
    let mut care = Care::default();
    care.judge(Standing::Gone, at(10));
    care.ended("signal: 9", true, at(10));
    assert_eq!(care.judge(Standing::Gone, at(10)), Step::Start);
    assert!(care.refused("no more processes", true).contains("comes in 1 s"));
    assert_eq!(care.judge(Standing::Gone, at(10)), Step::Nothing);
    assert_eq!(care.judge(Standing::Gone, at(11)), Step::Start);
    assert!(care.refused("it has ended", false).contains("restart squirrel"));
    assert_eq!(row(&mut care, at(11), &RESTARTS), 0.0, "none was started");
}
