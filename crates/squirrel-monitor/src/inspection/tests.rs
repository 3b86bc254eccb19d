//! What a user of inspection sees.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use squirrel_inspect::{Counts, Direction, Event, Inspector, Inspectors, Limits};

use super::*;
use crate::{NetworkConfig, NetworkMonitor};

fn moment(milliseconds: u64) -> Instant {
    // Any moment does; the differences matter.
    static START: std::sync::OnceLock<tokio::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(tokio::time::Instant::now).into_std() + Duration::from_millis(milliseconds)
}

fn monitor(options: InspectionOptions) -> NetworkMonitor {
    NetworkMonitor::builder(NetworkConfig::default()).inspection(options).build()
}

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"}}"#;
const ANSWER: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}"#;
const REFUSAL: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}"#;

fn failure(message_type: &str, class: FailureClass, error: &str) -> FailureMetrics {
    FailureMetrics { message_type: message_type.to_owned(), class, error: error.to_owned(), count: 1 }
}

#[tokio::test]
async fn messages_become_protocol_metrics() {
    use MessageDirection::{Received, Sent};
    let monitor = monitor(InspectionOptions::default());
    let initialize = br#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
    let agreed = br#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18"}}"#;
    let shown: [(&[u8], _, _); 6] = [
        (initialize, Received, 0),
        (agreed, Sent, 2),
        (CALL.as_bytes(), Received, 10),
        (ANSWER.as_bytes(), Sent, 14),
        (CALL.as_bytes(), Received, 20),
        (REFUSAL.as_bytes(), Sent, 28),
    ];
    for (message, direction, at) in shown {
        monitor.inspect_protocol_message(message, direction, moment(at)).await.unwrap();
    }
    let metrics = monitor.get_protocol_metrics().await;
    assert_eq!(metrics.protocol_version, "2025-06-18");
    assert_eq!(metrics.messages_received["tools/call search"], 2);
    assert_eq!(metrics.messages_sent["tools/call search"], 2);
    assert_eq!(metrics.message_latency["tools/call search"], Duration::from_millis(6));
    assert_eq!((metrics.protocol_errors["tool_error"], metrics.protocol_errors["invalid_params"]), (1, 1));
    let found = monitor.inspection_metrics();
    assert_eq!((found.messages, found.pending, found.conversations), (6, 0, 1));
    let call = "tools/call search";
    assert_eq!(
        found.failures,
        [failure(call, FailureClass::Protocol, "invalid_params"), failure(call, FailureClass::Tool, "tool_error")]
    );
    let types = monitor.message_types();
    let call = types.iter().find(|row| row.message_type == call).unwrap();
    assert_eq!((call.received_bytes, call.sent_bytes), (2 * CALL.len() as u64, (ANSWER.len() + REFUSAL.len()) as u64));
    assert!(call.latency.quantile(0.99).unwrap() >= Duration::from_micros(7_900));
    monitor.recorder().record_message_failed("tools/call search");
    let snapshot = monitor.snapshot();
    assert_eq!(snapshot.failures, found.failures);
    let call = snapshot.message_types.iter().find(|row| row.message_type == "tools/call search").unwrap();
    assert_eq!((call.failed, call.failed_inspected), (3, 2));
}

#[test]
fn identifiers_of_two_connections_do_not_meet_and_roles_turn_directions() {
    use MessageDirection::{Received, Sent};
    let monitor = monitor(InspectionOptions::new("mcp").role(Role::Client));
    let (mut one, mut two) = (monitor.inspection().unwrap(), monitor.inspection_as("mcp", Role::Server).unwrap());
    one.message(CALL.as_bytes(), Sent, moment(0));
    two.stream(format!("{CALL}\n").as_bytes(), Received, moment(50));
    one.message(ANSWER.as_bytes(), Received, moment(10));
    two.stream(ANSWER.as_bytes(), Sent, moment(60));
    two.end(Sent, moment(70));
    assert_eq!(monitor.recorder().latency_of("tools/call search").unwrap().sum(), Duration::from_millis(30));
    let metrics = monitor.recorder().protocol_metrics();
    assert_eq!((metrics.messages_sent["tools/call search"], metrics.messages_received["tools/call search"]), (2, 2));
    assert!(!metrics.protocol_errors.contains_key("unknown_id"));
    assert_eq!(monitor.inspection_metrics().conversations, 2);
    drop((one, two));
    assert_eq!(monitor.inspection_metrics().conversations, 0);
}

#[test]
fn without_protocol_tracking_nothing_is_inspected() {
    let config = NetworkConfig { track_protocol: false, ..NetworkConfig::default() };
    let monitor = NetworkMonitor::builder(config).inspection(InspectionOptions::default()).build();
    monitor.inspect_message(CALL.as_bytes(), MessageDirection::Received, moment(0)).unwrap();
    let mut inspection = monitor.inspection().unwrap();
    inspection.message(CALL.as_bytes(), MessageDirection::Received, moment(0));
    assert!(!inspection.is_watching());
    assert_eq!((inspection.counts(), monitor.inspection_metrics().messages), (Counts::default(), 0));
}

#[tokio::test]
async fn an_unknown_protocol_is_told_with_those_that_are_known() {
    let monitor = monitor(InspectionOptions::new("gopher"));
    let told = monitor.inspection().unwrap_err().to_string();
    assert!(told.contains("\"gopher\"") && told.contains("http, jsonrpc, mcp, mcp-http, websocket"), "{told}");
    assert!(matches!(monitor.start().await, Err(MonitorError::UnknownProtocol { .. })));
    let shown = monitor.inspect_protocol_message(b"", MessageDirection::Sent, moment(0)).await;
    assert!(matches!(shown, Err(MonitorError::UnknownProtocol { .. })));
}

#[test]
fn a_timestamp_that_goes_back_counts_the_message_without_a_latency() {
    let monitor = monitor(InspectionOptions::default());
    let mut inspection = monitor.inspection().unwrap();
    inspection.message(CALL.as_bytes(), MessageDirection::Received, moment(5_000));
    inspection.message(ANSWER.as_bytes(), MessageDirection::Sent, moment(4_999));
    let metrics = monitor.recorder().protocol_metrics();
    assert_eq!(metrics.messages_sent["tools/call search"], 1);
    assert!(metrics.message_latency.is_empty());
    assert_eq!(monitor.inspection_metrics().clock_steps, 1);
}

#[test]
fn moments_before_the_monitor_are_told_apart() {
    let before = [moment(0), moment(7)];
    let monitor = monitor(InspectionOptions::default());
    let mut inspection = monitor.inspection().unwrap();
    inspection.message(CALL.as_bytes(), MessageDirection::Received, before[0]);
    inspection.message(ANSWER.as_bytes(), MessageDirection::Sent, before[1]);
    assert_eq!(monitor.recorder().latency_of("tools/call search").unwrap().sum(), Duration::from_millis(7));
}

/// Tells each message by its first octet; panics at `!`.
struct Own(u64);

impl Inspector for Own {
    fn protocol(&self) -> &'static str {
        "own"
    }

    fn stream(&mut self, direction: Direction, octets: &[u8], at: Duration, events: &mut dyn FnMut(Event<'_>)) {
        self.message(direction, octets, at, events);
    }

    fn message(&mut self, direction: Direction, octets: &[u8], _at: Duration, events: &mut dyn FnMut(Event<'_>)) {
        assert!(!octets.starts_with(b"!"), "an inspector of the user");
        self.0 += 1;
        let label = if octets.starts_with(b"a") { "alpha" } else { "beta" };
        let kind = squirrel_inspect::Kind::Notification;
        events(Event::Message(squirrel_inspect::Message {
            protocol: "own",
            direction,
            kind,
            label,
            detail: None,
            size: octets.len() as u64,
            matched: false,
            latency: None,
        }));
        events(Event::Version(squirrel_inspect::Version { protocol: "own", version: "7" }));
    }

    fn end(&mut self, _: Direction, _: Duration, _: &mut dyn FnMut(Event<'_>)) {}

    fn tick(&mut self, _: Duration, _: &mut dyn FnMut(Event<'_>)) {}

    fn counts(&self) -> Counts {
        Counts { messages: self.0, ..Counts::default() }
    }
}

fn own() -> InspectionOptions {
    let mut inspectors = Inspectors::default();
    inspectors.add("own", |_: &Limits| Box::new(Own(0))).unwrap();
    InspectionOptions::new("own").inspectors(inspectors)
}

#[test]
fn an_inspector_of_the_users_own_is_counted_and_its_panic_is_survived() {
    let monitor = monitor(own());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watcher = Arc::clone(&seen);
    let mut inspection = monitor.inspection().unwrap().observed_by(move |event| {
        if let Event::Message(message) = event {
            watcher.lock().unwrap().push(message.label.to_owned());
        }
    });
    for message in ["a", "b", "!", "a"] {
        inspection.message(message.as_bytes(), MessageDirection::Received, moment(0));
    }
    let metrics = monitor.recorder().protocol_metrics();
    assert_eq!((metrics.messages_received["alpha"], metrics.messages_received["beta"]), (1, 1));
    assert_eq!((metrics.protocol_errors["inspector_panicked"], monitor.inspection_metrics().panics), (1, 1));
    assert_eq!(metrics.protocol_version, "7");
    assert!(!inspection.is_watching());
    assert_eq!(*seen.lock().unwrap(), ["alpha", "beta"]);
}

#[test]
fn a_million_tools_stay_within_bounds() {
    let config = NetworkConfig { max_message_types: 5, ..NetworkConfig::default() };
    let monitor = NetworkMonitor::new(config);
    let mut inspection = monitor.inspection().unwrap();
    for number in 0..1_000_000 {
        let call = format!(r#"{{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{{"name":"t{number}"}}}}"#);
        inspection.message(call.as_bytes(), MessageDirection::Received, moment(0));
    }
    let metrics = monitor.recorder().protocol_metrics();
    assert_eq!((metrics.messages_received.len(), metrics.messages_received.values().sum::<u64>()), (6, 1_000_000));
    let failures = monitor.inspection_metrics().failures;
    assert_eq!((failures.len(), failures.iter().map(|row| row.count).sum::<u64>()), (21, 1_000_000));
}

#[tokio::test(start_paused = true)]
async fn a_started_monitor_counts_requests_that_nobody_answers() {
    let limits = Limits { answer_within: Duration::from_secs(3), ..Limits::default() };
    let monitor = monitor(InspectionOptions::default().limits(limits));
    monitor.start().await.unwrap();
    let now = tokio::time::Instant::now().into_std();
    monitor.inspect_message(CALL.as_bytes(), MessageDirection::Received, now).unwrap();
    // The task has to be asked twice: it begins to wait at its first turn.
    for _ in 0..2 {
        tokio::task::yield_now().await;
        tokio::time::advance(Duration::from_secs(11)).await;
    }
    tokio::task::yield_now().await;
    assert_eq!(
        monitor.inspection_metrics().failures,
        [failure("tools/call search", FailureClass::Unanswered, "unanswered")]
    );
}

#[test]
fn an_answer_in_the_stream_of_another_connection_is_matched() {
    use MessageDirection::{Received, Sent};
    let monitor = monitor(InspectionOptions::new("mcp-http"));
    let (mut posts, mut listens) = (monitor.inspection().unwrap(), monitor.inspection().unwrap());
    let session = "Content-Type: application/json\r\nMcp-Session-Id: s";
    let post = format!("POST /mcp HTTP/1.1\r\n{session}\r\nContent-Length: {}\r\n\r\n{CALL}", CALL.len());
    posts.stream(post.as_bytes(), Received, moment(0));
    listens.stream(format!("GET /mcp HTTP/1.1\r\n{session}\r\n\r\n").as_bytes(), Received, moment(1));
    assert_eq!((monitor.inspection_metrics().pending, monitor.inspection_metrics().sessions), (3, 1));
    let events = format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {ANSWER}\n\n");
    listens.stream(events.as_bytes(), Sent, moment(40));
    assert_eq!(monitor.recorder().latency_of("tools/call search").unwrap().sum(), Duration::from_millis(40));
    assert_eq!(monitor.recorder().protocol_metrics().protocol_errors, [("tool_error".to_owned(), 1)].into());
}

#[test]
fn fields_that_were_asked_for_have_statistics() {
    let paths = ["params.name", "params.arguments.size", "method"];
    let monitor = monitor(InspectionOptions::default().fields(paths));
    let mut inspection = monitor.inspection().unwrap();
    for size in 1..=100 {
        let tool = if size % 4 == 0 { "read" } else { "write" };
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":{size},"method":"tools/call","params":{{"name":"{tool}","arguments":{{"size":{size}}}}}}}"#
        );
        if size % 2 == 0 {
            inspection.message(call.as_bytes(), MessageDirection::Received, moment(0));
        } else {
            inspection.stream(format!("{call}\n").as_bytes(), MessageDirection::Received, moment(0));
        }
    }
    // A message that is broken says nothing.
    inspection.message(br#"{"params":{"name":"broken""#, MessageDirection::Received, moment(0));
    let [name, size, method] = <[FieldMetrics; 3]>::try_from(monitor.inspection_metrics().fields).unwrap();
    assert_eq!((name.path.as_str(), name.numbers), ("params.name", None));
    assert_eq!(name.texts, [("write".to_owned(), 75), ("read".to_owned(), 25)]);
    let numbers = size.numbers.unwrap();
    assert_eq!((numbers.count, numbers.min, numbers.max, numbers.sum), (100, 1.0, 100.0, 5_050.0));
    assert!((numbers.quantile(0.9) - 90.0).abs() < 3.0, "{numbers:?}");
    assert_eq!((method.texts, method.others), (vec![("tools/call".to_owned(), 100)], 0));
}

#[test]
fn a_hundred_thousand_texts_of_a_field_are_bounded_and_bad_paths_are_told() {
    let monitor = monitor(InspectionOptions::new("jsonrpc").fields(["params.x"]));
    let mut inspection = monitor.inspection().unwrap();
    for number in 0..100_000 {
        let message = format!(r#"{{"jsonrpc":"2.0","method":"m","params":{{"x":"{number}"}}}}"#);
        inspection.message(message.as_bytes(), MessageDirection::Sent, moment(0));
    }
    let fields = monitor.inspection_metrics().fields;
    assert_eq!(fields[0].texts.len(), MAX_FIELD_TEXTS + 1);
    assert_eq!(fields[0].texts[0], ("other".to_owned(), 100_000 - MAX_FIELD_TEXTS as u64));
    let bad = super::tests::monitor(InspectionOptions::default().fields(["a..b"]));
    assert!(bad.inspection().unwrap_err().to_string().contains("\"a..b\""));
}
