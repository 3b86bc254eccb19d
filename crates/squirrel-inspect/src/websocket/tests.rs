//! Frames by name.

use std::time::Duration;

use proptest::prelude::*;

use crate::testing::{line, told_in_pieces};
use crate::{Direction, Event, Inspector as _, Limits, WebSocketInspector};

/// What is told of frames that a server sends at once.
fn served(octets: &[u8]) -> Vec<String> {
    let mut told = Vec::new();
    WebSocketInspector::new(Limits::default())
        .stream(Direction::ToClient, octets, Duration::ZERO, &mut |event| told.push(line(&event)));
    told
}

#[test]
fn each_frame_has_its_type_and_each_fault_its_name() {
    let long = [&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0][..], &vec![0; 65_536]].concat();
    let short = [&[0x82, 126, 0, 5][..], &[0; 5]].concat();
    let control = [&[0x89, 126, 0, 126][..], &[0; 126]].concat();
    let cases: &[(&str, &[u8], &[&str])] = &[
        ("text", &[0x81, 2, b'h', b'i'], &["< Notification text"]),
        ("compressed text", &[0xc1, 1, 0], &["< Notification text"]),
        ("binary", &long, &["< Notification binary"]),
        ("length in too many octets", &short, &["< Notification binary", "! bad_length binary"]),
        ("ping", &[0x89, 0], &["< Request ping"]),
        ("pong that nobody asked for", &[0x8a, 0], &["< Notification pong"]),
        ("close", &[0x88, 0], &["< Notification close"]),
        ("going away", &[0x88, 2, 3, 0xe9], &["< Notification close"]),
        ("policy", &[0x88, 2, 3, 0xf0], &["< Notification close", "! close_code close"]),
        ("no such code", &[0x88, 2, 3, 0xed], &["< Notification close", "! close_code close", "! bad_close close"]),
        ("half a code", &[0x88, 1, 3], &["< Notification close", "! bad_close close"]),
        (
            "fragments with a ping inside",
            &[1, 1, 0, 0x89, 0, 0, 1, 0, 0x80, 1, 0],
            &["< Request ping", "< Notification text"],
        ),
        ("a fragment of nothing", &[0x80, 0], &["< Notification continuation", "! bad_continuation continuation"]),
        ("a message within another", &[1, 0, 0x82, 0], &["< Notification binary", "! bad_continuation binary"]),
        ("unknown", &[0x83, 0], &["< Invalid other", "! bad_opcode other"]),
        ("reserved", &[0xa1, 0], &["< Notification text", "! reserved_bits text"]),
        ("a server with a mask", &[0x81, 0x80, 1, 2, 3, 4], &["< Notification text", "! bad_mask text"]),
        ("a ping in fragments", &[0x09, 0], &["< Request ping", "! fragmented_control ping"]),
        ("a long ping", &control, &["< Request ping", "! long_control ping"]),
        (
            "after the close",
            &[0x88, 0, 0x81, 0],
            &["< Notification close", "< Notification text", "! after_close text"],
        ),
    ];
    for (name, octets, expected) in cases {
        assert_eq!(&served(octets), expected, "{name}");
    }
}

#[test]
fn a_masked_close_and_a_pong_are_understood() {
    let mut inspector = WebSocketInspector::new(Limits::default());
    let mut told = Vec::new();
    let mut events = |event: Event<'_>| told.push(line(&event));
    inspector.stream(Direction::ToClient, &[0x89, 1, 7], Duration::from_millis(1), &mut events);
    inspector.stream(Direction::ToServer, &[0x8a, 0x81, 1, 2, 3, 4, 6], Duration::from_millis(4), &mut events);
    // 1011 is 03 f3; the mask turns it into 02 f1.
    inspector.stream(Direction::ToServer, &[0x88, 0x82, 1, 2, 3, 4, 2, 0xf1], Duration::from_millis(5), &mut events);
    inspector.stream(Direction::ToClient, &[0x89, 0], Duration::from_secs(5), &mut events);
    inspector.tick(Duration::from_secs(500), &mut events);
    let expected = [
        "< Request ping",
        "> Response pong matched 3ms",
        "> Notification close",
        "! close_code close",
        "< Request ping",
    ];
    assert_eq!(told[..5], expected);
    assert_eq!(told[5..], ["! unanswered ping"]);
}

#[test]
fn sizes_are_of_payloads_and_fragments_add_up() {
    let mut sizes = Vec::new();
    WebSocketInspector::new(Limits::default()).stream(
        Direction::ToClient,
        &[2, 3, 0, 0, 0, 0x80, 2, 0, 0, 0x82, 1, 0],
        Duration::ZERO,
        &mut |event| {
            if let Event::Message(message) = event {
                sizes.push(message.size);
            }
        },
    );
    assert_eq!(sizes, [5, 1]);
}

proptest! {
    #[test]
    fn any_cut_of_any_octets_gives_the_same_events(
        octets in proptest::collection::vec(prop_oneof![any::<u8>(), 0_u8..3, 0x80_u8..0x8b], 0..300),
        lengths in proptest::collection::vec(1_usize..20, 1..12),
    ) {
        let limits = Limits::default();
        prop_assert_eq!(
            told_in_pieces("websocket", limits, &octets, &lengths),
            told_in_pieces("websocket", limits, &octets, &[usize::MAX])
        );
    }
}
