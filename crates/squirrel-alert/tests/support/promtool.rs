//! Prometheus' own checker as a witness.

use std::path::Path;
use std::process::Command;

/// What `promtool` says: whether it is content, and its words.
pub(crate) struct Verdict {
    pub(crate) content: bool,
    pub(crate) words: String,
}

/// Runs `promtool` in `folder`; none when it is not installed.
pub(crate) fn promtool(folder: &Path, args: &[&str]) -> Option<Verdict> {
    let output = Command::new("promtool").args(args).current_dir(folder).output().ok()?;
    let words = [output.stdout, output.stderr].concat();
    Some(Verdict { content: output.status.success(), words: String::from_utf8_lossy(&words).into_owned() })
}
