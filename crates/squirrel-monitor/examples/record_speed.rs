//! What a recording costs, against a map behind tokio's lock, in one run.
//!
//! `cargo run --release -p squirrel-monitor --example record_speed`
//!
//! Prints nanoseconds of processor time per call, the median of eleven runs. Each thread reads its own
//! time from the kernel's scheduler, so that other work on the machine does not count. Time that a
//! thread sleeps while another holds the lock does not count either, in favour of the lock.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use squirrel_monitor::{NetworkConfig, NetworkMonitor};
use tokio::sync::RwLock;

const RUNS: usize = 11;
const CALLS: u64 = 2_000_000;
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

/// Nanoseconds of processor time that the running thread has used: the first number of its `schedstat`.
fn processor_time() -> Result<u64, String> {
    // The scheduler writes its books when a thread gives way.
    std::thread::yield_now();
    let path = "/proc/thread-self/schedstat";
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    text.split_whitespace().next().and_then(|first| first.parse().ok()).ok_or(format!("{path}: no number"))
}

/// Nanoseconds per call of `work`, which makes `calls` calls in each of `threads` threads.
fn per_call(threads: usize, calls: u64, work: impl Fn(u64) + Sync) -> Result<f64, String> {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let ready = Barrier::new(threads);
        let run = || {
            // What happens once in a thread is not what is measured.
            work(NAMES.len() as u64);
            ready.wait();
            let begin = processor_time()?;
            work(calls);
            Ok::<u64, String>(processor_time()?.saturating_sub(begin))
        };
        let used: u64 = std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
            let ended = running.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?);
            ended.sum::<Result<u64, String>>()
        })?;
        runs.push(used as f64 / (calls * threads as u64) as f64);
    }
    runs.sort_by(f64::total_cmp);
    Ok(runs.get(RUNS / 2).copied().unwrap_or_default())
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

fn line(what: &str, work: impl Fn(u64) + Sync, calls: u64) -> Result<(), String> {
    let (one, eight) = (per_call(1, calls, &work)?, per_call(8, calls / 8, &work)?);
    println!("{what:<46} {one:>8.1} {eight:>10.1}");
    Ok(())
}

fn main() -> Result<(), String> {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    let recorder = monitor.recorder().clone();
    let message = recorder.message_received("tools/call");
    let bytes = recorder.bytes_received();
    let latency = recorder.message_latency("tools/call");
    let locked: Arc<Locked> = Arc::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    let handle = runtime.handle().clone();

    println!("{:<46} {:>8} {:>10}", "ns per call", "1 thread", "8 threads");
    line("handle: bytes", |calls| repeat(calls, |i| bytes.record(i)), CALLS)?;
    line("handle: message and its bytes", |calls| repeat(calls, |i| message.record(i)), CALLS)?;
    let by_label = |i| recorder.record_message_received(black_box(name(i)), i);
    line("by label: message and its bytes", |calls| repeat(calls, by_label), CALLS)?;
    let nanoseconds = |i| latency.record(Duration::from_nanos(i * 997));
    line("handle: latency into a histogram", |calls| repeat(calls, nanoseconds), CALLS)?;
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
    )?;
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
    )?;
    Ok(())
}
