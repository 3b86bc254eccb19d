//! Runs of recordings, and the processor time that they take.

use std::hint::black_box;
use std::sync::Barrier;

const RUNS: usize = 11;

/// Calls in a run, unless the library is so slow that fewer tell as much.
pub const CALLS: u64 = 2_000_000;

/// Names of the length and number that a protocol has.
pub const NAMES: [&str; 8] = [
    "initialize",
    "ping",
    "tools/list",
    "tools/call",
    "resources/read",
    "prompts/get",
    "logging/setLevel",
    "cancelled",
];

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// Adds to a counter that is kept.
    Handle,
    /// Adds to the counter of a label.
    Label,
    /// Records into a histogram that is kept.
    Histogram,
}

impl Task {
    pub const ALL: [Self; 3] = [Self::Handle, Self::Label, Self::Histogram];

    pub fn name(self) -> &'static str {
        match self {
            Self::Handle => "handle",
            Self::Label => "label",
            Self::Histogram => "histogram",
        }
    }
}

/// Makes so many calls.
pub type Work = Box<dyn Fn(u64) + Send + Sync>;

/// One library at one task.
pub struct Entry {
    pub task: Task,
    pub library: &'static str,
    pub work: Work,
    pub calls: u64,
    /// What the library wants done between runs, such as emptying its buffers.
    pub tidy: Option<Box<dyn Fn() + Send + Sync>>,
}

/// What was measured, with one thread and with eight.
pub struct Line {
    pub task: Task,
    pub library: &'static str,
    pub nanoseconds: [f64; 2],
}

/// Calls `record` with the numbers below `calls`, in a way that the compiler cannot see through.
#[inline]
pub fn repeat(calls: u64, record: impl Fn(u64)) {
    for call in 0..calls {
        record(black_box(call));
    }
}

/// The label of a call.
#[inline]
pub fn label(call: u64) -> &'static str {
    black_box(NAMES[(call % NAMES.len() as u64) as usize])
}

/// Nanoseconds of processor time that the running thread has used: the first number of its `schedstat`.
fn processor_time() -> Result<u64, String> {
    // The scheduler writes its books when a thread gives way.
    std::thread::yield_now();
    let path = "/proc/thread-self/schedstat";
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    text.split_whitespace().next().and_then(|first| first.parse().ok()).ok_or(format!("{path}: no number"))
}

/// Nanoseconds a call, with all calls divided among `threads`.
fn run(entry: &Entry, threads: u64) -> Result<f64, String> {
    let calls = entry.calls / threads;
    let ready = Barrier::new(threads as usize);
    let one = || {
        // What happens once in a thread is not what is measured.
        (entry.work)(4 * NAMES.len() as u64);
        ready.wait();
        let begin = processor_time()?;
        (entry.work)(calls);
        Ok::<u64, String>(processor_time()?.saturating_sub(begin))
    };
    let used: u64 = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        let ended = running.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?);
        ended.sum::<Result<u64, String>>()
    })?;
    if let Some(tidy) = &entry.tidy {
        tidy();
    }
    Ok(used as f64 / (calls * threads) as f64)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Measures all, in turn.
pub fn measure(entries: &[Entry]) -> Result<Vec<Line>, String> {
    let mut runs = vec![[const { Vec::new() }; 2]; entries.len()];
    for _ in 0..RUNS {
        for (entry, [one, eight]) in entries.iter().zip(&mut runs) {
            one.push(run(entry, 1)?);
            eight.push(run(entry, 8)?);
        }
    }
    let lines = entries.iter().zip(runs).map(|(entry, runs)| Line {
        task: entry.task,
        library: entry.library,
        nanoseconds: runs.map(median),
    });
    Ok(lines.collect())
}
