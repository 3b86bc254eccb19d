//! The machine over made-up networks: what it says is compared with what the network did.

use super::*;
use crate::simulated::{Simulated, Way};

const FOREVER: Duration = Duration::from_secs(1 << 30);

fn plan(count: u32) -> Plan {
    Plan { count: Some(count), ..Plan::default() }
}

fn run(plan: Plan, ways: Vec<Way>) -> (Ping, Vec<Event>) {
    let mut network = Simulated::new(ways);
    run_on(plan, &mut network)
}

fn run_on(plan: Plan, network: &mut Simulated) -> (Ping, Vec<Event>) {
    let mut ping = Ping::new(plan, network.ways.len() as u32, network.now());
    let events = network.run(&mut ping, FOREVER);
    (ping, events)
}

#[test]
fn a_firewall_that_drops_each_fifth_is_told_exactly() {
    let (ping, events) = run(plan(100), vec![Way { drop_each: 5, ..Way::default() }]);
    let report = ping.report(0);
    assert_eq!((report.sent, report.received, report.lost), (100, 80, 20));
    assert_eq!(report.loss_ratio(), Some(0.2));
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Lost(_))).count(), 20);
    assert_eq!(report.times.percentile(0.99), Some(Duration::from_millis(10)));
}

#[test]
fn the_kernels_stamps_keep_the_delay_of_a_busy_machine_out() {
    let mut network = Simulated::new(vec![Way::default()]);
    network.program_delay = Duration::from_millis(15);
    let (ping, _) = run_on(plan(20), &mut network);
    let report = ping.report(0);
    assert_eq!((report.times.max(), report.clock()), (Some(Duration::from_millis(10)), Clock::Kernel));
    assert_eq!(report.local_delay.max(), Some(Duration::from_millis(15)), "which is told beside");

    network.stamps = false;
    let (ping, _) = run_on(plan(20), &mut network);
    let report = ping.report(0);
    assert_eq!((report.times.min(), report.clock()), (Some(Duration::from_millis(25)), Clock::User));
}

#[test]
fn a_wall_clock_that_is_set_spoils_no_time() {
    for by in [3_600_000_000_000_i64, -3_600_000_000_000, 40_000_000, -4_000_000] {
        let mut network = Simulated::new(vec![Way::default()]);
        network.clock_step = Some((Duration::from_millis(2_005), by));
        let (ping, _) = run_on(plan(6), &mut network);
        let report = ping.report(0);
        assert_eq!(
            (report.times.min(), report.times.max()),
            (Some(Duration::from_millis(10)), Some(Duration::from_millis(10))),
            "set by {by} ns"
        );
        assert_eq!(report.timed_by_user, 1, "the one under way");
    }
}

#[test]
fn before_a_question_is_given_up_its_answer_can_be_told() {
    let mut ping = Ping::new(plan(1), 1, Elapsed::default());
    let mut events = Vec::new();
    let Step::Send(question) = ping.step(Elapsed::default(), &mut events) else { panic!("nothing to send") };
    ping.sent(question, Elapsed::default());
    let Step::Wait(end) = ping.step(Elapsed(Duration::from_millis(1)), &mut events) else { panic!("no wait") };
    assert!(!ping.gives_up(Elapsed(end.0.saturating_sub(Duration::from_nanos(1)))) && ping.gives_up(end));
    let mut unanswered = ping.clone();
    unanswered.step(end, &mut events);
    assert_eq!(std::mem::take(&mut events), [Event::Lost(question)]);
    let arrival = Arrival { at: Elapsed(Duration::from_millis(1)), stamp_ns: None, ttl: None, tos: None, len: 64 };
    ping.answered(question, arrival, &mut events);
    ping.settle(&mut events);
    assert_eq!(ping.step(end, &mut events), Step::Done);
    assert_eq!((ping.report(0).received, ping.report(0).lost), (1, 0));
}

#[test]
fn who_asks_often_is_punctual() {
    let slack = |interval| Ping::new(Plan { interval, ..plan(1) }, 1, Elapsed::default()).slack();
    assert_eq!(slack(Duration::from_secs(1)), Duration::from_millis(2));
    assert_eq!(slack(Duration::from_millis(10)), Duration::from_micros(200));
    let mut ping = Ping::endless();
    for interval in [Duration::from_mins(1), Duration::from_millis(50), Duration::from_secs(1)] {
        ping.set(0, Some(Cadence { first: Elapsed::default(), interval, timeout: interval }));
    }
    assert_eq!(ping.slack(), Duration::from_millis(1));
}

#[test]
fn answers_that_come_twice_late_or_out_of_order_are_told_apart() {
    let doubled = Way { duplicates: 1.0, ..Way::default() };
    let slow = Way { delay: Duration::from_secs(3), ..Way::default() };
    let shaken = Way { jitter: Duration::from_millis(1_900), ..Way::default() };
    let quick = Plan { interval: Duration::from_millis(50), ..plan(40) };
    let (ping, events) = run(quick, vec![doubled, slow, shaken]);
    let [twice, late, mixed] = [0, 1, 2].map(|target| ping.report(target));
    assert_eq!((twice.received, twice.duplicates, twice.lost), (40, 40, 0));
    assert_eq!((late.received, late.lost), (0, 40));
    assert_eq!(late.loss_ratio(), Some(1.0), "what comes after its time stays lost");
    assert!(
        late.late > 0
            && events.iter().any(|event| matches!(event, Event::Late(_, after) if *after == Duration::from_secs(3)))
    );
    assert_eq!((mixed.received, mixed.late), (40, 0));
    assert!(mixed.reordered > 10, "{}", mixed.reordered);
}

#[test]
fn the_last_questions_tell_what_the_whole_hides() {
    let mut network = Simulated::new(vec![Way::default()]);
    let mut ping = Ping::new(Plan { window: 10, ..plan(1000) }, 1, network.now());
    network.run(&mut ping, Duration::from_secs(980));
    network.ways[0] = Way { drop_each: 2, ..Way::default() };
    network.run(&mut ping, FOREVER);
    let report = ping.report(0);
    assert!(report.loss_ratio().expect("answers") < 0.02);
    // Losses are known later than answers, so one more of the last ten may be one.
    assert!(report.window.loss_ratio().is_some_and(|loss| (0.5..=0.6).contains(&loss)));
    let lost = report.window.outcomes.iter().filter(|outcome| outcome.is_none()).count();
    assert_eq!((report.window.outcomes.len(), Some(lost as f64 / 10.0)), (10, report.window.loss_ratio()));
}

#[test]
fn the_last_questions_tell_what_came_twice_or_out_of_order_among_them_alone() {
    let noisy = Way { duplicates: 1.0, jitter: Duration::from_millis(400), ..Way::default() };
    let mut network = Simulated::new(vec![noisy]);
    let mut ping = Ping::new(Plan { window: 20, interval: Duration::from_millis(100), ..plan(200) }, 1, network.now());
    network.run(&mut ping, Duration::from_secs(10));
    let noisy = ping.report(0).window;
    assert!(noisy.duplicates >= 15 && noisy.reordered >= 3, "{noisy:?}");
    network.ways[0] = Way::default();
    network.run(&mut ping, FOREVER);
    let report = ping.report(0);
    assert_eq!((report.window.duplicates, report.window.reordered), (0, 0));
    assert!(report.duplicates >= 90 && report.window.times.variation() == Some(Duration::ZERO), "{report:?}");
}

#[test]
fn the_targets_that_lose_now_are_before_those_that_lost_once() {
    let lossy = |drop_each| Way { drop_each, ..Way::default() };
    let mut network = Simulated::new(vec![Way::default(), lossy(2), lossy(5), Way::default()]);
    let mut ping = Ping::new(Plan { window: 10, ..plan(60) }, 4, network.now());
    network.run(&mut ping, Duration::from_secs(30));
    assert_eq!(ping.worst_first(), [1, 2, 0, 3]);
    network.ways[1] = Way::default();
    network.run(&mut ping, FOREVER);
    assert_eq!(ping.worst_first(), [2, 1, 0, 3]);
}

#[test]
fn a_refusal_is_a_loss_with_a_reason_and_is_not_waited_for() {
    let (ping, events) = run(plan(3), vec![Way { refusal: Some(ErrorKind::HostUnreachable), ..Way::default() }]);
    let report = ping.report(0);
    assert_eq!((report.lost, report.refused.get(&ErrorKind::HostUnreachable)), (3, Some(&3)));
    assert!(!events.iter().any(|event| matches!(event, Event::Lost(_))), "counted once");
}

#[test]
fn a_thousand_targets_are_asked_evenly_and_each_as_often_as_was_said() {
    let mut ping = Ping::new(plan(3), 1000, Elapsed(Duration::ZERO));
    let (mut now, mut moments) = (Elapsed(Duration::ZERO), Vec::new());
    while moments.len() < 1000 {
        match ping.step(now, &mut Vec::new()) {
            Step::Send(question) => {
                moments.push(now.0);
                ping.sent(question, now);
            }
            Step::Wait(at) => now = at,
            Step::Done => panic!("done after {}", moments.len()),
        }
    }
    let gaps = moments.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
    assert!(gaps.clone().all(|gap| gap == Duration::from_millis(1)), "{:?}", gaps.max());

    let (ping, _) = run(plan(3), vec![Way::default(); 1000]);
    assert!((0..1000).all(|target| ping.report(target).received == 3));
}

#[test]
fn who_stops_hears_of_what_is_under_way_and_who_leaves_does_not() {
    let mut network = Simulated::new(vec![Way { delay: Duration::from_millis(1500), ..Way::default() }]);
    let mut ping = Ping::new(plan(100), 1, network.now());
    network.run(&mut ping, Duration::from_millis(3_100));
    let mut left = ping.clone();
    ping.stop();
    network.run(&mut ping, FOREVER);
    let report = ping.report(0);
    assert_eq!((report.sent, report.received, report.lost), (4, 4, 0));
    left.abandon();
    assert_eq!(left.step(network.now(), &mut Vec::new()), Step::Done);
    let report = left.report(0);
    assert_eq!((report.sent, report.received, report.lost), (2, 2, 0), "nothing is called lost that had time left");
}

#[test]
fn a_program_that_was_held_up_does_not_ask_in_a_burst() {
    let mut ping = Ping::new(plan(1000), 1, Elapsed(Duration::ZERO));
    let mut events = Vec::new();
    let Step::Send(first) = ping.step(Elapsed(Duration::ZERO), &mut events) else { panic!("nothing to send") };
    ping.sent(first, Elapsed(Duration::ZERO));
    let late = Elapsed(Duration::from_mins(1));
    let mut asked = 0;
    while let Step::Send(question) = ping.step(late, &mut events) {
        ping.sent(question, late);
        asked += 1;
    }
    assert!(asked <= 2, "{asked} at once");
}

#[test]
fn an_answer_that_nobody_asked_for_changes_nothing() {
    let mut ping = Ping::new(plan(1), 1, Elapsed(Duration::ZERO));
    let mut events = Vec::new();
    let arrival = Arrival { at: Elapsed(Duration::ZERO), stamp_ns: None, ttl: None, tos: None, len: 0 };
    for question in
        [Question { target: 0, number: 0 }, Question { target: 0, number: 99 }, Question { target: 7, number: 0 }]
    {
        ping.answered(question, arrival, &mut events);
        ping.refused(question, None, ErrorKind::Other, None, &mut events);
        ping.stamped(question, 1);
    }
    ping.settle(&mut events);
    assert_eq!((events, ping.report(0).received), (Vec::new(), 0));
}

#[test]
fn a_sequence_of_sixteen_bits_names_the_newest_question_that_has_it() {
    let mut ping =
        Ping::new(Plan { interval: Duration::from_millis(1), ..Plan::default() }, 1, Elapsed(Duration::ZERO));
    let mut network = Simulated::new(vec![Way { delay: Duration::from_millis(1), ..Way::default() }]);
    network.run(&mut ping, Duration::from_secs(70));
    let last = ping.report(0).sent as u32 - 1;
    assert!(last > 65_536);
    assert_eq!(ping.by_sequence(0, last as u16).map(|question| question.number), Some(last));
    assert_eq!(ping.by_sequence(0, (last - 3) as u16).map(|question| question.number), Some(last - 3));
    assert_eq!(ping.by_sequence(0, last.wrapping_add(5) as u16), None, "long forgotten");
}

#[test]
fn targets_come_and_go_while_the_others_are_asked_on() {
    let mut ping = Ping::endless();
    let every = |first: u64, interval: u64| Cadence {
        first: Elapsed(Duration::from_millis(first)),
        interval: Duration::from_millis(interval),
        timeout: Duration::from_millis(500),
    };
    ping.set(0, Some(every(0, 1_000)));
    ping.set(2, Some(every(100, 2_000)));
    let mut network = Simulated::new(vec![Way::default(), Way::default(), Way { loss: 1.0, ..Way::default() }]);
    let answered = |events: &[Event], target: u32| {
        events
            .iter()
            .filter(|event| matches!(event, Event::Answer { question, .. } if question.target == target))
            .count()
    };
    let lost = |events: &[Event]| events.iter().filter(|event| matches!(event, Event::Lost(_))).count();
    let events = network.run(&mut ping, Duration::from_secs(10));
    assert_eq!((answered(&events, 0), lost(&events)), (10, 5));

    // At 10.1 s a question to the third is under way; it leaves, and its place goes to another.
    let events = network.run(&mut ping, Duration::from_millis(10_200));
    assert_eq!((answered(&events, 0), lost(&events)), (1, 0));
    ping.set(2, None);
    ping.set(1, Some(every(10_300, 1_000)));
    ping.ask(1);
    ping.ask(2);
    let events = network.run(&mut ping, Duration::from_secs(13));
    assert_eq!((answered(&events, 0), answered(&events, 1)), (2, 4), "one of them beside the cadence");
    assert_eq!(lost(&events), 0, "what was under way to one that left is not lost");
    ping.set(2, Some(every(13_500, 1_000)));
    let events = network.run(&mut ping, Duration::from_millis(14_100));
    let numbers: Vec<u32> = events
        .iter()
        .filter_map(|event| match event {
            Event::Lost(question) => Some(question.number),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [6], "numbers go on, so that no old answer is taken for a new one");
    assert!(ping.report(0).times.count() == 0 && ping.report(0).received > 13, "nothing grows with the time");
}

#[test]
fn whoever_is_held_up_counts_what_was_not_asked() {
    let mut ping = Ping::endless();
    let second = Duration::from_secs(1);
    ping.set(0, Some(Cadence { first: Elapsed::default(), interval: second, timeout: second }));
    let mut events = Vec::new();
    for (at, missed) in [(0, 0), (1, 0), (5, 2), (6, 2)] {
        let now = Elapsed(second * at + Duration::from_millis(1));
        let step = ping.step(now, &mut events);
        let Step::Send(question) = step else { panic!("{step:?} at {at}") };
        ping.sent(question, now);
        assert_eq!((ping.missed(), ping.sent_at(question)), (missed, Some(now)), "at {at} s");
    }
}
