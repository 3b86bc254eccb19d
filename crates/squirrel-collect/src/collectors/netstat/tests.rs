//! Counters keep their names, whatever the kernel's age and whatever the bytes.

use proptest::prelude::*;
use squirrel_testkit::FakeKernel;

use super::*;
use crate::testing::{check_declared, check_reading, check_survives};

const SNMP_TEXT: &str = "\
Ip: Forwarding DefaultTTL InReceives\nIp: 2 64 5327\n\
Tcp: MaxConn RetransSegs InCsumErrors\nTcp: -1 7 18446744073709551615\n";
const NETSTAT_TEXT: &str = "TcpExt: SyncookiesSent ListenOverflows NeverHeardOf\nTcpExt: 1 2 3\n";
const SNMP6_TEXT: &str = "Ip6InReceives                   \t9\nIcmp6OutType135 \t4\nUdpLite6InErrors\t5\n";

fn kernel() -> FakeKernel {
    FakeKernel::default().with(SNMP, SNMP_TEXT).with(NETSTAT, NETSTAT_TEXT).with(SNMP6, SNMP6_TEXT)
}

#[test]
fn every_counter_is_a_row_under_node_exporters_name() {
    let seen = check_reading(&DESC, &kernel());
    let expected = [
        ("TcpExt_SyncookiesSent", 1.0),
        ("TcpExt_ListenOverflows", 2.0),
        ("TcpExt_NeverHeardOf", 3.0),
        ("Ip_Forwarding", 2.0),
        ("Ip_DefaultTTL", 64.0),
        ("Ip_InReceives", 5327.0),
        ("Tcp_MaxConn", -1.0),
        ("Tcp_RetransSegs", 7.0),
        ("Tcp_InCsumErrors", u64::MAX as f64),
        ("Ip6_InReceives", 9.0),
        ("Icmp6_OutType135", 4.0),
        ("UdpLite6_InErrors", 5.0),
    ];
    let got: Vec<_> = seen.batch.rows.iter().map(|row| (row.metric.name.to_string(), row.value)).collect();
    let expected: Vec<_> = expected.iter().map(|(name, value)| (format!("{PREFIX}{name}"), *value)).collect();
    assert_eq!(got, expected);
    assert_eq!(seen.batch.faults, []);
}

#[test]
fn an_important_counter_has_its_own_words_and_others_those_of_the_family() {
    let seen = check_reading(&DESC, &kernel());
    let metric = |name: &str| seen.batch.rows.iter().find(|row| row.metric.name == name).unwrap().metric.clone();
    assert!(metric("node_netstat_Tcp_RetransSegs").why.contains("round trip"));
    assert_eq!(
        metric("node_netstat_TcpExt_NeverHeardOf").help,
        "The kernel's counter NeverHeardOf of protocol TcpExt."
    );
    assert_eq!(metric("node_netstat_TcpExt_NeverHeardOf").why, table::FAMILY.why);
}

#[test]
fn without_ipv6_nothing_is_missing() {
    let kernel = kernel();
    kernel.remove(SNMP6);
    let seen = check_reading(&DESC, &kernel);
    assert_eq!((seen.batch.rows.len(), seen.batch.faults.len()), (9, 0));
}

#[test]
fn a_file_that_cannot_be_read_costs_only_its_own_counters() {
    let kernel = kernel();
    kernel.refuse(NETSTAT, 13);
    let seen = check_reading(&DESC, &kernel);
    assert!(seen.has("node_netstat_Ip_InReceives") && seen.has("node_netstat_Ip6_InReceives"));
    assert_eq!(seen.batch.faults.len(), 1);
}

#[test]
fn counters_that_appear_and_vanish_are_followed_and_the_rest_keep_their_declaration() {
    let kernel = kernel();
    let mut collector = (DESC.open)(&kernel).unwrap();
    let mut tick = || {
        let mut batch = Batch::default();
        collector.collect(&kernel, Elapsed::default(), &mut batch);
        check_declared(&DESC, &batch);
        batch
    };
    let find = |batch: &Batch, name: &str| batch.rows.iter().find(|row| row.metric.name == name).cloned();
    let before = tick();
    kernel.write(SNMP, format!("{SNMP_TEXT}IcmpMsg: InType3\nIcmpMsg: 1\n"));
    kernel.write(SNMP6, "Icmp6OutType143\t6\nIcmp6OutType135 \t4\n");
    let after = tick();
    assert_eq!(find(&after, "node_netstat_IcmpMsg_InType3").unwrap().value, 1.0);
    assert_eq!(find(&after, "node_netstat_Icmp6_OutType143").unwrap().value, 6.0);
    assert!(find(&after, "node_netstat_Ip6_InReceives").is_none());
    for name in ["node_netstat_Ip_DefaultTTL", "node_netstat_Icmp6_OutType135"] {
        let (before, after) = (find(&before, name).unwrap(), find(&after, name).unwrap());
        assert!(before.metric.same(&after.metric), "{name} was made anew");
    }
}

#[test]
fn damage_costs_the_damaged_lines_only() {
    let cases = [
        ("fewer numbers than names", "Ip: A B\nIp: 1\nTcp: C\nTcp: 3\n", 1, 1),
        ("another protocol's numbers", "Ip: A\nUdp: 1\nTcp: C\nTcp: 3\n", 1, 1),
        ("a number that is none", "Ip: A B\nIp: 1 x\n", 1, 1),
        ("a torn last line", "Ip: A\nIp: 1\nTcp: C\nTcp: 3", 1, 2),
        ("a repeated name", "Ip: A A\nIp: 1 2\nIp: A\nIp: 3\n", 1, 0),
        ("a name that cannot be one", "Ip: A é-x\nIp: 1 2\n", 1, 0),
        ("nothing", "", 0, 0),
    ];
    for (case, text, rows, faults) in cases {
        let kernel = FakeKernel::default().with(SNMP, text).with(NETSTAT, "");
        let seen = check_reading(&DESC, &kernel);
        assert_eq!((seen.batch.rows.len(), seen.batch.faults.len()), (rows, faults), "{case}: {:?}", seen.batch.faults);
    }
}

#[test]
fn a_damaged_file_cannot_ask_for_endless_memory() {
    use std::fmt::Write as _;
    let (mut names, mut numbers) = ("Ip:".to_owned(), "Ip:".to_owned());
    for n in 0..3 * MAX_COUNTERS {
        write!(names, " N{n}").unwrap();
        numbers.push_str(" 1");
    }
    let seen =
        check_reading(&DESC, &FakeKernel::default().with(SNMP, format!("{names}\n{numbers}\n")).with(NETSTAT, ""));
    assert_eq!(seen.batch.rows.len(), MAX_COUNTERS);
}

proptest! {
    #[test]
    fn any_text_survives(text in "[A-C6: 0-9\\n\\t-]{0,120}") {
        check_survives(&DESC, SNMP, text.as_bytes());
    }

    #[test]
    fn any_cut_survives(cut in 0..SNMP_TEXT.len()) {
        check_survives(&DESC, SNMP, &SNMP_TEXT.as_bytes()[..cut]);
    }

    #[test]
    fn any_bytes_survive_in_every_file(text: Vec<u8>) {
        for path in [NETSTAT, SNMP, SNMP6] {
            let kernel = kernel();
            kernel.write(path, &text);
            check_reading(&DESC, &kernel);
        }
    }
}
