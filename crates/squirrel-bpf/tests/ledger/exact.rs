//! Bytes and owners, exactly.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use squirrel_bpf::Options;
use squirrel_testkit::{Namespace, skip};
use squirrel_wire::ledger::SocketRecord;

use super::stage::{
    LISTEN, Moved, Paused, QUEUE, SYN_SENT, Stage, TCP, by_process, check_kernel_counters, check_processes,
};

#[test]
fn each_process_has_the_bytes_that_it_moved() {
    let mut stage = match Stage::open(&Options::default()) {
        Ok(stage) => stage,
        Err(reason) => return skip("each_process_has_the_bytes_that_it_moved", &reason),
    };
    let scenarios = [
        // Bulk both ways over IPv4, IPv6, and IPv4 to an IPv6 socket; half closed before all is read.
        "stream 127.0.0.1 8388608",
        "stream ::1 8388608",
        "stream :: 100000",
        // Receivers and senders, bound or connected, IPv4 to IPv6 sockets among them.
        "datagrams 127.0.0.1 127.0.0.1 500 connected",
        "datagrams 0.0.0.0 127.0.0.1 500 unconnected",
        "datagrams ::1 ::1 500 connected",
        "datagrams :: ::1 500 unconnected",
        "datagrams :: 127.0.0.1 500 unconnected",
        "datagrams :: ::ffff:127.0.0.1 500 connected",
        "datagrams :: ::ffff:127.0.0.1 500 unconnected",
        "reset 200",
        "prefork 3 200",
        "reuse-port 3 200",
        "passed 100000",
        "shared 100000 3",
    ];
    let _all_datagrams_arrive = QUEUE.read().unwrap_or_else(PoisonError::into_inner);
    for scenario in scenarios {
        let truth = stage.play(scenario);
        let records = stage.last_words();
        check_processes(scenario, &truth, &records);
        // A worker that ends resets what still waits for it: it arrived, and nobody read it.
        if !scenario.starts_with("reuse-port") && !scenario.starts_with("prefork") {
            check_kernel_counters(scenario, &records);
        }
        let old = records.iter().filter(|record| record.older).count();
        assert_eq!(old, 0, "{scenario}: nothing is older than the ledger");
    }
}

#[test]
fn five_thousand_short_connections_of_fifty_processes_are_all_there() {
    // Nobody reads while they run, and the ends of all other connections of the host come too.
    let mut stage = match Stage::open(&Options { ring_bytes: 16 << 20, ..Options::default() }) {
        Ok(stage) => stage,
        Err(reason) => return skip("five_thousand_short_connections_of_fifty_processes_are_all_there", &reason),
    };
    let truth = stage.play("short 50 100");
    assert_eq!(truth.len(), 51);
    let records = stage.last_words();
    check_processes("short", &truth, &records);
    check_kernel_counters("short", &records);
    let connections: BTreeSet<u64> = records.iter().filter(|r| r.remote_port != 0).map(|r| r.cookie).collect();
    assert_eq!(connections.len(), 10_000, "both ends of each connection");
    let client = Moved { sent: 6400, received: 3200 };
    assert_eq!(by_process(&records).values().filter(|moved| **moved == client).count(), 50);
}

#[test]
fn a_connection_that_is_closed_without_a_call_belongs_to_who_closed_it() {
    let mut stage = match Stage::open(&Options::default()) {
        Ok(stage) => stage,
        Err(reason) => return skip("a_connection_that_is_closed_without_a_call_belongs_to_who_closed_it", &reason),
    };
    let truth = stage.play("idle 20");
    let records = stage.last_words();
    let listener = records.iter().find(|record| record.state == LISTEN).expect("a listener");
    let accepted: Vec<&SocketRecord> =
        records.iter().filter(|r| r.local_port == listener.local_port && r.remote_port != 0).collect();
    assert_eq!(accepted.len(), 20);
    let owners: BTreeSet<u32> = accepted.iter().map(|record| record.tgid).collect();
    assert_eq!(owners.len(), 1);
    assert!(!owners.contains(&listener.tgid), "the child accepted, the parent listened");
    assert!(owners.iter().all(|owner| truth.contains_key(owner)));
}

#[test]
fn what_goes_around_the_calls_is_in_the_kernels_counters() {
    let mut stage = match Stage::open(&Options::default()) {
        Ok(stage) => stage,
        Err(reason) => return skip("what_goes_around_the_calls_is_in_the_kernels_counters", &reason),
    };
    let truth = stage.play("files 500000");
    let records = stage.last_words();
    let moved = by_process(&records);
    let (sender, _) = truth.iter().find(|(_, moved)| moved.sent > 0).expect("a sender");
    // Sendfile is a sending call since 6.5; before, it goes around them too.
    assert!([0, 500_000].contains(&moved[sender].sent), "{moved:?}");
    let sending = records.iter().find(|r| r.tgid == *sender && r.remote_port != 0).expect("the sender's end");
    assert_eq!(sending.tcp.expect("TCP").transmitted_payload(), 500_000);
    let receiver = records.iter().find(|r| r.protocol == TCP && r.remote_port != 0 && r.tgid != *sender);
    let receiver = receiver.expect("the receiver's end");
    assert!(truth.contains_key(&receiver.tgid));
    assert_eq!(receiver.receive_bytes, 0, "splice is no receiving call");
    assert_eq!(receiver.tcp.expect("TCP").received_payload(), 500_000);
}

#[test]
fn each_connection_of_one_socket_ends_by_itself() {
    let mut stage = match Stage::open(&Options::default()) {
        Ok(stage) => stage,
        Err(reason) => return skip("each_connection_of_one_socket_ends_by_itself", &reason),
    };
    let truth = stage.play("again");
    let records = stage.last_words();
    check_processes("again", &truth, &records);
    let listener = records.iter().find(|record| record.state == LISTEN).expect("a listener");
    let client = records.iter().filter(|r| r.remote_port == listener.local_port);
    let moved: Vec<_> = client.map(|r| (r.cookie, r.transmit_bytes, r.tcp.map(|tcp| tcp.bytes_sent))).collect();
    let cookie = moved[0].0;
    // The last one was refused: it moved nothing, and its state was that of one who asks.
    assert_eq!(moved, [(cookie, 100, Some(100)), (cookie, 200, Some(200)), (cookie, 0, Some(0))], "{records:#?}");
    assert_eq!(records.iter().filter(|record| record.state == SYN_SENT).count(), 1, "{records:#?}");
}

#[test]
fn a_connection_older_than_the_ledger_counts_from_then_on() {
    let namespace = match Namespace::create("older") {
        Ok(namespace) => namespace,
        Err(reason) => return skip("a_connection_older_than_the_ledger_counts_from_then_on", &reason),
    };
    let process = Paused::start(&namespace, "late");
    let mut stage = match Stage::open_in(&Options::default(), namespace) {
        Ok(stage) => stage,
        Err(reason) => return skip("a_connection_older_than_the_ledger_counts_from_then_on", &reason),
    };
    let (_, living, _) = stage.read();
    assert_eq!(living.len(), 3, "a listener and both ends: {living:?}");
    for record in &living {
        assert_eq!((record.tgid, record.older, record.inherited), (process.pid(), true, true), "{record:?}");
        assert_eq!((record.transmit_bytes, record.receive_bytes), (0, 0));
        assert!(record.comm.starts_with(b"traffic") && record.started_ns > 0);
    }
    let truth = process.finish();
    let records = stage.last_words();
    check_processes("late", &truth, &records);
    check_kernel_counters("late", &records);
    assert!(records.iter().filter(|r| r.remote_port != 0).all(|r| r.older && !r.inherited), "{records:?}");
}
