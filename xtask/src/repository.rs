//! The repository as the checks see it: each tracked file's text, and what cargo knows.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::metadata::{self, Package};
use crate::process;

/// All that a check may look at. A value, so that a test can make a small one.
#[derive(Default)]
pub(crate) struct Repository {
    /// Text files by their path from the top.
    pub(crate) files: BTreeMap<String, String>,
    /// Paths of files that are not text.
    pub(crate) binaries: Vec<String>,
    /// Ours and others' crates.
    pub(crate) packages: Vec<Package>,
}

impl Repository {
    /// Reads all that is tracked or would be: what `.gitignore` names is left out.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut repository = Self { packages: metadata::read(root)?, ..Self::default() };
        for path in paths(root)? {
            let full = root.join(&path);
            if !full.is_file() {
                continue;
            }
            let octets = std::fs::read(&full).with_context(|| format!("{} cannot be read", full.display()))?;
            match String::from_utf8(octets) {
                Ok(text) if !text.contains('\0') => {
                    repository.files.insert(path, text);
                }
                _ => repository.binaries.push(path),
            }
        }
        Ok(repository)
    }

    /// The text of one file; empty when there is none of that name.
    pub(crate) fn text(&self, path: &str) -> &str {
        self.files.get(path).map_or("", String::as_str)
    }

    /// Text files whose path ends with one of `endings`.
    pub(crate) fn ending<'a>(&'a self, endings: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let wanted = |path: &str| endings.iter().any(|ending| path.ends_with(ending));
        self.files.iter().filter(move |(path, _)| wanted(path)).map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Crates of the workspace.
    pub(crate) fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.ours)
    }

    /// Crates of others.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| !package.ours)
    }

    /// A repository of these files.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_string(), (*text).to_string())).collect();
        Self { files, ..Self::default() }
    }
}

/// Paths of all files but the ignored ones; an unpacked archive without git is walked instead.
fn paths(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    if let Ok(list) = process::output(&mut git) {
        let mut paths: Vec<String> = list.split('\0').filter(|path| !path.is_empty()).map(str::to_string).collect();
        paths.dedup();
        return Ok(paths);
    }
    let mut paths = Vec::new();
    walk(root, "", &mut paths)?;
    Ok(paths)
}

fn walk(root: &Path, folder: &str, paths: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(root.join(folder)).with_context(|| format!("{folder} cannot be listed"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if entry.file_type()?.is_dir() {
            if !matches!(name.as_str(), ".git" | "target" | "node_modules" | "dist") {
                walk(root, &path, paths)?;
            }
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unpacked_archive_is_walked_without_what_builds_leave_behind() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        walk(root, "", &mut found).expect("walks");
        assert!(found.iter().any(|path| path == "src/repository.rs"), "{found:?}");
        assert!(!found.iter().any(|path| path.starts_with("target/")), "{found:?}");
    }
}
