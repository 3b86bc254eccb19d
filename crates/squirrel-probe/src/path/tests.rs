//! The machine over made-up paths: what it says is compared with what the network did.

use squirrel_wire::icmp::ErrorKind;

use super::simulated::{Host, Route, Simulated, answer};
use super::*;

const FOREVER: Duration = Duration::from_secs(1 << 30);

pub(super) fn ip(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

/// Hosts with these last octets; the target is 99.
pub(super) fn hosts(last: &[u8]) -> Vec<Host> {
    last.iter().map(|last| Host::new(ip(*last))).collect()
}

pub(super) fn plan(rounds: u32) -> Plan {
    Plan { rounds: Some(rounds), ..Plan::default() }
}

pub(super) fn run(plan: Plan, route: Route) -> (Report, Vec<Event>, Simulated) {
    let mut network = Simulated::new(route);
    let mut trace = Trace::new(plan, ip(99), network.now());
    let events = network.run(&mut trace, FOREVER);
    (trace.report(), events, network)
}

pub(super) fn always(route: Vec<Host>) -> Route {
    Box::new(move |_, _| route.clone())
}

/// The last octets of all addresses of each hop, those of now first.
fn shown(report: &Report) -> Vec<Vec<u8>> {
    let last = |one: &Address| match one.address {
        Some(IpAddr::V4(v4)) => v4.octets()[3],
        _ => 0,
    };
    report.hops.iter().map(|hop| hop.addresses.iter().map(last).collect()).collect()
}

#[test]
fn each_host_of_the_path_is_asked_once_a_round_and_none_behind_the_target() {
    let (report, events, network) = run(plan(10), always(hosts(&[1, 2, 3, 99])));
    assert_eq!(shown(&report), [[1], [2], [3], [99]]);
    assert!(report.hops.iter().all(|hop| (hop.addresses[0].received, hop.addresses[0].lost) == (10, 0)));
    assert_eq!((report.distance, report.changed, report.rounds), (Some((4, 4)), 0, 10));
    // The first round looks ahead; all others know the distance.
    assert!(network.sent <= 9 * 4 + 12, "{} sent", network.sent);
    assert!(!events.iter().any(|event| matches!(event, Event::Lost(_) | Event::Changed(_))));
    assert_eq!(report.hops[2].addresses[0].times.max(), Some(Duration::from_millis(3)));
}

#[test]
fn silent_hosts_are_passed_up_to_a_limit_and_are_no_addresses() {
    let mut route = hosts(&[1, 2, 3, 4, 5, 99]);
    for host in &mut route[1..4] {
        host.silence = 1.0;
    }
    let (report, _, _) = run(plan(5), always(route));
    assert_eq!(shown(&report), [[1], [0], [0], [0], [5], [99]]);
    assert_eq!((report.hops[2].addresses[0].received, report.hops[2].addresses[0].lost), (0, 5));

    let mut nobody = hosts(&[1, 99]);
    for host in &mut nobody {
        host.silence = 1.0;
    }
    let (report, _, network) = run(plan(3), always(nobody));
    assert_eq!((shown(&report), network.sent), (vec![vec![0]], 24), "one place stands for the silence");
}

#[test]
fn a_path_that_grows_loses_nothing_and_says_when() {
    let change = Duration::from_millis(10_500);
    let route: Route = Box::new(move |_, now| if now < change { hosts(&[1, 2, 99]) } else { hosts(&[1, 7, 2, 99]) });
    let (report, events, _) = run(plan(30), route);
    assert_eq!(shown(&report), [vec![1], vec![7, 2], vec![2, 99], vec![99]]);
    assert!(report.hops.iter().flat_map(|hop| &hop.addresses).all(|one| one.lost == 0), "{:?}", report.hops);
    let target = &report.hops[3].addresses[0];
    assert_eq!(target.received, 19, "counted from the change on");
    assert_eq!(report.changed, 2);
    assert!(
        report
            .changes
            .iter()
            .all(|change| change.at.0 > Duration::from_secs(10) && change.at.0 < Duration::from_secs(12))
    );
    assert_eq!((report.changes[0].ttl, report.changes[0].from, report.changes[0].to), (2, Some(ip(2)), ip(7)));
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Changed(_))).count(), 2);
}

#[test]
fn a_path_that_shrinks_forgets_what_is_behind_the_target() {
    let change = Duration::from_millis(10_500);
    let route: Route = Box::new(move |_, now| if now < change { hosts(&[1, 7, 2, 99]) } else { hosts(&[1, 2, 99]) });
    let (report, _, _) = run(plan(30), route);
    assert_eq!(shown(&report), [vec![1], vec![2, 7], vec![99, 2]]);
    assert!(report.hops.iter().flat_map(|hop| &hop.addresses).all(|one| one.lost == 0));
}

#[test]
fn a_path_that_grows_by_a_silent_host_finds_its_target_again() {
    let change = Duration::from_millis(10_500);
    let route: Route = Box::new(move |_, now| {
        let mut longer = hosts(&[1, 7, 99]);
        longer[1].silence = 1.0;
        if now < change { hosts(&[1, 99]) } else { longer }
    });
    let (report, _, _) = run(plan(30), route);
    assert_eq!(shown(&report), [vec![1], vec![0, 99], vec![99]]);
    let [silent, before] = [&report.hops[1].addresses[0], &report.hops[1].addresses[1]];
    assert_eq!((before.lost, before.received), (0, 11), "the target lost nothing where it was");
    assert_eq!(silent.lost, 19);
    assert_eq!(report.hops[2].addresses[0].lost, 0);
    let whole = Box::new(|_, now: Duration| hosts(if now.as_secs() < 10 { &[1, 99] } else { &[1, 7, 8, 99] }));
    assert_eq!(shown(&run(plan(30), whole).0), [vec![1], vec![7, 99], vec![8], vec![99]]);
}

#[test]
fn losses_of_a_change_are_counted_at_the_host_of_their_time() {
    let route: Route = Box::new(|_, now| {
        let mut route = hosts(if now < Duration::from_secs(20) { &[1, 2, 99] } else { &[1, 8, 99] });
        // The way is broken for five rounds before it moves.
        if (15..20).contains(&now.as_secs()) {
            route[1].loss = 1.0;
        }
        route
    });
    let (report, _, _) = run(plan(40), route);
    assert_eq!(shown(&report)[1], [8, 2]);
    let [new, old] = [&report.hops[1].addresses[0], &report.hops[1].addresses[1]];
    assert_eq!((new.lost, new.received, old.lost, old.received), (0, 20, 5, 15));
    assert_eq!(report.hops[2].addresses[0].lost, 5, "the target's loss is real");
}

#[test]
fn flows_find_the_ways_of_equal_cost_and_each_stays_on_its_own() {
    let route: Route = Box::new(|probe, _| hosts(if probe.flow % 2 == 0 { &[1, 2, 4, 99] } else { &[1, 3, 99] }));
    let (report, events, _) = run(Plan { flows: 4, ..plan(10) }, route);
    assert_eq!(shown(&report), [vec![1], vec![2, 3], vec![4, 99], vec![99]]);
    assert_eq!(report.hops[0].addresses[0].received, 40);
    assert_eq!(report.hops[1].addresses[1].flows.iter().copied().collect::<Vec<_>>(), [1, 3]);
    assert_eq!((report.distance, report.changed), (Some((3, 4)), 0));
    assert!(!events.iter().any(|event| matches!(event, Event::Lost(_))));
}

#[test]
fn a_balancer_of_single_packets_is_no_path_that_changes_all_the_time() {
    let route: Route = Box::new(|probe, _| hosts(if probe.round % 2 == 0 { &[1, 2, 99] } else { &[1, 3, 99] }));
    let (report, _, _) = run(plan(100), route);
    assert!(report.changed <= 4, "{}", report.changed);
    assert!(report.hops[1].addresses.iter().all(|one| one.alternates && one.current && one.received == 50));
}

#[test]
fn who_refuses_ends_the_path_with_the_reason_until_it_does_so_no_more() {
    let route: Route = Box::new(|_, now| {
        let mut route = hosts(&[1, 2, 3, 99]);
        if now < Duration::from_secs(10) {
            route[1].refuses = Some(ErrorKind::Prohibited);
        }
        route
    });
    let mut network = Simulated::new(route);
    let mut trace = Trace::new(plan(30), ip(99), network.now());
    network.run(&mut trace, Duration::from_secs(5));
    let report = trace.report();
    assert_eq!(report.refused, Some((2, ip(2), ErrorKind::Prohibited)));
    assert_eq!(shown(&report), [[1], [2]]);
    network.run(&mut trace, FOREVER);
    let report = trace.report();
    assert_eq!((report.refused, shown(&report).len()), (None, 4));
    assert_eq!(report.hops[3].addresses[0].lost, 0);
}

#[test]
fn answers_that_come_twice_or_late_are_counted_as_that() {
    let mut route = hosts(&[1, 2, 99]);
    route[1].slow = Duration::from_secs(3);
    let mut network = Simulated::new(always(route));
    network.duplicates = 1.0;
    let mut trace = Trace::new(plan(10), ip(99), network.now());
    let events = network.run(&mut trace, FOREVER);
    let report = trace.report();
    let [near, slow] = [&report.hops[0].addresses[0], &report.hops[1].addresses[0]];
    assert_eq!((near.received, near.duplicates, near.lost), (10, 10, 0));
    assert_eq!((slow.address, slow.received, slow.lost), (Some(ip(2)), 0, 10), "late answers name the host");
    assert!(slow.late >= 8, "{}", slow.late);
    assert!(events.iter().any(|event| matches!(event, Event::Late(..))));
}

#[test]
fn answers_that_somebody_made_up_change_nothing_or_little() {
    let mut network = Simulated::new(always(hosts(&[1, 2, 99])));
    let mut trace = Trace::new(plan(10), ip(99), network.now());
    network.run(&mut trace, Duration::from_secs(3));
    let (before, mut events) = (trace.report(), Vec::new());
    for number in [999, u32::MAX, 70_000] {
        trace.answered(number, answer(ip(66), Said::Passing, network.now()), &mut events);
        trace.stamped(number, 1);
    }
    trace.settle(&mut events);
    let after = trace.report();
    assert_eq!((events, after.strange), (Vec::new(), 3));
    assert_eq!(shown(&after), shown(&before));

    // Someone who guesses right each time still fills no memory.
    let forged: Route = Box::new(|probe, _| hosts(&[1, (probe.round % 200) as u8, 99]));
    let (report, _, _) = run(plan(400), forged);
    assert!(report.hops[1].addresses.len() <= 64 && report.strange > 0);
}

#[test]
fn a_program_that_was_held_up_does_not_make_up_for_it() {
    let mut network = Simulated::new(always(hosts(&[1, 99])));
    let mut trace = Trace::new(plan(1000), ip(99), network.now());
    network.run(&mut trace, Duration::from_secs(3));
    let (late, mut events, mut asked) = (Elapsed(Duration::from_mins(1)), Vec::new(), 0);
    while let Step::Send(probe) = trace.step(late, &mut events) {
        trace.sent(probe, late);
        asked += 1;
    }
    assert!(asked <= 1, "{asked} at once");
    let mut left = trace.clone();
    left.abandon();
    assert_eq!(left.step(late, &mut events), Step::Done);
}

#[test]
fn a_program_that_is_slow_still_asks_each_place_in_each_round() {
    let mut trace = Trace::new(Plan { max_ttl: 5, ..plan(4) }, ip(99), Elapsed(Duration::ZERO));
    let (mut now, mut asked, mut events) = (Elapsed(Duration::ZERO), [0; 6], Vec::new());
    loop {
        match trace.step(now, &mut events) {
            Step::Send(probe) => {
                asked[usize::from(probe.ttl)] += 1;
                trace.sent(probe, now);
                // It gets to run each 400 ms only.
                now.0 += Duration::from_millis(400);
            }
            Step::Wait(at) => now = Elapsed(at.0.max(now.0)),
            Step::Done => break,
        }
    }
    assert_eq!(asked, [0, 4, 4, 4, 4, 4]);
}

#[test]
fn the_end_waits_for_what_is_under_way_and_for_nothing_else() {
    let (_, _, network) = run(plan(3), always(hosts(&[1, 99])));
    assert!(network.now().0 < Duration::from_millis(2_200), "{:?}", network.now());
    let timed = Plan { duration: Some(Duration::from_secs(5)), ..Plan::default() };
    let (report, _, _) = run(timed, always(hosts(&[1, 99])));
    assert_eq!(report.rounds, 5);
}

#[test]
fn a_cut_answer_is_given_to_the_place_where_its_host_stood_before() {
    let mut network = Simulated::new(always(hosts(&[1, 2, 99])));
    let mut trace = Trace::new(plan(10), ip(99), network.now());
    network.run(&mut trace, Duration::from_millis(2_500));
    let (mut now, mut events, mut asked) = (network.now(), Vec::new(), Vec::new());
    while asked.len() < 3 {
        match trace.step(now, &mut events) {
            Step::Send(probe) => {
                trace.sent(probe, now);
                asked.push(probe);
            }
            Step::Wait(at) => now = at,
            Step::Done => panic!("done"),
        }
    }
    assert_eq!(trace.by_host(0, ip(2)).map(|probe| probe.ttl), Some(2));
    assert_eq!(trace.by_host(0, ip(50)), None, "three are open");
    assert_eq!(trace.by_host(9, ip(2)), None);
    assert_eq!(trace.by_sequence(asked[1].number as u16), Some(asked[1]));
}

#[test]
fn a_flow_that_can_ask_one_at_a_time_never_has_two_under_way_and_leaves_nobody_out() {
    let mut silent = hosts(&[1, 2, 99]);
    silent[1].silence = 1.0;
    let serial = Plan { one_at_a_time: true, max_ttl: 3, timeout: Duration::from_millis(900), ..plan(5) };
    let mut network = Simulated::new(always(silent));
    let mut trace = Trace::new(Plan { flows: 2, ..serial }, ip(99), network.now());
    for millisecond in 1..8_000 {
        network.run(&mut trace, Duration::from_millis(millisecond));
        for flow in 0..2 {
            let open = trace.open.iter().filter(|(_, number)| trace.is_open(*number));
            assert!(open.filter(|(_, number)| trace.probe(*number).is_some_and(|one| one.flow == flow)).count() <= 1);
        }
    }
    network.run(&mut trace, FOREVER);
    let report = trace.report();
    let of = |hop: usize| (report.hops[hop].addresses[0].received, report.hops[hop].addresses[0].lost);
    assert_eq!((of(0), of(1), of(2), report.rounds), ((10, 0), (0, 10), (10, 0), 5));
}
