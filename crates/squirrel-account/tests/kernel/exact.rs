//! TCP to the byte, by the kernel's counters alone.

use std::io::Read as _;
use std::net::{Shutdown, TcpListener};

use squirrel_account::{Picture, Source};

use crate::support::{Watched, as_root, inside, pair, process, send};

#[test]
fn bytes_of_a_long_connection_are_exact_at_each_step() {
    if inside("exact::bytes_of_a_long_connection_are_exact_at_each_step", as_root) {
        check_a_long_connection("127.0.0.1:0");
    }
}

#[test]
fn bytes_of_a_long_connection_are_exact_also_with_ipv6() {
    if inside("exact::bytes_of_a_long_connection_are_exact_also_with_ipv6", as_root) {
        check_a_long_connection("[::1]:0");
    }
}

fn check_a_long_connection(address: &str) {
    let listener = TcpListener::bind(address).unwrap();
    let (mut client, mut server) = pair(&listener);
    send(&mut client, &mut server, 5_000);
    let mut watched = Watched::start();
    // What was before the accountant is not its business.
    let own = std::process::id();
    let before = watched.step();
    assert_eq!(process(&before, own).figures.bytes.transmit, 0);
    for round in 1..=3u64 {
        send(&mut client, &mut server, 1_000_000);
        send(&mut server, &mut client, 300);
        let picture = watched.step();
        let process = process(&picture, own);
        let bytes = process.figures.bytes;
        assert_eq!((bytes.receive, bytes.transmit), (round * 1_000_300, round * 1_000_300));
        assert_eq!((process.figures.transmit_rate, process.source), (1_000_300.0, Source::Exact));
        assert!(process.connections >= 2 && process.ended.is_none());
        let ours = client.local_addr().unwrap();
        let row = picture.connections.iter().find(|row| row.local == ours).unwrap();
        assert_eq!((row.figures.bytes.transmit, row.figures.bytes.receive), (round * 1_000_000, round * 300));
        assert_eq!((row.state, row.process.as_ref().unwrap().pid), ("ESTAB", own));
        let tcp = row.tcp.as_ref().unwrap();
        assert!(tcp.rtt_us.is_some() && tcp.congestion.is_some() && tcp.congestion_window > Some(0), "{tcp:?}");
        assert_eq!(picture.unattributed, []);
    }
}

#[test]
fn short_connections_are_counted_to_the_byte() {
    if inside("exact::short_connections_are_counted_to_the_byte", as_root) {
        check_short_connections();
    }
}

fn check_short_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut watched = Watched::start();
    let own = std::process::id();
    for count in 1..=500 {
        let (mut client, mut server) = pair(&listener);
        send(&mut client, &mut server, 64);
        send(&mut server, &mut client, 32);
        // Either side may close first.
        let (first, second) = if count % 2 == 0 { (client, server) } else { (server, client) };
        drop(first);
        drop(second);
    }
    let sum = |picture: &Picture| {
        let rows = picture.connections.iter().filter(|row| row.closed.is_some());
        rows.fold((0, 0), |sum, row| (sum.0 + row.figures.bytes.receive, sum.1 + row.figures.bytes.transmit))
    };
    let picture =
        watched.until(|picture| picture.connections.iter().filter(|row| row.closed.is_some()).count() == 1000);
    assert_eq!(sum(&picture), (500 * 96, 500 * 96));
    // The listener's owner is known; who connected is not.
    let named = process(&picture, own).figures.bytes;
    let nobody = picture.unattributed.iter().find(|row| row.reason == "owner_gone").unwrap().bytes;
    assert_eq!((named.receive + nobody.receive, named.transmit + nobody.transmit), (500 * 96, 500 * 96));
    assert_eq!(picture.lost_events, 0);
}

#[test]
fn a_shut_down_connection_is_counted_without_its_fin() {
    if inside("exact::a_shut_down_connection_is_counted_without_its_fin", as_root) {
        check_a_shut_down_connection();
    }
}

fn check_a_shut_down_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut watched = Watched::start();
    let (mut client, mut server) = pair(&listener);
    send(&mut client, &mut server, 1000);
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.read(&mut [0; 8]).unwrap(), 0);
    let here = server.local_addr().unwrap();
    let picture = watched.step();
    let row = picture.connections.iter().find(|row| row.local == here && row.state == "CLOSE-WAIT").unwrap();
    assert_eq!(row.figures.bytes.receive, 1000);
}
