//! Whose sockets they are, without the ledger.

use squirrel_testkit::DiagSocket;

use super::world::{World, connection, nobody, process};
use crate::Options;
use crate::picture::{Source, Traffic};

fn socket(cookie: u64, remote_port: u16) -> DiagSocket {
    DiagSocket::tcp(cookie, "10.0.0.1:80", &format!("10.0.0.2:{remote_port}"))
}

#[test]
fn a_successor_of_a_number_is_another_process() {
    let world = World::default();
    world.process(100, "first", 900, &[1]);
    world.state().sockets.push(socket(1, 1));
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    world.change(1, |socket| socket.sent = 10);
    watch.step();
    world.end(1);
    // The number passes on between two steps.
    world.process(100, "second", 901, &[2]);
    world.state().sockets.push(DiagSocket { sent: 7, ..socket(2, 2) });
    let picture = watch.step();
    let mut rows: Vec<_> = picture.processes.iter().filter(|row| row.process.pid == 100).collect();
    rows.sort_by_key(|row| row.process.started);
    let [first, second] = rows[..] else { panic!("{rows:?}") };
    assert_eq!((first.process.name.as_str(), first.figures.bytes.transmit), ("first", 10));
    assert_eq!((second.process.name.as_str(), second.figures.bytes.transmit), ("second", 7));
    assert!(first.ended.is_some() && second.ended.is_none());
    assert_eq!(connection(&picture, 1).process.as_ref().unwrap().name, "first");
}

#[test]
fn a_reused_number_is_noticed_also_when_the_new_process_has_no_sockets() {
    let world = World::default();
    world.process(100, "first", 900, &[1]);
    world.state().sockets.push(socket(1, 1));
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    world.change(1, |socket| socket.sent = 10);
    watch.step();
    world.end(1);
    world.process(100, "second", 901, &[]);
    let picture = watch.steps(3);
    assert_eq!(process(&picture, 100).process.name, "first");
    assert!(process(&picture, 100).ended.is_some());
}

#[test]
fn a_socket_that_several_processes_have_open_is_marked_as_inferred() {
    let world = World::default();
    world.process(100, "parent", 900, &[1]);
    world.process(101, "child", 950, &[1]);
    world.state().sockets.push(socket(1, 1));
    let mut watch = world.watch(Options::default(), false);
    // The first round looks at all processes, so both are seen.
    watch.step();
    world.change(1, |socket| socket.sent = 10);
    let picture = watch.step();
    assert_eq!(connection(&picture, 1).source, Source::Sampled);
    assert_eq!(process(&picture, 100).figures.bytes.transmit, 10);
}

#[test]
fn children_of_a_forking_server_own_what_they_accepted() {
    let world = World::default();
    world.state().sockets.push(DiagSocket { state: 10, ..DiagSocket::tcp(1, "0.0.0.0:80", "0.0.0.0:0") });
    world.process(100, "server", 900, &[1]);
    world.process(101, "worker", 901, &[1]);
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    world.state().sockets.push(DiagSocket { sent: 5, ..socket(2, 1) });
    world.process(101, "worker", 901, &[1, 2]);
    let picture = watch.step();
    assert_eq!(connection(&picture, 2).process.as_ref().unwrap().pid, 101);
    assert_eq!(connection(&picture, 2).source, Source::Exact);
    assert_eq!(connection(&picture, 1).state, "LISTEN");
    assert_eq!(connection(&picture, 1).process.as_ref().unwrap().pid, 100);
}

#[test]
fn a_short_connection_to_a_listener_is_inferred_to_be_its_owners() {
    let world = World::default();
    world.state().sockets.push(DiagSocket { state: 10, ..DiagSocket::tcp(1, "0.0.0.0:80", "0.0.0.0:0") });
    world.process(100, "server", 900, &[1]);
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    world.state().ended.push(DiagSocket { sent: 5, inode: 0, ..socket(2, 1) });
    world.state().ended.push(DiagSocket { sent: 9, inode: 0, ..DiagSocket::tcp(3, "10.0.0.1:999", "10.0.0.2:1") });
    let picture = watch.step();
    assert_eq!(connection(&picture, 2).process.as_ref().unwrap().pid, 100);
    assert_eq!(connection(&picture, 2).source, Source::Sampled);
    let row = process(&picture, 100);
    assert_eq!((row.figures.bytes.transmit, row.source), (5, Source::Sampled));
    assert_eq!(nobody(&picture, "owner_gone"), Traffic::new(0, 9));
}

#[test]
fn bytes_wait_for_an_owner_that_is_found_later() {
    let world = World::default();
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    world.state().sockets.push(DiagSocket { sent: 5, ..socket(1, 1) });
    let picture = watch.step();
    assert_eq!(nobody(&picture, "not_found"), Traffic::new(0, 5));
    world.process(100, "late", 900, &[1]);
    let picture = watch.steps(12);
    assert_eq!(process(&picture, 100).figures.bytes.transmit, 5);
    assert!(picture.unattributed.is_empty());
}

#[test]
fn what_nobody_has_open_is_not_looked_for_in_each_step() {
    let world = World::default();
    world.state().sockets.push(socket(1, 1));
    for pid in 100..150 {
        world.process(pid, "other", 900, &[]);
    }
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    let first = world.state().looks;
    assert!(first >= 50);
    watch.steps(9);
    assert_eq!(world.state().looks, first);
    watch.steps(5);
    assert!(world.state().looks > first, "after a while it is tried again");
}

#[test]
fn a_round_over_many_descriptors_is_spread_over_steps() {
    let world = World::default();
    for pid in 100..200 {
        world.process(pid, "many", 900, &[10_000 + pid]);
    }
    let options = Options { descriptors: 20, ..Options::default() };
    let mut watch = world.watch(options, false);
    world.state().sockets.push(socket(1, 1));
    watch.steps(12);
    let before = world.state().looks;
    world.state().sockets.push(DiagSocket { sent: 3, inode: 10_199, ..socket(2, 2) });
    watch.step();
    assert!(world.state().looks - before <= 12, "{}", world.state().looks - before);
    let picture = watch.steps(12);
    assert_eq!(process(&picture, 199).figures.bytes.transmit, 3);
}

#[test]
fn hostile_names_are_kept_as_they_are() {
    let world = World::default();
    world.process(100, "\u{1b}[2J) S 1\n", 900, &[1]);
    world.state().sockets.push(DiagSocket { sent: 5, ..socket(1, 1) });
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    world.change(1, |socket| socket.sent = 9);
    let picture = watch.step();
    assert_eq!(process(&picture, 100).process.name, "\u{1b}[2J) S 1\n");
    assert_eq!(process(&picture, 100).figures.bytes.transmit, 4);
}

#[test]
fn what_is_missing_is_said_of_whoever_looks_and_not_of_this_process() {
    for (may_trace, level, words) in
        [(false, "own", "CAP_SYS_PTRACE is missing"), (true, "counters", "although CAP_SYS_PTRACE is there")]
    {
        let world = World::default();
        world.process(100, "guarded", 900, &[1]);
        (world.state().closed, world.state().may_trace) = (vec![100], may_trace);
        world.state().sockets.push(socket(1, 1));
        let mut watch = world.watch(Options::default(), false);
        watch.step();
        let said = watch.accountant.level();
        let missing =
            said.parts.iter().find(|part| part.part == "descriptors").and_then(|part| part.missing.as_deref());
        assert!(
            missing.is_some_and(|missing| missing.contains("guarded (100)") && missing.contains(words)),
            "{said:?}"
        );
        assert_eq!(said.name, level);
    }
}
