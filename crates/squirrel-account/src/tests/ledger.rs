//! The kernel-side ledger beside the kernel's counters.

use std::net::{IpAddr, Ipv4Addr};

use squirrel_testkit::DiagSocket;
use squirrel_wire::ledger::{SocketKind, SocketRecord, TcpCounters};
use squirrel_wire::sock_diag::{IPPROTO_TCP, IPPROTO_UDP};

use super::world::{HOST, World, connection, process};
use crate::Options;
use crate::picture::{Source, Traffic};

const HERE: &str = "10.0.0.1:4000";
const THERE: &str = "10.0.0.2:80";
/// Nanoseconds of a clock tick.
pub(super) const TICK: u64 = 10_000_000;

pub(super) fn record(cookie: u64, tgid: u32, receive: u64, transmit: u64) -> SocketRecord {
    let mut comm = [0; 16];
    comm.iter_mut().zip(b"brief\x1b[").for_each(|(place, octet)| *place = *octet);
    SocketRecord {
        cookie,
        namespace: HOST as u32,
        kind: SocketKind::Tcp,
        protocol: IPPROTO_TCP,
        path_of: None,
        state: 1,
        local: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)),
        local_port: 4000,
        remote: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)),
        remote_port: 80,
        tgid,
        uid: 1000,
        started_ns: 900 * TICK + 12_345,
        cgroup: 77,
        comm,
        inherited: false,
        older: false,
        shared: false,
        further: false,
        transmit_bytes: transmit,
        receive_bytes: receive,
        transmit_calls: 1,
        receive_calls: 1,
        tcp: Some(TcpCounters::default()),
    }
}

pub(super) fn counted(record: SocketRecord, received: u64, sent: u64) -> SocketRecord {
    // The FIN is one more received byte.
    let fin_received = received > record.receive_bytes;
    let tcp = TcpCounters { bytes_received: received, bytes_sent: sent, fin_received, ..TcpCounters::default() };
    SocketRecord { state: 7, tcp: Some(tcp), ..record }
}

fn further(record: SocketRecord) -> SocketRecord {
    SocketRecord { tcp: None, further: true, ..record }
}

fn with_socket() -> World {
    let world = World::default();
    world.process(100, "owner", 900, &[1]);
    world.state().sockets.push(DiagSocket::tcp(1, HERE, THERE));
    world
}

#[test]
fn a_process_that_is_long_gone_is_named_by_the_ledger() {
    let world = World::default();
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    world.state().finished.push(counted(record(9, 4711, 32, 64), 33, 64));
    let picture = watch.step();
    let row = process(&picture, 4711);
    assert_eq!((row.process.name.as_str(), row.process.started, row.process.uid), ("brief\x1b[", 900, 1000));
    assert_eq!((row.process.user.as_str(), row.process.command.as_ref(), row.process.parent), ("1000", None, None));
    assert_eq!((row.figures.bytes, row.source, row.ended), (Traffic::new(32, 64), Source::Exact, Some(picture.at)));
    assert_eq!(connection(&picture, 9).figures.bytes, Traffic::new(32, 64));
    assert_eq!(connection(&picture, 9).remote, THERE.parse().unwrap());
    assert!(picture.unattributed.is_empty());
    assert_eq!(picture.level.name, "sockets");
}

#[test]
fn a_successor_of_a_number_does_not_get_the_bytes_of_the_dead() {
    let world = World::default();
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    world.process(4711, "successor", 901, &[]);
    world.state().finished.push(counted(record(9, 4711, 32, 64), 32, 64));
    let picture = watch.step();
    assert_eq!(process(&picture, 4711).process.name, "brief\x1b[");
    assert_eq!(process(&picture, 4711).process.unit, None, "the successor's unit is not the dead one's");
}

#[test]
fn a_brief_process_is_placed_by_its_control_group() {
    let world = with_socket();
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    world.state().living.push(record(1, 100, 1, 1));
    watch.step();
    world.state().finished.push(counted(record(9, 4711, 32, 64), 32, 64));
    let picture = watch.step();
    assert_eq!(process(&picture, 4711).process.unit.as_deref(), Some("owner.service"));
}

#[test]
fn bytes_that_the_ledger_did_not_see_are_the_owners() {
    let world = with_socket();
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    // 700 octets were spliced out of the socket, 40 wait in its queue, 10 were sent by the kernel.
    world.change(1, |socket| (socket.received, socket.receive_queue, socket.sent) = (1040, 40, 60));
    world.state().living.push(record(1, 100, 300, 50));
    let picture = watch.step();
    assert_eq!(process(&picture, 100).figures.bytes, Traffic::new(1000, 60));
    assert_eq!(connection(&picture, 1).figures.bytes, Traffic::new(1000, 60));
    // The queue is read: nothing is counted twice.
    world.change(1, |socket| socket.receive_queue = 0);
    world.state().living[0] = record(1, 100, 340, 50);
    assert_eq!(process(&watch.step(), 100).figures.bytes, Traffic::new(1040, 60));
}

#[test]
fn what_was_handed_over_and_not_sent_yet_is_counted_at_once() {
    let world = with_socket();
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    world.change(1, |socket| socket.sent = 20);
    world.state().living.push(record(1, 100, 0, 50));
    assert_eq!(process(&watch.step(), 100).figures.bytes, Traffic::new(0, 50));
    world.change(1, |socket| socket.sent = 50);
    assert_eq!(process(&watch.step(), 100).figures.bytes, Traffic::new(0, 50));
}

#[test]
fn each_process_gets_its_own_bytes_of_a_shared_socket() {
    let world = with_socket();
    world.process(101, "child", 900, &[1]);
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    world.change(1, |socket| socket.sent = 51_510);
    world.state().living.extend([record(1, 100, 0, 51_010), further(record(1, 101, 0, 500))]);
    let picture = watch.step();
    assert_eq!(process(&picture, 100).figures.bytes.transmit, 51_010);
    assert_eq!(process(&picture, 101).figures.bytes.transmit, 500);
    assert_eq!(connection(&picture, 1).figures.bytes.transmit, 51_510);
    // In whatever order they come.
    world.state().living.reverse();
    world.state().living[1] = record(1, 100, 0, 51_020);
    assert_eq!(process(&watch.step(), 100).figures.bytes.transmit, 51_020);
}

#[test]
fn a_child_that_takes_over_an_accepted_connection_owns_what_follows() {
    let world = with_socket();
    world.process(101, "child", 900, &[1]);
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    // The parent inherited it from its listener; 30 octets have arrived and were spliced by it.
    world.change(1, |socket| socket.received = 30);
    world.state().living.push(SocketRecord { inherited: true, ..record(1, 100, 0, 0) });
    assert_eq!(process(&watch.step(), 100).figures.bytes, Traffic::new(30, 0));
    world.change(1, |socket| (socket.received, socket.sent) = (130, 9));
    world.state().living[0] = record(1, 101, 100, 9);
    let picture = watch.step();
    assert_eq!(process(&picture, 100).figures.bytes, Traffic::new(30, 0));
    assert_eq!(process(&picture, 101).figures.bytes, Traffic::new(100, 9));
    assert_eq!(connection(&picture, 1).process.as_ref().unwrap().pid, 101);
    assert_eq!(connection(&picture, 1).figures.bytes, Traffic::new(130, 9));
}

#[test]
fn udp_is_exact_with_the_ledger() {
    let world = with_socket();
    world.state().sockets.push(DiagSocket::udp(5, "0.0.0.0:53"));
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    let udp =
        SocketRecord { kind: SocketKind::Udp, protocol: IPPROTO_UDP, state: 7, tcp: None, ..record(5, 100, 512, 900) };
    world.state().living.push(udp);
    let picture = watch.step();
    let row = connection(&picture, 5);
    assert_eq!((row.figures.bytes, row.source), (Traffic::new(512, 900), Source::Exact));
    // It ends between two dumps, having moved some more; so does one that was never seen.
    world.state().sockets.pop();
    world.state().living.clear();
    world.state().finished.push(SocketRecord { receive_bytes: 600, ..udp });
    world.state().finished.push(SocketRecord { cookie: 6, receive_bytes: 7, transmit_bytes: 8, ..udp });
    let picture = watch.step();
    assert_eq!(process(&picture, 100).figures.bytes, Traffic::new(607, 908));
    assert_eq!(connection(&picture, 6).closed, Some(picture.at));
}

#[test]
fn what_the_ledger_counted_before_the_accountant_began_is_not_counted() {
    let world = with_socket();
    world.change(1, |socket| (socket.received, socket.sent) = (5000, 6000));
    world.state().living.push(record(1, 100, 5000, 6000));
    world.state().finished.push(record(3, 100, 50, 60));
    let mut watch = world.watch(Options::default(), true);
    assert_eq!(process(&watch.step(), 100).figures.bytes, Traffic::default());
    world.change(1, |socket| (socket.received, socket.sent) = (5100, 6010));
    world.state().living[0] = record(1, 100, 5100, 6010);
    assert_eq!(process(&watch.step(), 100).figures.bytes, Traffic::new(100, 10));
}

#[test]
fn events_that_the_ledger_lost_are_shown_and_the_kernels_counters_stand_in() {
    let world = with_socket();
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    world.state().living.push(record(1, 100, 100, 10));
    world.change(1, |socket| (socket.received, socket.sent) = (100, 10));
    watch.step();
    world.state().living.clear();
    world.change(1, |socket| (socket.received, socket.sent) = (301, 20));
    world.end(1);
    world.state().lost = 1;
    let picture = watch.step();
    assert_eq!((picture.lost_events, process(&picture, 100).figures.bytes), (1, Traffic::new(300, 20)));
}

#[test]
fn a_socket_of_a_namespace_that_is_not_watched_is_followed_by_the_ledger_alone() {
    let world = with_socket();
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    world.state().living.push(SocketRecord { namespace: 5, ..record(7, 100, 10, 0) });
    let picture = watch.steps(4);
    let row = connection(&picture, 7);
    assert_eq!((row.namespace, row.closed, row.figures.bytes), (0, None, Traffic::new(10, 0)));
    world.state().living.clear();
    assert!(connection(&watch.steps(3), 7).closed.is_some());
}

#[test]
fn a_ledger_that_fails_is_not_shown_as_one_that_counts() {
    let world = with_socket();
    world.state().sockets.push(DiagSocket::udp(5, "0.0.0.0:53"));
    world.state().broken = true;
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    world.change(1, |socket| socket.sent = 20);
    let picture = watch.step();
    assert_eq!((picture.level.name, process(&picture, 100).figures.bytes.transmit), ("counters", 20));
    let part = picture.level.parts.iter().find(|part| part.part == "ledger").unwrap();
    assert!(part.missing.as_ref().unwrap().contains("bpf"), "{part:?}");
    world.state().broken = false;
    assert_eq!(watch.steps(2).level.name, "sockets");
}

#[test]
fn a_ledger_that_began_anew_loses_no_byte_of_before_and_counts_none_twice() {
    let world = with_socket();
    world.state().sockets.push(DiagSocket::udp(2, HERE));
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    let udp =
        |receive, transmit| SocketRecord { protocol: IPPROTO_UDP, tcp: None, ..record(2, 100, receive, transmit) };
    world.state().living = vec![record(1, 100, 300, 500), udp(70, 90)];
    world.change(1, |socket| (socket.received, socket.sent) = (300, 500));
    watch.step();
    // The new one begins with what the sockets had moved by then, of TCP as the kernel counts it.
    world.state().generation += 1;
    let older = |record| SocketRecord { older: true, ..record };
    world.change(1, |socket| (socket.received, socket.sent) = (310, 520));
    world.state().living = vec![older(record(1, 100, 305, 510)), older(udp(1, 2))];
    let picture = watch.step();
    assert_eq!(connection(&picture, 1).figures.bytes, Traffic::new(310, 520));
    assert_eq!(connection(&picture, 2).figures.bytes, Traffic::new(70, 90));
    world.change(1, |socket| (socket.received, socket.sent) = (400, 600));
    world.state().living = vec![older(record(1, 100, 395, 590)), older(udp(11, 22))];
    let picture = watch.step();
    assert_eq!(connection(&picture, 1).figures.bytes, Traffic::new(400, 600));
    assert_eq!(connection(&picture, 2).figures.bytes, Traffic::new(80, 110));
    assert_eq!(process(&picture, 100).figures.bytes, Traffic::new(480, 710));
}
