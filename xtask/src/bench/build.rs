//! A clean release build, with everything that it downloads already there.

use std::process::Command;

use anyhow::Result;

use super::Figure;
use crate::process;
use crate::steps::Steps;
use crate::stopwatch::Stopwatch;

/// Builds the program into an empty folder and measures the time.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    steps.cargo("download", &["fetch", "--locked"])?;
    let folder = steps.root.join("target/xtask/clean-build");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let watch = Stopwatch::start();
    let mut build = process::cargo(steps.root);
    build.args(["build", "--release", "--locked", "--package", "squirrel"]).env("CARGO_TARGET_DIR", &folder);
    steps.run("clean release build", &mut build)?;
    let minutes = watch.elapsed().as_secs_f64() / 60.0;
    std::fs::remove_dir_all(&folder)?;
    let cores = process::output(&mut Command::new("nproc")).unwrap_or_default();
    Ok(vec![Figure {
        name: "clean release build",
        ours: format!("{minutes:.1} min"),
        theirs: format!("on {} cores", cores.trim()),
        value: minutes,
        limit: 8.0,
        unit: "min",
    }])
}
