//! Every number under its name.

use super::*;
use squirrel_exchange::text::{Format, write};
use squirrel_monitor::{ConnectPhase, NetworkConfig, NetworkMonitor};
use std::time::Duration;

pub(crate) fn busy() -> NetworkMonitor {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    let recorder = monitor.recorder();
    recorder.record_connection_attempt(true, Duration::from_millis(3));
    recorder.record_connection_attempt(false, Duration::from_millis(3));
    recorder.update_active_connections(2);
    recorder.record_bytes_received(1_000);
    recorder.record_message_received("tools/call(search)", 100);
    recorder.record_message_latency("tools/call(search)", Duration::from_millis(20));
    recorder.record_protocol_error("parse \"it\"\n");
    recorder.set_protocol_version("2025-06-18");
    monitor
}

fn text(options: &[(&str, &str)]) -> String {
    page_of(&busy(), options)
}

fn page_of(monitor: &NetworkMonitor, options: &[(&str, &str)]) -> String {
    let options = options.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut text = String::new();
    let refused =
        write(&mut text, Format::Prometheus, &families(&monitor.snapshot(), &Options::read(&options).unwrap()));
    assert!(refused.is_none());
    text
}

#[test]
fn every_number_is_exported() {
    let text = text(&[("buckets", "0.01,0.1")]);
    for line in [
        "process_network_io_bytes_total{network_io_direction=\"receive\"} 1000",
        "process_network_io_bytes_total{network_io_direction=\"transmit\"} 0",
        "squirrel_connections_active 2",
        "squirrel_connection_attempts_total{outcome=\"failure\"} 1",
        "squirrel_connection_duration_seconds_bucket{le=\"0.01\"} 1",
        "squirrel_messages_total{message_type=\"tools/call(search)\",network_io_direction=\"receive\"} 1",
        "squirrel_message_io_bytes_total{message_type=\"tools/call(search)\",network_io_direction=\"receive\"} 100",
        "squirrel_message_duration_seconds_bucket{le=\"0.1\",message_type=\"tools/call(search)\"} 1",
        "squirrel_message_duration_seconds_sum{message_type=\"tools/call(search)\"} 0.02",
        "squirrel_protocol_errors_total{error_type=\"parse \\\"it\\\"\\n\"} 1",
        "squirrel_protocol_info{version=\"2025-06-18\"} 1",
        "squirrel_monitor_lost_total{what=\"exports\"} 0",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in\n{text}");
    }
}

#[test]
fn mcp_has_its_own_names() {
    let text = text(&[("protocol", "mcp.server")]);
    let line =
        "mcp_server_operation_duration_seconds_count{gen_ai_tool_name=\"search\",mcp_method_name=\"tools/call\"} 1";
    assert!(text.contains(line) && !text.contains("squirrel_message_duration"), "{text}");
}

/// A server of which a tool failed twice and was refused once, and which records one failure itself.
fn failing() -> NetworkMonitor {
    use squirrel_monitor::MessageDirection::{Received, Sent};
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"}}"#;
    let failed = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}"#;
    let refused = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}"#;
    let now = tokio::time::Instant::now().into_std();
    for answer in [failed, refused, failed] {
        monitor.inspect_message(call.as_bytes(), Received, now).unwrap();
        monitor.inspect_message(answer.as_bytes(), Sent, now + Duration::from_millis(4)).unwrap();
    }
    monitor.recorder().record_message_failed("tools/call(search)");
    monitor
}

#[test]
fn a_tool_that_failed_is_told_from_an_error_of_the_protocol() {
    let text = page_of(&failing(), &[("protocol", "mcp.server")]);
    let whose = "gen_ai_tool_name=\"search\",mcp_method_name=\"tools/call\",role=\"server\"";
    for (error, class, count) in
        [("tool_error", "tool", 2), ("invalid_params", "protocol", 1), ("_OTHER", "application", 1)]
    {
        let labels = format!("error_type=\"{error}\",failure_class=\"{class}\",{whose}");
        let line = format!("squirrel_message_failures_total{{{labels}}} {count}");
        assert!(text.lines().any(|known| known == line), "{line} in\n{text}");
    }
    let answered =
        "mcp_server_operation_duration_seconds_count{gen_ai_tool_name=\"search\",mcp_method_name=\"tools/call\"} 3";
    assert!(text.lines().any(|known| known == answered), "{answered} in\n{text}");
    let by_type = page_of(&failing(), &[]);
    let line = "squirrel_message_failures_total{error_type=\"tool_error\",failure_class=\"tool\",message_type=\"tools/call search\"} 2";
    assert!(by_type.lines().any(|known| known == line) && !by_type.contains("role="), "{by_type}");
}

#[test]
fn what_wrappers_tell_is_exported_and_nothing_is_where_there_are_none() {
    let monitor = busy();
    let names =
        ["squirrel_message_failures", "squirrel_io", "squirrel_requests", "phase", "lifetime", "time_to_first_byte"];
    let before = page_of(&monitor, &[]);
    assert!(names.iter().all(|name| !before.contains(name)), "{before}");
    let recorder = monitor.recorder();
    recorder.record_connect_phase(ConnectPhase::Tls, true, Duration::from_millis(30));
    recorder.record_connect_phase(ConnectPhase::Dns, false, Duration::from_millis(1));
    recorder.record_io_error(std::io::ErrorKind::ConnectionReset);
    let guards = [recorder.begin_request(), recorder.begin_request()];
    let mut connection = recorder.open_connection();
    connection.received(5);
    drop(connection);
    let text = page_of(&monitor, &[("buckets", "0.01,0.1")]);
    for line in [
        "squirrel_connection_phase_duration_seconds_bucket{le=\"0.01\",phase=\"tls\"} 0",
        "squirrel_connection_phase_duration_seconds_bucket{le=\"0.1\",phase=\"tls\"} 1",
        "squirrel_connection_phase_failures_total{phase=\"dns\"} 1",
        "squirrel_connection_lifetime_seconds_count 1",
        "squirrel_connection_time_to_first_byte_seconds_count 1",
        "squirrel_io_errors_total{error_type=\"connection_reset\"} 1",
        "squirrel_requests_active 2",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in\n{text}");
    }
    assert!(!text.contains("phase=\"tcp\""), "{text}");
    drop(guards);
    let ended = page_of(&monitor, &[]);
    assert!(ended.lines().any(|known| known == "squirrel_requests_active 0"), "{ended}");
}
