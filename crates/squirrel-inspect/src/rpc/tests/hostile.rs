//! Octets that somebody chose.

use std::time::Duration;

use proptest::prelude::*;

use crate::testing::{line, told_in_pieces};
use crate::{Counts, Direction, Inspector, JsonRpcInspector, Limits, McpInspector};

const CONVERSATION: &str = concat!(
    r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}"#,
    "\r\n",
    r#"[{"jsonrpc":"2.0","id":"\u0061","method":"tools/call","params":{"name":"\ud83d\udc3f","arguments":{"q":"a \"quoted\\\" text"}}},{"jsonrpc":"2.0","method":"notifications/progress"}]"#,
    "\n\nnot json\n",
    r#"{"jsonrpc":"2.0","id":1.5e1,"error":{"code":-32000,"message":"ä€🐿","data":[[[{}]]]},"x":[true,null,"]"]}"#,
    "\n{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"isError\":true,\"content\":[\"\u{7f}\"]}}\n{\"jsonrpc\":",
);

fn cut(octets: &[u8], lengths: &[usize]) -> (Vec<String>, Counts) {
    told_in_pieces("mcp", Limits::default(), octets, lengths)
}

proptest! {
    #[test]
    fn any_cut_of_a_conversation_gives_the_same_events(lengths in proptest::collection::vec(1_usize..90, 1..20)) {
        prop_assert_eq!(cut(CONVERSATION.as_bytes(), &lengths), cut(CONVERSATION.as_bytes(), &[usize::MAX]));
    }

    #[test]
    fn any_cut_of_a_damaged_conversation_gives_the_same_events(
        damage in proptest::collection::vec((0..CONVERSATION.len(), proptest::sample::select(b"\"\\{}[]:,\n \xff\xc30u".to_vec())), 0..6),
        lengths in proptest::collection::vec(1_usize..90, 1..20),
    ) {
        let mut octets = CONVERSATION.as_bytes().to_vec();
        for (place, octet) in damage {
            octets[place] = octet;
        }
        prop_assert_eq!(cut(&octets, &lengths), cut(&octets, &[usize::MAX]));
    }

    #[test]
    fn any_octets_give_the_same_events_however_cut(
        octets in proptest::collection::vec(any::<u8>(), 0..400),
        lengths in proptest::collection::vec(1_usize..90, 1..20),
    ) {
        prop_assert_eq!(cut(&octets, &lengths), cut(&octets, &[usize::MAX]));
    }
}

#[test]
fn a_message_cut_short_at_any_octet_is_one_invalid_message() {
    let whole = r#"{"jsonrpc":"2.0","id":"\u00e4","method":"tools/call","params":{"name":"x","a":[1,"}"]}}"#;
    for length in 1..whole.len() {
        let mut told = Vec::new();
        let mut inspector = McpInspector::new(Limits::default());
        inspector.message(Direction::ToServer, &whole.as_bytes()[..length], Duration::ZERO, &mut |event| {
            told.push(line(&event));
        });
        assert_eq!(told, ["> Invalid other", "! truncated other"], "{length}");
        assert_eq!(inspector.counts().pending, 0, "{length}");
    }
}

#[test]
fn a_million_methods_and_identifiers_stay_within_bounds() {
    let limits = Limits { max_pending: 100, max_labels: 10, ..Limits::default() };
    let mut inspector = JsonRpcInspector::new(limits);
    for number in 0..1_000_000 {
        let octets = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"{number}\",\"method\":\"m{number}\"}}\n");
        inspector.stream(Direction::ToServer, octets.as_bytes(), Duration::ZERO, &mut |_| {});
    }
    let counts = inspector.counts();
    assert_eq!((counts.pending, counts.labels, counts.evicted, counts.folded), (100, 10, 999_900, 999_990));
    assert_eq!(counts.messages, 1_000_000);
}

#[test]
fn a_silent_conversation_takes_less_than_four_kibibytes() {
    let names = crate::rpc::mcp::METHODS.len() * size_of::<std::borrow::Cow<'static, str>>();
    assert!(size_of::<McpInspector>() + names < 4_096, "{}", size_of::<McpInspector>() + names);
}

#[test]
fn what_is_too_long_is_counted_and_not_read() {
    let limits = Limits { max_message: 1_000, ..Limits::default() };
    let mut inspector = JsonRpcInspector::new(limits);
    let mut told = Vec::new();
    let long = format!("{{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[\"{}\"]}}\n", "x".repeat(10_000_000));
    let mut events = |event: crate::Event<'_>| told.push(line(&event));
    inspector.stream(Direction::ToServer, long.as_bytes(), Duration::ZERO, &mut events);
    inspector.stream(Direction::ToServer, b"{\"jsonrpc\":\"2.0\",\"method\":\"m\"}\n", Duration::ZERO, &mut events);
    assert_eq!(told, ["> Invalid other", "! oversized other", "> Notification m", "version 2.0"]);
    assert!(inspector.counts().work < 2_000, "{:?}", inspector.counts());
}

/// The worst that we can think of, each twice as long as the one before.
#[test]
fn twice_the_octets_are_at_most_twice_the_work() {
    let shapes: &[(&str, &dyn Fn(usize) -> String)] = &[
        ("brackets", &|count| "[".repeat(count)),
        ("objects", &|count| "{\"params\":".repeat(count)),
        ("backslashes", &|count| format!("{{\"method\":\"{}", "\\".repeat(count))),
        ("skipped backslashes", &|count| format!("{{\"x\":\"{}", "\\\"".repeat(count))),
        ("nested", &|count| format!("{{\"x\":{}", "[\"\\\"\"".repeat(count))),
        ("small values", &|count| format!("{{{}", "\"a\":[],".repeat(count))),
        ("small texts", &|count| format!("{{{}", "\"a\":\"\",".repeat(count))),
        ("batch", &|count| format!("[{}", "{},".repeat(count))),
        ("lines", &|count| "{\n".repeat(count)),
        ("numbers", &|count| format!("{{\"id\":{}", "1".repeat(count))),
        ("wide", &|count| format!("{{\"x\":[{}", "{},".repeat(count))),
    ];
    for (name, shape) in shapes {
        let work = |count| {
            let octets = shape(count);
            let mut inspector = JsonRpcInspector::new(Limits::default());
            inspector.message(Direction::ToServer, octets.as_bytes(), Duration::ZERO, &mut |_| {});
            (inspector.counts().work, octets.len() as u64)
        };
        let ((once, _), (twice, octets)) = (work(20_000), work(40_000));
        assert!(twice <= 2 * once + 64, "{name}: {once} {twice}");
        assert!(twice <= 3 * octets + 64, "{name}: {twice} steps for {octets} octets");
    }
}
