//! Sockets that take frames of an interface, beside a program that has one with a ring.

use std::process::{Command, Stdio};

use squirrel_account::{Carrier, ConnectionRow, Source};
use squirrel_testkit::skip;

use crate::support::{Watched, as_root, inside};

#[test]
fn who_captures_by_a_ring_has_a_row_and_a_reason_why_it_has_no_figure() {
    let name = "packet_sockets::who_captures_by_a_ring_has_a_row_and_a_reason_why_it_has_no_figure";
    let mut tcpdump = Command::new("tcpdump");
    if !tcpdump.arg("--version").output().is_ok_and(|output| output.status.success()) {
        return skip(name, "tcpdump is not installed");
    }
    if inside(name, as_root) {
        check_a_capture();
    }
}

fn check_a_capture() {
    let mut tcpdump = Command::new("tcpdump");
    tcpdump.args(["-i", "lo", "-w", "/dev/null", "-Z", "root"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut capture = tcpdump.spawn().unwrap();
    let pid = capture.id();
    // It may open others for a moment, and the ring comes a little after the socket.
    let captures = |row: &ConnectionRow| {
        let is_its = row.process.as_ref().is_some_and(|process| process.pid == pid);
        row.carrier == Carrier::Packet && is_its && row.closed.is_none() && row.caveat.is_some()
    };
    let mut watched = Watched::start();
    let picture = watched.until(|picture| picture.connections.iter().any(captures));
    let row = picture.connections.iter().find(|row| captures(row)).unwrap();
    assert_eq!((row.state, row.source, row.closed), ("UNCONN", Source::Unavailable, None));
    assert!(row.caveat.is_some_and(|caveat| caveat.contains("a ring")), "{:?}", row.caveat);
    let cookie = row.cookie;
    capture.kill().unwrap();
    capture.wait().unwrap();
    watched.until(|picture| picture.connections.iter().all(|row| row.cookie != cookie || row.closed.is_some()));
}
