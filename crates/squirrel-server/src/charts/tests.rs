//! Every chart over a made-up host.

use super::*;
use crate::engine;
use crate::gate::Stop;
use squirrel_model::{Elapsed, Labels, Timestamp};
use squirrel_testkit::MemorySelect;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn put(store: &mut MemorySelect, name: &str, labels: &[(&str, &str)], a_second: f64) {
    let labels = Labels::new(labels.iter().copied().chain([("__name__", name), ("job", "squirrel")])).unwrap();
    for second in 0..=60_i32 {
        store.put(&labels, NOW.millis() - 60_000 + i64::from(second) * 1000, 1.0 + a_second * f64::from(second));
    }
}

/// The JSON of each query's value over the store, with the placeholders filled in.
fn drawn(chart: &ChartSpec, store: &MemorySelect) -> Vec<String> {
    let clock: Arc<dyn Fn() -> Elapsed + Send + Sync> = Arc::new(|| Elapsed(Duration::ZERO));
    let stop = Stop::after(&clock, Duration::from_mins(1));
    let value = |query: &ChartQuery| {
        let text =
            query.expr.replace("$device", "eth0").replace("$scope", "application=\"a\"").replace("$window", "15s");
        assert!(!text.contains('$'), "{text}");
        let expr = engine::parse(&text).unwrap_or_else(|error| panic!("{}: {text}: {error}", chart.id));
        let answer = engine::evaluate(&expr, store, NOW, &stop);
        let mut out = String::new();
        answer.unwrap_or_else(|error| panic!("{}: {text}: {error}", chart.id)).write(&mut out);
        out
    };
    chart.queries.iter().map(value).collect()
}

fn interface(store: &mut MemorySelect, device: &str, kind: &str, master: &str, outer: &str) {
    put(store, "node_network_receive_bytes_total", &[("device", device)], 1000.0);
    put(store, "node_network_transmit_bytes_total", &[("device", device)], 10.0);
    let info = [("device", device), ("kind", kind), ("master", master), ("virtual", outer)];
    put(store, "squirrel_network_interface_info", &info, 0.0);
}

/// Everything that an application can tell; `speed` scales it.
fn application(store: &mut MemorySelect, name: &str, speed: f64) {
    let mut tell = |metric: &str, own: &[(&str, &str)], a_second: f64| {
        let whose = [("__name__", metric), ("job", "application"), ("application", name), ("instance", "h:7")];
        let labels = Labels::new(whose.into_iter().chain(own.iter().copied())).unwrap();
        for second in 0..=60_i32 {
            let at = NOW.millis() - 60_000 + i64::from(second) * 1000;
            store.put(&labels, at, 1.0 + speed * a_second * f64::from(second));
        }
    };
    for way in ["receive", "transmit"] {
        tell("process_network_io_bytes_total", &[("network_io_direction", way)], 1000.0);
        tell("squirrel_messages_total", &[("network_io_direction", way), ("message_type", "order")], 10.0);
    }
    for outcome in ["success", "failure"] {
        tell("squirrel_connection_attempts_total", &[("outcome", outcome)], 1.0);
    }
    tell("squirrel_connections_active", &[], 0.0);
    tell("squirrel_protocol_errors_total", &[("error_type", "timeout")], 1.0);
    tell("squirrel_requests_active", &[], 0.0);
    tell("squirrel_io_errors_total", &[("error_type", "timed_out")], 1.0);
    tell("squirrel_connection_phase_failures_total", &[("phase", "dns")], 1.0);
    for role in ["server", "client"] {
        for (class, a_second) in [("tool", 2.0), ("conformance", 9.0)] {
            let own = [
                ("role", role),
                ("mcp_method_name", "tools/call"),
                ("gen_ai_tool_name", "search"),
                ("failure_class", class),
            ];
            tell("squirrel_message_failures_total", &own, a_second);
        }
    }
    let durations: [(&str, &[(&str, &str)]); 6] = [
        ("squirrel_message_duration_seconds", &[("message_type", "order")]),
        ("squirrel_connection_lifetime_seconds", &[]),
        ("squirrel_connection_time_to_first_byte_seconds", &[]),
        ("squirrel_connection_phase_duration_seconds", &[("phase", "tls")]),
        ("mcp_server_operation_duration_seconds", &[("mcp_method_name", "tools/call"), ("gen_ai_tool_name", "search")]),
        ("mcp_client_operation_duration_seconds", &[("mcp_method_name", "tools/call"), ("gen_ai_tool_name", "search")]),
    ];
    for (metric, own) in durations {
        for (le, share) in [("0.1", 8.0), ("1", 9.0), ("+Inf", 10.0)] {
            let labels: Vec<_> = own.iter().copied().chain([("le", le)]).collect();
            tell(&format!("{metric}_bucket"), &labels, share);
        }
        tell(&format!("{metric}_count"), own, 10.0);
    }
}

#[test]
fn an_applications_charts_show_that_application_alone() {
    let mut host = MemorySelect::default();
    application(&mut host, "a", 1.0);
    application(&mut host, "another", 100.0);
    let of = |id: &str| drawn(charts().find(|chart| chart.id == id).unwrap(), &host);
    assert!(of("app-bandwidth")[0].ends_with(r#""value":[1700000000,"8000"]}]}"#), "{:?}", of("app-bandwidth"));
    assert!(of("app-messages")[0].ends_with(r#"{"message_type":"order"},"value":[1700000000,"10"]}]}"#));
    assert!(of("app-error-share")[0].ends_with(r#""value":[1700000000,"0.05"]}]}"#), "{:?}", of("app-error-share"));
    let failures = of("app-mcp-failures");
    assert!(failures[0].contains(r#""failure_class":"tool""#) && !failures[0].contains("conformance"), "{failures:?}");
    assert!(failures[0].ends_with(r#""value":[1700000000,"2"]}]}"#), "{failures:?}");
    assert!(of("app-mcp-tools")[0].ends_with(r#"{"gen_ai_tool_name":"search"},"value":[1700000000,"10"]}]}"#));
}

#[test]
fn throughput_counts_each_byte_once() {
    let throughput = charts().find(|chart| chart.id == "throughput").unwrap();
    let mut host = MemorySelect::default();
    for (device, kind, master, outer) in [
        ("lo", "", "", "true"),
        ("eth0", "", "br0", "false"),
        ("eth1", "", "", "false"),
        ("br0", "bridge", "", "true"),
        ("veth1", "veth", "br0", "true"),
        ("eth1.100", "vlan", "", "true"),
    ] {
        interface(&mut host, device, kind, master, outer);
    }
    let [received, transmitted] = drawn(throughput, &host).try_into().unwrap();
    assert!(received.ends_with(r#""value":[1700000000,"16000"]}]}"#), "two physical interfaces: {received}");
    assert!(transmitted.ends_with(r#""value":[1700000000,"160"]}]}"#), "{transmitted}");
    let mut container = MemorySelect::default();
    interface(&mut container, "lo", "", "", "true");
    interface(&mut container, "eth0", "veth", "", "true");
    let [received, _] = drawn(throughput, &container).try_into().unwrap();
    assert!(received.ends_with(r#""value":[1700000000,"8000"]}]}"#), "its only way out is virtual: {received}");
}

#[test]
fn every_expression_is_understood_and_draws_a_host_that_has_everything() {
    let mut host = MemorySelect::default();
    interface(&mut host, "eth0", "", "", "false");
    for name in NAMES_WITH_DEVICE {
        let kind = if name.starts_with("node_qdisc") { "fq" } else { "" };
        put(&mut host, name, &[("device", "eth0"), ("kind", kind)], 2.0);
    }
    for name in NAMES {
        put(&mut host, name, &[], 2.0);
    }
    put(&mut host, "node_tcp_connection_states", &[("state", "established")], 0.0);
    put(&mut host, "node_tcp_connection_states", &[("state", "rx_queued_bytes")], 0.0);
    for percentile in ["50", "90", "99"] {
        put(&mut host, "squirrel_tcp_round_trip_time_seconds", &[("percentile", percentile)], 0.0);
    }
    application(&mut host, "a", 1.0);
    application(&mut host, "another", 100.0);
    for chart in charts() {
        for (query, value) in chart.queries.iter().zip(drawn(chart, &host)) {
            assert_eq!(value.matches("\"metric\"").count(), 1, "{}: {}: {value}", chart.id, query.expr);
            assert!(!value.contains("NaN") && !value.contains("Inf"), "{}: {value}", chart.id);
        }
        for value in drawn(chart, &MemorySelect::default()) {
            assert!(value.ends_with("\"result\":[]}"), "{}: {value}", chart.id);
        }
    }
}

const NAMES: [&str; 12] = [
    "node_netstat_Tcp_RetransSegs",
    "node_netstat_Tcp_OutSegs",
    "node_netstat_Udp_RcvbufErrors",
    "node_netstat_Udp_NoPorts",
    "node_netstat_Udp6_RcvbufErrors",
    "node_netstat_Udp_SndbufErrors",
    "node_netstat_TcpExt_ListenOverflows",
    "node_netstat_TcpExt_ListenDrops",
    "node_softnet_dropped_total",
    "node_softnet_times_squeezed_total",
    "node_nf_conntrack_entries",
    "node_nf_conntrack_entries_limit",
];

const NAMES_WITH_DEVICE: [&str; 22] = [
    "node_network_receive_packets_total",
    "node_network_transmit_packets_total",
    "node_network_receive_multicast_total",
    "node_network_receive_errs_total",
    "node_network_transmit_errs_total",
    "node_network_receive_frame_total",
    "node_network_receive_fifo_total",
    "node_network_transmit_carrier_total",
    "node_network_transmit_colls_total",
    "node_network_transmit_fifo_total",
    "node_network_receive_drop_total",
    "node_network_receive_nohandler_total",
    "node_network_transmit_drop_total",
    "squirrel_network_capacity_bytes_per_second",
    "squirrel_network_receive_crc_errors_total",
    "squirrel_network_receive_missed_errors_total",
    "node_network_carrier",
    "node_network_carrier_changes_total",
    "node_qdisc_drops_total",
    "node_qdisc_overlimits_total",
    "node_qdisc_requeues_total",
    "node_qdisc_backlog",
];

#[test]
fn every_chart_has_a_name_of_its_own_a_help_and_queries() {
    let names: BTreeSet<_> = charts().map(|chart| &chart.id).collect();
    assert_eq!(names.len(), charts().count());
    for chart in charts() {
        assert!(
            [OVERVIEW, INTERFACES, "application", "application-latency", "application-mcp", "application-transport"]
                .contains(&chart.page.as_ref()),
            "{}",
            chart.id
        );
        assert!(chart.help.ends_with('.') && !chart.help.contains("  ") && !chart.queries.is_empty(), "{}", chart.id);
        let device = chart.queries.iter().all(|query| query.expr.contains("$device"));
        assert_eq!(device, chart.page == INTERFACES, "{}", chart.id);
        let scope = chart.queries.iter().all(|query| query.expr.contains("{job=\"application\",$scope"));
        assert_eq!(scope, chart.page.starts_with("application"), "{}", chart.id);
    }
}
