//! Conversations as MCP's clients and servers have them.

use std::time::Duration;

use super::{model_context, told};
use crate::testing::line;
use crate::{Direction, Inspector as _, Limits, McpInspector};

#[test]
fn a_session_of_2025_is_told_in_full() {
    let told = model_context(&[
        r#"> {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#,
        r#"< {"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}"#,
        r#"> {"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"> {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"name":"not this","n":1},"name":"search"}}"#,
        r#"> {"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"fail"}}"#,
        r#"< {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":0.5}}"#,
        r#"< {"jsonrpc":"2.0","id":2,"result":{"content":[{"type":"text","text":"\"isError\":false}"}],"isError":true}}"#,
        r#"< {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"ok","isError":true}],"isError":false}}"#,
        r#"> {"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"missing"}}"#,
        r#"< {"jsonrpc":"2.0","id":3,"error":{"code":-32602,"message":"no such tool","data":{"code":1}}}"#,
        r#"> {"jsonrpc":"2.0","id":4,"method":"acme/secret-1"}"#,
    ]);
    assert_eq!(
        told,
        [
            "> Request initialize",
            "< Response initialize matched 1ms",
            "version 2025-06-18",
            "> Notification notifications/initialized",
            "> Request tools/call(search)",
            "> Request tools/call(fail)",
            "< Notification notifications/progress",
            "< Response tools/call(fail) matched 2ms",
            "! tool_error tools/call(fail)",
            "< Response tools/call(search) matched 4ms",
            "> Request tools/call(missing)",
            "< Response tools/call(missing) matched 1ms",
            "! invalid_params tools/call(missing)",
            "> Request other",
        ]
    );
}

#[test]
fn a_request_of_2026_says_its_revision_itself() {
    let meta = r#""_meta":{"io.modelcontextprotocol/clientInfo":{"name":"c"},"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;
    let told = model_context(&[
        &format!(r#"> {{"jsonrpc":"2.0","id":"a","method":"server/discover","params":{{{meta}}}}}"#),
        r#"< {"jsonrpc":"2.0","id":"a","result":{"resultType":"complete"}}"#,
        &format!(r#"> {{"jsonrpc":"2.0","id":"b","method":"tools/call","params":{{{meta},"name":"x"}}}}"#),
        r#"< {"jsonrpc":"2.0","id":"b","result":{"resultType":"input_required"}}"#,
        r#"> {"jsonrpc":"2.0","id":"c","method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01"}}}"#,
    ]);
    assert_eq!(
        told,
        [
            "> Request server/discover",
            "version 2026-07-28",
            "< Response server/discover matched 1ms",
            "> Request tools/call(x)",
            "< Response tools/call(x) matched 1ms",
            "> Request ping",
            "version other",
        ]
    );
}

#[test]
fn what_only_the_other_side_may_send_is_told() {
    let told = model_context(&[
        r#"< {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}"#,
        r#"> {"jsonrpc":"2.0","id":1,"method":"roots/list"}"#,
        r#"> {"jsonrpc":"2.0","id":2,"method":"ping"}"#,
        r#"> {"jsonrpc":"2.0","id":2,"result":{}}"#,
        r#"> {"jsonrpc":"2.0","method":"tools/list"}"#,
        r#"> {"jsonrpc":"2.0","id":3,"method":"notifications/initialized"}"#,
    ]);
    assert_eq!(
        told,
        [
            "< Request tools/call(x)",
            "! wrong_direction tools/call(x)",
            "> Request roots/list",
            "! wrong_direction roots/list",
            "> Request ping",
            "> Response other",
            "! wrong_direction other",
            "> Notification tools/list",
            "! missing_id tools/list",
            "> Request notifications/initialized",
            "! unwanted_id notifications/initialized",
        ]
    );
}

#[test]
fn batches_end_with_the_revision_that_took_them_out() {
    for (revision, wanted) in [("2025-03-26", true), ("2025-06-18", false), ("2026-07-28", false)] {
        let told = model_context(&[
            r#"> {"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#,
            &format!(r#"< {{"jsonrpc":"2.0","id":0,"result":{{"protocolVersion":"{revision}"}}}}"#),
            r#"> [{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        ]);
        assert_eq!(!told.contains(&"! unwanted_batch other".to_string()), wanted, "{revision} {told:?}");
    }
}

#[test]
fn silence_is_told_once_but_not_after_a_cancellation() {
    let mut inspector = McpInspector::new(Limits { answer_within: Duration::from_secs(1), ..Limits::default() });
    told(
        &mut inspector,
        &[
            r#"> {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow"}}"#,
            r#"> {"jsonrpc":"2.0","id":"2","method":"tools/call","params":{"name":"stopped"}}"#,
            r#"> {"jsonrpc":"2.0","id":3,"method":"subscriptions/listen"}"#,
            r#"> {"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"2","reason":"enough"}}"#,
            r#"< {"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        ],
    );
    let mut told = Vec::new();
    for seconds in [1, 2, 3] {
        inspector.tick(Duration::from_secs(seconds), &mut |event| told.push(line(&event)));
    }
    assert_eq!(told, ["! unanswered tools/call(slow)"]);
    assert_eq!((inspector.counts().pending, inspector.counts().expired), (0, 3));
}

#[test]
fn a_clock_that_goes_back_gives_no_latency() {
    let mut inspector = McpInspector::new(Limits::default());
    let mut told = Vec::new();
    let mut events = |event: crate::Event<'_>| told.push(line(&event));
    let (late, early) = (Duration::from_secs(9), Duration::from_secs(3));
    inspector.message(Direction::ToServer, br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, late, &mut events);
    inspector.message(Direction::ToClient, br#"{"jsonrpc":"2.0","id":1,"result":{}}"#, early, &mut events);
    assert_eq!(told, ["> Request ping", "< Response ping matched"]);
    assert_eq!(inspector.counts().clock_steps, 1);
}
