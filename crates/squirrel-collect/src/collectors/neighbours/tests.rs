//! Neighbours: recorded hosts, hand-made messages, hostile ones.

use std::io;

use proptest::prelude::*;
use squirrel_testkit::FakeKernel;
use squirrel_wire::link::{RTM_GETLINK, RTM_NEWLINK};

use super::*;
use crate::testing::messages::{Tables, kernel, link, message};
use crate::testing::{Seen, check_reading, of_recording};

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

fn neighbour(index: u32, family: u8, state: u16, last_octet: u8) -> Vec<u8> {
    let structure = [vec![family, 0, 0, 0], index.to_ne_bytes().to_vec(), state.to_ne_bytes().to_vec(), vec![0, 1]];
    message(&structure.concat(), &[(1, vec![192, 0, 2, last_octet])])
}

/// A kernel with one interface; ordinary and proxy entries apart, as the kernel keeps them.
fn with(ordinary: Vec<Vec<u8>>, proxies: Vec<Vec<u8>>) -> FakeKernel {
    FakeKernel::default().on_dump(move |_, message_type, request| match message_type {
        RTM_GETLINK => Ok(vec![(RTM_NEWLINK, link(2, "eth0", &[]))]),
        RTM_GETNEIGH => {
            let answers = if request == dump_proxies(0) { &proxies } else { &ordinary };
            Ok(answers.iter().map(|octets| (RTM_NEWNEIGH, octets.clone())).collect())
        }
        _ => Err(io::Error::from_raw_os_error(95)),
    })
}

fn entries(seen: &Seen, family: &str, state: &str) -> Option<f64> {
    seen.value("squirrel_neighbour_entries", &[("device", "eth0"), ("family", family), ("state", state)])
}

#[test]
fn states_are_counted_apart_and_the_arp_count_is_that_of_proc_net_arp() {
    let ordinary = vec![
        neighbour(2, AF_INET, 0x02, 1),
        neighbour(2, AF_INET, 0x02, 2),
        neighbour(2, AF_INET, 0x20, 3),
        neighbour(2, AF_INET, 0x40, 4),
        neighbour(2, AF_INET, 0x00, 5),
        neighbour(2, AF_INET, 0x03, 6),
        neighbour(2, AF_INET6, 0x04, 1),
        neighbour(2, 7, 0x02, 1),
        neighbour(77, AF_INET, 0x02, 1),
    ];
    let seen = check_reading(&DESC, &with(ordinary, vec![neighbour(2, AF_INET, 0, 9)]));
    let arp = seen.value("node_arp_entries", &[("device", "eth0")]);
    assert_eq!(arp, Some(5.0), "two reachable, a failed, an odd one and a proxy");
    for (state, count) in
        [("reachable", 2.0), ("failed", 1.0), ("noarp", 1.0), ("none", 1.0), ("unknown", 1.0), ("proxy", 1.0)]
    {
        assert_eq!(entries(&seen, "ipv4", state), Some(count), "{state}");
    }
    assert_eq!((entries(&seen, "ipv6", "stale"), entries(&seen, "ipv6", "reachable")), (Some(1.0), None));
}

#[test]
fn a_state_that_was_met_is_shown_as_zero_until_its_interface_goes() {
    let tables = Tables::default();
    let set = |key: u16, kind: u16, octets: Vec<Vec<u8>>| {
        tables.lock().unwrap().insert(key, octets.into_iter().map(|octets| (kind, octets)).collect());
    };
    set(RTM_GETLINK, RTM_NEWLINK, vec![link(2, "eth0", &[])]);
    set(RTM_GETNEIGH, RTM_NEWNEIGH, vec![neighbour(2, AF_INET, 0x20, 1)]);
    let kernel = kernel(&tables);
    let mut collector = open(&kernel).unwrap();
    let mut tick = || {
        let mut batch = Batch::default();
        collector.collect(&kernel, Elapsed::default(), &mut batch);
        Seen { batch }
    };
    // The hand-made kernel answers both dumps alike, so that each entry is seen as ordinary and as a proxy.
    assert_eq!(entries(&tick(), "ipv4", "failed"), Some(1.0));
    set(RTM_GETNEIGH, RTM_NEWNEIGH, vec![]);
    assert_eq!(entries(&tick(), "ipv4", "failed"), Some(0.0));
    set(RTM_GETLINK, RTM_NEWLINK, vec![link(2, "wan", &[])]);
    assert_eq!(tick().batch.rows.len(), 0);
}

#[test]
fn a_very_large_table_is_counted_every_ten_seconds() {
    let many = (0..9000u16).map(|n| neighbour(2, AF_INET, 0x02, n as u8)).collect();
    let kernel = with(many, vec![]);
    let mut collector = open(&kernel).unwrap();
    let mut rows = |seconds| {
        let mut batch = Batch::default();
        collector.collect(&kernel, Elapsed(Duration::from_secs(seconds)), &mut batch);
        Seen { batch }.value("node_arp_entries", &[("device", "eth0")])
    };
    assert_eq!([rows(0), rows(1), rows(10)], [Some(9000.0); 3], "the count is repeated meanwhile");
}

const STATISTICS: &str = "entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast rcv_probes_ucast \
                          periodic_gc_runs forced_gc_runs unresolved_discards table_fulls\n\
                          0000001f 00000001 00000000 00000000 00000000 00000000 00000002 0 0 0 0 00000003 00000004\n\
                          0000001f 00000001 00000000 00000000 00000000 00000000 00000020 0 0 0 0 00000030 00000040\n";

#[test]
fn the_table_as_a_whole_is_read_by_the_names_of_its_columns() {
    let kernel = with(vec![], vec![])
        .with("/proc/net/stat/arp_cache", STATISTICS)
        .with("/proc/sys/net/ipv4/neigh/default/gc_thresh3", "1024\n");
    let seen = check_reading(&DESC, &kernel);
    let of_table = |name| seen.value(name, &[("family", "ipv4")]);
    assert_eq!(of_table("squirrel_neighbour_table_entries"), Some(31.0), "each line has the same count");
    assert_eq!(of_table("squirrel_neighbour_resolution_failed_total"), Some(34.0));
    assert_eq!(of_table("squirrel_neighbour_unresolved_discards_total"), Some(51.0));
    assert_eq!(of_table("squirrel_neighbour_table_fulls_total"), Some(68.0));
    let threshold = [("family", "ipv4"), ("threshold", "gc_thresh3")];
    assert_eq!(seen.value("squirrel_neighbour_table_threshold_entries", &threshold), Some(1024.0));
    assert_eq!(seen.batch.faults, [], "a table that is not there is no fault");
}

#[test]
fn a_failed_dump_is_a_fault_and_the_tables_are_read_all_the_same() {
    let broken = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let switch = std::sync::Arc::clone(&broken);
    let kernel = FakeKernel::default().with("/proc/net/stat/arp_cache", STATISTICS).on_dump(move |_, _, _| {
        let broken = switch.load(std::sync::atomic::Ordering::Relaxed);
        if broken { Err(io::Error::from_raw_os_error(105)) } else { Ok(vec![]) }
    });
    let mut collector = open(&kernel).unwrap();
    broken.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut batch = Batch::default();
    collector.collect(&kernel, Elapsed::default(), &mut batch);
    assert_eq!((batch.faults.len(), batch.rows.len()), (1, 4));
}

proptest! {
    #[test]
    fn any_octets_of_a_kernel_are_survived(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..8), state: u16) {
        let mut payloads = payloads;
        payloads.push(neighbour(2, AF_INET, state, 1));
        prop_assert!(check_reading(&DESC, &with(payloads.clone(), payloads)).has("squirrel_neighbour_entries"));
    }

    #[test]
    fn any_table_survives(text in "((entries|table_fulls|res_failed|[0-9a-f]{1,17})[ \n]){0,30}") {
        let seen = check_reading(&DESC, &with(vec![], vec![]).with("/proc/net/stat/arp_cache", &text));
        prop_assert!(seen.batch.rows.len() <= 3);
        prop_assert!(seen.batch.rows.is_empty() || text.contains('\n'));
    }
}
