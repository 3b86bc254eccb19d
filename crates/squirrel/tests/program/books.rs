//! The books at the usual level, `sockets`: traffic that no socket tells of has its reason, and the sum is the kernel's
//! counter.

use std::path::PathBuf;

use serde_json::Value;
use squirrel_testkit::{Namespace, skip};

use crate::inside::{Inside, play};
use crate::packets::{DIRECTIONS, Line, bytes, document, interface, measuring};

fn own_binary() -> PathBuf {
    std::env::current_exe().expect("the test's own path")
}

/// Bytes of an entry, zero when there is none.
fn entry(row: &Value, reason: &str, direction: &str) -> i64 {
    let entries = row["entries"].as_array().expect("entries");
    let entry = entries.iter().find(|entry| entry["reason"] == reason);
    entry.map_or(0, |entry| bytes(entry, "", direction))
}

fn sum_of_processes(document: &Value, direction: &str) -> i64 {
    document["processes"].as_array().expect("rows").iter().map(|row| bytes(row, "", direction)).sum()
}

/// The entries are the counter to the byte, each with its reason in words, and nearly nothing is unexplained.
fn check_balance(row: &Value) {
    let entries = row["entries"].as_array().expect("entries");
    assert!(entries.iter().all(|entry| entry["meaning"].as_str().expect("a sentence").ends_with('.')), "{row}");
    for direction in DIRECTIONS {
        let wire = bytes(row, "", direction);
        assert_eq!(entries.iter().map(|entry| bytes(entry, "", direction)).sum::<i64>(), wire, "{direction}: {row}");
        for part in ["attributed", "headers", "forwarded", "kernel", "unexplained"] {
            let of_part = entries.iter().filter(|entry| entry["part"] == part);
            let sum: i64 = of_part.map(|entry| bytes(entry, "", direction)).sum();
            assert_eq!(sum, bytes(row, &format!("{part}_"), direction), "{part} {direction}: {row}");
        }
        assert!(bytes(row, "unexplained_", direction) * 100 < wire, "{direction}: {row}");
    }
}

#[test]
fn odd_traffic_on_the_loopback_has_its_reasons() {
    if !play() {
        check_odd_traffic_on_the_loopback();
    }
}

fn check_odd_traffic_on_the_loopback() {
    let name = "books::odd_traffic_on_the_loopback_has_its_reasons";
    let namespace = match Namespace::create("odd") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    let measuring = measuring(&namespace, "sockets");
    let server = Inside::start(&namespace, &own_binary(), name, "odd-serve");
    let ports = server.wait_for("ports ");
    let clients = ["127.0.0.1", "::1"].map(|address| {
        let client = Inside::start(&namespace, &own_binary(), name, &format!("odd-call {address} {ports}"));
        client.wait_for("called");
        client
    });
    let document = document(measuring);
    drop(clients);
    if document["level"]["name"] != "sockets" {
        return skip(name, &document["level"]["missing"].to_string());
    }
    let row = interface(&document, "lo").expect("it is there");
    check_balance(row);
    for direction in DIRECTIONS {
        // What the processes moved is what the interface carried of it.
        assert_eq!(sum_of_processes(&document, direction), bytes(row, "attributed_", direction), "{direction}: {row}");
        assert!(entry(row, "segments_without_connection", direction) > 1_000, "{direction}: {row}");
        assert!(entry(row, "icmp", direction) > 1_000, "{direction}: {row}");
    }
    // Both clients: datagrams to the deaf socket and to nobody, and what was not read of the streams.
    let unread = 2 * (1_000 * 700 + 100 * 300 + 20_000);
    let not_read = entry(row, "not_read", "receive");
    assert!((unread..unread + 2 * 34 * 64 + 1).contains(&not_read), "{not_read}: {row}");
}

#[test]
fn what_a_router_passes_on_is_forwarded_and_odd_traffic_at_its_ends_has_its_reasons() {
    if !play() {
        check_a_router_and_its_ends();
    }
}

fn check_a_router_and_its_ends() {
    let name = "books::what_a_router_passes_on_is_forwarded_and_odd_traffic_at_its_ends_has_its_reasons";
    let line = match Line::create() {
        Ok(line) => line,
        Err(reason) => return skip(name, &reason),
    };
    line.connect().expect("the cables are plugged in");
    let watched = [&line.left, &line.router, &line.right].map(|namespace| measuring(namespace, "sockets"));
    let server = Inside::start(&line.right, &own_binary(), name, "odd-serve");
    let ports = server.wait_for("ports ");
    let clients = ["10.77.2.2", "fd77:2::2"].map(|address| {
        let client = Inside::start(&line.left, &own_binary(), name, &format!("odd-call {address} {ports}"));
        client.wait_for("called");
        client
    });
    let [left, router, right] = watched.map(document);
    drop(clients);
    if left["level"]["name"] != "sockets" {
        return skip(name, &left["level"]["missing"].to_string());
    }
    for name in ["l0", "r0"] {
        let row = interface(&router, name).expect("it is there");
        check_balance(row);
        for direction in DIRECTIONS {
            assert!(entry(row, "routed", direction) * 100 > bytes(row, "", direction) * 95, "{direction}: {row}");
        }
    }
    for (document, sent) in [(&left, "transmit"), (&right, "receive")] {
        let row = interface(document, "e0").expect("it is there");
        check_balance(row);
        let processes = sum_of_processes(document, sent);
        assert_eq!(processes, bytes(row, "attributed_", sent), "{row}");
        assert!(processes >= 2 * (1_000_000 + 200 * 500), "{processes}");
        assert_eq!(bytes(row, "forwarded_", "receive") + bytes(row, "forwarded_", "transmit"), 0, "{row}");
    }
    let row = interface(&right, "e0").expect("it is there");
    let kept_from_programs = entry(row, "not_read", "receive") + entry(row, "datagrams_refused", "receive");
    let sent = 2 * (1_000 * 700 + 100 * 300);
    assert!(kept_from_programs * 10 > sent * 9, "{kept_from_programs}: {row}");
}

/// Two namespaces: a tunnel over a bridge, a port of which leads to the other side.
fn tunnelled() -> Result<(Namespace, Namespace), String> {
    let (here, there) = (Namespace::create("bridged")?, Namespace::create("far")?);
    here.ip(&["link", "add", "port", "type", "veth", "peer", "name", "e0", "netns", there.name()])?;
    here.ip(&["link", "add", "br0", "type", "bridge"])?;
    here.ip(&["link", "set", "port", "master", "br0", "up"])?;
    for (namespace, under, own, other) in [(&here, "br0", "1", "2"), (&there, "e0", "2", "1")] {
        namespace.ip(&["address", "add", &format!("10.78.1.{own}/24"), "dev", under])?;
        namespace.ip(&["link", "set", under, "up"])?;
        let (local, remote) = (format!("10.78.1.{own}"), format!("10.78.1.{other}"));
        let tunnel = ["link", "add", "tunnel", "type", "vxlan", "id", "7", "dstport", "4789"];
        namespace.ip(&[&tunnel[..], &["local", &local, "remote", &remote]].concat())?;
        namespace.ip(&["address", "add", &format!("10.78.2.{own}/24"), "dev", "tunnel"])?;
        namespace.ip(&["link", "set", "tunnel", "up"])?;
    }
    Ok((here, there))
}

#[test]
fn what_a_tunnel_over_a_bridge_carries_is_counted_once() {
    if !play() {
        check_a_tunnel_over_a_bridge();
    }
}

fn check_a_tunnel_over_a_bridge() {
    let name = "books::what_a_tunnel_over_a_bridge_carries_is_counted_once";
    let (here, there) = match tunnelled() {
        Ok(namespaces) => namespaces,
        Err(reason) => return skip(name, &reason),
    };
    let measuring = measuring(&here, "sockets");
    let server = Inside::start(&there, &own_binary(), name, "serve 500000");
    let port = server.wait_for("port ");
    let client = Inside::start(&here, &own_binary(), name, &format!("exchange 10.78.2.2:{port} 2000000 500000"));
    client.wait_for("fetched");
    let document = document(measuring);
    if document["level"]["name"] != "sockets" {
        return skip(name, &document["level"]["missing"].to_string());
    }
    let rows = document["interfaces"].as_array().expect("rows");
    let counted: Vec<&str> =
        rows.iter().filter(|row| row["counted_elsewhere"].is_null()).filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(counted, ["port"], "{rows:?}");
    for name in ["tunnel", "br0", "port"] {
        let row = interface(&document, name).expect("it is there");
        assert!((2_000_000..2_400_000).contains(&bytes(row, "", "transmit")), "{row}");
        check_balance(row);
    }
    let of = |name, reason, direction| entry(interface(&document, name).expect("it is there"), reason, direction);
    assert_eq!((of("tunnel", "payload", "transmit"), of("tunnel", "payload", "receive")), (2_000_000, 500_000));
    // The outside is the kernel's on the bridge, and of others at its port.
    assert!(of("br0", "tunnels", "transmit") > 2_000_000 && of("br0", "tunnels", "receive") > 500_000);
    assert_eq!(of("br0", "payload", "transmit"), 0);
    assert!(of("port", "passed_through", "transmit") > 2_000_000);
}
