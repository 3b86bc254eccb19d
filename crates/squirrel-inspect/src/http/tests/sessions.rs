//! MCP over several connections, and what heads say of bodies.

use super::*;
use crate::{Counts, McpSessions};

fn post(headers: &str, body: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn json(headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn stream(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Shows octets to one connection; what is told of MCP.
fn shown(inspector: &mut McpHttpInspector, direction: Direction, octets: &str, millisecond: u64) -> Vec<String> {
    let mut told = Vec::new();
    inspector.stream(direction, octets.as_bytes(), Duration::from_millis(millisecond), &mut |event| match event {
        Event::Message(message) if message.protocol == "http" => {}
        Event::Failure(failure) if failure.protocol == "http" => {}
        Event::Version(version) if version.protocol == "http" => {}
        event => told.push(line(&event)),
    });
    told
}

const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"slow"}}"#;
const ANSWER: &str = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;

#[test]
fn an_answer_on_another_connection_of_the_session_finds_its_request() {
    use Direction::{ToClient, ToServer};
    let sessions = McpSessions::new(Limits::default(), 8);
    let connection = || McpHttpInspector::in_sessions(Limits::default(), &sessions);
    let (mut posts, mut listens, mut other) = (connection(), connection(), connection());
    let get =
        |session: &str| format!("GET /mcp HTTP/1.1\r\nAccept: text/event-stream\r\nMcp-Session-Id: {session}\r\n\r\n");
    let session = "Mcp-Session-Id: a-1\r\n";
    assert_eq!(shown(&mut posts, ToServer, &post(session, CALL), 0), ["> Request tools/call(slow)"]);
    // Another session uses the same identifier at the same time.
    assert_eq!(shown(&mut other, ToServer, &post("mcp-session-id: b-2\r\n", CALL), 1), ["> Request tools/call(slow)"]);
    shown(&mut listens, ToServer, &get("a-1"), 2);
    let events = format!("event: message\ndata: {ANSWER}\n\n");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let told = shown(&mut listens, ToClient, &format!("{head}{events}"), 9);
    assert_eq!(told, ["< Response tools/call(slow) matched 9ms"]);
    assert_eq!(shown(&mut other, ToClient, &json("", ANSWER), 11), ["< Response tools/call(slow) matched 10ms"]);
    assert_eq!((sessions.len(), sessions.pending()), (2, 0));
    let delete = "DELETE /mcp HTTP/1.1\r\nMcp-Session-Id: a-1\r\n\r\n";
    shown(&mut posts, ToServer, delete, 12);
    assert_eq!((sessions.len(), posts.counts().messages), (1, 3));
}

#[test]
fn one_connection_may_carry_several_sessions_and_answers_follow_their_requests() {
    use Direction::{ToClient, ToServer};
    let sessions = McpSessions::new(Limits::default(), 8);
    let mut gateway = McpHttpInspector::in_sessions(Limits::default(), &sessions);
    for (number, session) in ["Mcp-Session-Id: a\r\n", "Mcp-Session-Id: b\r\n", ""].into_iter().enumerate() {
        shown(&mut gateway, ToServer, &post(session, CALL), number as u64);
    }
    for millisecond in [10, 10, 10] {
        let told = shown(&mut gateway, ToClient, &stream(&format!("data: {ANSWER}\n\n")), millisecond);
        assert!(told.len() == 1 && told[0].contains("matched"), "{told:?}");
    }
}

#[test]
fn sessions_are_bounded_and_the_silent_go_first() {
    let sessions = McpSessions::new(Limits::default(), 3);
    let mut connection = McpHttpInspector::in_sessions(Limits::default(), &sessions);
    for number in 0..1_000 {
        let header = format!("Mcp-Session-Id: {number}\r\n");
        shown(&mut connection, Direction::ToServer, &post(&header, CALL), 0);
        shown(&mut connection, Direction::ToServer, &post("Mcp-Session-Id: 0\r\n", CALL), 0);
    }
    assert_eq!((sessions.len(), sessions.forgotten()), (3, 997));
    let mut told = Vec::new();
    sessions.tick(Duration::from_secs(1_000), &mut |event| told.push(line(&event)));
    assert_eq!(told, ["! unanswered tools/call(slow)"; 3]);
    let none = McpSessions::new(Limits::default(), 0);
    let mut connection = McpHttpInspector::in_sessions(Limits::default(), &none);
    shown(&mut connection, Direction::ToServer, &post("Mcp-Session-Id: 0\r\n", CALL), 0);
    assert!(none.is_empty());
    assert_eq!(connection.counts(), Counts { messages: 2, ..connection.counts() });
}

#[test]
fn headers_that_repeat_the_body_are_compared_with_it() {
    let new = "MCP-Protocol-Version: 2026-07-28\r\n";
    let read = r#"{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"file:///a"}}"#;
    let snow = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"\u96ea"}}"#;
    let cases: &[(&str, &str, Option<&str>)] = &[
        ("", CALL, None),
        ("Mcp-Method: tools/call\r\nMcp-Name: slow\r\n", CALL, None),
        ("Mcp-Method: tools/call\r\nMcp-Name: fast\r\n", CALL, Some("wrong_header")),
        ("Mcp-Method: tools/list\r\nMcp-Name: slow\r\n", CALL, Some("wrong_header")),
        (new, CALL, Some("missing_header")),
        (&format!("{new}Mcp-Method: tools/call\r\n"), CALL, Some("missing_header")),
        (&format!("{new}Mcp-Method: tools/call\r\nMcp-Name: slow\r\n"), CALL, None),
        ("Mcp-Method: resources/read\r\nMcp-Name: file:///a\r\n", read, None),
        ("Mcp-Method: resources/read\r\nMcp-Name: file:///b\r\n", read, Some("wrong_header")),
        ("Mcp-Method: tools/call\r\nMcp-Name: =?base64?6Zuq?=\r\n", snow, None),
        ("Mcp-Method: tools/call\r\nMcp-Name: =?base64?6Zur?=\r\n", snow, Some("wrong_header")),
    ];
    for (headers, body, fault) in cases {
        let mut inspector = McpHttpInspector::new(Limits::default());
        let told = shown(&mut inspector, Direction::ToServer, &post(headers, body), 0);
        let found = told.iter().find_map(|line| line.strip_prefix("! ")).and_then(|line| line.split(' ').next());
        assert_eq!(found, *fault, "{headers} {told:?}");
    }
}

#[test]
fn a_compressed_body_is_told_by_its_head() {
    let packed = "Content-Encoding: gzip\r\nMcp-Method: tools/call\r\nMcp-Name: slow\r\n";
    let mut inspector = McpHttpInspector::new(Limits::default());
    let told = shown(&mut inspector, Direction::ToServer, &post(packed, "\u{1f}\u{8}"), 0);
    assert_eq!(told, ["> Request tools/call(slow)"]);
    assert_eq!((inspector.counts().pending, inspector.counts().messages), (1, 2), "HTTP's own waits");
}

proptest! {
    #[test]
    fn connections_of_any_octets_keep_no_more_than_there_is_room_for(
        turns in proptest::collection::vec((0_usize..2, any::<bool>(), proptest::sample::select(vec![
            "POST / HTTP/1.1\r\nContent-Type: application/json\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n",
            "Mcp-Session-Id: a\r\n", "Mcp-Session-Id: b\r\n", "Mcp-Session-Id: c\r\n", "Content-Length: 71\r\n\r\n", "\r\n", CALL,
            ANSWER, "data: ", "\n\n", "DELETE / HTTP/1.1\r\n", "0", "\u{0}",
        ])), 0..60),
    ) {
        let limits = Limits { max_pending: 2, ..Limits::default() };
        let sessions = McpSessions::new(limits, 2);
        let mut connections = [(); 2].map(|()| McpHttpInspector::in_sessions(limits, &sessions));
        for (place, asked, text) in turns {
            let direction = if asked { Direction::ToServer } else { Direction::ToClient };
            connections[place].stream(direction, text.as_bytes(), Duration::ZERO, &mut |_| {});
        }
        prop_assert!(sessions.len() <= 2 && sessions.pending() <= 8, "{} {}", sessions.len(), sessions.pending());
    }

    #[test]
    fn any_cut_of_sessions_and_headers_gives_the_same_events(
        damage in proptest::collection::vec((0_usize..400, any::<u8>()), 0..3),
        lengths in proptest::collection::vec(1_usize..60, 1..12),
    ) {
        let new = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Session-Id: s\r\nMcp-Method: tools/call\r\nMcp-Name: =?base64?c2xvdw==?=\r\n";
        let mut octets = post(new, CALL).repeat(2).into_bytes();
        let length = octets.len();
        for (place, octet) in damage {
            octets[place % length] = octet;
        }
        let limits = Limits::default();
        prop_assert_eq!(
            told_in_pieces("mcp-http", limits, &octets, &lengths),
            told_in_pieces("mcp-http", limits, &octets, &[usize::MAX])
        );
    }
}
