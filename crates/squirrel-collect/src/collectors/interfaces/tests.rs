//! Interfaces: recorded hosts, hand-made messages, hostile ones.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use squirrel_sys::SysError;
use squirrel_testkit::FakeKernel;
use squirrel_wire::address::{RTM_GETADDR, RTM_NEWADDR};
use squirrel_wire::link::flag;
use squirrel_wire::netlink::Attributes;

use super::*;
use crate::testing::messages::{Tables, kernel, link, link_kind, link_with_flags, message, statistics};
use crate::testing::{check_declared, check_reading, of_recording};

#[test]
fn a_recorded_host_gives_the_same_rows_for_ever() {
    insta::assert_snapshot!("host", of_recording(&DESC, "linux-6.18-host"));
}

#[test]
fn a_recorded_namespace_gives_the_same_rows_for_ever() {
    let rows = of_recording(&DESC, "linux-6.18-namespace");
    assert!(rows.contains(r#"ifalias="up\u{1b}[2Jlink \"x\" <b>&amp;</b> \\ \u{202e}rtl""#), "{rows}");
    assert!(rows.contains("ifalias=\"caf\u{fffd}\""), "an alias that is not UTF-8 is shown as far as it is");
    insta::assert_snapshot!("namespace", rows);
}

#[test]
fn a_recording_of_debians_stock_kernel_gives_the_same_rows_for_ever() {
    let rows = of_recording(&DESC, "debian-6.1");
    assert!(rows.contains(r#"{device="dummy0",kind="dummy",master="bond0",virtual="true"} 1"#), "{rows}");
    insta::assert_snapshot!("debian", rows);
}

/// Answers dumps of interfaces as a kernel of 2016 would: without what came later.
struct Older<K>(K);

impl<K: Kernel> Kernel for Older<K> {
    fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        self.0.read(path, out)
    }

    fn dump(
        &self,
        family: Netlink,
        message_type: u16,
        payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> Result<(), SysError> {
        self.0.dump(family, message_type, payload, &mut |kind, answer| {
            if kind != RTM_NEWLINK {
                return each(kind, answer);
            }
            let (structure, attributes) = answer.split_at(16);
            let kept: Vec<(u16, Vec<u8>)> = Attributes::new(attributes)
                .map(Result::unwrap)
                .filter(|attribute| attribute.kind <= 40)
                .map(|attribute| {
                    // Linux 4.5 had 23 counters.
                    let len = if attribute.kind == 23 { 184 } else { attribute.value.len() };
                    (attribute.kind, attribute.value[..len].to_vec())
                })
                .collect();
            each(kind, &message(structure, &kept));
        })
    }

    fn ethtool(&self, interface: &str, command: &mut [u8]) -> Result<(), SysError> {
        self.0.ethtool(interface, command)
    }
}

#[test]
fn an_older_kernel_gives_the_same_rows_but_for_what_it_does_not_have() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/linux-6.18-host");
    let replay = squirrel_sys::Replay::open(folder).unwrap();
    let (new, old) = (check_reading(&DESC, &replay), check_reading(&DESC, &Older(&replay)));
    let names = |seen: &crate::testing::Seen| -> std::collections::BTreeSet<String> {
        seen.batch.rows.iter().map(|row| row.metric.name.to_string()).collect()
    };
    let lost: Vec<String> = names(&new).difference(&names(&old)).cloned().collect();
    let expected = [
        "node_network_carrier_down_changes_total",
        "node_network_carrier_up_changes_total",
        "node_network_receive_nohandler_total",
        "squirrel_network_receive_otherhost_drops_total",
    ];
    assert_eq!(lost, expected);
    for row in &old.batch.rows {
        let labels: Vec<_> = row.labels.iter().collect();
        assert_eq!(new.value(&row.metric.name, &labels), Some(row.value), "{} {:?}", row.metric.name, row.labels);
    }
    assert_eq!(old.batch.faults, []);
}

fn tables(links: Vec<Vec<u8>>) -> Tables {
    let tables = Tables::default();
    set(&tables, links);
    tables
}

fn set(tables: &Tables, links: Vec<Vec<u8>>) {
    tables.lock().unwrap().insert(RTM_GETLINK, links.into_iter().map(|link| (RTM_NEWLINK, link)).collect());
}

/// Gives an interface its folder in sysfs.
fn with_sysfs(kernel: FakeKernel, name: &str, index: u32) -> FakeKernel {
    let file = |file: &str| format!("/sys/class/net/{name}/{file}");
    kernel
        .with(&file("ifindex"), format!("{index}\n"))
        .with(&file("speed"), "1000\n")
        .with(&file("duplex"), "full\n")
        .with(&file("dev_id"), "0x1f\n")
        .with(&file("device/uevent"), "DRIVER=e1000e\n")
}

#[test]
fn counters_are_grouped_as_proc_net_dev_does_and_shown_apart() {
    // Each counter is a power of two, so that a sum shows its parts.
    let link = link(2, "eth0", &[statistics((0..25).map(|i| 1 << i))]);
    let seen = check_reading(&DESC, &kernel(&tables(vec![link])));
    let value = |name: &str| seen.value(name, &[("device", "eth0")]).unwrap() as u64;
    let bits = |positions: &[u32]| positions.iter().map(|position| 1u64 << position).sum::<u64>();
    let expected: &[(&str, &[u32])] = &[
        ("node_network_receive_packets_total", &[0]),
        ("node_network_transmit_packets_total", &[1]),
        ("node_network_receive_bytes_total", &[2]),
        ("node_network_transmit_bytes_total", &[3]),
        ("node_network_receive_errs_total", &[4]),
        ("node_network_transmit_errs_total", &[5]),
        ("node_network_receive_drop_total", &[6, 15]),
        ("node_network_transmit_drop_total", &[7]),
        ("node_network_receive_multicast_total", &[8]),
        ("node_network_transmit_colls_total", &[9]),
        ("node_network_receive_frame_total", &[10, 11, 12, 13]),
        ("node_network_receive_fifo_total", &[14]),
        ("node_network_transmit_carrier_total", &[16, 17, 19, 20]),
        ("node_network_transmit_fifo_total", &[18]),
        ("node_network_receive_compressed_total", &[21]),
        ("node_network_transmit_compressed_total", &[22]),
        ("node_network_receive_nohandler_total", &[23]),
        ("squirrel_network_receive_length_errors_total", &[10]),
        ("squirrel_network_receive_over_errors_total", &[11]),
        ("squirrel_network_receive_crc_errors_total", &[12]),
        ("squirrel_network_receive_alignment_errors_total", &[13]),
        ("squirrel_network_receive_missed_errors_total", &[15]),
        ("squirrel_network_receive_dropped_total", &[6]),
        ("squirrel_network_receive_otherhost_drops_total", &[24]),
        ("squirrel_network_transmit_aborted_errors_total", &[16]),
        ("squirrel_network_transmit_carrier_errors_total", &[17]),
        ("squirrel_network_transmit_heartbeat_errors_total", &[19]),
        ("squirrel_network_transmit_window_errors_total", &[20]),
    ];
    for (name, positions) in expected {
        assert_eq!(value(name), bits(positions), "{name}");
    }
    assert_eq!(expected.len(), counters::METRICS.len());
}

#[test]
fn a_bond_its_member_and_a_card_can_be_told_apart() {
    let links = vec![
        link(2, "eth0", &[(10, 5u32.to_ne_bytes().to_vec())]),
        link(5, "bond0", &[link_kind("bond")]),
        link_with_flags(1, "lo", flag::UP | flag::LOOPBACK, &[]),
        link(6, "unknown0", &[]),
    ];
    let kernel = with_sysfs(with_sysfs(kernel(&tables(links)), "eth0", 2), "bond0", 5);
    let seen = check_reading(&DESC, &kernel);
    for labels in [
        [("device", "eth0"), ("kind", "physical"), ("master", "bond0"), ("virtual", "false")],
        [("device", "bond0"), ("kind", "bond"), ("master", ""), ("virtual", "true")],
        [("device", "lo"), ("kind", "loopback"), ("master", ""), ("virtual", "true")],
        [("device", "unknown0"), ("kind", ""), ("master", ""), ("virtual", "false")],
    ] {
        assert_eq!(seen.value("squirrel_network_interface_info", &labels), Some(1.0), "{labels:?}");
    }
    let capacity = |device| seen.value("squirrel_network_capacity_bytes_per_second", &[("device", device)]);
    assert_eq!((capacity("eth0"), capacity("bond0"), capacity("lo")), (Some(125e6), Some(125e6), None));
    assert_eq!(seen.value("node_network_device_id", &[("device", "eth0")]), Some(31.0));
}

#[test]
fn a_speed_that_the_driver_does_not_know_is_shown_as_node_exporter_does_and_is_no_capacity() {
    for (speed, shown) in [("-1\n", Some(-125_000.0)), ("4294967295\n", Some(536_870_911_875_000.0)), ("x\n", None)] {
        let kernel = with_sysfs(kernel(&tables(vec![link(2, "eth0", &[])])), "eth0", 2);
        kernel.write("/sys/class/net/eth0/speed", speed);
        let seen = check_reading(&DESC, &kernel);
        assert_eq!(seen.value("node_network_speed_bytes", &[("device", "eth0")]), shown, "{speed}");
        assert!(!seen.has("squirrel_network_capacity_bytes_per_second"));
    }
    let kernel = with_sysfs(kernel(&tables(vec![link(3, "veth0", &[link_kind("veth")])])), "veth0", 3);
    let seen = check_reading(&DESC, &kernel);
    assert!(seen.has("node_network_speed_bytes") && !seen.has("squirrel_network_capacity_bytes_per_second"));
}

#[test]
fn a_vlan_has_the_capacity_of_what_it_stands_on() {
    let vlan = |index, name, lower: u32| link(index, name, &[link_kind("vlan"), (5, lower.to_ne_bytes().to_vec())]);
    let circle = vlan(9, "circle0", 9);
    let links = vec![link(2, "eth0", &[]), vlan(3, "eth0.7", 2), vlan(4, "eth0.7.8", 3), circle].into_iter().chain([
        link(5, "veth0", &[link_kind("veth")]),
        vlan(6, "veth0.7", 5),
        vlan(7, "far0", 77),
    ]);
    let mut kernel = kernel(&tables(links.collect()));
    for (index, name) in [(3, "eth0.7"), (4, "eth0.7.8"), (6, "veth0.7"), (7, "far0"), (9, "circle0")] {
        kernel = with_sysfs(kernel, name, index);
    }
    let seen = check_reading(&DESC, &kernel);
    let has = |device| seen.value("squirrel_network_capacity_bytes_per_second", &[("device", device)]).is_some();
    assert_eq!([has("eth0.7"), has("eth0.7.8"), has("far0")], [true; 3]);
    assert_eq!([has("veth0.7"), has("circle0")], [false; 2]);
}

#[test]
fn an_interface_that_is_off_has_no_carrier_speed_or_duplex() {
    let off = link_with_flags(2, "eth0", 0, &[(33, vec![0])]);
    let kernel = with_sysfs(kernel(&tables(vec![off])), "eth0", 2);
    let seen = check_reading(&DESC, &kernel);
    assert!(
        !seen.has("node_network_carrier") && !seen.has("node_network_dormant") && !seen.has("node_network_speed_bytes")
    );
    assert_eq!(seen.value("squirrel_network_admin_up", &[("device", "eth0")]), Some(0.0));
    let info = seen.batch.rows.iter().find(|row| row.metric.name == "node_network_info").unwrap();
    assert_eq!((info.labels.get("duplex"), info.labels.get("adminstate")), (None, Some("down")));
}

/// Counts how often each file of sysfs is read.
struct Counting {
    inner: FakeKernel,
    speed: AtomicUsize,
    constants: AtomicUsize,
}

impl Kernel for Counting {
    fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        let counter = if path.ends_with("/speed") { &self.speed } else { &self.constants };
        counter.fetch_add(1, Ordering::Relaxed);
        self.inner.read(path, out)
    }

    fn dump(&self, f: Netlink, t: u16, p: &[u8], each: &mut dyn FnMut(u16, &[u8])) -> Result<(), SysError> {
        self.inner.dump(f, t, p, each)
    }

    fn ethtool(&self, interface: &str, command: &mut [u8]) -> Result<(), SysError> {
        self.inner.ethtool(interface, command)
    }
}

#[test]
fn the_driver_is_asked_every_ten_seconds_and_when_the_link_changed() {
    let carrier = |changes: u32| link(4, "eth0", &[(35, changes.to_ne_bytes().to_vec())]);
    let tables = tables(vec![carrier(1)]);
    let inner = with_sysfs(kernel(&tables), "eth0", 4);
    let kernel = Counting { inner, speed: AtomicUsize::new(0), constants: AtomicUsize::new(0) };
    let mut collector = open(&kernel).unwrap();
    let mut reads_at = |second: u64| {
        kernel.speed.store(0, Ordering::Relaxed);
        collector.collect(&kernel, Elapsed(Duration::from_secs(second)), &mut Batch::default());
        kernel.speed.load(Ordering::Relaxed)
    };
    assert_eq!([reads_at(0), reads_at(1), reads_at(9)], [1, 0, 0]);
    set(&tables, vec![carrier(2)]);
    assert_eq!([reads_at(10), reads_at(11)], [1, 0]);
    assert_eq!([reads_at(19), reads_at(20), reads_at(21)], [0, 1, 0]);
    let constants = kernel.constants.load(Ordering::Relaxed);
    assert_eq!(constants, 5 + 3, "constants once, duplex with each speed");
}

#[test]
fn a_renamed_interface_has_new_labels_and_a_vanished_one_no_rows() {
    let tables = tables(vec![link(2, "eth0", &[]), link(3, "eth1", &[])]);
    let kernel = with_sysfs(kernel(&tables), "wan", 2);
    let mut collector = open(&kernel).unwrap();
    let mut devices = |second| {
        let mut batch = Batch::default();
        collector.collect(&kernel, Elapsed(Duration::from_secs(second)), &mut batch);
        check_declared(&DESC, &batch);
        let up = batch.rows.iter().filter(|row| row.metric.name == "node_network_up");
        up.map(|row| row.labels.get("device").unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(devices(0), ["eth0", "eth1"]);
    set(&tables, vec![link(2, "wan", &[])]);
    assert_eq!(devices(1), ["wan"]);
    set(&tables, vec![]);
    assert_eq!(devices(2), Vec::<String>::new());
}

#[test]
fn a_sysfs_of_another_namespace_is_not_believed_and_named_once_it_is_sure() {
    // A namesake with another number.
    let kernel = with_sysfs(kernel(&tables(vec![link(2, "eth0", &[])])), "eth0", 77);
    let mut collector = open(&kernel).unwrap();
    let mut faults = |second| {
        let mut batch = Batch::default();
        collector.collect(&kernel, Elapsed(Duration::from_secs(second)), &mut batch);
        assert!(batch.rows.iter().all(|row| row.metric.name != "node_network_speed_bytes"));
        batch.faults
    };
    assert_eq!(faults(0), [], "it may have vanished in this moment");
    let told = faults(1);
    assert!(told.len() == 1 && told[0].reason.contains("Mount sysfs inside the namespace"), "{told:?}");
    kernel.write("/sys/class/net/eth0/ifindex", "2\n");
    assert_eq!(faults(5).len(), 1, "it is looked for every ten seconds");
    let mut batch = Batch::default();
    collector.collect(&kernel, Elapsed(Duration::from_secs(12)), &mut batch);
    assert!(batch.faults.is_empty() && batch.rows.iter().any(|row| row.metric.name == "node_network_speed_bytes"));
}

#[test]
fn a_name_that_is_not_utf_8_is_told_as_what_it_is() {
    let odd = link(2, "x", &[(3, b"bad\xff".to_vec())]);
    let faults = |links| {
        let kernel = kernel(&tables(links));
        let mut collector = open(&kernel).unwrap();
        let mut batch = Batch::default();
        for second in 0..2 {
            batch = Batch::default();
            collector.collect(&kernel, Elapsed(Duration::from_secs(second)), &mut batch);
        }
        batch.faults
    };
    let told = faults(vec![odd.clone()]);
    assert!(told.len() == 1 && told[0].reason.contains("is not UTF-8"), "{told:?}");
    assert!(!told[0].reason.contains("Mount"), "{told:?}");
    let both = faults(vec![link(3, "eth0", &[]), odd]);
    assert!(both.len() == 1 && both[0].reason.contains("Mount sysfs inside"), "{both:?}");
}

#[test]
fn a_name_with_dots_and_slashes_reads_no_file() {
    for name in ["..", ".", "a/../../x", ""] {
        let kernel = kernel(&tables(vec![link(2, name, &[])]));
        let kernel = Counting { inner: kernel, speed: AtomicUsize::new(0), constants: AtomicUsize::new(0) };
        open(&kernel).unwrap().collect(&kernel, Elapsed::default(), &mut Batch::default());
        assert_eq!(kernel.constants.load(Ordering::Relaxed), 0, "{name:?}");
    }
}

#[test]
fn two_interfaces_of_one_name_and_a_malformed_one_are_faults_beside_the_others() {
    let links = vec![link(2, "eth0", &[]), link(3, "eth0", &[]), vec![1, 2, 3], link(4, "eth1", &[])];
    let tables = tables(links);
    let seen = check_reading(&DESC, &kernel(&tables));
    let up: Vec<_> = seen.batch.rows.iter().filter(|row| row.metric.name == "node_network_iface_id").collect();
    assert_eq!(up.iter().map(|row| row.value).collect::<Vec<_>>(), [2.0, 4.0]);
    let faults: Vec<&str> = seen.batch.faults.iter().map(|fault| fault.reason.as_str()).collect();
    assert!(faults.iter().any(|reason| reason.starts_with("1 descriptions")), "{faults:?}");
    assert!(faults.iter().any(|reason| reason.starts_with("Two interfaces are named \"eth0\"")), "{faults:?}");
}

#[test]
fn more_interfaces_than_can_be_watched_are_counted() {
    let links = (1..=4100).map(|index| link(index, &format!("v{index}"), &[])).collect();
    let seen = check_reading(&DESC, &kernel(&tables(links)));
    let rows = seen.batch.rows.iter().filter(|row| row.metric.name == "node_network_up").count();
    assert_eq!(rows, MAX_INTERFACES);
    assert!(seen.batch.faults.iter().any(|fault| fault.reason.starts_with("4 interfaces beyond")));
}

fn address(index: u32, family: u8, prefix: u8, scope: u8, octets: &[u8], flags: u32) -> Vec<u8> {
    let structure = [vec![family, prefix, 0, scope], index.to_ne_bytes().to_vec()].concat();
    message(&structure, &[(1, octets.to_vec()), (8, flags.to_ne_bytes().to_vec())])
}

#[test]
fn addresses_are_shown_in_both_forms_and_duplicates_are_counted() {
    let tables = tables(vec![link(2, "eth0", &[])]);
    let v6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let addresses = vec![
        address(2, 2, 24, 0, &[192, 0, 2, 1], 0x80),
        address(2, 10, 64, 0, &v6, 0x08),
        address(2, 2, 16, 253, &[169, 254, 1, 1], 0),
        address(99, 2, 24, 0, &[10, 0, 0, 1], 0),
        vec![1],
    ];
    tables.lock().unwrap().insert(RTM_GETADDR, addresses.into_iter().map(|octets| (RTM_NEWADDR, octets)).collect());
    let seen = check_reading(&DESC, &with_sysfs(kernel(&tables), "eth0", 2));
    let ours = |family, address, prefix, scope| {
        let labels =
            [("device", "eth0"), ("family", family), ("address", address), ("prefix", prefix), ("scope", scope)];
        seen.value("squirrel_network_address_info", &labels)
    };
    assert_eq!(ours("ipv4", "192.0.2.1", "24", "global"), Some(1.0));
    assert_eq!(ours("ipv4", "169.254.1.1", "16", "link"), Some(1.0));
    assert_eq!(ours("ipv6", "2001:db8::1", "64", "global"), Some(1.0));
    let theirs = [("device", "eth0"), ("address", "169.254.1.1"), ("netmask", "16"), ("scope", "link-local")];
    assert_eq!(seen.value("node_network_address_info", &theirs), Some(1.0));
    assert_eq!(seen.value("squirrel_network_duplicate_addresses", &[("device", "eth0")]), Some(1.0));
    assert_eq!(seen.batch.faults.len(), 1);
}

#[test]
fn without_any_interface_it_says_why() {
    let refused = open(&kernel(&Tables::default())).err().unwrap();
    assert!(refused.to_string().contains("names no interface"), "{refused}");
}

proptest! {
    #[test]
    fn any_octets_of_a_kernel_are_survived(
        mut payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..6),
        name in prop::collection::vec(any::<u8>(), 0..16),
        alias in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let more = [(20, alias), (3, name), statistics([1, 2, 3])];
        payloads.push(link(2, "x", &more));
        let tables = tables(payloads.clone());
        tables.lock().unwrap().insert(RTM_GETADDR, payloads.into_iter().map(|octets| (RTM_NEWADDR, octets)).collect());
        prop_assert!(check_reading(&DESC, &kernel(&tables)).has("node_network_up"));
    }
}
