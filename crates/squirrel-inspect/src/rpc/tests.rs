//! Cases of JSON-RPC and MCP by name.

use std::time::Duration;

use crate::testing::line;
use crate::{Direction, Event, Inspector, JsonRpcInspector, Limits, McpInspector};

mod hostile;
mod mcp;

/// What an inspector tells of lines: `>` before a line of the client, `<` before one of the server.
/// Each line comes one millisecond after the one before.
fn told(inspector: &mut dyn Inspector, conversation: &[&str]) -> Vec<String> {
    let mut told = Vec::new();
    for (number, text) in conversation.iter().enumerate() {
        let direction = if text.starts_with('>') { Direction::ToServer } else { Direction::ToClient };
        let octets = format!("{}\n", text[1..].trim_start());
        inspector.stream(direction, octets.as_bytes(), Duration::from_millis(number as u64), &mut |event| {
            told.push(line(&event));
        });
    }
    told
}

fn json_rpc(conversation: &[&str]) -> Vec<String> {
    told(&mut JsonRpcInspector::new(Limits::default()), conversation)
}

fn model_context(conversation: &[&str]) -> Vec<String> {
    told(&mut McpInspector::new(Limits::default()), conversation)
}

/// What one message of the client leads to, the version apart.
fn one(message: &str) -> Vec<String> {
    let mut told = json_rpc(&[&format!(">{message}")]);
    told.retain(|line| line != "version 2.0");
    told
}

#[test]
fn answers_are_matched_out_of_order_by_id_and_direction() {
    let told = json_rpc(&[
        r#"> {"jsonrpc":"2.0","id":1,"method":"slow"}"#,
        r#"> {"jsonrpc":"2.0","id":"1","method":"text"}"#,
        r#"< {"jsonrpc":"2.0","id":1,"method":"backwards"}"#,
        r#"< {"jsonrpc":"2.0","id":"1","result":null}"#,
        r#"> {"jsonrpc":"2.0","id":1,"result":[1,{"a":2}]}"#,
        r#"< {"jsonrpc":"2.0","result":{},"id":1}"#,
        r#"< {"jsonrpc":"2.0","result":{},"id":1}"#,
        r#"> {"jsonrpc":"2.0","method":"told"}"#,
    ]);
    assert_eq!(
        told,
        [
            "> Request slow",
            "version 2.0",
            "> Request text",
            "< Request backwards",
            "< Response text matched 2ms",
            "> Response backwards matched 2ms",
            "< Response slow matched 5ms",
            "< Response other",
            "! unknown_id other",
            "> Notification told",
        ]
    );
}

#[test]
fn identifiers_that_mean_the_same_meet_and_others_do_not() {
    let cases = [
        ("1", "1.0", true),
        ("1e3", "1000", true),
        ("0.5", "0.5", true),
        ("0.5", "\"0.5\"", false),
        ("1", "\"1\"", false),
        ("\"a\\u0062\"", "\"ab\"", true),
        ("9223372036854775807", "9223372036854775807", true),
        ("9223372036854775807", "9223372036854775806", false),
        ("123456789012345678901234567890", "123456789012345678901234567890", true),
        ("\"\"", "\"\"", true),
    ];
    for (asked, answered, meet) in cases {
        let told = json_rpc(&[
            &format!(r#">{{"jsonrpc":"2.0","id":{asked},"method":"m"}}"#),
            &format!(r#"<{{"jsonrpc":"2.0","id":{answered},"result":0}}"#),
        ]);
        assert_eq!(told.contains(&"< Response m matched 1ms".to_string()), meet, "{asked} {answered} {told:?}");
    }
}

#[test]
fn each_fault_has_its_name() {
    let long = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"m"}}"#, "x".repeat(129));
    let deep = format!(r#"{{"jsonrpc":"2.0","method":"m","params":{}{}}}"#, "[".repeat(64), "]".repeat(64));
    let cases: &[(&str, &[&str])] = &[
        (r#"{"jsonrpc":"2.0","method":"m"}"#, &["> Notification m"]),
        (r#" { "jsonrpc" : "2.0" , "method" : "m" } "#, &["> Notification m"]),
        ("", &[]),
        ("   ", &[]),
        ("x", &["> Invalid other", "! malformed other"]),
        ("42", &["> Invalid other", "! malformed other"]),
        ("{]", &["> Invalid other", "! malformed other"]),
        (r#"{"jsonrpc":"2.0","method":"m",}"#, &["> Invalid other", "! malformed other"]),
        (r#"{"a":01,"jsonrpc":"2.0","method":"m"}"#, &["> Invalid other", "! malformed other"]),
        (r#"{"a":nul,"jsonrpc":"2.0","method":"m"}"#, &["> Invalid other", "! malformed other"]),
        (r#"{"jsonrpc":"2.0","method":"m""#, &["> Invalid other", "! truncated other"]),
        (r#"{"jsonrpc":"2.0","method":"m"}}"#, &["> Notification m", "! trailing m"]),
        (r#"{"jsonrpc":"1.0","method":"m"}"#, &["> Notification m", "! bad_version m"]),
        (r#"{"method":"m"}"#, &["> Notification m", "! bad_version m"]),
        (r#"{"jsonrpc":"2.0"}"#, &["> Invalid other", "! no_method other"]),
        (r#"{"jsonrpc":"2.0","method":7}"#, &["> Invalid other", "! no_method other"]),
        (r#"{"jsonrpc":"2.0","method":"m","result":1}"#, &["> Invalid other", "! no_method other"]),
        (r#"{"jsonrpc":"2.0","method":"a","method":"b"}"#, &["> Notification b", "! duplicate_key b"]),
        (r#"{"jsonrpc":"2.0","\u006dethod":"\u0062"}"#, &["> Notification b"]),
        (r#"{"jsonrpc":"2.0","id":null,"method":"m"}"#, &["> Request m", "! bad_id m"]),
        (r#"{"jsonrpc":"2.0","id":{},"method":"m"}"#, &["> Request m", "! bad_id m"]),
        (&long, &["> Request m", "! long_id m"]),
        (&deep, &["> Notification m", "! too_deep m"]),
        (r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700}}"#, &["> Response other", "! parse_error other"]),
        (r#"{"jsonrpc":"2.0","id":null,"error":{"code":"x"}}"#, &["> Response other", "! no_error_code other"]),
        (r#"{"jsonrpc":"2.0","id":null,"result":1}"#, &["> Response other", "! bad_id other"]),
        ("[]", &["! empty_batch other"]),
        (r#"[{"jsonrpc":"2.0","method":"a"},7]"#, &["> Notification a", "> Invalid other", "! malformed other"]),
    ];
    for (message, expected) in cases {
        assert_eq!(&one(message), expected, "{message}");
    }
}

#[test]
fn text_that_is_not_utf8_is_told_and_counted() {
    let mut told = Vec::new();
    let octets = b"{\"jsonrpc\":\"2.0\",\"method\":\"m\xff\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[\"\xc3\"]}\n\xff\n";
    JsonRpcInspector::new(Limits::default())
        .stream(Direction::ToServer, octets, Duration::ZERO, &mut |event| told.push(line(&event)));
    let invalid =
        ["> Notification m", "! invalid_utf8 m", "> Invalid other", "! malformed other", "! invalid_utf8 other"];
    assert_eq!(told[..3], ["> Notification other", "! invalid_utf8 other", "version 2.0"]);
    assert_eq!(told[3..], invalid);
}

#[test]
fn a_batch_is_its_messages() {
    let told = json_rpc(&[
        r#"> [{"jsonrpc":"2.0","id":1,"method":"a"}, {"jsonrpc":"2.0","id":2,"method":"b"}]"#,
        r#"< [{"jsonrpc":"2.0","id":2,"result":1},{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}]"#,
    ]);
    assert_eq!(
        told,
        [
            "> Request a",
            "version 2.0",
            "> Request b",
            "< Response b matched 1ms",
            "< Response a matched 1ms",
            "! method_not_found a",
        ]
    );
}

#[test]
fn sizes_are_of_the_message_without_its_newline() {
    let mut sizes = Vec::new();
    let whole = r#"[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"bb"}]"#;
    let mut inspector = JsonRpcInspector::new(Limits::default());
    let mut events = |event: Event<'_>| {
        if let Event::Message(message) = event {
            sizes.push(message.size);
        }
    };
    inspector.message(Direction::ToServer, br#"{"jsonrpc":"2.0","method":"a"}"#, Duration::ZERO, &mut events);
    inspector.message(Direction::ToServer, whole.as_bytes(), Duration::ZERO, &mut events);
    assert_eq!(sizes, [30, 31, 32]);
}
