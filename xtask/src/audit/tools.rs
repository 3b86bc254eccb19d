//! Tools that cargo installs, kept in `target/xtask/tools`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;
use crate::steps::Steps;

/// The path of `program`, installed first when it is neither in `PATH` nor in our folder.
///
/// # Errors
/// It could not be built or downloaded.
pub(super) fn installed(steps: &Steps<'_>, program: &str) -> Result<PathBuf> {
    if process::exists(program) {
        return Ok(PathBuf::from(program));
    }
    let folder = steps.root.join("target/xtask/tools");
    let path = folder.join("bin").join(program);
    if !path.exists() {
        let mut command = process::cargo(steps.root);
        command.args(["install", "--locked", "--root"]).arg(&folder).arg(program);
        command.env("CARGO_TARGET_DIR", steps.root.join("target/xtask/tools-build"));
        steps.run(&format!("install {program}"), &mut command)?;
    }
    Ok(path)
}

/// A call of the nightly cargo through rustup, whichever toolchain runs this program.
///
/// # Errors
/// There is no nightly toolchain.
pub(super) fn nightly(steps: &Steps<'_>) -> Result<Command> {
    let mut probe = Command::new("rustup");
    probe.args(["run", "nightly", "rustc", "--version"]);
    process::output(&mut probe).context("no nightly toolchain; `rustup toolchain install nightly` brings it")?;
    let mut command = Command::new("rustup");
    command.current_dir(steps.root).args(["run", "nightly", "cargo"]);
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC", "RUSTDOC"] {
        command.env_remove(name);
    }
    Ok(command)
}
