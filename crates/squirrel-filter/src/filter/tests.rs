//! Filters on a small table.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::field::Kind;
use crate::{Order, page};

#[derive(Debug, PartialEq)]
struct Row {
    process: Option<&'static str>,
    local_port: u16,
    remote_port: u16,
    remote: IpAddr,
    state: &'static str,
    rtt_us: Option<u32>,
    rate: f64,
}

static FIELDS: &[Field<Row>] = &[
    Field {
        name: "process",
        aliases: &["name"],
        kind: Kind::Text,
        help: "",
        searched: true,
        values: |row, each| row.process.into_iter().for_each(|text| each(Value::Text(text))),
    },
    Field {
        name: "port",
        aliases: &[],
        kind: Kind::Port,
        help: "",
        searched: true,
        values: |row, each| {
            each(Value::Number(row.local_port.into()));
            each(Value::Number(row.remote_port.into()));
        },
    },
    Field {
        name: "remote",
        aliases: &["dst"],
        kind: Kind::Address,
        help: "",
        searched: true,
        values: |row, each| each(Value::Address(row.remote)),
    },
    Field {
        name: "state",
        aliases: &[],
        kind: Kind::Word,
        help: "",
        searched: false,
        values: |row, each| each(Value::Text(row.state)),
    },
    Field {
        name: "rtt",
        aliases: &[],
        kind: Kind::Duration,
        help: "",
        searched: false,
        values: |row, each| row.rtt_us.into_iter().for_each(|us| each(Value::Number(us.into()))),
    },
    Field {
        name: "rate",
        aliases: &[],
        kind: Kind::Rate,
        help: "",
        searched: false,
        values: |row, each| each(Value::Number(row.rate)),
    },
];

fn rows() -> Vec<Row> {
    let row = |process, local_port, remote_port, remote: &str, state, rtt_us, rate| Row {
        process,
        local_port,
        remote_port,
        remote: remote.parse().unwrap(),
        state,
        rtt_us,
        rate,
    };
    vec![
        row(Some("nginx: worker"), 443, 50_000, "10.1.2.3", "ESTAB", Some(80_000), 2e6),
        row(Some("sshd"), 22, 51_000, "2001:db8::7", "ESTAB", Some(900), 10.0),
        row(None, 443, 52_000, "192.0.2.9", "TIME-WAIT", None, 0.0),
        row(Some("curl and more"), 40_000, 8080, "10.9.9.9", "SYN-SENT", None, 0.0),
    ]
}

fn parse(text: &str) -> Result<Filter<Row>, FilterError> {
    Filter::parse(text, FIELDS, &Services::default())
}

fn chosen(text: &str) -> Vec<usize> {
    let filter = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    rows().iter().enumerate().filter(|(_, row)| filter.matches(row)).map(|(i, _)| i).collect()
}

#[test]
fn conditions_choose_rows() {
    for (text, expected) in [
        ("", &[0, 1, 2, 3][..]),
        ("port:443", &[0, 2]),
        ("port:443 process:nginx -state:time_wait rtt:>50ms", &[0]),
        ("port:443,22", &[0, 1, 2]),
        ("-port:443,22", &[3]),
        ("port:https or port:ssh", &[0, 1, 2]),
        ("port:443 and not (process:nginx or rtt:<1ms)", &[2]),
        ("process:nginx or process:sshd rtt:<1ms", &[0, 1]),
        ("(process:nginx or process:sshd) rtt:<1ms", &[1]),
        ("name:\"and more\"", &[3]),
        ("/^(ssh|ngi)/", &[0, 1]),
        ("process:/worker$/", &[0]),
        ("remote:10.0.0.0/8", &[0, 3]),
        ("dst:2001:db8::/32", &[1]),
        ("2001:db8", &[1]),
        ("192.0.2", &[2]),
        ("WORKER", &[0]),
        ("\"and\"", &[3]),
        ("8080", &[3]),
        ("rate:>1Mbit", &[0]),
        ("rtt:*", &[0, 1]),
        ("-rtt:*", &[2, 3]),
        ("not not process:sshd", &[1]),
        ("--process:sshd", &[1]),
        ("port:22..80", &[1]),
        ("state:established", &[0, 1]),
    ] {
        assert_eq!(chosen(text), expected, "{text}");
    }
}

#[test]
fn mistakes_are_shown_with_their_place() {
    for (text, column, words) in [
        ("port:443 proces:nginx", 10, "Did you mean process?"),
        ("zzz:1", 1, "There are: process, port, remote, state, rtt, rate"),
        ("rtt:>50", 1, "write 50ms"),
        ("port:443 (process:a", 10, "not closed"),
        ("port:443)", 9, "closes nothing"),
        ("()", 2, "before this )"),
        ("process:a or", 13, "ends where a condition was expected"),
        ("or process:a", 1, "in quotes"),
        ("é \"abc", 3, "not closed"),
        ("/(/", 1, "regular expression"),
        ("port:", 1, "a value is missing"),
        ("remote:example.org", 1, "no address"),
        ("-", 2, "ends"),
    ] {
        let error = parse(text).map(|_| ()).expect_err(text);
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}

#[test]
fn what_would_cost_too_much_is_refused() {
    assert!(parse(&"a ".repeat(65)).is_err() && parse(&"a ".repeat(64)).is_ok());
    assert!(parse(&"(".repeat(1000)).is_err() && parse(&"-".repeat(4000)).is_err());
    assert!(parse(&"a".repeat(5000)).is_err());
}

#[test]
fn pages_are_ordered_and_cut_and_keep_what_was_chosen() {
    let rows = rows();
    let shown = |filter: &str, sort: &str, descending, offset, limit| {
        let order = Order::by(FIELDS, sort, descending).unwrap();
        let page = page(&rows, &parse(filter).unwrap(), Some(&order), offset, limit);
        (page.rows.iter().map(|row| row.local_port).collect::<Vec<_>>(), page.chosen.len())
    };
    assert_eq!(shown("", "rate", None, 0, 2), (vec![443, 22], 4));
    assert_eq!(shown("", "rtt", Some(false), 0, 9), (vec![22, 443, 443, 40_000], 4), "unknown ones come last");
    assert_eq!(shown("port:443", "process", None, 1, 9), (vec![443], 2));
    assert_eq!(shown("", "remote", None, 9, 9), (vec![], 4));
    let error = Order::by(FIELDS, "rat", None).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("Did you mean rate?"), "{error}");
}

/// Texts that are often filters.
fn condition() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..60_000u32).prop_map(|port| format!("port:>{port}")),
        "state:(estab|time_wait|syn_sent)",
        "[a-z]{1,3}",
        "rtt:<[1-9][0-9]{0,3}ms",
        "process:/[a-z]{1,2}/",
        "remote:(10|192)\\.0\\.0\\.0/[48]",
    ]
    .prop_filter("words of the grammar", |text| !["or", "and", "not"].contains(&text.as_str()))
}

proptest! {
    #[test]
    fn any_text_is_understood_or_refused_at_a_place_in_it(text in "[-!()/:\"a-z0-9<>=.,* ]{0,40}|\\PC{0,40}") {
        match parse(&text) {
            Ok(filter) => {
                let all = rows().iter().filter(|row| filter.matches(row)).count();
                prop_assert!(all <= rows().len());
            }
            Err(error) => prop_assert!((1..=text.chars().count() + 1).contains(&error.column), "{error}"),
        }
    }

    #[test]
    fn combined_filters_mean_what_their_parts_mean(a in condition(), b in condition()) {
        for (i, row) in rows().iter().enumerate() {
            let holds = |text: &str| parse(text).unwrap().matches(row);
            let (left, right) = (holds(&a), holds(&b));
            prop_assert_eq!(holds(&format!("{a} {b}")), left && right, "row {}", i);
            prop_assert_eq!(holds(&format!("{a} or {b}")), left || right);
            prop_assert_eq!(holds(&format!("-{a}")), !left);
            prop_assert_eq!(holds(&format!("-({a} or {b})")), !left && !right);
            prop_assert_eq!(holds(&format!("not {a} and ({b})")), !left && right);
        }
    }
}
