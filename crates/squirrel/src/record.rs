//! `squirrel record`: a support bundle that is a test fixture.

use anyhow::{Context as _, ensure};
use squirrel_collect::Schedule;
use squirrel_model::{Batch, Untrusted};
use squirrel_sys::{Linux, Recorder, clock};

use crate::cli;
use crate::output;

/// Lets every collector ask the kernel twice (some questions come only at the second reading) and
/// keeps each question with its answer.
pub(crate) fn run(args: &cli::Record) -> anyhow::Result<()> {
    let shown = Untrusted(&args.dir.display().to_string()).to_string();
    let empty = std::fs::read_dir(&args.dir).map_or(true, |mut entries| entries.next().is_none());
    ensure!(empty, "{shown} is not empty; name a folder that does not exist yet");
    let kernel = Linux::open().context("cannot open the doors to the kernel")?;
    let when = format!("{} s after 1970 by squirrel {}", clock::wall(), env!("CARGO_PKG_VERSION"));
    let recorder = Recorder::create(kernel, &args.dir, &when)?;
    let batch = read_twice(&recorder);
    let recorded = recorder.finish()?;

    let mut text = format!(
        "{shown}: {} answers of the kernel ({} bytes) and {} refusals, for {} samples a reading\n",
        recorded.answers,
        recorded.bytes,
        recorded.errors,
        batch.rows.len()
    );
    for fault in &batch.faults {
        text += &format!("  not readable: {}: {}\n", Untrusted(&fault.subject), Untrusted(&fault.reason));
    }
    text += "The folder holds names, addresses and counters of this host; look through it before you share it.\n";
    Ok(output::print(&text)?)
}

fn read_twice(kernel: &dyn squirrel_sys::Kernel) -> Batch {
    let monotonic = clock::Monotonic::start();
    let elapsed = || monotonic.elapsed();
    let none: [&str; 0] = [];
    let mut schedule = Schedule::open(kernel, &none, elapsed());
    let mut batch = Batch::default();
    for _ in 0..2 {
        batch.clear();
        schedule.tick(kernel, &elapsed, &mut batch);
    }
    batch
}
