//! Hours of a schedule in a moment.

use proptest::prelude::*;

use super::*;

fn ms(millis: u64) -> Elapsed {
    Elapsed(Duration::from_millis(millis))
}

/// Lets a schedule run for so long, each run taking `takes`; gives the starts.
fn simulate(schedule: &mut Schedule, until: Duration, takes: Duration) -> Vec<(Duration, u32)> {
    let (mut now, mut starts) = (Duration::ZERO, Vec::new());
    let mut ends: BinaryHeap<Reverse<(Duration, u32, u64)>> = BinaryHeap::new();
    while now < until {
        while let Some(Reverse((at, index, number))) = ends.peek().copied()
            && at <= now
        {
            ends.pop();
            schedule.ended(Run { index, number });
        }
        match schedule.step(Elapsed(now)) {
            Step::Start(run) => {
                starts.push((now, run.index));
                ends.push(Reverse((now + takes, run.index, run.number)));
            }
            Step::Wait(at) => now = ends.peek().map_or(at.0, |Reverse((end, ..))| at.0.min(*end)),
            Step::Idle => now = ends.peek().map_or(until, |Reverse((end, ..))| *end),
        }
    }
    starts
}

#[test]
fn starts_lie_evenly_in_the_interval_however_many_there_are() {
    for count in [2_u32, 3, 10, 100, 1_000, 10_000] {
        let interval = Duration::from_secs(1);
        let mut turns: Vec<_> = (0..count).map(|index| next_turn(index, interval, Elapsed::default()).0).collect();
        turns.sort_unstable();
        let fair = interval / count;
        let gaps =
            turns.windows(2).map(|pair| pair[1].abs_diff(pair[0])).chain([interval.abs_diff(turns[turns.len() - 1])]);
        let longest = gaps.max().expect("gaps");
        assert!(longest <= fair * 2, "{count}: {longest:?} between two starts, {fair:?} would be fair");
    }
}

#[test]
fn ten_thousand_targets_are_each_started_once_an_interval() {
    let mut schedule = Schedule::new(100);
    for index in 0..10_000 {
        schedule.set(index, Some(Duration::from_mins(1)), Elapsed::default());
    }
    let starts = simulate(&mut schedule, Duration::from_mins(2), Duration::from_millis(300));
    assert_eq!((starts.len(), schedule.skipped()), (20_000, 0));
    let busiest = (0..120).map(|second| starts.iter().filter(|(at, _)| at.as_secs() == second).count()).max();
    assert!(busiest.is_some_and(|busiest| busiest <= 180), "{busiest:?} in one second, 167 would be fair");
}

#[test]
fn a_run_that_outlasts_its_interval_is_not_started_twice_and_is_counted() {
    let mut schedule = Schedule::new(4);
    schedule.set(0, Some(Duration::from_secs(1)), Elapsed::default());
    let starts = simulate(&mut schedule, Duration::from_millis(9_900), Duration::from_millis(2_500));
    assert_eq!(starts.iter().map(|(at, _)| at.as_secs()).collect::<Vec<_>>(), [0, 3, 6, 9]);
    assert_eq!(schedule.skipped(), 6);
}

#[test]
fn what_finds_no_room_waits_its_turn_and_nobody_starves() {
    let mut schedule = Schedule::new(1);
    for index in 0..4 {
        schedule.set(index, Some(Duration::from_secs(1)), Elapsed::default());
    }
    // Room for two runs a second, and four wanted.
    let starts = simulate(&mut schedule, Duration::from_secs(100), Duration::from_millis(500));
    assert!((195..=200).contains(&starts.len()), "{}", starts.len());
    for index in 0..4 {
        let own = starts.iter().filter(|(_, started)| *started == index).count();
        assert!((45..=55).contains(&own), "{index}: {own}");
    }
    assert!((190..=205).contains(&schedule.skipped()), "{}", schedule.skipped());
}

#[test]
fn one_that_comes_or_goes_disturbs_no_other() {
    let mut schedule = Schedule::new(10);
    for index in 0..3 {
        schedule.set(index, Some(Duration::from_secs(10)), Elapsed::default());
    }
    let before = simulate(&mut schedule.clone(), Duration::from_secs(30), Duration::ZERO);
    schedule.set(3, Some(Duration::from_secs(10)), Elapsed::default());
    schedule.set(1, None, Elapsed::default());
    let after = simulate(&mut schedule, Duration::from_secs(30), Duration::ZERO);
    let of = |starts: &[(Duration, u32)], index| {
        starts.iter().filter(|(_, one)| *one == index).map(|(at, _)| *at).collect::<Vec<_>>()
    };
    for index in [0, 2] {
        assert_eq!(of(&before, index), of(&after, index));
    }
    assert_eq!((of(&after, 1).len(), of(&after, 3).len()), (0, 3));
}

#[test]
fn the_end_of_a_run_of_what_was_set_anew_frees_room_and_nothing_else() {
    let mut schedule = Schedule::new(2);
    schedule.set(0, Some(Duration::from_secs(1)), ms(0));
    let Step::Start(old) = schedule.step(ms(0)) else { panic!("due at once") };
    schedule.set(0, Some(Duration::from_secs(1)), ms(10));
    let Step::Start(new) = schedule.step(ms(1_000)) else { panic!("due after its interval") };
    schedule.ended(old);
    assert!(matches!(schedule.step(ms(2_000)), Step::Wait(_)), "the new one still runs");
    assert_eq!(schedule.skipped(), 1);
    schedule.ended(new);
    assert!(matches!(schedule.step(ms(3_000)), Step::Start(_)));
}

#[test]
fn a_machine_that_slept_counts_what_it_missed_and_starts_once() {
    let mut schedule = Schedule::new(2);
    schedule.set(0, Some(Duration::from_secs(1)), ms(0));
    let Step::Start(run) = schedule.step(ms(3_600_000)) else { panic!("due") };
    assert_eq!((run.index, schedule.skipped()), (0, 3_600));
    assert_eq!(schedule.step(ms(3_600_000)), Step::Wait(ms(3_601_000)));
}

#[test]
fn what_is_hastened_comes_at_once_and_then_in_its_turn() {
    let mut schedule = Schedule::new(2);
    schedule.set(1, Some(Duration::from_mins(5)), ms(0));
    schedule.hasten(1, ms(5));
    let Step::Start(run) = schedule.step(ms(5)) else { panic!("hastened") };
    schedule.ended(run);
    assert_eq!(schedule.step(ms(6)), Step::Wait(next_turn(1, Duration::from_mins(5), ms(6))));
}

proptest! {
    #[test]
    fn a_turn_is_never_in_the_past_nor_farther_than_an_interval(
        index in any::<u32>(), interval in 1_u64..100_000, now in 0_u64..10_000_000_000,
    ) {
        let interval = Duration::from_millis(interval);
        let turn = next_turn(index, interval, ms(now));
        prop_assert!(turn >= ms(now) && turn.0 <= ms(now).0 + interval);
    }
}
