//! `squirrel sockets` beside Debian's `ss`, on real sockets of a network namespace.

use std::path::Path;

use serde_json::Value;
use squirrel_testkit::{Namespace, skip, until};

use crate::inside::{Inside, play};
use crate::support::{PATIENCE, squirrel};

fn inside(namespace: &Namespace, program: &str, arguments: &[&str]) -> (i32, String, String) {
    let output = namespace.command(program).args(arguments).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_squirrel")
}

/// State, queues, local and remote of each line, the same way for both programs: `ss` writes the unspecified address
/// of a socket for both families as `*`, and leaves the state out where only one was asked for.
fn rows(text: &str, with_state: bool) -> Vec<String> {
    let words = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let first = words.iter().position(|word| word.parse::<u32>().is_ok()).expect("a queue");
        let state = if with_state { words[first - 1] } else { "" };
        let address = |word: &str| word.replace("[::]", "*");
        let [receive, send, local, remote] = words[first..first + 4] else { panic!("{line}") };
        format!("{state} {receive} {send} {} {}", address(local), address(remote))
    };
    let mut rows: Vec<String> = text.lines().map(words).collect();
    rows.sort();
    rows
}

#[test]
fn the_same_sockets_as_ss_for_the_same_filters() {
    if !play() {
        check_the_same_sockets_as_ss_for_the_same_filters();
    }
}

fn check_the_same_sockets_as_ss_for_the_same_filters() {
    let name = "sockets::the_same_sockets_as_ss_for_the_same_filters";
    let namespace = match Namespace::create("ss") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    let sockets = Inside::start(&namespace, &std::env::current_exe().expect("it is there"), name, "sockets");
    sockets.wait_for("ready");
    let mut some = 0;
    for flags in ["-Htan", "-Htn", "-Htln", "-Huan", "-Hun", "-Hta4n", "-Hta6n", "-Htuan"] {
        for filter in [
            "",
            "state established",
            "state connected",
            "state listening state time-wait",
            "exclude listening exclude time-wait",
            "state bucket",
            "state big",
            "state synchronized",
            "sport = :8080",
            "sport = :domain",
            "dport > :1024",
            "dport >= :8080 and dport < :9090",
            "sport != :8080",
            "( sport = :8080 or dport = :8080 )",
            "sport = :8080 or sport = :9090 and dport > :1024",
            "not dport = :8080",
            "! ( dport = :8080 or sport = :8080 )",
            "src 127.0.0.0/8",
            "src 127/8",
            "src 127.0.0.0/8:8080",
            "dst [::1]",
            "dst [::1]:8080",
            "src [::]",
            "dst [::ffff:127.0.0.1]",
            "dst 0.0.0.0/0",
            "dst *:8080",
            "dst :8080",
            "autobound",
            "autobound dst 127.0.0.1",
            "dev lo",
            "dev != lo",
            "state established ( sport = :8080 && src 127.0.0.1 )",
        ] {
            let words: Vec<&str> = std::iter::once(flags).chain(filter.split_whitespace()).collect();
            let ours: Vec<&str> = std::iter::once("sockets").chain(words.iter().copied()).collect();
            let mut found = (Vec::new(), Vec::new());
            // A connection leaves TIME-WAIT after a minute, which may be between the two.
            let same = until(PATIENCE, || {
                let (code, theirs, said) = inside(&namespace, "ss", &words);
                if code != 0 {
                    // It has no IPv6 addresses with -4, and the other way round.
                    assert!(said.contains("inet prefix") || said.contains("inet6 prefix"), "ss {words:?}: {said}");
                    return true;
                }
                let (code, text, said) = inside(&namespace, program(), &ours);
                assert_eq!(code, 0, "{ours:?}: {said}");
                let with_state = theirs.split_whitespace().take(2).any(|word| word.starts_with(char::is_uppercase));
                found = (rows(&text, with_state), rows(&theirs, with_state));
                found.0 == found.1
            });
            assert!(same, "{words:?}: {found:#?}");
            some += found.1.len();
        }
    }
    assert!(some > 500, "the filters chose {some} rows");
}

#[test]
fn json_has_the_owners_and_what_tcp_knows() {
    if !play() {
        check_json_has_the_owners_and_what_tcp_knows();
    }
}

fn check_json_has_the_owners_and_what_tcp_knows() {
    let name = "sockets::json_has_the_owners_and_what_tcp_knows";
    let namespace = match Namespace::create("json") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    let sockets = Inside::start(&namespace, &std::env::current_exe().expect("it is there"), name, "sockets");
    sockets.wait_for("ready");
    let filter = format!("pid:{} port:8080 rtt:<1s", sockets.pid());
    let (code, text, said) = inside(
        &namespace,
        program(),
        &["sockets", "--json", "-tp", "--filter", &filter, "--sort", "local_port", "--limit", "5"],
    );
    assert_eq!(code, 0, "{said}");
    let document: Value = serde_json::from_str(&text).expect("one document");
    assert_eq!((&document["schema"], &document["matched"]), (&"squirrel.sockets/1".into(), &12.into()));
    let rows = document["sockets"].as_array().expect("rows");
    assert_eq!(rows.len(), 5);
    for row in rows {
        assert_eq!(row["processes"][0]["pid"], sockets.pid());
        assert!(row["tcp"]["rtt_us"].is_u64() && row["memory"]["receive_buffer"].is_u64(), "{row}");
    }
    let (_, text, _) =
        inside(&namespace, program(), &["sockets", "--watch=100ms", "--count", "2", "--json-lines", "-t"]);
    let last: Value = serde_json::from_str(text.lines().last().expect("two lines")).expect("JSON");
    assert_eq!(last["sockets"][0]["receive_rate"], 0.0);
    let (_, table, _) = inside(&namespace, program(), &["sockets", "-tipem", "state", "established"]);
    for word in ["rtt:", "skmem:(", "cookie:", "cwnd:", &format!("pid={}", sockets.pid())] {
        assert!(table.contains(word), "{word} in {table}");
    }
}

#[test]
fn sockets_are_closed_only_with_a_filter_and_a_yes() {
    if !play() {
        check_sockets_are_closed_only_with_a_filter_and_a_yes();
    }
}

fn check_sockets_are_closed_only_with_a_filter_and_a_yes() {
    let name = "sockets::sockets_are_closed_only_with_a_filter_and_a_yes";
    let namespace = match Namespace::create("kill") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    let sockets = Inside::start(&namespace, &std::env::current_exe().expect("it is there"), name, "sockets");
    sockets.wait_for("ready");
    let run = |arguments: &[&str]| inside(&namespace, program(), arguments);
    let open = || run(&["sockets", "-Ht", "dport", "=", ":8080"]).1.lines().count();
    assert_eq!(open(), 6);
    let (code, _, said) = run(&["sockets", "-t", "--kill", "--yes"]);
    assert_eq!(code, 2);
    assert!(said.contains("without a filter"), "{said}");
    let (code, text, said) = run(&["sockets", "-t", "--kill", "dport", "=", ":8080", "src", "127.0.0.1"]);
    assert_eq!((code, text.lines().count()), (0, 4), "{text}");
    assert!(said.contains("--yes closes 3 sockets"), "{said}");
    assert_eq!(open(), 6, "nothing was closed");
    let (code, _, said) = run(&["sockets", "-t", "--kill", "--yes", "dport", "=", ":8080", "src", "127.0.0.1"]);
    if said.contains("CONFIG_INET_DIAG_DESTROY") {
        return skip(name, "this kernel cannot close sockets for others");
    }
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("closed 3 of 3 sockets"), "{said}");
    assert_eq!(open(), 3);
    // From outside of the namespace the way in is another one.
    let there = ["sockets", "-t", "-N", namespace.name(), "--kill", "--yes", "dport", "=", ":8080"];
    let (code, _, said) = squirrel(&there);
    assert!(code == 0 && said.contains("closed 3 of 3 sockets"), "{said}");
    assert_eq!(open(), 0);
    let (code, _, said) = run(&["sockets", "--kill", "--yes", "dport", "=", ":1"]);
    assert_eq!(code, 1);
    assert!(said.contains("nothing was closed"), "{said}");
}

#[test]
fn mistakes_are_marked_where_they_stand() {
    for (arguments, words) in [
        (&["sockets", "sprot = :22"][..], "Did you mean sport?"),
        (&["sockets", "state", "establishd"], "  state establishd\n        ^"),
        (&["sockets", "--filter", "rtt:>5"], "write 5ms"),
        (&["sockets", "--sort", "rt"], "Did you mean rtt?"),
        (&["sockets", "fwmark = 1"], "CAP_NET_ADMIN"),
        (&["sockets", "--watch=1ms"], "at least 100ms"),
        (&["sockets", "--yes"], "--kill"),
        (&["sockets", "-N", "squirrel-no-such-namespace"], "ip netns"),
    ] {
        let (code, text, said) = squirrel(arguments);
        assert_eq!((code, text.as_str()), (2, ""), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    assert!(Path::new(program()).exists());
}

#[test]
fn the_sockets_of_all_namespaces_are_listed_with_the_name_of_each() {
    if !play() {
        check_the_sockets_of_all_namespaces();
    }
}

fn check_the_sockets_of_all_namespaces() {
    let name = "sockets::the_sockets_of_all_namespaces_are_listed_with_the_name_of_each";
    let (one, other) = match (Namespace::create("one"), Namespace::create("other")) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(reason), _) | (_, Err(reason)) => return skip(name, &reason),
    };
    let own = std::env::current_exe().expect("it is there");
    let held = [&one, &other].map(|namespace| {
        let sockets = Inside::start(namespace, &own, name, "sockets");
        sockets.wait_for("ready");
        sockets
    });
    // Both have the same address and port: the namespace tells them apart. An interface has its own number in each.
    let asked = ["sockets", "--namespaces", "-ltp", "--json", "src", "127.0.0.1:8080"];
    let (_, text, _) = squirrel(&asked);
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let rows = document["sockets"].as_array().expect("rows");
    for (namespace, holder) in [&one, &other].into_iter().zip(&held) {
        let row = rows.iter().find(|row| row["namespace"] == namespace.name()).expect("the namespace has its row");
        assert_eq!((&row["local"], &row["container"]), (&"127.0.0.1:8080".into(), &Value::Null), "{row}");
        assert_eq!(row["processes"][0]["pid"], holder.pid(), "{row}");
    }
    let chosen = format!("namespace:{}", one.name());
    let (_, text, _) = squirrel(&["sockets", "--namespaces", "-lt", "--filter", &chosen, "src", "127.0.0.1:8080"]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains("NAMESPACE") && lines[1].contains(one.name()), "{text}");
    // Without the option, only this one.
    let (_, text, _) = squirrel(&["sockets", "-lt", "--json", "src", "127.0.0.1:8080"]);
    let document: Value = serde_json::from_str(&text).expect("JSON");
    assert!(document["sockets"].as_array().expect("rows").iter().all(|row| row["namespace"].is_null()));
    assert_eq!(squirrel(&["sockets", "--namespaces", "-N", one.name()]).0, 2);
}
