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
fn shapes() -> Vec<(&'static str, Vec<(String, String)>)> {
    let prose = "The quick squirrel buries a nut, and forgets in which network it did. ".repeat(58);
    let code = r#"fn main() {\n    println!(\"a \\\"nut\\\"\");\n}\n"#.repeat(85);
    let row = r#"{"id":1234,"name":"eth0","state":"up","tags":["a","b"],"rate":12.5,"peer":{"host":"h","port":443}},"#;
    let rows = format!(r#"{{"type":"rows","rows":[{}0]}}"#, row.repeat(40));
    let foreign = "Привет, белка! 你好,松鼠。".repeat(80);
    let text = |inside: &str| format!(r#"{{"type":"text","text":"{inside}"}}"#);
    let ping = (
        r#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":0,"result":{}}"#.to_owned(),
    );
    let meta = r#"{"jsonrpc":"2.0","id":0,"method":"ping","params":{"_meta":{"progressToken":7,"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736"}}}"#;
    let call = |inside: &str| (request(0, "nuts"), answer(0, &text(inside)));
    // Ten exchanges: results of one to four kibibytes as text, as code and as structure, and pings.
    let mix = vec![
        call(&prose[..1_024]),
        ping.clone(),
        call(&code[..1_980]),
        call(&prose[..2_048]),
        (request(0, "nuts"), answer(0, &format!(r#"{{"type":"rows","rows":[{}0]}}"#, row.repeat(20)))),
        (meta.to_owned(), ping.1.clone()),
        call(&prose),
        call(&prose[..1_024]),
        ping,
        (request(0, "nuts"), answer(0, &rows)),
    ];
    let one = |asked, answered| vec![(asked, answered)];
    vec![
        ("a mix of calls with results of 1 to 4 KiB, and pings", mix),
        ("4 KiB of prose", one(request(0, "nuts"), answer(0, &text(&prose)))),
        ("4 KiB of source code in a text", one(request(0, "nuts"), answer(0, &text(&code)))),
        ("4 KiB of structure", one(request(0, "nuts"), answer(0, &rows))),
        ("4 KiB that is not ASCII", one(request(0, "nuts"), answer(0, &text(&foreign)))),
        ("64 KiB of prose", one(request(0, "nuts"), answer(0, &text(&prose.repeat(16))))),
        ("small", one(request(0, "nuts"), answer(0, r#"{"type":"text","text":"none"}"#))),
    ]
}

#[expect(clippy::disallowed_methods, reason = "this program measures time")]
fn best(pairs: &[(String, String)]) -> (f64, f64) {
    let octets: usize = pairs.iter().map(|(asked, answered)| asked.len() + answered.len() + 2).sum();
    let pairs: Vec<_> = pairs.iter().map(|(asked, answered)| (format!("{asked}\n"), format!("{answered}\n"))).collect();
    let rounds = OCTETS / octets;
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let mut inspector = McpInspector::new(Limits::default());
        let mut events = 0;
        let start = Instant::now();
        for round in 0..rounds {
            let at = Duration::from_micros(round as u64);
            for (asked, answered) in &pairs {
                let mut count = |event: squirrel_inspect::Event<'_>| {
                    black_box(event);
                    events += 1;
                };
                inspector.stream(Direction::ToServer, black_box(asked.as_bytes()), at, &mut count);
                inspector.stream(Direction::ToClient, black_box(answered.as_bytes()), at, &mut count);
            }
        }
        best = best.min(start.elapsed());
        assert_eq!(events, 2 * rounds * pairs.len(), "each message is told, and nothing else");
    }
    let messages = 2 * rounds * pairs.len();
    ((rounds * octets) as f64 / best.as_secs_f64() / 1e9, best.as_secs_f64() * 1e9 / messages as f64)
}

/// All shapes, or those whose name holds what is given.
fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    for (name, pairs) in shapes().into_iter().filter(|(name, _)| name.contains(&only)) {
        let (rate, each) = best(&pairs);
        let octets: usize = pairs.iter().map(|(asked, answered)| asked.len() + answered.len()).sum();
        let octets = octets / (2 * pairs.len());
        println!("{rate:6.2} GB/s {each:8.0} ns a message of {octets:6} octets: {name}");
    }
}
