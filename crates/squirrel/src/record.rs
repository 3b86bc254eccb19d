//! `squirrel record`: a support bundle that is a test fixture.

use anyhow::{Context as _, ensure};
use squirrel_model::{Batch, Elapsed, Untrusted};
use squirrel_sys::{Linux, Recorder, clock};

use crate::cli;
use crate::output;

/// Lets every collector ask the kernel twice (some answers differ at the second reading) and keeps
/// each question with its answer.
pub(crate) fn run(args: &cli::Record) -> anyhow::Result<()> {
    let shown = Untrusted(&args.dir.display().to_string()).to_string();
    let empty = std::fs::read_dir(&args.dir).map_or(true, |mut entries| entries.next().is_none());
    ensure!(empty, "{shown} is not empty; name a folder that does not exist yet");
    let kernel = Linux::open().context("cannot open the doors to the kernel")?;
    let recorder = Recorder::new(kernel, &args.dir, clock::wall()).with_context(|| format!("cannot write {shown}"))?;
    let monotonic = clock::Monotonic::start();
    let elapsed = || monotonic.elapsed();
    let mut schedule = squirrel_collect::Schedule::open(&recorder, &std::collections::BTreeSet::new(), Elapsed::default());
    let mut batch = Batch::default();
    for _ in 0..2 {
        batch.clear();
        schedule.tick(&recorder, &elapsed, &mut batch);
    }
    let summary = recorder.finish().with_context(|| format!("cannot finish {shown}"))?;
    let mut text = format!("{summary} in {shown}: {} samples a reading\n", batch.rows.len());
    for fault in &batch.faults {
        text += &format!("  not readable: {}: {}\n", Untrusted(&fault.subject), Untrusted(&fault.reason));
    }
    text += "The folder holds interface names, addresses and counters of this host; look through it before you share it.\n";
    Ok(output::print(&text)?)
}
