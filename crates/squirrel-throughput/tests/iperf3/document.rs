//! The documents of both programs have the same names in the same places, at the client and at the server.

use serde_json::Value;
use squirrel_testkit::skip;
use squirrel_throughput::protocol::Parameters;
use squirrel_throughput::{Event, Limits};

use crate::support::{Iperf3, Own, document_of_server, iperf3, missing, plan, run, tcp, udp};

/// What Debian's iperf3 does not tell: Squirrel's own part, at the top, and what later ones of iperf3 have.
const MORE: [&str; 2] = ["squirrel", "bidir"];

type Case = (&'static [&'static str], Parameters);

fn cases() -> [Case; 9] {
    [
        (&[], tcp()),
        (&["-R"], Parameters { reverse: true, ..tcp() }),
        (&["--bidir"], Parameters { bidirectional: true, ..tcp() }),
        (&["-P", "2", "-O", "1"], Parameters { parallel: 2, omit: 1, ..tcp() }),
        (
            &["-w", "100K", "-M", "1000", "-S", "0x28", "-C", "cubic"],
            Parameters { window: 102_400, mss: 1000, tos: 0x28, congestion: Some("cubic".into()), ..tcp() },
        ),
        (&["-u"], udp()),
        (&["-u", "-R"], Parameters { reverse: true, ..udp() }),
        (&["-u", "--bidir"], Parameters { bidirectional: true, ..udp() }),
        (&["-u", "-R", "-P", "2"], Parameters { reverse: true, parallel: 2, ..udp() }),
    ]
}

#[test]
fn the_clients_document_has_the_names_of_iperf3() {
    if let Some(reason) = missing() {
        return skip("the_clients_document_has_the_names_of_iperf3", reason);
    }
    for (arguments, parameters) in cases() {
        let server = Iperf3::serve();
        let all = [&["-t", "1", "-b", "20M"], arguments].concat();
        let theirs = iperf3(([127, 0, 0, 1], server.port).into(), &all);
        drop(server);
        let server = Iperf3::serve();
        let ours = run(plan(server.port, parameters)).expect("it runs").document("squirrel", "test");
        check_names(&theirs, &ours, &MORE, &format!("{arguments:?}"));
    }
}

#[test]
fn the_servers_document_has_the_names_of_iperf3() {
    if let Some(reason) = missing() {
        return skip("the_servers_document_has_the_names_of_iperf3", reason);
    }
    for (arguments, _) in cases() {
        let all = [&["-t", "1", "-b", "20M"], arguments].concat();
        let theirs = document_of_server(&all);
        let server = Own::serve(Limits::default());
        iperf3(server.address, &all);
        let ours = server.end().into_iter().find_map(|event| match event {
            Event::Ended { report, .. } => Some(report.document("squirrel", "test")),
            _ => None,
        });
        // What the client told, of which iperf3's server is silent.
        let more = [&MORE[..], &["retransmits", "sender_tcp_congestion", "receiver_tcp_congestion"]].concat();
        check_names(&theirs, &ours.expect("a run ended"), &more, &format!("{arguments:?}"));
    }
}

/// Both have the same names but for those that Squirrel may have besides, with values of the same kinds, and agree on who
/// sends; of lists the entries that both have are looked at.
fn check_names(theirs: &Value, ours: &Value, allowed: &[&str], place: &str) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for (name, value) in theirs {
                let place = format!("{place}.{name}");
                if name == "sender" && value.is_boolean() {
                    assert_eq!(ours.get(name), Some(value), "{place}");
                }
                check_names(value, ours.get(name).unwrap_or_else(|| panic!("{place} is missing")), allowed, &place);
            }
            let more: Vec<&String> =
                ours.keys().filter(|name| !theirs.contains_key(*name) && !allowed.contains(&name.as_str())).collect();
            assert!(more.is_empty(), "{place}: iperf3 does not have {more:?}");
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            for (at, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
                check_names(theirs, ours, allowed, &format!("{place}[{at}]"));
            }
        }
        (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_))
        | (Value::Bool(_), Value::Bool(_)) => {}
        _ => panic!("{place}: {theirs} and {ours}"),
    }
}
