//! Miri: undefined behaviour and leaks in what is pure enough to be interpreted.

use super::{Outcome, Part, tools};
use crate::process;
use crate::steps::Steps;

/// What is interpreted: a crate, and how the names of the tests begin that ask no kernel and no disk
/// and end within minutes (one sample takes miri as long as a million take the processor).
const PURE: &[(&str, &[&str])] = &[
    ("squirrel-wire", &[]),
    ("squirrel-sys", &["linux::netlink", "recording::"]),
    ("squirrel-store", &["codec::tests::any_", "codec::tests::each_shape", "codec::tests::reserved"]),
];

/// Runs the tests of each crate under miri.
pub(super) fn run(steps: &Steps<'_>) -> Vec<Part> {
    let skipped = |reason: String| vec![("miri".to_string(), Outcome::Skipped(reason))];
    let mut probe = match tools::nightly(steps) {
        Ok(command) => command,
        Err(error) => return skipped(format!("{error:#}")),
    };
    if process::output(probe.args(["miri", "--version"])).is_err() {
        return skipped("miri is not installed; `rustup +nightly component add miri rust-src` brings it".to_string());
    }
    let mut parts = Vec::new();
    for (package, filters) in PURE {
        let name = format!("miri {package}");
        let outcome = tools::nightly(steps).and_then(|mut command| {
            // Random inputs are a hundred times slower here, and say little that a few do not.
            command.env("PROPTEST_CASES", "4").env("MIRIFLAGS", "-Zmiri-disable-isolation");
            command.env("CARGO_TARGET_DIR", steps.root.join("target/xtask/miri"));
            command.args(["miri", "test", "--locked", "--package", package, "--lib", "--"]).args(*filters);
            steps.run(&name, &mut command)
        });
        parts.push((name, Outcome::of(outcome)));
    }
    parts
}
