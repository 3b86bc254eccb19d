//! Reads the running kernel again and again and says what a reading costs.
//!
//! `ticks ROUNDS` prints one line: `squirrel MILLISECONDS SAMPLES`, the processor time of one reading and
//! the rows it brought. `ticks ROUNDS each` adds a line for each collector, by wall time.
//! `cargo xtask bench` compares the line with node_exporter's.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::BTreeMap;
use std::time::Duration;

use squirrel_collect::Schedule;
use squirrel_model::{Batch, Elapsed};
use squirrel_sys::clock::Monotonic;
use squirrel_sys::{Kernel, Linux, SysError};

fn main() -> Result<(), SysError> {
    let mut arguments = std::env::args().skip(1);
    let rounds: u32 = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(500);
    let each = arguments.next().is_some_and(|word| word == "each");

    let kernel = Linux::open()?;
    let clock = Monotonic::start();
    let mut schedule = Schedule::open::<&str>(&kernel, &[], Elapsed::default());
    let mut batch = Batch::default();
    // Ticks are a second apart for the collectors, so that what they read more rarely counts as
    // rarely as in the daemon.
    let mut tick = |number: u32, batch: &mut Batch| {
        let start = Duration::from_secs(u64::from(number));
        batch.clear();
        schedule.tick(&kernel, &|| Elapsed(start + clock.elapsed().0), batch);
        schedule.status()
    };
    for number in 0..rounds.div_ceil(10) {
        tick(number, &mut batch);
    }
    let mut durations: BTreeMap<&str, Duration> = BTreeMap::new();
    let before = processor_time(&kernel)?;
    for number in 0..rounds {
        for status in tick(1000 + number, &mut batch) {
            *durations.entry(status.name).or_default() += status.last_duration.unwrap_or_default();
        }
    }
    let spent = processor_time(&kernel)?.saturating_sub(before);
    println!("squirrel {} {}", milliseconds(spent, rounds), batch.rows.len());
    if each {
        for (name, spent) in durations {
            println!("{name} {}", milliseconds(spent, rounds));
        }
    }
    Ok(())
}

/// Time that this thread, the only one, spent on a processor: nanoseconds, in `/proc/self/schedstat`.
fn processor_time(kernel: &Linux) -> Result<Duration, SysError> {
    let mut text = Vec::new();
    kernel.read("/proc/self/schedstat", &mut text)?;
    let text = String::from_utf8_lossy(&text);
    let spent = text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default();
    Ok(Duration::from_nanos(spent))
}

fn milliseconds(spent: Duration, rounds: u32) -> f64 {
    spent.as_secs_f64() * 1000.0 / f64::from(rounds.max(1))
}
