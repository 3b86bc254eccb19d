//! Messages cost no memory. Alone in its process, since every thread's allocations are counted.
#![forbid(unsafe_code)]

use std::time::Duration;

use squirrel_inspect::{Direction, INSPECTORS, Limits};

const CALL: &str = r#"{"jsonrpc":"2.0","id":"a-1","method":"tools/call","params":{"name":"search","arguments":{"q":"nuts \"and\" \u00e4","n":10},"_meta":{"progressToken":1}}}"#;
const ANSWER: &str =
    r#"{"jsonrpc":"2.0","id":"a-1","result":{"content":[{"type":"text","text":"none\nat all"}],"isError":true}}"#;
const PING: &str = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
const PONG: &str = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;

fn http(first: &str, kind: &str, body: &str) -> String {
    format!(
        "{first}\r\nContent-Type: {kind}\r\nMcp-Session-Id: s\r\nMcp-Method: tools/call\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// What a client and a server say again and again, by the inspector's name.
fn exchange(name: &str) -> (Vec<u8>, Vec<u8>) {
    match name {
        "websocket" => (b"\x89\x80\x01\x02\x03\x04\x81\x81\x01\x02\x03\x04A".to_vec(), b"\x8a\x00\x81\x01A".to_vec()),
        "http" | "mcp-http" => {
            let asked = http("POST /mcp HTTP/1.1", "application/json", CALL);
            let events = format!("event: message\ndata: {ANSWER}\n\n");
            (asked.into_bytes(), http("HTTP/1.1 200 OK", "text/event-stream", &events).into_bytes())
        }
        _ => (format!("{CALL}\n{PING}\n").into_bytes(), format!("{PONG}\n{ANSWER}\n").into_bytes()),
    }
}

#[test]
fn nothing_is_allocated_for_a_message_after_the_first_ones() {
    let one = allocation_counter::measure(|| drop(std::hint::black_box(Box::new(7))));
    assert_eq!(one.count_total, 1, "the counter counts");
    for builder in INSPECTORS {
        let (asked, answered) = exchange(builder.name);
        // Room for few, so that tables reach their bound soon.
        let mut inspector = (builder.build)(&Limits { max_pending: 4, ..Limits::default() });
        let mut events = 0_u64;
        let mut rounds = |rounds: u64| {
            for round in 0..rounds {
                let at = Duration::from_millis(round);
                for (direction, octets) in [(Direction::ToServer, &asked), (Direction::ToClient, &answered)] {
                    // Whole at times, cut at others.
                    let cut = if round % 3 == 0 { 11 } else { octets.len() };
                    octets.chunks(cut).for_each(|piece| inspector.stream(direction, piece, at, &mut |_| events += 1));
                }
            }
        };
        rounds(20);
        let counted = allocation_counter::measure(|| rounds(1_000));
        assert_eq!((counted.count_total, counted.bytes_total), (0, 0), "{}", builder.name);
        assert!(events >= 2_040, "{}: {events} events", builder.name);
    }
}
