//! Inspecting a message costs no memory. Alone in its process, since every thread's allocations are counted.
#![forbid(unsafe_code)]

use squirrel_monitor::{InspectionOptions, MessageDirection, NetworkConfig, NetworkMonitor};

const CALL: &[u8] =
    br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"n":10}}}"#;
const ANSWER: &[u8] = br#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}"#;

#[test]
fn nothing_is_allocated_for_a_message_after_the_first_ones() {
    let one = allocation_counter::measure(|| drop(std::hint::black_box(Box::new(7))));
    assert_eq!(one.count_total, 1, "the counter counts");
    let options = InspectionOptions::default().fields(["params.name", "params.arguments.n"]);
    let monitor = NetworkMonitor::builder(NetworkConfig::default()).inspection(options).build();
    let mut inspection = monitor.inspection().expect("MCP is known");
    let now = tokio::time::Instant::now().into_std();
    let mut rounds = |rounds: u32| {
        for _ in 0..rounds {
            inspection.message(CALL, MessageDirection::Received, now);
            inspection.message(ANSWER, MessageDirection::Sent, now);
            monitor.inspect_message(CALL, MessageDirection::Received, now).expect("MCP is known");
            monitor.inspect_message(ANSWER, MessageDirection::Sent, now).expect("MCP is known");
        }
    };
    // Tables of waiting requests grow to twice their bound before places are used again.
    rounds(3_000);
    let counted = allocation_counter::measure(|| rounds(1_000));
    assert_eq!((counted.count_total, counted.bytes_total), (0, 0));
    assert_eq!(monitor.recorder().protocol_metrics().protocol_errors["tool_error"], 8_000);
}
