//! Documents and their schemas belong together.

use std::sync::Arc;

use serde_json::Value;
use squirrel_account::{
    Carrier, ConnectionRow, Container, Figures, HostRow, InterfaceRow, Level, NamespaceRow, PartStatus, Picture,
    ProcessRow, ProcessSummary, Source, TcpDetail, Traffic, UnattributedRow,
};
use squirrel_filter::{Filter, Order, Services};
use squirrel_model::Timestamp;

use super::*;

/// A picture with a row of everything.
fn picture() -> Picture {
    let process = Arc::new(ProcessSummary {
        pid: 42,
        name: "nginx\x1b[2J".into(),
        user: "www-data".into(),
        unit: Some("nginx.service".into()),
        container: Some(Container { runtime: "docker", name: "web".into(), id: "abc".into() }),
        ..ProcessSummary::default()
    });
    let figures = Figures { bytes: Traffic { receive: 10, transmit: 90 }, receive_rate: 1.0, transmit_rate: 9.0 };
    Picture {
        at: Timestamp(12_500),
        since: Timestamp(2_500),
        level: Level {
            name: "sockets",
            meaning: "Exact.".into(),
            next: Some("CAP_BPF".into()),
            parts: vec![
                PartStatus { part: "sock_send_length".into(), missing: None },
                PartStatus { part: "iter".into(), missing: Some("no BTF".into()) },
            ],
        },
        processes: vec![
            ProcessRow { connections: 1, ..ProcessRow::default() },
            ProcessRow {
                process: Arc::clone(&process),
                figures,
                ended: Some(Timestamp(3_000)),
                ..ProcessRow::default()
            },
        ],
        connections: vec![ConnectionRow {
            cookie: 7,
            namespace: 4_026_531_840,
            carrier: Carrier::Tcp,
            local: "127.0.0.1:443".parse().unwrap(),
            remote: "[::1]:50000".parse().unwrap(),
            state: "ESTAB",
            process: Some(process),
            figures,
            receive_queue: 0,
            send_queue: 3,
            drops: Some(0),
            tcp: Some(TcpDetail { rtt_us: Some(51_000), congestion: Some("cubic".into()), ..TcpDetail::default() }),
            opened: Timestamp(2_500),
            closed: None,
            source: Source::Exact,
            caveat: None,
            count: 1,
        }],
        hosts: vec![HostRow {
            address: "::1".parse().unwrap(),
            note: None,
            figures,
            connections: 1,
            source: Source::Exact,
        }],
        interfaces: vec![InterfaceRow {
            name: "lo".into(),
            unexplained: Traffic { receive: 5, transmit: 0 },
            ..InterfaceRow::default()
        }],
        namespaces: vec![NamespaceRow { inode: 7, name: Some("blue".into()), ..NamespaceRow::default() }],
        unattributed: vec![UnattributedRow {
            reason: "owner_gone",
            meaning: "The owner had ended.",
            bytes: Traffic { receive: 1, transmit: 2 },
        }],
        lost_events: 3,
        ..Picture::default()
    }
}

/// Fails unless `value` is what `schema` describes, each member of an object being known and present.
fn check_described(value: &Value, schema: &Value, root: &Value, at: &str) {
    if let Some(place) = schema.get("$ref").and_then(Value::as_str) {
        let name = place.rsplit('/').next().unwrap();
        return check_described(value, &root["$defs"][name], root, at);
    }
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        let choice = choices.iter().find(|choice| (choice["type"] == "null") == value.is_null());
        return check_described(value, choice.unwrap(), root, at);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    assert!(kinds.iter().any(|known| known == kind), "{at} is {kind}, and the schema says {kinds:?}");
    if let Value::Array(items) = value {
        for item in items {
            check_described(item, &schema["items"], root, at);
        }
    }
    if let Value::Object(members) = value {
        let known = schema["properties"].as_object().unwrap();
        assert_eq!(members.keys().collect::<Vec<_>>(), known.keys().collect::<Vec<_>>(), "{at}");
        assert_eq!(schema["required"].as_array().unwrap().len(), known.len(), "{at}");
        for (name, member) in members {
            assert!(known[name]["description"].as_str().is_some_and(|text| !text.is_empty()), "{at}.{name}");
            check_described(member, &known[name], root, &format!("{at}.{name}"));
        }
    }
}

#[test]
fn documents_are_as_their_schema_says() {
    let top = serde_json::to_value(Top::new(&picture(), "command", false)).unwrap();
    let root = schema::<Top>("squirrel top");
    check_described(&top, &root, &root, "top");
    let sockets = Sockets {
        sockets: vec![
            Socket { memory: Some(SocketMemory::default()), tcp: Some(SocketTcp::default()), ..Socket::default() },
            Socket { processes: Some(vec![SocketOwner::default()]), ..Socket::default() },
        ],
        ..Sockets::default()
    };
    let root = schema::<Sockets>("squirrel sockets");
    check_described(&serde_json::to_value(sockets).unwrap(), &root, &root, "sockets");
}

#[test]
fn the_names_that_scripts_stand_on_are_there() {
    let top = serde_json::to_value(Top::new(&picture(), "command", true)).unwrap();
    let names = |table: &str, expected: &[&str]| {
        let row = &top[table][0];
        for name in expected {
            assert!(row.get(name).is_some(), "{table}[].{name} in {row}");
        }
    };
    names("processes", &["pid", "name", "command", "user", "unit", "container", "receive_bytes", "transmit_bytes"]);
    names("processes", &["receive_rate", "transmit_rate", "connections", "source"]);
    names("connections", &["cookie", "protocol", "local", "remote", "state", "pid", "process"]);
    names("connections", &["receive_bytes", "transmit_bytes", "rtt_us", "retransmitted_bytes"]);
    names("hosts", &["address", "receive_bytes", "transmit_bytes"]);
    for part in ["", "attributed_", "headers_", "forwarded_", "kernel_", "unexplained_"] {
        names("interfaces", &["name", &format!("{part}receive_bytes"), &format!("{part}transmit_bytes")]);
    }
    names("unattributed", &["reason", "receive_bytes", "transmit_bytes"]);
    assert_eq!((&top["lost_events"], &top["schema"]), (&3.into(), &"squirrel.top/1".into()));
    assert_eq!((&top["seconds"], &top["interrupted"]), (&10.0.into(), &true.into()));
    assert_eq!(top["processes"][0]["pid"], 42, "the busiest first");
    assert_eq!(top["connections"][0]["remote"], "[::1]:50000");
    assert_eq!(top["level"]["missing"][0]["part"], "iter");
}

#[test]
fn documents_are_written_as_serde_json_writes_them() {
    fn check<T: Shape + serde::Serialize>(document: &T) {
        let mut written = Vec::new();
        document.write_json(&mut written);
        assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(document).unwrap());
    }
    check(&Top::new(&picture(), "command", false));
    check(&Question::default().connections(&picture()).unwrap());
    let tcp = SocketTcp { congestion: Some("a\"b\u{1b}\u{e9}".into()), rtt_us: Some(7), ..SocketTcp::default() };
    let owner = SocketOwner { pid: 1, name: "\\x\n".into(), fd: 3 };
    let socket = Socket { tcp: Some(tcp), processes: Some(vec![owner.clone(), owner]), ..Socket::default() };
    check(&Sockets { seconds: Some(1.5), sockets: vec![socket, Socket::default()], ..Sockets::default() });
}

#[test]
fn a_document_reads_back_as_it_was() {
    let top = Top::new(&picture(), "127.0.0.1:7775", false);
    let text = serde_json::to_string(&top).unwrap();
    assert_eq!(serde_json::from_str::<Top>(&text).unwrap(), top);
}

#[test]
fn tables_are_filtered_by_their_fields() {
    let picture = picture();
    let services = Services::default();
    for (filter, expected) in [
        ("port:443 process:nginx -state:time_wait rtt:>50ms /ng/", 1),
        ("user:www-data unit:nginx container:web", 1),
        ("dst:::1 dport:50000 tx:>=90 rate:=10", 1),
        ("rtt:>1s", 0),
        ("opened:<3 -closed:*", 1),
    ] {
        let filter = Filter::parse(filter, fields::CONNECTIONS, &services).unwrap_or_else(|e| panic!("{filter}: {e}"));
        assert_eq!(picture.connections.iter().filter(|row| filter.matches(row)).count(), expected);
    }
    let filter = Filter::parse("bytes:>0 ended:*", fields::PROCESSES, &services).unwrap();
    assert_eq!(picture.processes.iter().filter(|row| filter.matches(row)).count(), 1);
}

#[test]
fn fields_have_one_meaning_each_and_are_explained() {
    fn check<R>(fields: &'static [squirrel_filter::Field<R>]) {
        let mut names: Vec<&str> =
            fields.iter().flat_map(|f| std::iter::once(f.name).chain(f.aliases.iter().copied())).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{names:?}");
        for field in fields {
            assert!(!field.help.is_empty() && Order::by(fields, field.name, None).is_ok(), "{}", field.name);
        }
    }
    check(fields::PROCESSES);
    check(fields::CONNECTIONS);
    check(fields::HOSTS);
    check(fields::INTERFACES);
}

#[test]
fn a_page_shows_some_rows_and_the_sums_of_all_that_were_chosen() {
    let figures = |receive| Figures { bytes: Traffic { receive, transmit: 1 }, ..Figures::default() };
    let process = |pid, receive| ProcessRow {
        process: Arc::new(ProcessSummary { pid, name: format!("p{pid}"), ..ProcessSummary::default() }),
        figures: figures(receive),
        ..ProcessRow::default()
    };
    let picture = Picture { processes: (1..=50).map(|pid| process(pid, u64::from(pid) * 10)).collect(), ..picture() };
    let asked = |question: Question| question.processes(&picture).unwrap();
    let usual = asked(Question { limit: 3, ..Question::default() });
    assert_eq!(usual.processes.iter().map(|row| row.pid).collect::<Vec<_>>(), [50, 49, 48]);
    assert_eq!((usual.total, usual.matched, usual.sort.as_ref(), usual.order.as_ref()), (50, 50, "rate", "desc"));
    let question =
        Question { filter: "rx:<=50".into(), sort: Some("pid".into()), descending: Some(false), offset: 1, limit: 2 };
    let some = asked(question);
    assert_eq!(some.processes.iter().map(|row| row.pid).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((some.total, some.matched, some.offset, some.limit), (50, 5, 1, 2));
    assert_eq!((some.totals.receive_bytes, some.totals.transmit_bytes), (150, 5), "of all five");
    for (question, words) in [
        (Question { filter: "pdi:1".into(), ..Question::default() }, "Did you mean pid?"),
        (Question { sort: Some("byte".into()), ..Question::default() }, "Did you mean bytes?"),
    ] {
        let error = question.check(Table::Processes).unwrap_err();
        assert!(error.message.contains(words), "{}", error.message);
    }
    assert_eq!(Question::default().top(&picture, Table::Hosts, 7).unwrap().processes.len(), 7);
}

#[test]
fn the_hosts_total_leaves_out_what_is_counted_elsewhere() {
    let wire = Figures { bytes: Traffic { receive: 5, transmit: 6 }, ..Figures::default() };
    let row = |counted_elsewhere| InterfaceRow { wire, counted_elsewhere, ..InterfaceRow::default() };
    let picture = Picture { interfaces: vec![row(None), row(Some("the port of a bridge"))], ..picture() };
    assert_eq!(Books::new(&picture, None).totals.receive_bytes, 5);
    let table = Question::default().interfaces(&picture).unwrap();
    assert_eq!((table.totals.transmit_bytes, table.interfaces.len()), (6, 2));
}

#[test]
fn the_books_of_one_interface_have_its_rows_alone_and_the_sums_of_the_host() {
    let wire = Figures { bytes: Traffic { receive: 5, transmit: 6 }, ..Figures::default() };
    let row = |name: &str, namespace| InterfaceRow { name: name.into(), namespace, wire, ..InterfaceRow::default() };
    let picture = Picture { interfaces: vec![row("eth0", 1), row("eth00", 1), row("eth0", 2)], ..picture() };
    for (asked, namespaces) in
        [(None, vec![1, 1, 2]), (Some("eth0"), vec![1, 2]), (Some("eth"), vec![]), (Some("ETH0"), vec![])]
    {
        let books = Books::new(&picture, asked);
        assert_eq!(books.interfaces.iter().map(|row| row.namespace).collect::<Vec<_>>(), namespaces, "{asked:?}");
        assert_eq!(books.totals.transmit_bytes, 18, "{asked:?}");
    }
}
