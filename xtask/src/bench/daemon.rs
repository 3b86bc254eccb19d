//! The whole daemon at one reading a second, on a host that has nothing else to do.

use std::time::Duration;

use anyhow::{Result, bail};

use super::{Figure, usage};
use crate::daemon::Daemon;
use crate::steps::Steps;
use crate::stopwatch::{Stopwatch, wait_until};

/// Starts the release build and watches it for so many minutes.
pub(super) fn measure(steps: &Steps<'_>, minutes: u64) -> Result<Vec<Figure>> {
    steps.cargo("release build", &["build", "--release", "--locked", "--package", "squirrel"])?;
    let daemon = Daemon::start(&steps.root.join("target/release/squirrel"), &steps.log("bench daemon"))?;
    println!("── the daemon is watched for {minutes} minutes");
    let before = usage::cpu_seconds(daemon.id())?;
    let watch = Stopwatch::start();
    let gone = wait_until(Duration::from_secs(minutes * 60), || usage::cpu_seconds(daemon.id()).is_err());
    if gone {
        bail!("squirrel serve ended while it was watched");
    }
    let elapsed = watch.elapsed().as_secs_f64();
    let percent = (usage::cpu_seconds(daemon.id())? - before) / elapsed * 100.0;
    let resident = usage::resident_megabytes(daemon.id())?;
    daemon.stop()?;
    let figure = |name, value: f64, limit, unit| {
        let theirs = format!("over {minutes} min");
        Figure { name, ours: format!("{value:.2} {unit}"), theirs, value, limit, unit }
    };
    Ok(vec![
        figure("whole daemon at 1 s, processor", percent, 1.5, "% of a core"),
        figure("whole daemon at 1 s, resident memory", resident, 40.0, "MB"),
    ])
}
