//! Queueing disciplines: recorded hosts, hand-made messages, hostile ones.

use proptest::prelude::*;
use squirrel_wire::link::{RTM_GETLINK, RTM_NEWLINK};

use super::*;
use crate::testing::messages::{Tables, attribute, kernel, link, message};
use crate::testing::{check_reading, of_recording};

#[test]
fn a_recorded_host_gives_the_same_rows_for_ever() {
    insta::assert_snapshot!("host", of_recording(&DESC, "linux-6.18-host"));
}

#[test]
fn a_recording_of_debians_stock_kernel_gives_the_same_rows_for_ever() {
    insta::assert_snapshot!("debian", of_recording(&DESC, "debian-6.1"));
}

#[test]
fn a_recorded_namespace_gives_the_same_rows_for_ever() {
    insta::assert_snapshot!("namespace", of_recording(&DESC, "linux-6.18-namespace"));
}

fn qdisc(index: u32, kind: &str, handle: u32, parent: u32, bytes: u64) -> Vec<u8> {
    let structure: Vec<u8> = [0, index, handle, parent, 0].iter().flat_map(|n: &u32| n.to_ne_bytes()).collect();
    let basic = [bytes.to_ne_bytes().to_vec(), 7u32.to_ne_bytes().to_vec()].concat();
    let queue: Vec<u8> = [1u32, 2, 3, 4, 5].iter().flat_map(|n| n.to_ne_bytes()).collect();
    let statistics = [attribute(1, &basic), attribute(3, &queue)].concat();
    message(&structure, &[(1, kind.as_bytes().to_vec()), (0x8007, statistics)])
}

fn tables(qdiscs: Vec<Vec<u8>>) -> Tables {
    let tables = Tables::default();
    tables.lock().unwrap().insert(RTM_GETLINK, vec![(RTM_NEWLINK, link(2, "eth0", &[]))]);
    set(&tables, qdiscs);
    tables
}

fn set(tables: &Tables, qdiscs: Vec<Vec<u8>>) {
    tables.lock().unwrap().insert(RTM_GETQDISC, qdiscs.into_iter().map(|octets| (RTM_NEWQDISC, octets)).collect());
}

#[test]
fn roots_and_children_have_metrics_of_their_own() {
    let root = qdisc(2, "htb", 0x1_0000, u32::MAX, 100);
    let child = qdisc(2, "fq_codel", 0xa_0000, 0x1_000a, 60);
    let ingress = qdisc(2, "ingress", 0xffff_0000, 0xffff_fff1, 5);
    let seen = check_reading(&DESC, &kernel(&tables(vec![root, child, ingress])));
    let of_root = |name| seen.value(name, &[("device", "eth0"), ("kind", "htb")]);
    let expected = [
        ("node_qdisc_bytes_total", 100.0),
        ("node_qdisc_packets_total", 7.0),
        ("node_qdisc_current_queue_length", 1.0),
        ("node_qdisc_backlog", 2.0),
        ("node_qdisc_drops_total", 3.0),
        ("node_qdisc_requeues_total", 4.0),
        ("node_qdisc_overlimits_total", 5.0),
    ];
    for (name, value) in expected {
        assert_eq!(of_root(name), Some(value), "{name}");
    }
    let child = [("device", "eth0"), ("kind", "fq_codel"), ("handle", "a:"), ("parent", "1:a")];
    assert_eq!(seen.value("squirrel_qdisc_bytes_total", &child), Some(60.0));
    let ingress = [("device", "eth0"), ("kind", "ingress"), ("handle", "ffff:"), ("parent", "ingress")];
    assert_eq!(seen.value("squirrel_qdisc_packets_total", &ingress), Some(7.0));
    assert_eq!(seen.batch.rows.len(), 21);
}

#[test]
fn a_replaced_root_changes_its_labels_and_a_removed_one_is_gone() {
    let tables = tables(vec![qdisc(2, "pfifo_fast", 0, u32::MAX, 1)]);
    let kernel = kernel(&tables);
    let mut collector = open(&kernel).unwrap();
    let mut kinds = || {
        let mut batch = Batch::default();
        collector.collect(&kernel, Elapsed::default(), &mut batch);
        let bytes = batch.rows.iter().filter(|row| row.metric.name == "node_qdisc_bytes_total");
        bytes.map(|row| row.labels.get("kind").unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(), ["pfifo_fast"]);
    set(&tables, vec![qdisc(2, "cake", 0x8001_0000, u32::MAX, 1)]);
    assert_eq!(kinds(), ["cake"]);
    set(&tables, vec![]);
    assert_eq!(kinds(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_read_or_held_is_a_fault_and_costs_nothing_else() {
    let mut qdiscs: Vec<_> = (0..2050).map(|n| qdisc(2, "pfifo", n << 16, n, 1)).collect();
    qdiscs.push(vec![0; 3]);
    qdiscs.push(qdisc(77, "pfifo", 0, u32::MAX, 1));
    let seen = check_reading(&DESC, &kernel(&tables(qdiscs)));
    assert_eq!(seen.batch.rows.len(), MAX_QDISCS * 7);
    let reasons: Vec<&str> = seen.batch.faults.iter().map(|fault| fault.reason.as_str()).collect();
    assert!(
        reasons[0].starts_with("1 descriptions") && reasons[1].starts_with("2 queueing disciplines"),
        "{reasons:?}"
    );
}

proptest! {
    #[test]
    fn any_octets_of_a_kernel_are_survived(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 0..6), parent: u32) {
        let mut payloads = payloads;
        payloads.push(qdisc(2, "htb", 1, parent, 9));
        prop_assert!(!check_reading(&DESC, &kernel(&tables(payloads))).batch.rows.is_empty());
    }
}
