//! How fast messages of MCP are inspected, on one core.
//!
//! `cargo run --release -p squirrel-inspect --example speed`
//!
//! Prints the best of many short runs over 2 MiB of each shape, in GB/s (10⁹ octets a second), with
//! nanoseconds a message. Short, since a long run is interrupted by other programs.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use squirrel_inspect::{Direction, Inspector as _, Limits, McpInspector};

const OCTETS: usize = 2 << 20;
const RUNS: usize = 400;

fn request(id: usize, text: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"search","arguments":{{"query":"{text}","limit":10,"exact":false}},"_meta":{{"progressToken":{id}}}}}}}"#
    )
}

fn answer(id: usize, content: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{content}],"isError":false}}}}"#)
}

/// Pairs of a request and its answer, as each shape has them.
fn shapes() -> Vec<(&'static str, String, String)> {
    let prose = "The quick squirrel buries a nut, and forgets in which network it did. ".repeat(58);
    let code = r#"fn main() {\n    println!(\"a \\\"nut\\\"\");\n}\n"#.repeat(85);
    let row = r#"{"id":1234,"name":"eth0","state":"up","tags":["a","b"],"rate":12.5,"peer":{"host":"h","port":443}},"#;
    let rows = format!(r#"{{"type":"rows","rows":[{}0]}}"#, row.repeat(40));
    let foreign = "Привет, белка! 你好,松鼠。".repeat(80);
    let text = |inside: &str| format!(r#"{{"type":"text","text":"{inside}"}}"#);
    vec![
        ("4 KiB of prose", request(0, "nuts"), answer(0, &text(&prose))),
        ("4 KiB of source code in a text", request(0, "nuts"), answer(0, &text(&code))),
        ("4 KiB of structure", request(0, "nuts"), answer(0, &rows)),
        ("4 KiB that is not ASCII", request(0, "nuts"), answer(0, &text(&foreign))),
        ("64 KiB of prose", request(0, "nuts"), answer(0, &text(&prose.repeat(16)))),
        ("small", request(0, "nuts"), answer(0, r#"{"type":"text","text":"none"}"#)),
    ]
}

#[expect(clippy::disallowed_methods, reason = "this program measures time")]
fn best(asked: &[u8], answered: &[u8]) -> (f64, f64) {
    let pairs = OCTETS / (asked.len() + answered.len());
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let mut inspector = McpInspector::new(Limits::default());
        let mut events = 0_u64;
        let start = Instant::now();
        for pair in 0..pairs {
            let at = Duration::from_micros(pair as u64);
            let mut count = |event: squirrel_inspect::Event<'_>| {
                black_box(event);
                events += 1;
            };
            inspector.stream(Direction::ToServer, black_box(asked), at, &mut count);
            inspector.stream(Direction::ToClient, black_box(answered), at, &mut count);
        }
        best = best.min(start.elapsed());
        assert_eq!(events, 2 * pairs as u64, "each message is told, and nothing else");
    }
    let octets = pairs * (asked.len() + answered.len());
    (octets as f64 / best.as_secs_f64() / 1e9, best.as_secs_f64() * 1e9 / (2 * pairs) as f64)
}

fn main() {
    for (name, asked, answered) in shapes() {
        let (asked, answered) = (format!("{asked}\n"), format!("{answered}\n"));
        let (rate, each) = best(asked.as_bytes(), answered.as_bytes());
        println!("{rate:6.2} GB/s {each:8.0} ns a message, {:6} octets a pair: {name}", asked.len() + answered.len());
    }
}
