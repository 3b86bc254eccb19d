//! Bytes that move in ways of their own: multipath TCP, zero copy, io_uring, the kernel's TLS, raw and packet sockets.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::PoisonError;

use squirrel_bpf::Options;
use squirrel_sys::SocketLedger as _;
use squirrel_testkit::skip;
use squirrel_wire::ledger::{SocketKind, SocketRecord};
use tempfile::TempDir;

use super::stage::{Moved, QUEUE, Stage, TCP, Truth, by_process, check_kernel_counters, compiled, play_program};

/// Compiles the program that makes the traffic, and opens a ledger.
fn opened() -> Result<(Stage, TempDir, PathBuf), String> {
    let (folder, program) = compiled("peculiar")?;
    Ok((Stage::open(&Options::default())?, folder, program))
}

/// What both processes of a connection moved.
fn moved_by(truth: &Truth) -> [Moved; 2] {
    let mut moved: Vec<Moved> = truth.values().copied().collect();
    moved.sort_by_key(|moved| moved.sent);
    moved.try_into().expect("two processes")
}

/// The ledger's rows without those of paths, whose bytes are counted with their socket.
fn whole(records: &[SocketRecord]) -> Vec<SocketRecord> {
    records.iter().filter(|record| record.path_of.is_none()).copied().collect()
}

#[test]
fn bytes_of_a_multipath_socket_belong_to_the_process_that_has_it() {
    let (mut stage, _folder, program) = match opened() {
        Ok(opened) => opened,
        Err(reason) => return skip("bytes_of_a_multipath_socket_belong_to_the_process_that_has_it", &reason),
    };
    let truth = play_program(&stage.namespace, &program, "multipath 1000000");
    assert_eq!(
        moved_by(&truth),
        [Moved { sent: 100_000, received: 1_000_000 }, Moved { sent: 1_000_000, received: 100_000 }]
    );
    let records = stage.last_words();
    let moved: Truth = by_process(&whole(&records)).into_iter().filter(|(_, moved)| moved.sent > 0).collect();
    assert_eq!(moved, truth, "{records:#?}");
    let sockets: BTreeSet<u64> =
        records.iter().filter(|r| r.kind == SocketKind::Multipath && r.transmit_bytes > 0).map(|r| r.cookie).collect();
    assert_eq!(sockets.len(), 2, "both ends");
    // Each end has a path, which carried all of it, and is no bytes of anybody else.
    let paths: Vec<&SocketRecord> = records.iter().filter(|record| record.path_of.is_some()).collect();
    assert_eq!(paths.iter().filter_map(|path| path.path_of).collect::<BTreeSet<u64>>(), sockets);
    let mut carried: Vec<(u64, u64)> = Vec::new();
    for path in paths {
        assert_eq!((path.kind, path.protocol, path.transmit_bytes, path.receive_bytes), (SocketKind::Tcp, TCP, 0, 0));
        let tcp = path.tcp.expect("TCP");
        carried.push((tcp.transmitted_payload(), tcp.received_payload()));
    }
    carried.sort_unstable();
    let [(little, much_came), (much, little_came)] = carried[..] else { panic!("two paths: {carried:?}") };
    // What one end sent, the other received, but for what went again and met the other end's close.
    assert!((100_000..=little).contains(&little_came) && (1_000_000..=much).contains(&much_came), "{carried:?}");
    // Data whose acknowledgement comes late is sent again on the path (RFC 8684, 3.3.6), which a busy machine does.
    assert!((100_000..200_000).contains(&little) && (1_000_000..2_000_000).contains(&much), "{little} {much}");
}

#[test]
fn multipath_sockets_of_one_listener_are_told_apart() {
    let (mut stage, _folder, program) = match opened() {
        Ok(opened) => opened,
        Err(reason) => return skip("multipath_sockets_of_one_listener_are_told_apart", &reason),
    };
    let truth = play_program(&stage.namespace, &program, "several 1000");
    assert_eq!(moved_by(&truth), [Moved { sent: 500, received: 5_000 }, Moved { sent: 5_000, received: 500 }]);
    let records = stage.last_words();
    let moved: Truth = by_process(&whole(&records)).into_iter().filter(|(_, moved)| moved.sent > 0).collect();
    assert_eq!(moved, truth, "{records:#?}");
    let ends = records.iter().filter(|r| r.kind == SocketKind::Multipath && r.transmit_bytes > 0);
    let names: BTreeSet<u64> = ends.map(|record| record.cookie).collect();
    assert_eq!(names.len(), 10, "the kernel gives all accepted ones the cookie of their listener");
    let paths: BTreeSet<u64> = records.iter().filter_map(|record| record.path_of).collect();
    assert_eq!(paths, names);
}

#[test]
fn a_path_that_the_kernel_makes_itself_is_no_bytes_of_the_kernel() {
    let (mut stage, _folder, program) = match opened() {
        Ok(opened) => opened,
        Err(reason) => return skip("a_path_that_the_kernel_makes_itself_is_no_bytes_of_the_kernel", &reason),
    };
    stage.namespace.ip(&["mptcp", "limits", "set", "subflows", "2"]).expect("multipath TCP can be set up");
    stage.namespace.ip(&["mptcp", "endpoint", "add", "127.0.0.2", "dev", "lo", "subflow"]).expect("an address more");
    let truth = play_program(&stage.namespace, &program, "paths 1000000");
    let records = stage.last_words();
    let moved: Truth = by_process(&whole(&records)).into_iter().filter(|(_, moved)| moved.sent > 0).collect();
    assert_eq!(moved, truth, "{records:#?}");
    let client = records.iter().find(|r| r.kind == SocketKind::Multipath && r.transmit_bytes > 1_000_000).unwrap();
    assert_eq!(client.transmit_bytes, 1_001_000);
    let paths: Vec<&SocketRecord> = records.iter().filter(|r| r.path_of == Some(client.cookie)).collect();
    assert_eq!(paths.len(), 2, "{records:#?}");
    let carried: u64 = paths.iter().filter_map(|path| path.tcp).map(|tcp| tcp.transmitted_payload()).sum();
    assert!(carried >= 1_001_000, "{carried} bytes of 1001000: what goes again by another path counts there too");
}

#[test]
fn zero_copy_io_uring_and_tls_are_counted_where_the_calls_are_made() {
    let (mut stage, _folder, program) = match opened() {
        Ok(opened) => opened,
        Err(reason) => return skip("zero_copy_io_uring_and_tls_are_counted_where_the_calls_are_made", &reason),
    };
    // Where the kernel has no TLS of its own, the program sends the same bytes without it, as programs do.
    for scenario in ["zerocopy 1000000", "ring 1000000", "tls 1000000"] {
        let truth = play_program(&stage.namespace, &program, scenario);
        let records = stage.last_words();
        let moved: Truth = by_process(&records).into_iter().filter(|(_, moved)| moved.sent > 0).collect();
        assert_eq!(moved, truth, "{scenario}: {records:#?}");
        let names: BTreeSet<&[u8]> = records.iter().map(|record| &record.comm[..8]).collect();
        assert_eq!(names, BTreeSet::from([b"peculiar".as_slice()]), "{scenario}: no worker of the kernel");
        // Records of TLS travel beside the payload.
        if !scenario.starts_with("tls") {
            check_kernel_counters(scenario, &records);
        }
    }
}

#[test]
fn raw_and_packet_sockets_have_rows_of_what_their_calls_moved() {
    let (mut stage, _folder, program) = match opened() {
        Ok(opened) => opened,
        Err(reason) => return skip("raw_and_packet_sockets_have_rows_of_what_their_calls_moved", &reason),
    };
    let all_echoes_arrive = QUEUE.read().unwrap_or_else(PoisonError::into_inner);
    let truth = play_program(&stage.namespace, &program, "echo 20");
    drop(all_echoes_arrive);
    let records = stage.last_words();
    assert_eq!(by_process(&records), truth);
    let [echo] = records[..] else { panic!("one socket: {records:#?}") };
    assert_eq!((echo.kind, echo.protocol), (SocketKind::Raw, 1));

    // Nothing tells of a packet socket's end: its rows stay until two passes have not met it.
    let truth = play_program(&stage.namespace, &program, "frames 30");
    let (ended, living, _) = stage.read();
    assert_eq!((ended.len(), by_process(&living)), (0, truth.clone()), "{living:#?}");
    let (_, _, _) = stage.read();
    let (ended, living, _) = stage.read();
    assert_eq!((by_process(&ended), living.len()), (truth, 0), "{ended:#?}");
    assert!(ended.iter().all(|record| record.kind == SocketKind::Packet && record.started_ns > 0));
    let (ended, living, _) = stage.read();
    assert_eq!((ended.len(), living.len()), (0, 0), "told once");
}

#[test]
fn a_process_that_is_gone_is_known_by_its_command_line_and_its_parent() {
    let (mut stage, _folder, program) = match opened() {
        Ok(opened) => opened,
        Err(reason) => {
            return skip("a_process_that_is_gone_is_known_by_its_command_line_and_its_parent", &reason);
        }
    };
    let truth = play_program(&stage.namespace, &program, "zerocopy 4000");
    let expected = [program.as_os_str().as_encoded_bytes(), b"\0zerocopy\x004000\0"].concat();
    let records = stage.last_words();
    let mut parents = BTreeSet::new();
    for record in records.iter().filter(|record| record.remote_port != 0) {
        let note = stage.ledger.process(record.tgid, record.started_ns).expect("can be read").expect("is known");
        assert_eq!(String::from_utf8_lossy(&note.command), String::from_utf8_lossy(&expected));
        parents.insert(note.parent);
        let later = stage.ledger.process(record.tgid, record.started_ns + 1).expect("can be read");
        assert_eq!(later, None, "another process with the number");
    }
    // One of them is the other one's parent.
    assert_eq!(parents.iter().filter(|parent| truth.contains_key(parent)).count(), 1, "{parents:?} {truth:?}");
    assert_eq!(stage.ledger.process(0, 1).expect("can be read"), None);
}
