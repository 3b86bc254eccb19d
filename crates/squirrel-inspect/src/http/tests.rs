//! Connections as browsers, servers and attackers have them.

use std::time::Duration;

use proptest::prelude::*;

use crate::testing::{line, told_in_pieces};
use crate::{Direction, Event, HttpInspector, Inspector, Limits, McpHttpInspector};

mod sessions;

/// What is told of a connection: `>` before what the client sends, `<` before what the server sends,
/// one millisecond after the other.
fn told(inspector: &mut dyn Inspector, conversation: &[&str]) -> Vec<String> {
    let mut told = Vec::new();
    for (number, text) in conversation.iter().enumerate() {
        let direction = if text.starts_with('>') { Direction::ToServer } else { Direction::ToClient };
        let at = Duration::from_millis(number as u64);
        inspector.stream(direction, &text.as_bytes()[1..], at, &mut |event| {
            if !matches!(event, Event::Version(_)) {
                told.push(line(&event));
            }
        });
    }
    told
}

fn http(conversation: &[&str]) -> Vec<String> {
    told(&mut HttpInspector::new(Limits::default()), conversation)
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let told = http(&[
        ">GET /a HTTP/1.1\r\nHost: h\r\n\r\nHEAD /b HTTP/1.1\r\nHost: h\r\n\r\n",
        ">POST /c HTTP/1.1\r\nContent-Length: 4\r\n\r\nbo",
        ">dy",
        "<HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 404 Not Found\r\nContent-Length: 99\r\n\r\n",
        "<HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: t\r\n\r\n",
        "<HTTP/1.1 204 No Content\r\n\r\n",
    ]);
    assert_eq!(
        told,
        [
            "> Request GET",
            "> Request HEAD",
            "> Request POST",
            "< Response GET 2xx matched 3ms",
            "< Response HEAD 4xx matched 3ms",
            "! client_error HEAD 4xx",
            "< Notification other 1xx",
            "< Response POST 5xx matched 2ms",
            "! server_failure POST 5xx",
            "< Response other 2xx",
            "! unknown_id other 2xx",
        ]
    );
}

#[test]
fn a_body_without_a_length_lasts_until_the_close() {
    let mut inspector = HttpInspector::new(Limits::default());
    let before = told(&mut inspector, &[">GET / HTTP/1.0\r\n\r\n", "<HTTP/1.0 200 OK\r\n\r\nas long as it takes"]);
    assert_eq!(before, ["> Request GET"]);
    let mut after = Vec::new();
    inspector.end(Direction::ToClient, Duration::from_millis(9), &mut |event| after.push(line(&event)));
    assert_eq!(after, ["< Response GET 2xx matched 9ms"]);
}

#[test]
fn each_fault_has_its_name() {
    let long = format!(">GET /{} HTTP/1.1\r\n\r\n", "x".repeat(70_000));
    let cases: &[(&str, &[&str])] = &[
        (">GET / HTTP/1.1\r\n\r\n", &["> Request GET"]),
        (">\r\nGET / HTTP/1.1\n\n", &["> Request GET"]),
        (">BREW /pot HTTP/1.1\r\n\r\n", &["> Request other"]),
        (">GET / HTTP/2.7\r\n\r\n", &["> Invalid other", "! bad_head other"]),
        (">\u{1}\u{2}\r\n\r\n", &["> Invalid other", "! bad_head other"]),
        ("<HTTP/1.1 2x0 OK\r\n\r\n", &["< Invalid other", "! bad_head other"]),
        (">GET / HTTP/1.1\r\nno colon\r\n\r\n", &["> Request GET", "! bad_head GET"]),
        (">GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", &["> Request GET", "! bad_length GET"]),
        (">GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n.", &["> Request GET", "! bad_length GET"]),
        (">GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n.", &["> Request GET"]),
        (
            ">POST / HTTP/1.1\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            &["> Request POST", "! ambiguous_length POST"],
        ),
        (">POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", &["> Invalid other", "! bad_chunk other"]),
        ("<GET / HTTP/1.1\r\n\r\n", &["< Request GET", "! wrong_direction GET"]),
        (&long, &["> Invalid other", "! long_head other"]),
    ];
    for (octets, expected) in cases {
        assert_eq!(&http(&[octets]), expected, "{octets:.60}");
    }
}

#[test]
fn a_body_of_many_chunks_is_no_long_head() {
    let body = "1;name=value\r\nx\r\n".repeat(10_000);
    let request = format!(">PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n{body}0\r\n\r\n");
    assert_eq!(http(&[&request]), ["> Request PUT"]);
    let trailers = format!(">PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{}", "a: b\r\n".repeat(20_000));
    assert_eq!(http(&[&trailers]), ["> Invalid other", "! long_head other"]);
}

#[test]
fn a_websocket_follows_its_handshake() {
    let mut inspector = HttpInspector::new(Limits::default());
    let mut told = told(
        &mut inspector,
        &[
            ">GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            "<HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\u{1}\u{1}a",
        ],
    );
    let mut events = |event: Event<'_>| told.push(line(&event));
    inspector.stream(Direction::ToServer, &[0x89, 0x80, 1, 2, 3, 4], Duration::ZERO, &mut events);
    inspector.stream(Direction::ToClient, &[0x80, 0], Duration::ZERO, &mut events);
    assert_eq!(told, ["> Request GET", "< Response GET 1xx matched 1ms", "> Request ping", "< Notification text"]);
}

const MCP: [&str; 2] = [
    ">POST /mcp HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 76\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"search\"}}   ",
    "<HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n\
     5d\r\n: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\r\n\r\ndata:{\"jsonrpc\":\"2.0\",\ndata: \"id\":7\r\n\
     19\r\n,\"result\":{\"isError\":true\r\n5\r\n}}\n\n\n\r\n0\r\n\r\n",
];

#[test]
fn mcp_is_told_from_bodies_and_events() {
    let told = told(&mut McpHttpInspector::new(Limits::default()), &MCP);
    assert_eq!(
        told,
        [
            "> Request tools/call(search)",
            "> Request POST",
            "< Notification notifications/progress",
            "< Response tools/call(search) matched 1ms",
            "! tool_error tools/call(search)",
            "< Response POST 2xx matched 1ms",
        ]
    );
}

#[test]
fn the_revision_is_told_from_the_header() {
    let request = |revision| format!("GET /mcp HTTP/1.1\r\nMCP-Protocol-Version: {revision}\r\n\r\n");
    let mut inspector = McpHttpInspector::new(Limits::default());
    let mut versions = Vec::new();
    for revision in ["2025-06-18", "2025-06-18", "2026-07-28", "\u{ff}"] {
        inspector.stream(Direction::ToServer, request(revision).as_bytes(), Duration::ZERO, &mut |event| {
            if let Event::Version(version) = event {
                versions.push(format!("{} {}", version.protocol, version.version));
            }
        });
    }
    assert_eq!(versions, ["mcp 2025-06-18", "http 1.1", "mcp 2026-07-28", "mcp other"]);
}

#[test]
fn requests_without_an_answer_stay_within_bounds() {
    let limits = Limits { max_pending: 3, answer_within: Duration::from_secs(1), ..Limits::default() };
    let mut inspector = HttpInspector::new(limits);
    let mut told = Vec::new();
    let request = b"GET / HTTP/1.1\r\n\r\n";
    inspector.stream(Direction::ToServer, &request.repeat(10_000), Duration::ZERO, &mut |_| {});
    assert_eq!((inspector.counts().pending, inspector.counts().evicted), (3, 9_997));
    for second in 1..4 {
        inspector.tick(Duration::from_secs(second), &mut |event| told.push(line(&event)));
    }
    assert_eq!(told, ["! unanswered GET"; 3]);
    let at = Duration::from_secs(4);
    let mut answer = || {
        let mut told = Vec::new();
        inspector.stream(Direction::ToClient, b"HTTP/1.1 204 None\r\n\r\n", at, &mut |event| told.push(line(&event)));
        told
    };
    for _ in 0..3 {
        assert_eq!(answer(), ["< Response GET 2xx matched 4000ms"]);
    }
    for _ in 0..9_997 {
        assert_eq!(answer(), ["< Response other 2xx"], "what was forgotten was asked");
    }
    assert_eq!(answer(), ["< Response other 2xx", "! unknown_id other 2xx"]);
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_events(
        damage in proptest::collection::vec((0_usize..300, any::<u8>()), 0..4),
        lengths in proptest::collection::vec(1_usize..60, 1..12),
    ) {
        let mut octets = MCP[1].as_bytes()[1..].repeat(2);
        for (place, octet) in damage {
            octets[place] = octet;
        }
        let limits = Limits { max_head: 200, ..Limits::default() };
        for name in ["mcp-http", "http"] {
            prop_assert_eq!(told_in_pieces(name, limits, &octets, &lengths), told_in_pieces(name, limits, &octets, &[usize::MAX]));
        }
    }

    #[test]
    fn any_octets_are_survived(octets in proptest::collection::vec(any::<u8>(), 0..300), lengths in proptest::collection::vec(1_usize..60, 1..12)) {
        let told = told_in_pieces("http", Limits::default(), &octets, &lengths);
        prop_assert_eq!(told, told_in_pieces("http", Limits::default(), &octets, &[usize::MAX]));
    }
}

#[test]
fn twice_the_octets_are_at_most_twice_the_work() {
    let shapes: &[(&str, &str)] = &[
        ("", "GET / HTTP/1.1\r\n\r\n"),
        ("GET / HTTP/1.1\r\n", "a:\r\n"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
        ("", "\n"),
        ("GET ", "x"),
    ];
    for (start, again) in shapes {
        let work = |count: usize| {
            let mut inspector = HttpInspector::new(Limits { max_head: usize::MAX, ..Limits::default() });
            let octets = format!("{start}{}", again.repeat(count));
            inspector.stream(Direction::ToServer, octets.as_bytes(), Duration::ZERO, &mut |_| {});
            inspector.counts().work
        };
        let (once, twice) = (work(10_000), work(20_000));
        assert!(twice <= 2 * once + 16 && once <= 30_000 * again.len() as u64, "{again:?} {once} {twice}");
    }
}
