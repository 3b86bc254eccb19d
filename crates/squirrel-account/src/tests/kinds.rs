//! Sockets of other kinds than TCP and UDP, paths of multipath sockets, and processes that only the ledger knows.

use squirrel_sys::ProcessNote;
use squirrel_testkit::DiagSocket;
use squirrel_wire::ledger::{SocketKind, SocketRecord, TcpCounters};

use super::ledger::{TICK, counted, record};
use super::world::{World, connection, nobody, process};
use crate::Options;
use crate::picture::{Source, Traffic};

/// A path of the multipath socket with the cookie 1, which the kernel made.
fn path(cookie: u64, received: u64, sent: u64) -> SocketRecord {
    let tcp = Some(TcpCounters { bytes_received: received, bytes_sent: sent, ..TcpCounters::default() });
    SocketRecord { path_of: Some(1), state: 7, tcp, ..record(cookie, 2, 0, 0) }
}

#[test]
fn bytes_of_paths_are_those_of_their_multipath_socket() {
    let world = World::default();
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    world.process(100, "server", 900, &[]);
    let whole = SocketRecord { kind: SocketKind::Multipath, tcp: None, ..record(1, 100, 500, 1000) };
    // In any order; one of them carried again what the other one had lost.
    world.state().living = vec![path(7, 200, 600), whole, path(8, 300, 450)];
    for mut socket in [7, 8].map(|cookie| DiagSocket::tcp(cookie, "10.0.0.1:4000", "10.0.0.2:80")) {
        (socket.received, socket.sent) = if socket.cookie == 7 { (200, 600) } else { (300, 450) };
        (socket.multipath, socket.inode) = (true, 55);
        world.state().sockets.push(socket);
    }
    let picture = watch.step();
    assert_eq!(process(&picture, 100).figures.bytes, Traffic::new(500, 1000));
    assert_eq!(process(&picture, 100).connections, 1);
    assert!(picture.processes.iter().all(|row| row.process.pid != 2), "no process has a path");
    let rows = [1, 7, 8].map(|cookie| connection(&picture, cookie));
    assert_eq!(rows.map(|row| row.carrier.word()), ["mptcp", "tcp", "tcp"]);
    assert!(rows.iter().all(|row| row.process.as_ref().is_some_and(|process| process.pid == 100)));
    assert_eq!(rows.map(|row| (row.source, row.caveat)), [(Source::Exact, None); 3]);
    // Hosts have what travelled.
    assert_eq!((picture.hosts.len(), picture.hosts[0].figures.bytes), (1, Traffic::new(500, 1050)));
    assert_eq!((picture.hosts[0].connections, picture.unattributed.len()), (2, 0));
    // The ends of paths come after the end of their socket.
    world.state().living.clear();
    world.state().finished = vec![SocketRecord { receive_bytes: 501, ..whole }];
    watch.step();
    world.state().finished = vec![path(7, 201, 600), path(8, 300, 450)];
    world.state().sockets.clear();
    let picture = watch.steps(3);
    assert_eq!(process(&picture, 100).figures.bytes, Traffic::new(501, 1000));
    assert_eq!((picture.hosts[0].figures.bytes, picture.unattributed.len()), (Traffic::new(501, 1050), 0));
}

#[test]
fn a_path_whose_socket_nobody_knows_is_a_connection_like_others() {
    let world = World::default();
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    world.state().finished = vec![path(7, 200, 600)];
    let picture = watch.step();
    assert_eq!(nobody(&picture, "owner_gone"), Traffic::new(200, 600));
}

#[test]
fn without_a_ledger_paths_are_told_as_inexact_with_the_reason() {
    let world = World::default();
    world.process(100, "server", 900, &[55]);
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    for cookie in [7, 8] {
        let mut socket = DiagSocket::tcp(cookie, "10.0.0.1:4000", "10.0.0.2:80");
        (socket.multipath, socket.inode, socket.sent) = (true, 55, 300);
        world.state().sockets.push(socket);
    }
    let picture = watch.step();
    // Both lead to the inode of their socket.
    let row = process(&picture, 100);
    assert_eq!((row.figures.bytes, row.source), (Traffic::new(0, 600), Source::Sampled));
    for cookie in [7, 8] {
        let row = connection(&picture, cookie);
        assert_eq!(row.source, Source::Sampled);
        assert!(row.caveat.unwrap_or_default().contains("multipath"), "{row:?}");
    }
}

#[test]
fn raw_and_packet_sockets_have_rows_and_no_host_has_their_bytes() {
    let world = World::default();
    world.process(100, "ping", 900, &[]);
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    let kinds = [SocketKind::Raw, SocketKind::Ping, SocketKind::Packet, SocketKind::Other];
    world.state().living =
        (1..).zip(kinds).map(|(cookie, kind)| SocketRecord { kind, tcp: None, ..record(cookie, 100, 5, 7) }).collect();
    let picture = watch.step();
    let words: Vec<&str> = (1..5).map(|cookie| connection(&picture, cookie).carrier.word()).collect();
    assert_eq!(words, ["raw", "icmp", "packet", "other"]);
    assert_eq!(process(&picture, 100).figures.bytes, Traffic::new(20, 28));
    assert_eq!((process(&picture, 100).connections, picture.hosts.len()), (4, 0));
    world.state().living.clear();
    let picture = watch.steps(3);
    assert!(picture.connections.iter().all(|row| row.closed.is_some()), "no dump shows them");
}

#[test]
fn what_the_ledger_noted_of_a_process_that_is_gone_is_told() {
    let world = World::default();
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    world.state().notes.insert((300, 900 * TICK + 12_345), ProcessNote { parent: 1, command: b"brief\0-x\0".to_vec() });
    world.state().finished = vec![counted(record(9, 300, 10, 20), 10, 20), counted(record(10, 301, 1, 2), 1, 2)];
    let picture = watch.step();
    let known = |pid| {
        let process = &process(&picture, pid).process;
        (process.command.clone(), process.parent)
    };
    assert_eq!(known(300), (Some("brief -x".to_owned()), Some(1)));
    assert_eq!(known(301), (None, None), "nothing is made up");
}

/// A packet socket as `packet_diag` tells of it, with a ring (`PACKET_DIAG_RX_RING`) or without.
fn packet_socket(cookie: u32, inode: u32, ring: bool) -> Vec<u8> {
    let mut octets = vec![17, 3, 0, 0];
    for word in [inode, cookie, 0] {
        octets.extend(word.to_ne_bytes());
    }
    if ring {
        octets.extend([4_u16.to_ne_bytes(), 2_u16.to_ne_bytes()].concat());
    }
    octets
}

#[test]
fn a_packet_socket_that_reads_a_ring_has_a_row_with_its_owner_and_no_figure() {
    let world = World::default();
    world.process(100, "sniffer", 900, &[7, 8]);
    world.state().packet_sockets = vec![packet_socket(1, 7, true), packet_socket(2, 8, false)];
    let mut watch = world.watch(Options::default(), true);
    watch.step();
    let picture = watch.step();
    for (cookie, source) in [(1, Source::Unavailable), (2, Source::Exact)] {
        let row = connection(&picture, cookie);
        assert_eq!((row.carrier.word(), row.state, row.source), ("packet", "UNCONN", source), "{cookie}");
        assert_eq!(row.process.as_ref().map(|process| process.name.as_str()), Some("sniffer"));
        assert_eq!(row.caveat.is_some_and(|caveat| caveat.contains("ring")), source == Source::Unavailable);
    }
    // It ends when no dump shows it.
    world.state().packet_sockets.remove(0);
    let picture = (0..4).map(|_| watch.step()).last().unwrap();
    assert!(connection(&picture, 1).closed.is_some() && connection(&picture, 2).closed.is_none());
}
