//! What is missing is told: a ring that overruns, parts that do not load, privileges that are gone.

use std::sync::PoisonError;

use squirrel_bpf::{Ledger, Options};
use squirrel_sys::{Missed, SocketLedger as _, privilege};
use squirrel_testkit::{skip, until};
use squirrel_wire::ledger::SocketKind;

use super::stage::{LISTEN, PATIENCE, Paused, QUEUE, Stage, by_process, check_processes, compiled};

/// Half-open connections. As many as a listener takes cost the ledger as much as one: none has a socket yet.
const FLOOD: usize = 100_000;

#[test]
fn ends_that_did_not_fit_into_the_ring_are_counted() {
    let options = Options { ring_bytes: 4096, ..Options::default() };
    let mut stage = match Stage::open(&options) {
        Ok(stage) => stage,
        Err(reason) => return skip("ends_that_did_not_fit_into_the_ring_are_counted", &reason),
    };
    stage.play("short 2 50");
    // The kernel ends a socket a little after its process.
    let (mut came, mut lost) = (0, 0);
    let all_told = until(PATIENCE, || {
        let (ended, _, more) = stage.read();
        (came, lost) = (came + ended.len() as u64, lost + more);
        came + lost >= 200
    });
    assert!(all_told && lost > 0 && came < 200, "{came} came, {lost} were lost");
    // Ends of others on this host are lost meanwhile, but not at all times.
    assert!(until(PATIENCE, || stage.read().2 == 0), "a loss is told once");
}

#[test]
fn bytes_that_find_no_row_are_counted_as_missed() {
    let options = Options { further_rows: 1, ..Options::default() };
    let mut stage = match Stage::open(&options) {
        Ok(stage) => stage,
        Err(reason) => return skip("bytes_that_find_no_row_are_counted_as_missed", &reason),
    };
    // The owner, and three more of whom one finds room.
    let truth = stage.play("shared 1000 3");
    let told: u64 = by_process(&stage.last_words()).values().map(|moved| moved.sent).sum();
    let missed = stage.ledger.missed().expect("counters are read");
    let moved: u64 = truth.values().map(|moved| moved.sent).sum();
    assert_eq!(moved, 1010 + 3 * 500);
    // Others on this host may share sockets meanwhile.
    assert!(told < moved && told + missed.transmit_bytes >= moved, "{told} told, {missed:?}, of {moved}");
    assert!(until(PATIENCE, || stage.ledger.missed().expect("counters are read").transmit_bytes == 0), "told once");
}

#[test]
fn a_flood_of_half_open_connections_costs_the_ledger_nothing() {
    let test = "a_flood_of_half_open_connections_costs_the_ledger_nothing";
    let opened = compiled("flood").and_then(|compiled| Ok((compiled, Stage::open(&Options::default())?)));
    let ((_folder, program), mut stage) = match opened {
        Ok(opened) => opened,
        Err(reason) => return skip(test, &reason),
    };
    let _nobody_needs_the_queue = QUEUE.write().unwrap_or_else(PoisonError::into_inner);
    let namespace = &stage.namespace;
    namespace.ip(&["address", "add", "10.9.9.9/32", "dev", "lo"]).expect("an address");
    namespace.ip(&["route", "add", "default", "dev", "lo"]).expect("a way for the answers");
    let limits = ["net.core.somaxconn=1048576", "net.ipv4.tcp_max_syn_backlog=1048576", "net.ipv4.tcp_syncookies=0"];
    let set = namespace.command("sysctl").arg("-qw").args(limits).status().expect("sysctl runs");
    assert!(set.success());
    let flood = Paused::run(namespace, &program, &format!("{FLOOD} 10.9.9.9"));
    let listed = namespace.command("ss").args(["-Htn", "state", "syn-recv"]).output().expect("ss runs").stdout;
    let half_open = listed.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()).count();
    // A SYN may be dropped on a busy machine, and a dump is no snapshot.
    assert!(half_open > FLOOD / 10 * 9, "the kernel holds {half_open}");
    let (ended, living, lost) = stage.read();
    assert_eq!((ended.len(), lost), (0, 0));
    // The other row is that of the raw socket which sends them.
    let kinds: Vec<_> = living.iter().map(|record| (record.kind, record.state == LISTEN, record.tgid)).collect();
    let expected = [(SocketKind::Tcp, true, flood.pid()), (SocketKind::Raw, false, flood.pid())];
    assert!(kinds.len() == 2 && expected.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    assert_eq!(stage.ledger.missed().expect("counters are read"), Missed::default());
}

#[test]
fn a_part_that_does_not_load_is_named_and_the_rest_works() {
    let options = Options { without: vec!["release".to_owned(), "seed".to_owned()], ..Options::default() };
    let mut stage = match Stage::open(&options) {
        Ok(stage) => stage,
        Err(reason) => return skip("a_part_that_does_not_load_is_named_and_the_rest_works", &reason),
    };
    let parts = stage.ledger.parts();
    let missing = parts.iter().filter(|(_, why)| why.as_deref() == Some("switched off"));
    let missing: Vec<&str> = missing.map(|(name, _)| name.as_str()).collect();
    assert_eq!(missing, ["ends of UDP sockets", "owners of older sockets"]);
    let truth = stage.play("stream 127.0.0.1 1000");
    let records = stage.last_words();
    check_processes("stream", &truth, &records);
}

#[test]
fn without_the_tracepoints_of_calls_functions_are_tried_and_each_refusal_is_a_sentence() {
    let options = Options { without: vec!["count_send".to_owned()], ..Options::default() };
    let mut stage = match Stage::open(&options) {
        Ok(stage) => stage,
        Err(reason) => {
            return skip(
                "without_the_tracepoints_of_calls_functions_are_tried_and_each_refusal_is_a_sentence",
                &reason,
            );
        }
    };
    let parts = stage.ledger.parts();
    let functions: Vec<_> = parts.iter().filter(|(name, _)| name.ends_with("by function")).collect();
    assert_eq!(functions.len(), 5, "{parts:?}");
    let calls = parts.iter().filter(|(name, _)| name.ends_with("calls"));
    assert!(calls.clone().count() == 2 && calls.clone().all(|(_, reason)| reason.is_some()), "{parts:?}");
    let truth = stage.play("stream 127.0.0.1 100000");
    let records = stage.last_words();
    if functions.iter().all(|(_, reason)| reason.is_none()) {
        check_processes("stream", &truth, &records);
    } else {
        for (name, reason) in functions {
            let reason = reason.as_deref().unwrap_or_default();
            assert!(reason.contains("forbids") && reason.contains("policy"), "{name}: {reason}");
        }
        // The kernel's counters and the owner are there all the same.
        for record in records.iter().filter(|record| record.remote_port != 0) {
            let tcp = record.tcp.expect("TCP");
            assert_eq!((tcp.transmitted_payload(), tcp.received_payload()), (100_000, 100_000), "{record:?}");
            assert_eq!((record.transmit_bytes, record.receive_bytes), (0, 0));
            assert!(truth.contains_key(&record.tgid), "{record:?}");
        }
    }
}

#[test]
fn without_type_information_the_sentence_says_what_is_missing() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let garbage = folder.path().join("garbage");
    std::fs::write(&garbage, b"no type information").expect("writes a file");
    for path in [folder.path().join("nothing"), garbage] {
        let options = Options { type_information: path.clone(), ..Options::default() };
        let text = Ledger::open(&options).map(|ledger| ledger.parts()).expect_err("nothing loads").to_string();
        let path = path.display().to_string();
        for word in ["no socket is accounted", path.as_str(), "CONFIG_DEBUG_INFO_BTF"] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
}

#[test]
fn nothing_at_all_is_an_error_that_says_how_to_permit_it() {
    // Capabilities belong to a thread: this one gives them up, the other tests keep theirs.
    let error = std::thread::spawn(|| {
        privilege::drop_all().expect("privileges can be dropped");
        Ledger::open(&Options::default()).map(|ledger| ledger.parts()).expect_err("nothing loads")
    });
    let text = error.join().expect("the thread ends").to_string();
    for word in ["no socket is accounted", "CAP_BPF", "CAP_PERFMON", "AmbientCapabilities", "setcap"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn a_ledger_is_read_after_all_privileges_are_gone() {
    let mut stage = match Stage::open(&Options::default()) {
        Ok(stage) => stage,
        Err(reason) => return skip("a_ledger_is_read_after_all_privileges_are_gone", &reason),
    };
    let truth = stage.play("shared 1000 1");
    let (records, missed) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            privilege::drop_all().expect("privileges can be dropped");
            (stage.last_words(), stage.ledger.missed().expect("counters are read"))
        });
        reader.join().expect("the thread ends")
    });
    check_processes("shared", &truth, &records);
    assert_eq!(missed, Missed::default());
}
