//! Each built-in rule fires on its fault, and none on a host that is well.

#[path = "support/promtool.rs"]
mod promtool;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use squirrel_alert::thresholds::{THRESHOLDS, Thresholds};
use squirrel_alert::{AlertState, Group, Health, RuleFile, Surroundings, built_in, built_in_rules, built_in_text};
use squirrel_collect::Schedule;
use squirrel_model::{Batch, Elapsed, Labels, LabelsBuilder, MatchOp, NAME_LABEL, Timestamp};
use squirrel_promql::EvalOptions;
use squirrel_sys::Replay;
use squirrel_testkit::MemorySelect;

/// Seconds between samples and evaluations.
const STEP: i64 = 15;
/// When a fault begins, and when the look at the host ends, in seconds.
const FAULT: i64 = 1_200;
const END: i64 = 2_400;

/// A series as `name label=value,…`: its value at a second.
type Series = BTreeMap<String, Box<dyn Fn(i64) -> f64>>;

fn labels(text: &str) -> Labels {
    let (name, others) = text.split_once(' ').unwrap_or((text, ""));
    let mut builder = LabelsBuilder::default();
    builder.set(NAME_LABEL, name).set("job", "squirrel").set("instance", "host");
    for (name, value) in others.split(',').filter_map(|pair| pair.split_once('=')) {
        builder.set(name, value);
    }
    builder.build().expect("labels of a test")
}

/// A host with steady traffic, some old errors, and now and then a retransmission.
fn healthy() -> Series {
    let mut host = Series::new();
    let mut steady = |text: &str, start: f64, slope: f64| {
        host.insert(text.to_owned(), Box::new(move |second| start + slope * second as f64));
    };
    for device in ["eth0", "lo", "veth1"] {
        for direction in ["receive", "transmit"] {
            steady(&format!("node_network_{direction}_bytes_total device={device}"), 0.0, 1e6);
            steady(&format!("node_network_{direction}_packets_total device={device}"), 0.0, 1e3);
            steady(&format!("node_network_{direction}_errs_total device={device}"), 12.0, 0.0);
            steady(&format!("node_network_{direction}_drop_total device={device}"), 7.0, 0.001);
        }
        steady(&format!("node_network_carrier device={device}"), 1.0, 0.0);
    }
    steady("node_network_carrier_changes_total device=eth0", 2.0, 0.0);
    steady("node_network_carrier_changes_total device=veth1", 0.0, 0.1);
    steady("squirrel_network_capacity_bytes_per_second device=eth0", 1.25e8, 0.0);
    steady("squirrel_network_interface_info device=eth0,virtual=false", 1.0, 0.0);
    steady("squirrel_network_interface_info device=veth1,virtual=true", 1.0, 0.0);
    steady("node_netstat_Tcp_OutSegs", 0.0, 1e3);
    steady("node_netstat_Tcp_RetransSegs", 0.0, 1.0);
    for name in [
        "node_netstat_TcpExt_ListenOverflows",
        "node_netstat_Udp_RcvbufErrors",
        "node_netstat_Udp6_RcvbufErrors",
        "node_netstat_TcpExt_TCPReqQFullDrop",
        "node_netstat_TcpExt_TCPReqQFullDoCookies",
        "squirrel_ticks_missed_total",
        "squirrel_store_out_of_order_total",
        "squirrel_store_unlogged_rows_total",
        "squirrel_store_corrupt_chunks_total",
        "squirrel_store_maintenance_failures_total",
    ] {
        steady(name, 3.0, 0.0);
    }
    steady("squirrel_store_degraded", 0.0, 0.0);
    steady("squirrel_tcp_ephemeral_ports_used_ratio", 0.3, 0.0);
    steady("squirrel_store_disk_free_ratio", 0.4, 0.0);
    steady("node_nf_conntrack_entries", 100.0, 0.0);
    steady("node_nf_conntrack_entries_limit", 1000.0, 0.0);
    for cpu in ["0", "1"] {
        steady(&format!("node_nf_conntrack_stat_drop cpu={cpu}"), 4.0, 0.0);
        steady(&format!("node_softnet_dropped_total cpu={cpu}"), 4.0, 0.0);
    }
    for family in ["ipv4", "ipv6"] {
        steady(&format!("squirrel_neighbour_table_entries family={family}"), 10.0, 0.0);
        steady(
            &format!("squirrel_neighbour_table_threshold_entries family={family},threshold=gc_thresh3"),
            1024.0,
            0.0,
        );
        steady(&format!("squirrel_neighbour_table_fulls_total family={family}"), 0.0, 0.0);
    }
    steady("up", 1.0, 0.0);
    for target in ["192.0.2.1", "shop"] {
        steady(&format!("probe_success instance={target},job=probe"), 1.0, 0.0);
        steady(&format!("probe_icmp_duration_seconds instance={target},job=probe,phase=rtt"), 0.02, 0.0);
        steady(&format!("probe_icmp_duration_seconds instance={target},job=probe,phase=setup"), 0.2, 0.0);
        steady(&format!("probe_dns_lookup_time_seconds instance={target},job=probe"), 0.03, 0.0);
    }
    steady("probe_ssl_earliest_cert_expiry instance=shop,job=probe", 90.0 * 86_400.0, 0.0);
    steady("squirrel_probe_mos_score instance=shop,job=probe", 4.3, 0.0);
    steady("squirrel_path_changes_total instance=shop,job=path", 3.0, 0.0);
    steady("probe_success instance=shop,job=promised", 1.0, 0.0);
    steady("squirrel_probe_objective_ratio instance=shop,job=promised", 0.9995, 0.0);
    steady("probe_success instance=resolver,job=dns", 1.0, 0.0);
    steady("probe_dns_answer_rrs instance=resolver,job=dns", 2.0, 0.0);
    host
}

/// A fault of a series from [`FAULT`] on.
#[derive(Clone, Copy, Debug)]
enum From {
    /// It rises by this each second more than before.
    Rises(f64),
    /// It has this value.
    Is(f64),
    /// It stands still.
    Stops,
    /// There are no more samples of it.
    Ends,
    /// At every second look it is this much higher.
    Swings(f64),
    /// At every tenth look it is this.
    AtTimes(f64),
    /// It was this once.
    Once(f64),
}

const FAULTS: &[(&str, &str, From)] = &[
    ("LinkReceiveBusy", "node_network_receive_bytes_total device=eth0", From::Rises(1.1e8)),
    ("LinkTransmitBusy", "node_network_transmit_bytes_total device=eth0", From::Rises(1.1e8)),
    ("ReceiveErrors", "node_network_receive_errs_total device=eth0", From::Rises(0.1)),
    ("TransmitErrors", "node_network_transmit_errs_total device=eth0", From::Rises(0.1)),
    ("ReceiveDrops", "node_network_receive_drop_total device=eth0", From::Rises(20.0)),
    ("TransmitDrops", "node_network_transmit_drop_total device=eth0", From::Rises(20.0)),
    ("CarrierFlaps", "node_network_carrier_changes_total device=eth0", From::Rises(0.02)),
    ("Retransmissions", "node_netstat_Tcp_RetransSegs", From::Rises(20.0)),
    ("AcceptQueueFull", "node_netstat_TcpExt_ListenOverflows", From::Is(4.0)),
    ("SynQueueFull", "node_netstat_TcpExt_TCPReqQFullDoCookies", From::Is(4.0)),
    ("SynQueueFull", "node_netstat_TcpExt_TCPReqQFullDrop", From::Is(4.0)),
    ("UdpReceiveDrops", "node_netstat_Udp_RcvbufErrors", From::Rises(1.0)),
    ("Udp6ReceiveDrops", "node_netstat_Udp6_RcvbufErrors", From::Rises(1.0)),
    ("ConntrackNearFull", "node_nf_conntrack_entries", From::Is(900.0)),
    ("ConntrackDrops", "node_nf_conntrack_stat_drop cpu=1", From::Is(5.0)),
    ("NeighbourTableNearFull", "squirrel_neighbour_table_entries family=ipv6", From::Is(1000.0)),
    ("NeighbourTableFull", "squirrel_neighbour_table_fulls_total family=ipv4", From::Is(1.0)),
    ("SoftnetDrops", "node_softnet_dropped_total cpu=1", From::Rises(1.0)),
    ("TargetDown", "up", From::Is(0.0)),
    ("TargetDown", "up", From::Ends),
    ("InterfaceSilent", "node_network_receive_packets_total device=eth0", From::Stops),
    ("ReadingsMissed", "squirrel_ticks_missed_total", From::Rises(0.5)),
    ("SamplesLost", "squirrel_store_out_of_order_total", From::Is(4.0)),
    ("SamplesLost", "squirrel_store_unlogged_rows_total", From::Is(4.0)),
    ("StoreNotWritten", "squirrel_store_degraded", From::Is(1.0)),
    ("EphemeralPortsNearExhausted", "squirrel_tcp_ephemeral_ports_used_ratio", From::Is(0.85)),
    ("StoreDiskNearFull", "squirrel_store_disk_free_ratio", From::Is(0.02)),
    ("StoreDamaged", "squirrel_store_corrupt_chunks_total", From::Is(4.0)),
    ("StoreDamaged", "squirrel_store_maintenance_failures_total", From::Is(4.0)),
    ("LatencyHigh", "probe_icmp_duration_seconds instance=shop,job=probe,phase=rtt", From::Is(0.15)),
    ("PacketLoss", "probe_success instance=shop,job=probe", From::AtTimes(0.0)),
    ("ProbeFailing", "probe_success instance=shop,job=probe", From::Is(0.0)),
    ("ErrorBudgetBurning", "probe_success instance=shop,job=promised", From::Once(0.0)),
    ("CallQualityLow", "squirrel_probe_mos_score instance=shop,job=probe", From::Is(3.1)),
    ("PathChanged", "squirrel_path_changes_total instance=shop,job=path", From::Is(4.0)),
    ("Jitter", "probe_icmp_duration_seconds instance=shop,job=probe,phase=rtt", From::Swings(0.08)),
    ("DnsFailures", "probe_success instance=resolver,job=dns", From::AtTimes(0.0)),
    ("DnsFailures", "probe_success instance=resolver,job=dns", From::Is(0.0)),
    ("DnsSlow", "probe_dns_lookup_time_seconds instance=shop,job=probe", From::Is(2.0)),
    ("CertificateExpiring", "probe_ssl_earliest_cert_expiry instance=shop,job=probe", From::Is(10.0 * 86_400.0)),
    ("ThroughputLow", "node_network_receive_bytes_total device=eth0", From::Stops),
];

fn rules() -> RuleFile {
    // Whoever expects no throughput is told of none.
    let mut thresholds = Thresholds::default();
    thresholds.set("throughput_floor", 1.5e6).expect("a threshold");
    built_in_rules(&thresholds).expect("the table makes a rule file")
}

/// The store of a host, with the fault if there is one.
fn record(fault: Option<(&str, From)>) -> MemorySelect {
    let mut store = MemorySelect::default();
    for (text, value) in healthy() {
        let fault = fault.filter(|(series, _)| *series == text).map(|(_, fault)| fault);
        let labels = labels(&text);
        for second in (0..=END).step_by(STEP as usize) {
            let late = second >= FAULT;
            let value = match fault.filter(|_| late) {
                None => Some(value(second)),
                Some(From::Rises(slope)) => Some(value(second) + slope * (second - FAULT) as f64),
                Some(From::Is(value)) => Some(value),
                Some(From::Stops) => Some(value(FAULT)),
                Some(From::Ends) => None,
                Some(From::Swings(more)) => Some(value(second) + more * (second / STEP % 2) as f64),
                Some(From::Once(other)) => Some(if second == FAULT { other } else { value(second) }),
                Some(From::AtTimes(other)) => Some(if second / STEP % 10 == 0 { other } else { value(second) }),
            };
            if let Some(value) = value {
                store.put(&labels, second * 1000, value);
            }
        }
    }
    store
}

/// Names of the alerts that fire at any time, each with the second of the first; and the summaries.
fn fired(store: &MemorySelect, end: i64) -> (BTreeMap<String, i64>, BTreeSet<String>) {
    fired_by(rules(), store, end)
}

fn fired_by(mut rules: RuleFile, store: &MemorySelect, end: i64) -> (BTreeMap<String, i64>, BTreeSet<String>) {
    let mut group = Group::new("built-in", rules.groups.remove(0));
    let around = Surroundings {
        external_labels: &Labels::empty(),
        external_url: "",
        options: &EvalOptions::default(),
        query_offset_ms: 0,
        stop: &|| false,
        elapsed: &Elapsed::default,
    };
    let (mut names, mut summaries) = (BTreeMap::new(), BTreeSet::new());
    for second in (0..=end).step_by(STEP as usize) {
        group.evaluate(store, Timestamp(second * 1000), &around);
        for status in group.rules() {
            assert_eq!(status.health, Health::Ok, "{}", status.rule.name);
            for alert in status.active_alerts().filter(|alert| alert.state == AlertState::Firing) {
                names.entry(status.rule.name.clone()).or_insert(second);
                summaries.insert(alert.annotations["summary"].clone());
            }
        }
    }
    (names, summaries)
}

#[test]
fn a_host_that_is_well_is_left_in_peace() {
    let (names, summaries) = fired(&record(None), END);
    assert_eq!((names, summaries), (BTreeMap::new(), BTreeSet::new()));
}

#[test]
fn each_rule_fires_on_its_fault_and_no_other_does() {
    let mut tried = BTreeSet::new();
    for (name, series, fault) in FAULTS {
        assert!(healthy().contains_key(*series), "{series}");
        let (names, summaries) = fired(&record(Some((series, *fault))), END);
        let found: Vec<&str> = names.keys().map(String::as_str).collect();
        assert_eq!(found, [*name], "{series} {fault:?}");
        assert!(names[*name] > FAULT - STEP && names[*name] <= FAULT + 660, "{name}: {names:?}");
        assert!(
            summaries.iter().all(|text| ["host", "shop", "resolver"].iter().any(|name| text.contains(name))
                && !text.contains('{')
                && !text.contains("<error")),
            "{summaries:?}"
        );
        tried.insert(*name);
    }
    let all: BTreeSet<&str> = built_in().map(|rule| rule.name).collect();
    assert_eq!(tried, all, "each rule has a fault");
}

#[test]
fn the_recorded_hosts_are_left_in_peace() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../squirrel-collect/testdata");
    let mut hosts = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let host = entry.unwrap().path();
        let kernel = Replay::open(&host).unwrap();
        let mut schedule = Schedule::open::<&str>(&kernel, &[], Elapsed::default());
        let mut batch = Batch::default();
        schedule.tick(&kernel, &Elapsed::default, &mut batch);
        assert!(batch.rows.len() > 100, "{}: {} rows", host.display(), batch.rows.len());
        let mut store = MemorySelect::default();
        for row in &batch.rows {
            let mut builder = row.labels.to_builder();
            builder.set(NAME_LABEL, &*row.metric.name).set("job", "squirrel").set("instance", "host");
            let labels = builder.build().unwrap();
            for second in (0..=900).step_by(STEP as usize) {
                store.put(&labels, second * 1000, row.value);
            }
        }
        let usual = built_in_rules(&Thresholds::default()).expect("the table makes a rule file");
        let (names, summaries) = fired_by(usual, &store, 900);
        assert!(names.is_empty(), "{}: {summaries:?}", host.display());
        hosts += 1;
    }
    assert!(hosts >= 3);
}

#[test]
fn every_metric_of_a_rule_is_collected() {
    let catalogue = squirrel_collect::catalogue();
    for rule in rules().groups.remove(0).rules {
        for matchers in squirrel_promql::selectors(&rule.expr) {
            let name = matchers.iter().find(|m| m.name() == NAME_LABEL && m.op() == MatchOp::Equal).unwrap().value();
            // What the loop says of itself is declared in the program, above this crate.
            let own = ["up", "squirrel_ticks_missed_total", "squirrel_store_disk_free_ratio"].contains(&name)
                // Probes have blackbox_exporter's names, whoever makes them.
                || ["probe_", "squirrel_probe_", "squirrel_path_"].iter().any(|prefix| name.starts_with(prefix))
                || squirrel_store::METRICS.iter().any(|metric| metric.name == name);
            assert!(own || catalogue.iter().any(|metric| metric.name == name), "{}: {name}", rule.name);
        }
    }
}

#[test]
fn each_rule_says_what_it_means_and_three_things_to_check() {
    for rule in built_in() {
        assert!(rule.meaning.ends_with('.') && rule.meaning.len() > 20, "{}", rule.name);
        assert!(rule.first.iter().all(|check| check.ends_with('.') && check.len() > 10), "{}", rule.name);
        assert!(matches!(rule.severity, "info" | "warning" | "critical"), "{}", rule.name);
    }
}

#[test]
fn a_threshold_is_changed_by_name_and_each_has_a_rule_or_a_check() {
    let mut thresholds = Thresholds::default();
    thresholds.set("conntrack_fill", 0.5).unwrap();
    let text = built_in_text(&thresholds);
    assert!(text.contains("(node_nf_conntrack_entries_limit > 0)) > 0.5'"), "{text}");
    assert!(text.contains("threshold: '50%'"));
    for threshold in THRESHOLDS {
        assert!(thresholds.set(threshold.name, 0.0).is_ok(), "{}", threshold.name);
    }
    assert!(built_in_rules(&thresholds).is_ok());
}

#[test]
fn the_fast_burn_has_a_threshold_of_its_own() {
    let mut thresholds = Thresholds::default();
    assert!(built_in_text(&thresholds).contains(") > 14.4 or "), "the usual one");
    thresholds.set("burn_fast", 36.0).expect("a threshold");
    thresholds.set("burn", 2.5).expect("a threshold");
    let text = built_in_text(&thresholds);
    assert!(text.contains(") > 36 or ") && text.contains(") > 2.5'") && !text.contains("{burn"), "{text}");
}

#[test]
fn a_target_that_is_probed_seldom_is_not_down_for_one_lost_probe() {
    for (lost, expected) in [(1, vec![]), (3, vec!["ProbeFailing"])] {
        let mut store = MemorySelect::default();
        let seldom = labels("probe_success instance=seldom,job=probe");
        for probe in 0..12 {
            let failed = (5..5 + lost).contains(&probe);
            store.put(&seldom, probe * 240_000, f64::from(u8::from(!failed)));
        }
        let usual = built_in_rules(&Thresholds::default()).expect("the table makes a rule file");
        let (names, _) = fired_by(usual, &store, 2_640);
        assert_eq!(names.keys().collect::<Vec<_>>(), expected, "{lost} lost");
    }
}

#[test]
fn without_a_floor_no_throughput_is_too_low() {
    let text = built_in_text(&Thresholds::default());
    assert!(text.contains(") < 0'"), "{text}");
}

#[test]
fn promtool_takes_the_built_in_rules() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("f.yml"), built_in_text(&Thresholds::default())).unwrap();
    match promtool::promtool(folder.path(), &["check", "rules", "f.yml"]) {
        Some(verdict) => {
            assert!(verdict.content, "{}", verdict.words);
            assert!(verdict.words.contains(&format!("{} rules found", built_in().count())), "{}", verdict.words);
        }
        None => squirrel_testkit::skip("promtool_takes_the_built_in_rules", "promtool is not installed"),
    }
}
