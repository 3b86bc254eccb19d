//! Every check over a host that is well, and over one with its fault.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use squirrel_model::{Elapsed, Labels};
use squirrel_testkit::MemorySelect;

use super::*;

const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// Series of a made-up host: `name{label="value"}` without the stored labels, and the value at each
/// second of the last six minutes.
struct Host(BTreeMap<String, fn(f64) -> f64>);

/// A host with steady traffic and no fault: 1,000 packets and 1 MB a second each way at 1 Gbit/s.
fn healthy() -> Host {
    let mut host = Host(BTreeMap::new());
    for device in ["eth0", "lo"] {
        for direction in ["receive", "transmit"] {
            host.counter(&format!("node_network_{direction}_bytes_total device={device}"), |t| 1e6 * t);
            host.counter(&format!("node_network_{direction}_packets_total device={device}"), |t| 1e3 * t);
            host.counter(&format!("node_network_{direction}_errs_total device={device}"), |_| 12.0);
            host.counter(&format!("node_network_{direction}_drop_total device={device}"), |_| 7.0);
        }
        host.counter(&format!("node_network_carrier_changes_total device={device}"), |_| 2.0);
    }
    host.counter("squirrel_network_capacity_bytes_per_second device=eth0", |_| 1.25e8);
    host.counter("squirrel_network_interface_info device=eth0,virtual=false", |_| 1.0);
    host.counter("squirrel_network_interface_info device=veth1,virtual=true", |_| 1.0);
    host.counter("node_network_carrier_changes_total device=veth1", |t| t);
    host.counter("node_netstat_Tcp_OutSegs", |t| 1e3 * t);
    host.counter("node_netstat_Tcp_RetransSegs", |t| t);
    host.counter("node_netstat_TcpExt_ListenOverflows", |_| 3.0);
    host.counter("squirrel_tcp_full_listeners", |_| 0.0);
    host.counter("node_netstat_Udp_RcvbufErrors", |_| 5.0);
    host.counter("node_netstat_Udp6_RcvbufErrors", |_| 0.0);
    host.counter("node_nf_conntrack_entries", |_| 100.0);
    host.counter("node_nf_conntrack_entries_limit", |_| 1000.0);
    host.counter("node_nf_conntrack_stat_drop", |_| 0.0);
    host.counter("squirrel_neighbour_table_entries family=ipv4", |_| 10.0);
    host.counter("squirrel_neighbour_table_threshold_entries family=ipv4,threshold=gc_thresh1", |_| 12.0);
    host.counter("squirrel_neighbour_table_threshold_entries family=ipv4,threshold=gc_thresh3", |_| 1024.0);
    host.counter("squirrel_neighbour_table_fulls_total family=ipv4", |_| 0.0);
    host.counter("squirrel_network_duplicate_addresses device=eth0", |_| 0.0);
    host.counter("squirrel_store_degraded", |_| 0.0);
    host.counter("squirrel_keeper_up", |_| 1.0);
    host.counter("squirrel_starter_up", |_| 1.0);
    host.counter("squirrel_query_engine_up", |_| 1.0);
    host.counter("squirrel_keeper_restarts_total", |_| 0.0);
    host.counter("node_softnet_dropped_total cpu=0", |_| 0.0);
    host.counter("node_softnet_dropped_total cpu=1", |_| 4.0);
    host.counter("node_qdisc_packets_total device=eth0,kind=fq", |t| 1e3 * t);
    host.counter("node_qdisc_drops_total device=eth0,kind=fq", |_| 9.0);
    host
}

impl Host {
    fn counter(&mut self, series: &str, values: fn(f64) -> f64) {
        self.0.insert(series.to_owned(), values);
    }

    fn without(mut self, metric: &str) -> Self {
        self.0.retain(|series, _| series.split(' ').next() != Some(metric));
        self
    }

    fn verdict(&self) -> Verdict {
        self.verdict_of(&[])
    }

    fn verdict_of(&self, collectors: &[CollectorStatus]) -> Verdict {
        let mut store = MemorySelect::default();
        for (series, values) in &self.0 {
            let labels = labels_of(series);
            for second in 0..=360_i32 {
                store.put(&labels, NOW.millis() - 360_000 + i64::from(second) * 1000, values(f64::from(second)));
            }
        }
        judge(&store, Some(NOW), collectors, &Watch::default(), &patient())
    }
}

fn labels_of(series: &str) -> Labels {
    let (name, rest) = series.split_once(' ').unwrap_or((series, ""));
    let pairs = rest.split(',').filter_map(|pair| pair.split_once('='));
    let stored = [(NAME_LABEL, name), ("job", "squirrel"), ("instance", "host:7775")];
    Labels::new(stored.into_iter().chain(pairs)).unwrap()
}

fn patient() -> Stop {
    let clock: Arc<dyn Fn() -> Elapsed + Send + Sync> = Arc::new(|| Elapsed(Duration::ZERO));
    Stop::after(&clock, Duration::from_mins(1))
}

/// The check, the series that goes wrong, its values, the level, and a part of the sentence.
type Fault = (&'static str, &'static str, fn(f64) -> f64, Level, &'static str);

/// What of the healthy host goes wrong for each check.
const FAULTS: &[Fault] = &[
    (
        "receive-errors",
        "node_network_receive_errs_total device=eth0",
        |t| after(t, 300.0, 12.0, 17.0),
        Level::Warning,
        "eth0 received 5 damaged frames",
    ),
    (
        "transmit-errors",
        "node_network_transmit_errs_total device=eth0",
        |t| 10.0 * t,
        Level::Bad,
        "eth0 failed to send 3000 frames",
    ),
    ("receive-drops", "node_network_receive_drop_total device=eth0", |t| 5.0 * t, Level::Warning, "eth0 dropped 0.5 %"),
    ("transmit-drops", "node_network_transmit_drop_total device=eth0", |t| 20.0 * t, Level::Bad, "eth0 dropped 2.0 %"),
    ("retransmissions", "node_netstat_Tcp_RetransSegs", |t| 25.0 * t, Level::Warning, "this host sent 2.5 %"),
    (
        "receive-utilisation",
        "node_network_receive_bytes_total device=eth0",
        |t| 1.1e8 * t,
        Level::Warning,
        "eth0 receives at 88 %",
    ),
    (
        "transmit-utilisation",
        "node_network_transmit_bytes_total device=eth0",
        |t| 1.23e8 * t,
        Level::Bad,
        "eth0 transmits at 98 %",
    ),
    (
        "carrier",
        "node_network_carrier_changes_total device=eth0",
        |t| after(t, 200.0, 2.0, 4.0),
        Level::Warning,
        "link of eth0 changed 2 times",
    ),
    ("listen-overflows", "node_netstat_TcpExt_ListenOverflows", |t| t, Level::Bad, "turned 300 new connections away"),
    ("full-listeners", "squirrel_tcp_full_listeners", |_| 1.0, Level::Bad, "1 listening sockets"),
    (
        "udp-receive-buffer",
        "node_netstat_Udp_RcvbufErrors",
        |t| after(t, 300.0, 5.0, 6.0),
        Level::Warning,
        "lost 1 UDP datagrams",
    ),
    ("udp6-receive-buffer", "node_netstat_Udp6_RcvbufErrors", |t| 10.0 * t, Level::Bad, "over IPv6"),
    ("conntrack", "node_nf_conntrack_entries", |_| 850.0, Level::Warning, "85 % full"),
    ("conntrack-drops", "node_nf_conntrack_stat_drop", |t| t, Level::Bad, "dropped 300 packets"),
    (
        "softnet-drops",
        "node_softnet_dropped_total cpu=1",
        |t| after(t, 100.0, 4.0, 44.0),
        Level::Warning,
        "dropped 40 received packets",
    ),
    (
        "qdisc-drops",
        "node_qdisc_drops_total device=eth0,kind=fq",
        |t| 20.0 * t,
        Level::Warning,
        "queue of eth0 dropped 2.0 %",
    ),
    (
        "neighbour-table",
        "squirrel_neighbour_table_entries family=ipv4",
        |_| 1000.0,
        Level::Bad,
        "table of ipv4 is 98 % full",
    ),
    (
        "neighbour-overflows",
        "squirrel_neighbour_table_fulls_total family=ipv4",
        |t| after(t, 300.0, 0.0, 1.0),
        Level::Bad,
        "table of ipv4 was full 1 times",
    ),
    (
        "duplicate-addresses",
        "squirrel_network_duplicate_addresses device=eth0",
        |_| 1.0,
        Level::Bad,
        "eth0 has 1 IPv6 addresses",
    ),
    ("record", "squirrel_store_degraded", |_| 1.0, Level::Bad, "does not reach the disk"),
    ("keeper", "squirrel_keeper_up", |_| 0.0, Level::Warning, "has the privileges of squirrel, does not answer"),
    (
        "keeper-restarts",
        "squirrel_keeper_restarts_total",
        |t| after(t, 300.0, 0.0, 1.0),
        Level::Warning,
        "was started again 1 times",
    ),
    ("starter", "squirrel_starter_up", |_| 0.0, Level::Warning, "that starts the keeper of squirrel has ended"),
    (
        "engine",
        "squirrel_query_engine_up",
        |_| 0.0,
        Level::Bad,
        "The engine that this host asks PromQL of does not answer",
    ),
];

fn after(t: f64, moment: f64, before: f64, then: f64) -> f64 {
    if t < moment { before } else { then }
}

#[test]
fn a_healthy_host_gets_one_calm_sentence() {
    let verdict = healthy().verdict();
    assert_eq!(verdict.findings, []);
    assert_eq!(verdict.not_judged, Vec::<String>::new());
    assert_eq!((verdict.level, verdict.time), (Level::Ok, Some(1_700_000_000.0)));
    assert_eq!(verdict.sentence, format!("All is well: {} checks found nothing wrong.", CHECKS.len() + PARTS.len()));
    let embedded = healthy().without("squirrel_query_engine_up").without("squirrel_starter_up").verdict();
    assert_eq!(embedded.not_judged, Vec::<String>::new(), "who has no other engine misses none");
    assert_eq!(embedded.sentence, format!("All is well: {} checks found nothing wrong.", CHECKS.len()));
}

#[test]
fn each_check_speaks_of_its_fault_and_no_other_does() {
    for (id, series, values, level, part) in FAULTS {
        let mut host = healthy();
        assert!(host.0.insert((*series).to_owned(), *values).is_some(), "{series} is not of the healthy host");
        let verdict = host.verdict();
        let [finding] = verdict.findings.as_slice() else { panic!("{id}: {:?}", verdict.findings) };
        assert_eq!((finding.check.as_ref(), finding.level), (*id, *level), "{}", finding.sentence);
        assert!(finding.sentence.contains(part), "{part} in {}", finding.sentence);
        assert!(!finding.sentence.contains('{') && !finding.check_first.is_empty());
        assert_eq!((verdict.level, &verdict.sentence), (*level, &finding.sentence));
    }
    let tried: BTreeSet<_> = FAULTS.iter().map(|fault| fault.0).collect();
    let checks: BTreeSet<_> = CHECKS.iter().chain(PARTS).map(|check| check.id).collect();
    assert_eq!(tried, checks, "every check has its fault here");
}

#[test]
fn the_worst_comes_first_and_the_rest_is_counted() {
    let mut host = healthy();
    for (id, series, values, ..) in FAULTS {
        if ["receive-errors", "conntrack", "listen-overflows"].contains(id) {
            host.0.insert((*series).to_owned(), *values);
        }
    }
    let verdict = host.verdict();
    let levels: Vec<_> = verdict.findings.iter().map(|finding| finding.level).collect();
    assert_eq!(levels, [Level::Bad, Level::Warning, Level::Warning]);
    assert!(
        verdict.sentence.starts_with("this host turned 300") && verdict.sentence.ends_with("And 2 more findings."),
        "{}",
        verdict.sentence
    );
}

#[test]
fn what_has_no_samples_is_said_and_the_rest_is_judged() {
    let host = healthy().without("node_nf_conntrack_entries").without("node_nf_conntrack_stat_drop");
    let collectors = [CollectorStatus {
        name: "conntrack".to_owned(),
        about: "Connection tracking.".to_owned(),
        state: CollectorState::Unavailable,
        sentence: "Connection tracking is not loaded.".to_owned(),
        duration_seconds: 0.0,
        faults: vec![],
    }];
    let verdict = host.verdict_of(&collectors);
    assert_eq!(verdict.level, Level::Ok);
    assert!(
        verdict.sentence.starts_with(&format!(
            "All is well: {} of {1} checks",
            CHECKS.len() + PARTS.len() - 2,
            CHECKS.len() + PARTS.len()
        )),
        "{}",
        verdict.sentence
    );
    assert_eq!(verdict.not_judged[0], "conntrack is not read here: Connection tracking is not loaded.");
    assert_eq!(
        verdict.not_judged[1],
        "The connection-tracking table: there are no samples of node_nf_conntrack_entries."
    );
    assert_eq!(verdict.not_judged.len(), 3);
}

#[test]
fn without_samples_nothing_is_called_well() {
    let nothing = MemorySelect::default();
    let before = judge(&nothing, None, &[], &Watch::default(), &patient());
    assert_eq!((before.level, before.time), (Level::Unknown, None));
    assert!(before.sentence.starts_with("No samples yet"));
    let empty = judge(&nothing, Some(NOW), &[], &Watch::default(), &patient());
    assert_eq!((empty.level, empty.not_judged.len()), (Level::Unknown, CHECKS.len()));
}

#[test]
fn little_traffic_is_no_reason_to_judge_shares() {
    let mut host = healthy();
    host.counter("node_netstat_Tcp_OutSegs", |t| t / 10.0);
    host.counter("node_netstat_Tcp_RetransSegs", |t| t / 20.0);
    let verdict = host.verdict();
    assert_eq!((verdict.findings, verdict.not_judged), (vec![], vec![]));
}

#[test]
fn a_hostile_name_stays_a_name() {
    let mut host = healthy();
    host.counter("node_network_receive_errs_total device={value}</b>{subject}", |t| t);
    let verdict = host.verdict();
    assert_eq!(verdict.findings[0].sentence, "{value}</b>{subject} received 300 damaged frames in the last 5 minutes.");
}

#[test]
fn a_check_that_is_stopped_is_not_judged() {
    let clock: Arc<dyn Fn() -> Elapsed + Send + Sync> = Arc::new(|| Elapsed(Duration::ZERO));
    let late = Stop::after(&clock, Duration::ZERO);
    let mut store = MemorySelect::default();
    for i in 0..5_000 {
        store.put(&labels_of(&format!("node_network_receive_errs_total device=eth{i}")), NOW.millis(), 1.0);
        store.put(&labels_of(&format!("node_network_receive_errs_total device=eth{i}")), NOW.millis() - 1000, 1.0);
    }
    let verdict = judge(&store, Some(NOW), &[], &Watch::default(), &late);
    assert!(verdict.not_judged.iter().any(|text| text.contains("timed out")), "{:?}", verdict.not_judged);
}

#[test]
fn alerts_that_fire_are_mentioned_and_raise_the_level() {
    let watch = Watch {
        firing: 5,
        names: vec!["Up".to_owned(), "Down".to_owned()],
        worst: Some(Level::Bad),
        problems: vec!["rules.yml:3:5: what?\nnone of its rules is in force".to_owned()],
        not_evaluated: vec!["rule A fails: no answer".to_owned(), "2 groups are late".to_owned()],
        ..Watch::default()
    };
    let store = MemorySelect::default();
    let verdict = judge(&store, Some(NOW), &[], &watch, &patient());
    assert_eq!(verdict.level, Level::Bad);
    assert!(verdict.sentence.ends_with("5 alerts fire: Up, Down …."), "{}", verdict.sentence);
    let [broken, idle] = verdict.findings.as_slice() else { panic!("{:?}", verdict.findings) };
    assert_eq!((broken.check.as_ref(), broken.level), ("rules", Level::Warning));
    assert!(broken.sentence.contains("rules.yml:3:5: what?; none of its rules is in force"), "{}", broken.sentence);
    assert_eq!(idle.check, "rules_evaluation");
    assert!(idle.sentence.contains("A fails: no answer; 2 groups are late."), "{}", idle.sentence);
    let one = Watch { firing: 1, names: vec!["Up".to_owned()], ..Watch::default() };
    let verdict = judge(&store, Some(NOW), &[], &one, &patient());
    assert!(verdict.sentence.starts_with("1 alert fires: Up."), "it comes first: {}", verdict.sentence);
    assert_eq!(verdict.level, Level::Unknown, "one that is only information raises nothing");
}

#[test]
fn a_hub_judges_itself_and_not_those_that_send_to_it() {
    let mut store = MemorySelect::default();
    for (instance, errors) in [("hub:7775", 0.0), ("oak:7775", 1_000.0)] {
        let pairs = [("device", "eth0"), ("job", "squirrel"), ("instance", instance)];
        let name = [(NAME_LABEL, "node_network_receive_errs_total")];
        let labels = Labels::new(name.into_iter().chain(pairs)).unwrap();
        store.put(&labels, NOW.millis() - 60_000, 0.0);
        store.put(&labels, NOW.millis(), errors);
    }
    let findings = |own: &str| {
        let own = Labels::new([("job", "squirrel"), ("instance", own)]).unwrap();
        judge(&Own::new(&store, &own), Some(NOW), &[], &Watch::default(), &patient()).findings.len()
    };
    assert_eq!((findings("hub:7775"), findings("oak:7775")), (0, 1));
}
