//! Each target before its corpus and what the mutator makes of it: a fixed seed, a bounded number of inputs, a bounded
//! time. Another seed or more time by `SQUIRREL_FUZZ_SEED` and `SQUIRREL_FUZZ_SECONDS`.
#![expect(clippy::print_stdout, clippy::panic, reason = "a seed is to be seen, and an input that was found")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use squirrel_fuzzing::{Mutator, TARGETS, corpus, dictionary};
use squirrel_sys::clock::Monotonic;

/// Any will do; it is fixed so that a failure is the same everywhere.
const SEED: u64 = 20_261_121;

/// Time for each target, when nothing else is said. A slow machine tries fewer inputs.
const SECONDS: u64 = 2;

/// Most inputs of a target in each second that it has.
const INPUTS: usize = 5_000;

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

/// Shows an input; what it panics with is told with the input.
fn show(name: &str, origin: &str, input: &[u8]) {
    let stands = catch_unwind(AssertUnwindSafe(|| squirrel_fuzzing::run(name, input))).is_ok();
    assert!(stands, "{name} fell over {origin}: b\"{}\"", input.escape_ascii());
}

fn judge(name: &str) {
    let (seed, seconds) = (number("SQUIRREL_FUZZ_SEED", SEED), number("SQUIRREL_FUZZ_SECONDS", SECONDS));
    let (inputs, words) = (corpus(name), dictionary(name));
    assert!(!inputs.is_empty(), "{name} has no corpus");
    for (i, input) in inputs.iter().enumerate() {
        show(name, &format!("input {i} of its corpus"), input);
    }
    let mut mutator = Mutator::new(seed, &inputs, &words);
    let clock = Monotonic::start();
    let most = INPUTS.saturating_mul(usize::try_from(seconds).unwrap_or(usize::MAX));
    let mut tried = 0;
    while tried < most && clock.elapsed().0 < Duration::from_secs(seconds) {
        let input = mutator.input();
        tried += 1;
        show(name, &format!("mutation {tried} of seed {seed}"), &input);
    }
    println!("{name}: {} inputs of the corpus, {tried} mutations of seed {seed}", inputs.len());
    assert!(tried > 0, "{name}: no mutation was tried");
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                judge(stringify!($name));
            }
        )*

        #[test]
        fn every_target_is_judged_and_stands_in_the_fuzzing_workspace() {
            let judged = [$(stringify!($name)),*];
            let all: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(all, judged);
            assert!(all.is_sorted(), "the table is sorted");
            for name in all {
                let path = format!("{}/../../fuzz/fuzz_targets/{name}.rs", env!("CARGO_MANIFEST_DIR"));
                let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
                assert!(text.contains(&format!("squirrel_fuzzing::run(\"{name}\", octets)")), "{path} shows {name}");
            }
        }
    };
}

targets! {
    account_counters
    alert_rules
    alert_template
    api_parameters
    check_modules
    check_texts
    collectors
    containers
    dns_message
    ethtool
    exchange_otlp
    exchange_remote_write
    exchange_text
    filter
    icmp
    inspect_fields
    inspect_http
    inspect_jsonrpc
    inspect_mcp
    inspect_mcp_http
    inspect_sessions
    inspect_websocket
    keeper
    ledger_rows
    netlink_address
    netlink_link
    netlink_messages
    netlink_neighbour
    netlink_qdisc
    notify_restore
    ntp_packet
    outbound_texts
    promql_evaluate
    promql_parse
    remote_bodies
    rsa_key
    sock_diag
    store_codec
    store_open
    x509_certificate
}

#[test]
fn an_input_that_is_fallen_over_is_told() {
    let told = catch_unwind(|| show("no such target", "a test", b"\x00a")).expect_err("it panics");
    let text = told.downcast_ref::<String>().map(String::as_str).unwrap_or_default();
    assert_eq!(text, "no such target fell over a test: b\"\\x00a\"");
}
