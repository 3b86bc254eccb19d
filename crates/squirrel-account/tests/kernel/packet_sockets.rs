//! Sockets that take frames of an interface, beside a program that has one with a ring.

use std::process::{Command, Stdio};

use squirrel_account::{Carrier, Source};
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
    let mut watched = Watched::start();
    let picture = watched.until(|picture| {
        let rows = picture.connections.iter().filter(|row| row.carrier == Carrier::Packet);
        rows.filter_map(|row| row.process.as_ref()).any(|process| process.pid == capture.id())
    });
    let row = picture.connections.iter().find(|row| row.carrier == Carrier::Packet).unwrap();
    assert_eq!((row.state, row.source, row.closed), ("UNCONN", Source::Unavailable, None));
    assert!(row.caveat.is_some_and(|caveat| caveat.contains("a ring")), "{:?}", row.caveat);
    let cookie = row.cookie;
    capture.kill().unwrap();
    capture.wait().unwrap();
    watched.until(|picture| picture.connections.iter().all(|row| row.cookie != cookie || row.closed.is_some()));
}
