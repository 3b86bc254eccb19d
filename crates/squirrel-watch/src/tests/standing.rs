//! How it stands with targets: what lies behind what, over restarts and reloads.

use squirrel_api::probes::ProbeState;
use squirrel_check::IpVersion;
use squirrel_model::{Elapsed, Timestamp, is_stale};

use ProbeState::{Down, Unknown, Unreachable, Up};

use super::*;
use crate::remembered;

#[test]
fn what_lies_behind_a_dead_gateway_is_unreachable() {
    let behind = |instance: &str, parent: &str| Target { parents: vec![parent.to_owned()], ..check(instance) };
    let (mut board, targets) =
        board(vec![ping("gw"), behind("switch", "gw"), behind("server", "switch"), check("elsewhere")]);
    let states = |board: &Board| board.all().into_iter().map(|probe| probe.state).collect::<Vec<_>>();
    assert_eq!(states(&board), [Unknown; 4]);
    let tell = |board: &mut Board, second: i64, gateway: bool, others: bool| {
        for _ in 0..3 {
            board.echo(0, &targets[0], echo(second, gateway.then_some(1)));
        }
        for index in 1..4 {
            board.finding(index, &targets[index as usize], Timestamp(second * 1_000), &finding(others, &[]));
        }
    };
    tell(&mut board, 1, true, true);
    assert_eq!(states(&board), [Up; 4]);
    tell(&mut board, 2, false, false);
    assert_eq!(states(&board), [Down, Unreachable, Unreachable, Down]);
    let counted: Vec<usize> = board.states().into_iter().map(|(_, count)| count).collect();
    assert_eq!(counted, [0, 2, 2, 0]);
    tell(&mut board, 3, true, false);
    assert_eq!(states(&board), [Up, Down, Unreachable, Down], "behind the switch, which is down itself");
    assert_eq!(board.all()[1].since, Some(2.0), "it was down all the time");
}

#[test]
fn a_restart_forgets_neither_the_state_nor_the_changes_of_a_path() {
    let targets = || vec![path("192.0.2.9"), ping("192.0.2.1"), ping("192.0.2.2")];
    let (mut first, there) = board(targets());
    first.traced(0, &there[0], Timestamp(100_000), Ok(traced(&[1, 2, 9], 9)));
    first.traced(0, &there[0], Timestamp(160_000), Ok(traced(&[1, 3, 9], 9)));
    first.echo(1, &there[1], echo(50, Some(1)));
    let text = remembered::save(&first);
    let (mut second, there) = board(targets());
    assert_eq!(remembered::restore(&mut second, &text), Vec::<String>::new());
    let since: Vec<_> = second.all().into_iter().map(|probe| (probe.state, probe.since)).collect();
    assert_eq!(since, [(ProbeState::Up, Some(100.0)), (ProbeState::Up, Some(50.0)), (ProbeState::Unknown, None)]);
    second.traced(0, &there[0], Timestamp(300_000), Ok(traced(&[1, 3, 9], 9)));
    assert_eq!(second.path("way", "192.0.2.9").expect("a path").1.changes.len(), 1, "the same path as before the stop");
    assert_eq!(remembered::save(&second).len(), text.len());

    for damaged in ["", "{", "[]", &text[..text.len() / 2], "{\"form\":2,\"targets\":[]}"] {
        let (mut board, _) = board(targets());
        assert_eq!(remembered::restore(&mut board, damaged).len(), 1, "{damaged:?} is said");
    }
}

#[test]
fn a_reload_leaves_alone_what_did_not_change() {
    let (mut board, there) = board(vec![ping("a"), ping("b"), check("c")]);
    board.echo(0, &there[0], echo(5, Some(1)));
    board.echo(1, &there[1], echo(5, Some(1)));
    board.finding(2, &there[2], Timestamp(5_000), &finding(true, &[(&VALUE, &[], 1.0)]));
    board.due(Timestamp(6_000), Elapsed(Duration::from_secs(7)));
    let slower = Target { interval: Duration::from_mins(1), ..check("c") };
    let changes = board.arrange(vec![Arc::new(slower), Arc::new(ping("d")), Arc::new(ping("a"))], Timestamp(8_000));
    let seen: Vec<_> = changes
        .iter()
        .map(|change| (change.index, change.target.as_ref().map(|target| target.instance.as_str()), change.runs_on))
        .collect();
    assert_eq!(seen, [(1, None, false), (2, Some("c"), false), (1, Some("d"), false), (0, Some("a"), true)]);
    let names: Vec<_> = board.all().into_iter().map(|probe| (probe.instance, probe.state)).collect();
    let state = |name: &str, state| (name.to_owned(), state);
    assert_eq!(names, [state("c", ProbeState::Up), state("d", ProbeState::Unknown), state("a", ProbeState::Up)]);
    let ended = board.due(Timestamp(9_000), Elapsed(Duration::from_secs(8)));
    assert!(
        ended.iter().all(|(labels, _, value)| is_stale(*value) && labels.get("instance") == Some("b")),
        "{:?}",
        shown(&ended)
    );
    assert_eq!(ended.len(), 3);
    // What comes late for one that left is nobody's.
    board.echo(1, &there[1], echo(9, Some(1)));
    assert_eq!(board.all()[1].state, ProbeState::Unknown);
    let ends = board.close(Timestamp(10_000));
    assert_eq!(ends.iter().filter(|(.., value)| is_stale(*value)).count(), ends.len());
    assert!(ends.iter().any(|(labels, ..)| labels.metric_name() == "probe_value"));
}

#[test]
fn a_target_that_is_asked_by_another_version_of_ip_is_asked_anew_and_stays_known() {
    let by = |ip| vec![Target { ip, ..ping("a") }];
    let (mut board, there) = board(by(None));
    board.echo(0, &there[0], echo(5, Some(1)));
    for (ip, runs_on) in [(None, true), (Some(IpVersion::V6), false), (Some(IpVersion::V6), true), (None, false)] {
        let changes = board.arrange(by(ip).into_iter().map(Arc::new).collect(), Timestamp(8_000));
        assert_eq!(changes.iter().map(|change| change.runs_on).collect::<Vec<_>>(), [runs_on], "{ip:?}");
        let known = &board.all()[0];
        assert_eq!((known.state, known.since, known.ip), (Up, Some(5.0), ip.map(IpVersion::number)));
    }
}

#[test]
fn a_clock_that_is_set_back_stops_nothing() {
    let (mut board, targets) = board(vec![ping("a")]);
    for second in [1_000, 1_001, 5, 6, 7] {
        board.echo(0, &targets[0], echo(second, Some(1)));
    }
    for second in [9, 10, 11] {
        board.echo(0, &targets[0], echo(second, None));
    }
    let probe = &board.all()[0];
    assert_eq!((probe.state, probe.since), (ProbeState::Down, Some(9.0)));
}

#[test]
fn a_router_that_refuses_is_no_other_path() {
    let (mut board, targets) = board(vec![path("192.0.2.9")]);
    board.traced(0, &targets[0], Timestamp(100_000), Ok(traced(&[1, 2, 9], 9)));
    board.traced(0, &targets[0], Timestamp(160_000), Ok(refused(&[1, 2], 9)));
    let (_, known) = board.path("way", "192.0.2.9").expect("a path");
    assert_eq!((board.all()[0].state, known.changes), (ProbeState::Down, Vec::new()));
    assert!(
        board.all()[0].why.as_deref().is_some_and(|why| why.contains("192.0.2.2, passes nothing on")),
        "{:?}",
        board.all()
    );
    board.traced(0, &targets[0], Timestamp(220_000), Ok(traced(&[1, 2, 9], 9)));
    assert_eq!(board.path("way", "192.0.2.9").expect("a path").1.changes, Vec::new());
}
