//! The two tables of sockets: whole, missing, moved and damaged.

use proptest::prelude::*;
use squirrel_testkit::FakeKernel;

use super::*;
use crate::testing::{check_reading, check_survives};

const TEXT4: &str =
    "sockets: used 22\nTCP: inuse 4 orphan 0 tw 3 alloc 5 mem 2\nUDP: inuse 0 mem 1\nFRAG: inuse 0 memory 7\n";
const TEXT6: &str = "TCP6: inuse 6\nMPTCP6: inuse 9\n";

#[test]
fn every_number_is_a_row_and_pages_are_bytes_too() {
    let seen = check_reading(&DESC, &FakeKernel::default().with(PATH4, TEXT4).with(PATH6, TEXT6));
    let value = |name: &str| seen.value(&format!("{PREFIX}{name}"), &[]);
    assert_eq!(value("sockets_used"), Some(22.0));
    assert_eq!((value("TCP_tw"), value("TCP_mem"), value("TCP_mem_bytes")), (Some(3.0), Some(2.0), Some(8192.0)));
    assert_eq!((value("UDP_mem_bytes"), value("FRAG_memory")), (Some(4096.0), Some(7.0)));
    assert_eq!((value("TCP6_inuse"), value("MPTCP6_inuse")), (Some(6.0), Some(9.0)));
    assert_eq!((seen.batch.rows.len(), seen.batch.faults.len()), (14, 0));
}

#[test]
fn without_ipv6_nothing_is_missing() {
    let seen = check_reading(&DESC, &FakeKernel::default().with(PATH4, TEXT4));
    assert_eq!((seen.batch.rows.len(), seen.batch.faults.len()), (12, 0));
}

#[test]
fn what_vanishes_is_forgotten_and_what_moves_is_found() {
    let kernel = FakeKernel::default().with(PATH4, TEXT4).with(PATH6, TEXT6);
    let mut collector = (DESC.open)(&kernel).unwrap();
    let mut rows = |text: &str| {
        kernel.write(PATH4, text);
        let mut batch = Batch::default();
        collector.collect(&kernel, Elapsed::default(), &mut batch);
        batch.rows.iter().map(|row| (row.metric.name[PREFIX.len()..].to_owned(), row.value)).collect::<Vec<_>>()
    };
    assert_eq!(rows(TEXT4).len(), 14);
    let expect = [("UDP_inuse", 1.0), ("TCP_inuse", 2.0), ("TCP6_inuse", 6.0), ("MPTCP6_inuse", 9.0)];
    assert_eq!(rows("UDP: inuse 1\nTCP: inuse 2\n"), expect.map(|(name, value)| (name.to_owned(), value)));
}

#[test]
fn damage_costs_the_damaged_pair_only() {
    let text = "TCP: inuse x orphan 1\nnonsense\nUDP: inuse 1 mem_bytes 5\nUDP: inuse 2\nRAW: inuse";
    let seen = check_reading(&DESC, &FakeKernel::default().with(PATH4, text));
    assert_eq!(seen.value("node_sockstat_TCP_orphan", &[]), Some(1.0));
    assert_eq!(seen.value("node_sockstat_UDP_inuse", &[]), Some(1.0));
    assert_eq!((seen.batch.rows.len(), seen.batch.faults.len()), (2, 3));
}

proptest! {
    #[test]
    fn any_text_survives(text in "([A-C]: )?([a-b]|mem|mem_bytes|[0-9]|[: \\n]){0,60}") {
        check_survives(&DESC, PATH4, text.as_bytes());
    }

    #[test]
    fn any_bytes_survive(text: Vec<u8>, cut in 0..TEXT4.len()) {
        check_survives(&DESC, PATH4, &text);
        check_survives(&DESC, PATH4, &TEXT4.as_bytes()[..cut]);
    }
}
