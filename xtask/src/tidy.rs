//! The rules of the repository that no compiler knows.
//!
//! Each rule is a function from the [`Repository`] to its findings, in its own file with a test on a
//! good and a bad example. A finding says where, what, and how to mend it.

mod architecture;
mod assertions;
mod browser_tests;
mod crates;
mod doors;
mod duplicates;
mod files;
mod licences;
mod manifests;
mod provenance;
mod providers;
pub(crate) mod readme;
mod sources;
mod spdx;

use std::fmt;
use std::path::Path;

use anyhow::Result;

use crate::repository::Repository;

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    file: String,
    /// Counted from 1; 0 when the whole file is meant.
    line: usize,
    what: String,
    mend: String,
}

impl Finding {
    fn new(file: &str, line: usize, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { file: file.to_string(), line, what: what.into(), mend: mend.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = if self.line == 0 { String::new() } else { format!(":{}", self.line) };
        write!(f, "{}{line}: {}\n    mend: {}", self.file, self.what, self.mend)
    }
}

type Check = fn(&Repository) -> Vec<Finding>;

/// Every rule, by the name that is printed before its findings.
const CHECKS: &[(&str, Check)] = &[
    ("crates", crates::check),
    ("dependencies", architecture::check_dependencies),
    ("licences", licences::check),
    ("providers", providers::check),
    ("duplicates", duplicates::check),
    ("sources", sources::check),
    ("manifests", manifests::check),
    ("doors", doors::check),
    ("assertions", assertions::check),
    ("browser tests", browser_tests::check),
    ("files", files::check),
    ("provenance", provenance::check),
    ("readme", readme::check),
];

/// Runs all rules; whether none is broken.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<bool> {
    anyhow::ensure!(arguments.is_empty(), "`cargo xtask tidy` takes no arguments");
    let findings = findings(&Repository::read(root)?);
    for (rule, finding) in &findings {
        println!("{rule}: {finding}");
    }
    match findings.len() {
        0 => println!("tidy: {} rules hold", CHECKS.len()),
        count => println!("tidy: {count} findings"),
    }
    Ok(findings.is_empty())
}

fn findings(repository: &Repository) -> Vec<(&'static str, Finding)> {
    let mut all = Vec::new();
    for (rule, check) in CHECKS {
        let mut found = check(repository);
        found.sort();
        all.extend(found.into_iter().map(|finding| (*rule, finding)));
    }
    all
}

#[cfg(test)]
pub(crate) mod testing {
    //! What the rules' tests share.

    use super::Finding;
    use crate::metadata::{Dependency, Package, Use};

    /// The findings as one text each, for short expectations.
    pub(super) fn texts(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(|finding| format!("{}:{}: {}", finding.file, finding.line, finding.what)).collect()
    }

    /// A crate of the workspace.
    pub(crate) fn ours(name: &str, dependencies: &[(&str, Use)]) -> Package {
        let dependency = |(name, used_for): &(&str, Use)| Dependency { name: (*name).to_string(), used_for: *used_for };
        Package {
            name: name.to_string(),
            version: "0.1.0".to_string(),
            licence: Some("MIT".to_string()),
            manifest: format!("crates/{name}/Cargo.toml"),
            roots: vec![format!("crates/{name}/src/lib.rs")],
            dependencies: dependencies.iter().map(dependency).collect(),
            ours: true,
        }
    }

    /// A crate of others.
    pub(super) fn theirs(name: &str, version: &str, licence: &str) -> Package {
        Package {
            version: version.to_string(),
            licence: Some(licence.to_string()),
            manifest: String::new(),
            roots: Vec::new(),
            ours: false,
            ..ours(name, &[])
        }
    }
}
