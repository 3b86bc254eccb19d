//! Conversations between programs: HTTP, WebSocket, JSON-RPC, MCP.

use std::time::Duration;

use squirrel_inspect::{
    Direction, Event, FieldPaths, INSPECTORS, Inspector, JsonRpcInspector, Limits, McpHttpInspector, McpSessions,
};

use crate::show;

/// Shows a conversation to a built-in inspector: the first octet says where the rest is cut into the
/// two directions, the second into what pieces. However it is cut, the same must be told, and the work
/// must stay linear.
///
/// # Panics
/// When another cut tells something else, or the work is out of proportion: that is what is looked for.
pub(super) fn conversation(name: &str, octets: &[u8]) {
    let [place, piece, conversation @ ..] = octets else { return };
    let place = conversation.len() * usize::from(*place) / 256;
    let (asked, answered) = conversation.split_at(place);
    let limits = Limits { max_pending: 8, max_labels: 8, max_depth: 16, max_head: 1_000, ..Limits::default() };
    let told = |piece: usize| {
        let inspector = INSPECTORS.iter().find(|builder| builder.name == name).map(|builder| (builder.build)(&limits));
        let mut inspector = inspector.expect("a built-in inspector");
        let mut told = String::new();
        let mut pieces = 0;
        let mut events = |event: Event<'_>| told.push_str(&format!("{event:?}\n"));
        for (direction, octets) in [(Direction::ToServer, asked), (Direction::ToClient, answered)] {
            for octets in octets.chunks(piece) {
                pieces += 1;
                inspector.stream(direction, octets, Duration::ZERO, &mut events);
            }
            inspector.end(direction, Duration::from_secs(1), &mut events);
        }
        assert!(inspector.counts().work <= 8 * (conversation.len() as u64 + pieces) + 64, "too much work");
        told
    };
    assert_eq!(told(usize::from(*piece).max(1)), told(usize::MAX));
}

/// Looks for fields: the first line holds the paths, the rest is messages, cut into pieces as the first octet
/// says. However they are cut, the same must be told.
///
/// # Panics
/// When another cut tells something else, or the work is out of proportion: that is what is looked for.
pub(super) fn fields(octets: &[u8]) {
    let [piece, octets @ ..] = octets else { return };
    let line = octets.iter().position(|octet| *octet == b'\n').unwrap_or(octets.len());
    let (paths, messages) = octets.split_at(line);
    let paths = String::from_utf8_lossy(paths);
    let Ok(paths) = FieldPaths::new(&paths.split(' ').collect::<Vec<_>>()) else { return };
    let told = |piece: usize| {
        let mut inspector = JsonRpcInspector::new(Limits { max_depth: 16, ..Limits::default() });
        inspector.read_fields(&paths);
        let mut told = String::new();
        let mut events = |event: Event<'_>| told.push_str(&format!("{event:?}\n"));
        let mut pieces = 0;
        for octets in messages.chunks(piece) {
            pieces += 1;
            inspector.stream(Direction::ToServer, octets, Duration::ZERO, &mut events);
        }
        inspector.end(Direction::ToServer, Duration::ZERO, &mut events);
        assert!(inspector.counts().work <= 16 * (messages.len() as u64 + pieces) + 64, "too much work");
        told
    };
    assert_eq!(told(usize::from(*piece).max(1)), told(usize::MAX));
}

/// Shows octets to two connections that share sessions: the first octet says where they are cut into the two,
/// the second where each is cut into its directions. Few sessions, so that some are forgotten.
///
/// # Panics
/// When more is kept than there is room for: that is what is looked for.
pub(super) fn sessions(octets: &[u8]) {
    let [place, turn, conversation @ ..] = octets else { return };
    let limits = Limits { max_pending: 4, max_labels: 4, max_depth: 16, max_head: 1_000, ..Limits::default() };
    let sessions = McpSessions::new(limits, 2);
    let part = |octets: &[u8], place: u8| octets.len() * usize::from(place) / 256;
    let (one, other) = conversation.split_at(part(conversation, *place));
    let mut connections = [one, other].map(|octets| (McpHttpInspector::in_sessions(limits, &sessions), octets));
    for direction in [Direction::ToServer, Direction::ToClient] {
        for (inspector, octets) in &mut connections {
            let (asked, answered) = octets.split_at(part(octets, *turn));
            let octets = if direction == Direction::ToServer { asked } else { answered };
            inspector.stream(direction, octets, Duration::ZERO, &mut |event| show(&event));
        }
    }
    sessions.tick(Duration::from_secs(1_000), &mut |event| show(&event));
    for (inspector, _) in &mut connections {
        inspector.end(Direction::ToClient, Duration::from_secs(1_000), &mut |event| show(&event));
        show(&inspector.counts());
    }
    assert!(sessions.len() <= 2 && sessions.pending() <= 2 * 2 * 4, "bounded");
}
