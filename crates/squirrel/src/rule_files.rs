//! Rule files on disk: found by patterns, read within limits.

mod pattern;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use squirrel_alert::RuleFile;

pub(crate) use pattern::matching;

/// Largest rule file, in bytes. The longest public collections have a tenth of it.
const MAX_BYTES: u64 = 16 << 20;
/// Most rule files of all patterns.
const MAX_FILES: usize = 10_000;

/// A file as it stands on disk: enough to notice that it was written again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Length in bytes.
    len: u64,
    modified: Option<std::time::SystemTime>,
    /// The file's number: an editor that writes a new file and renames it keeps neither.
    inode: u64,
}

impl Stamp {
    /// Of a file; none when there is none.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let data = std::fs::metadata(path).ok()?;
        Some(Self { len: data.len(), modified: data.modified().ok(), inode: data.ino() })
    }
}

/// All files that the patterns name, sorted, each once. A pattern without wildcards names its file whether it is
/// there or not, so that a missing one is told.
///
/// # Errors
/// More files than anybody means.
pub(crate) fn named(patterns: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = patterns.iter().flat_map(|pattern| matching(pattern)).collect();
    files.sort();
    files.dedup();
    ensure!(files.len() <= MAX_FILES, "rule_files names {} files, and at most {MAX_FILES} are read", files.len());
    Ok(files)
}

/// `1 rule in 1 group`, `3 rules in 2 groups`.
pub(crate) fn counted(rules: usize, groups: usize) -> String {
    let many = |count: usize| if count == 1 { "" } else { "s" };
    format!("{rules} rule{} in {groups} group{}", many(rules), many(groups))
}

/// The text of a file.
///
/// # Errors
/// A file that cannot be read, is too large, or is no text.
pub(crate) fn text(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {shown}"))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {shown}"))?;
    ensure!(bytes.len() as u64 <= MAX_BYTES, "{shown} is larger than {MAX_BYTES} bytes: this is no rule file");
    String::from_utf8(bytes).with_context(|| format!("{shown} is no text"))
}

/// Reads a rule file.
///
/// # Errors
/// As [`text`], and all that is wrong in it: one line each with line and column.
pub(crate) fn read(path: &Path) -> anyhow::Result<RuleFile> {
    Ok(RuleFile::parse(&path.display().to_string(), &text(path)?)?)
}
