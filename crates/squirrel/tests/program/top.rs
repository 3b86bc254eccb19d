//! `squirrel top` inside of a network namespace, with traffic whose bytes are known.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;
use squirrel_testkit::{Namespace, skip};

use crate::inside::{Inside, play};
use crate::support::{Daemon, squirrel};

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_squirrel"))
}

fn own_binary() -> PathBuf {
    std::env::current_exe().expect("the test's own path")
}

/// A measurement that has begun.
fn measuring(namespace: &Namespace, more: &[&str]) -> Inside {
    let mut command = namespace.command(program());
    command.args(["top", "--for", "10m"]).args(more);
    let measuring = Inside::spawn(command);
    measuring.wait_for("measuring for 600 s");
    measuring
}

/// The row of a table whose member has this value.
fn row<'a>(document: &'a Value, table: &str, member: &str, value: impl Into<Value>) -> &'a Value {
    let (rows, value) = (document[table].as_array().expect("rows"), value.into());
    rows.iter().find(|row| row[member] == value).unwrap_or_else(|| panic!("no {member} {value} in {rows:?}"))
}

#[test]
fn each_process_has_its_bytes_and_an_interrupt_prints_the_document() {
    if !play() {
        check_each_process_has_its_bytes_and_an_interrupt_prints_the_document();
    }
}

fn check_each_process_has_its_bytes_and_an_interrupt_prints_the_document() {
    let name = "top::each_process_has_its_bytes_and_an_interrupt_prints_the_document";
    let namespace = match Namespace::create("top") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    // A name that a terminal would obey: the kernel takes it from the file.
    let folder = tempfile::tempdir().expect("a folder");
    let evil = folder.path().join("evil\x1b[2J");
    symlink(own_binary(), &evil).expect("a link");
    let measuring = measuring(&namespace, &["--json", "--filter", "connections:>=0"]);
    let server = Inside::start(&namespace, &own_binary(), name, "serve 70000");
    let port = server.wait_for("port ");
    let clients: Vec<(usize, Inside)> = [("127.0.0.1", 1_000_000, &own_binary()), ("[::1]", 2_345_678, &evil)]
        .into_iter()
        .map(|(address, bytes, binary)| {
            let client = Inside::start(&namespace, binary, name, &format!("send {address}:{port} {bytes}"));
            assert_eq!(server.wait_for("served "), bytes.to_string());
            (bytes, client)
        })
        .collect();
    let (code, text) = measuring.interrupt();
    assert_eq!(code, 130, "{text}");
    assert!(!text.contains('\x1b') && text.contains("evil\\u001b[2J"), "the name is shown and not obeyed");
    let document: Value = serde_json::from_str(&text).expect("one document");
    assert_eq!((&document["schema"], &document["interrupted"]), (&"squirrel.top/1".into(), &true.into()));
    assert_eq!(document["measured_by"], "command");
    for (bytes, client) in &clients {
        let process = row(&document, "processes", "pid", client.pid());
        assert_eq!((&process["transmit_bytes"], &process["source"]), (&(*bytes).into(), &"exact".into()), "{process}");
        let connection = row(&document, "connections", "pid", client.pid());
        assert_eq!((&connection["transmit_bytes"], &connection["protocol"]), (&(*bytes).into(), &"tcp".into()));
        assert!(connection["rtt_us"].is_u64() && connection["cookie"].is_u64(), "{connection}");
    }
    let process = row(&document, "processes", "pid", server.pid());
    assert_eq!((&process["receive_bytes"], &process["transmit_bytes"]), (&3_345_678.into(), &140_000.into()));
    for process in document["processes"].as_array().expect("it is there") {
        let seconds = document["seconds"].as_f64().expect("it is there");
        let expected = process["receive_bytes"].as_f64().expect("it is there") / seconds;
        assert!(
            (process["receive_rate"].as_f64().expect("it is there") - expected).abs() < 1.0,
            "the rate is of the whole time"
        );
    }
    let interface = row(&document, "interfaces", "name", "lo");
    let part = |name: &str| interface[format!("{name}transmit_bytes")].as_i64().expect("a number");
    let parts = ["attributed_", "headers_", "forwarded_", "kernel_", "unexplained_"].map(part);
    assert_eq!(parts.iter().sum::<i64>(), part(""), "{interface}");
    assert!(part("") >= 3_345_678 + 140_000, "{interface}");
    let nobody: Vec<&Value> = document["unattributed"].as_array().expect("it is there").iter().collect();
    assert!(nobody.iter().all(|row| row["transmit_bytes"] == 0 && row["receive_bytes"] == 0), "{nobody:?}");
}

#[test]
fn datagrams_and_connections_of_a_moment_have_their_owners() {
    if !play() {
        check_datagrams_and_connections_of_a_moment_have_their_owners();
    }
}

fn check_datagrams_and_connections_of_a_moment_have_their_owners() {
    let name = "top::datagrams_and_connections_of_a_moment_have_their_owners";
    let namespace = match Namespace::create("short") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    let measuring = measuring(&namespace, &["--json"]);
    let datagrams = Inside::start(&namespace, &own_binary(), name, "datagrams 500 333");
    datagrams.wait_for("moved");
    let server = Inside::start(&namespace, &own_binary(), name, "serve 0");
    let port = server.wait_for("port ");
    let mut pids = Vec::new();
    for _ in 0..20 {
        let mut short = Inside::start(&namespace, &own_binary(), name, &format!("short 127.0.0.1:{port}"));
        pids.push(short.pid());
        assert_eq!(server.wait_for("served "), "64");
        assert_eq!(short.output().0, 0);
    }
    let document: Value = serde_json::from_str(&measuring.interrupt().1).expect("one document");
    if document["level"]["name"] != "sockets" {
        return skip(name, "the kernel-side ledger of sockets cannot be had here");
    }
    let process = row(&document, "processes", "pid", datagrams.pid());
    let moved = (&process["receive_bytes"], &process["transmit_bytes"], &process["source"]);
    assert_eq!(moved, (&166_500.into(), &166_500.into(), &"exact".into()), "{process}");
    for pid in pids {
        assert_eq!(row(&document, "processes", "pid", pid)["transmit_bytes"], 64);
    }
    assert_eq!(row(&document, "processes", "pid", server.pid())["receive_bytes"], 20 * 64);
    let nobody: Vec<&Value> = document["unattributed"].as_array().expect("it is there").iter().collect();
    assert!(nobody.iter().all(|row| row["transmit_bytes"] == 0 && row["receive_bytes"] == 0), "{nobody:?}");
    assert_eq!(document["lost_events"], 0);
}

#[test]
fn a_table_for_people_has_the_names_and_no_escape_sequence() {
    if !play() {
        check_a_table_for_people_has_the_names_and_no_escape_sequence();
    }
}

fn check_a_table_for_people_has_the_names_and_no_escape_sequence() {
    let name = "top::a_table_for_people_has_the_names_and_no_escape_sequence";
    let namespace = match Namespace::create("table") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let evil = folder.path().join("e\x1b]0;x\x07");
    symlink(own_binary(), &evil).expect("a link");
    let server = Inside::start(&namespace, &evil, name, "serve 10");
    let port = server.wait_for("port ");
    let _client = Inside::start(&namespace, &own_binary(), name, &format!("send 127.0.0.1:{port} 5000"));
    assert_eq!(server.wait_for("served "), "5000");
    for table in ["processes", "connections", "hosts", "interfaces"] {
        let mut command = namespace.command(program());
        command.args(["top", table, "--once", "--no-daemon"]);
        let (code, text) = Inside::spawn(command).output();
        assert_eq!(code, 0, "{text}");
        assert!(text.starts_with(&format!("{table} by rate desc, bytes of ")), "{text}");
        assert!(!text.contains('\x1b') && !text.contains('\x07'), "{text:?}");
        assert!(text.contains("showing "), "{text}");
        let expected = match table {
            "processes" => "e\\u{1b}]0;x\\u{7}",
            "connections" => "127.0.0.1",
            "hosts" => "ADDRESS",
            _ => "(lo)",
        };
        assert!(text.contains(expected), "{expected} in {text}");
    }
}

#[test]
fn a_daemon_is_asked_where_one_answers_and_says_what_its_account_is_worth() {
    let data = tempfile::tempdir().expect("a folder");
    let mut daemon = Daemon::start(data.path(), &[]);
    daemon.wait_for("accounting by ");
    daemon.next_tick();
    let server = daemon.address.clone();
    let (code, text, said) = squirrel(&["top", "hosts", "--once", "--json", "--server", &server, "--limit", "3"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(&format!("by the account of the daemon at {server}")), "{said}");
    let document: Value = serde_json::from_str(&text).expect("one document");
    assert_eq!(document["measured_by"], server.as_str());
    let listening = format!("port:{}", server.rsplit_once(':').expect("it is there").1);
    let (code, text, said) = squirrel(&["top", "connections", "--once", "--server", &server, "--filter", &listening]);
    assert_eq!(code, 0, "{said}");
    assert!(text.contains("squirrel") && text.contains(" chosen from "), "{text}");
    let (code, text, _) =
        squirrel(&["top", "--server", &server, "--interval", "100ms", "--count", "3", "--json-lines"]);
    assert_eq!((code, text.lines().count()), (0, 3), "{text}");

    let collectors: Value = serde_json::from_str(&daemon.text("/api/collectors")).expect("JSON");
    let accounting =
        collectors.as_array().expect("it is there").iter().find(|one| one["name"] == "accounting").expect("accounting");
    assert!(
        accounting["about"].as_str().expect("it is there").starts_with("Whose bytes they are, by "),
        "{accounting}"
    );
    daemon.wait_until("sum(squirrel_account_connections)", |number| number > 0.0);
}

#[test]
fn accounting_that_is_off_says_so() {
    let data = tempfile::tempdir().expect("a folder");
    let config = data.path().join("squirrel.toml");
    std::fs::write(&config, "[accounting]\nlevel = \"off\"\n").expect("written");
    let daemon = Daemon::start(&data.path().join("data"), &["--config", config.to_str().expect("it is there")]);
    let answer = daemon.get("/api/live/processes");
    assert_eq!(answer.status, 503);
    assert!(daemon.text("/api/live/books").contains("accounting is \\\"off\\\""));
    assert!(daemon.text("/api/collectors").contains("Switched off by level under [accounting]"));
    let (code, _, said) = squirrel(&["top", "--once", "--server", &daemon.address]);
    assert_eq!(code, 1);
    assert!(said.contains("accounting is \"off\""), "{said}");
}

#[test]
fn mistakes_are_told_before_anything_is_measured() {
    for (arguments, code, words) in [
        (&["top", "--for", "10s", "--filter", "prt:1"][..], 2, "Did you mean pid?"),
        (&["top", "--filter", "pid:(", "--once"], 2, "a value is missing"),
        (&["top", "--sort", "bites"], 2, "Did you mean bytes?"),
        (&["top", "--for", "1ms"], 2, "100ms to 1d"),
        (&["top", "--for", "1s", "--once"], 2, "cannot be used with"),
        (&["top", "nothing"], 2, "possible values: processes, connections, hosts, interfaces"),
        (&["top", "--once", "--server", "127.0.0.1:1"], 4, "no daemon is running"),
    ] {
        let (ended, text, said) = squirrel(arguments);
        assert_eq!((ended, text.as_str()), (code, ""), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

#[test]
fn schemas_are_published_as_the_program_prints_them() {
    for (command, file) in [
        ("top", "squirrel-top.schema.json"),
        ("sockets", "squirrel-sockets.schema.json"),
        ("ping", "squirrel-ping.schema.json"),
        ("path", "squirrel-path.schema.json"),
        ("check", "squirrel-check.schema.json"),
        ("probes", "squirrel-probes.schema.json"),
        ("probes show", "squirrel-probes-show.schema.json"),
    ] {
        let arguments: Vec<&str> = command.split(' ').chain(["--schema"]).collect();
        let (code, printed, _) = squirrel(&arguments);
        assert_eq!(code, 0);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file);
        let published = std::fs::read_to_string(&path).expect("the schema is published");
        assert!(published == printed, "write it anew: squirrel {command} --schema > docs/{file}");
    }
}
