//! What a recording costs, in squirrel-monitor and in the libraries that do the same, in one run.
//!
//! `cargo run --release` in this folder, or `cargo xtask bench library`.
//!
//! Three tasks, each with one thread and with eight: adding to a counter whose handle is kept, adding to one
//! that is found by its label among eight, and recording into a histogram whose handle is kept. Each line is
//! nanoseconds of processor time for a call, the median of the runs. The libraries take turns, run by run,
//! so that what else the machine does disturbs all alike.

mod harness;
mod peers;

use harness::{Line, Task};

fn main() -> Result<(), String> {
    let libraries = peers::all()?;
    let lines = harness::measure(&libraries)?;
    println!("{:<12} {:<20} {:>9} {:>10}", "task", "library", "1 thread", "8 threads");
    for Line { task, library, nanoseconds: [one, eight] } in &lines {
        println!("{:<12} {library:<20} {one:>9.2} {eight:>10.2}", task.name());
    }
    println!("\nthe fastest peer, and squirrel-monitor to it:");
    for task in Task::ALL {
        let of = |threads: usize, ours: bool| {
            let rows = lines.iter().filter(|line| line.task == task && (line.library == peers::OURS) == ours);
            rows.map(|line| (line.nanoseconds[threads], line.library)).min_by(|a, b| a.0.total_cmp(&b.0))
        };
        for (threads, count) in [(0, "1 thread"), (1, "8 threads")] {
            if let (Some((ours, _)), Some((theirs, who))) = (of(threads, true), of(threads, false)) {
                println!("{:<12} {count}: {who} {theirs:.2}, ratio {:.3}", task.name(), ours / theirs);
            }
        }
    }
    Ok(())
}
