//! What a recording costs, against a map behind tokio's lock, in one run.
//!
//! `cargo run --release -p squirrel-monitor --example record_speed`
//!
//! Prints nanoseconds of processor time per call, the median of eleven runs: with more threads than
//! processors a thread's own time is its share of the wall time, so wall time is multiplied by the
//! processors that worked and divided by all calls.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use squirrel_monitor::{NetworkConfig, NetworkMonitor};
use tokio::sync::RwLock;

const RUNS: usize = 11;
const CALLS: u64 = 1_000_000;
/// Names of the length and number that a protocol has.
const NAMES: [&str; 8] = [
    "initialize",
    "ping",
    "tools/list",
    "tools/call",
    "resources/read",
    "prompts/get",
    "logging/setLevel",
    "cancelled",
];

/// The form that the specification sketches.
type Locked = RwLock<HashMap<String, u64>>;

/// Nanoseconds per call of `work`, which makes `calls` calls in each of `threads` threads.
#[expect(clippy::disallowed_methods, reason = "this program measures time")]
fn per_call(threads: usize, calls: u64, work: impl Fn(u64) + Sync) -> f64 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let (ready, done) = (Barrier::new(threads + 1), Barrier::new(threads + 1));
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        // What happens once in a thread is not what is measured.
                        work(1);
                        ready.wait();
                        work(calls);
                        done.wait();
                    });
                }
                ready.wait();
                let begin = Instant::now();
                done.wait();
                let wall = begin.elapsed().as_secs_f64() * 1e9;
                wall * threads.min(processors) as f64 / (calls * threads as u64) as f64
            })
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    runs.get(RUNS / 2).copied().unwrap_or_default()
}

/// The task of `record_message_received` on a map behind a lock.
async fn add_locked(map: &Locked, name: &str, size: u64) {
    let mut map = map.write().await;
    if let Some(count) = map.get_mut(name) {
        *count += size;
    } else {
        map.insert(name.to_owned(), size);
    }
}

fn name(call: u64) -> &'static str {
    NAMES.get(call as usize % NAMES.len()).copied().unwrap_or("")
}

#[inline]
fn repeat(calls: u64, record: impl Fn(u64)) {
    for call in 0..calls {
        record(black_box(call));
    }
}

fn line(what: &str, work: impl Fn(u64) + Sync, calls: u64) {
    let (one, eight) = (per_call(1, calls, &work), per_call(8, calls / 8, &work));
    println!("{what:<46} {one:>8.1} {eight:>8.1}   ns per call");
}

fn main() -> Result<(), std::io::Error> {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    let recorder = monitor.recorder().clone();
    let message = recorder.message_received("tools/call");
    let bytes = recorder.bytes_received();
    let latency = recorder.message_latency("tools/call");
    let locked: Arc<Locked> = Arc::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let handle = runtime.handle().clone();

    println!("{:<46} {:>8} {:>8}", "", "1 thread", "8");
    line("handle: bytes", |calls| repeat(calls, |i| bytes.record(i)), CALLS);
    line("handle: message and its bytes", |calls| repeat(calls, |i| message.record(i)), CALLS);
    let by_label = |i| recorder.record_message_received(black_box(name(i)), i);
    line("by label: message and its bytes", |calls| repeat(calls, by_label), CALLS);
    let nanoseconds = |i| latency.record(Duration::from_nanos(i * 997));
    line("handle: latency into a histogram", |calls| repeat(calls, nanoseconds), CALLS);
    line(
        "async by label, as the specification has it",
        |calls| {
            handle.block_on(async {
                for i in 0..calls {
                    monitor.record_message_received(black_box(name(i)), i).await;
                }
            });
        },
        CALLS,
    );
    line(
        "tokio RwLock<HashMap>, by label",
        |calls| {
            handle.block_on(async {
                for i in 0..calls {
                    add_locked(&locked, black_box(name(i)), i).await;
                }
            });
        },
        CALLS / 4,
    );
    Ok(())
}
