//! The programs of `examples/`, a workspace of its own: each is also its own test.

use anyhow::Result;

use super::report::Counts;
use crate::process;
use crate::steps::Steps;

/// The folder of the workspace. Its `.cargo/config.toml` says where it builds.
const FOLDER: &str = "examples";

/// Checks how they are written, builds them, and runs them.
pub(super) fn run(steps: &Steps<'_>, counts: &mut Counts) -> Result<()> {
    let folder = steps.root.join(FOLDER);
    steps.run("format of the examples", process::cargo(&folder).args(["fmt", "--check"]))?;
    let test = ["test", "--bins", "--locked"];
    steps.run("build of the examples", process::cargo(&folder).args(test).arg("--no-run"))?;
    let outcome = steps.run("examples", process::cargo(&folder).args(test).arg("--no-fail-fast"));
    counts.add_rust(&steps.read_log("examples"));
    outcome
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_example_is_a_program_and_a_test() {
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FOLDER).join("src/bin");
        let mut count = 0;
        for entry in std::fs::read_dir(&programs).expect("lists") {
            let path = entry.expect("lists").path();
            let text = std::fs::read_to_string(&path).expect("reads");
            assert!(text.contains("fn main() ") && text.contains("#[tokio::test]"), "{}", path.display());
            count += 1;
        }
        assert!(count >= 5, "{count}");
    }
}
