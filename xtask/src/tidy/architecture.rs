//! The tables of `ARCHITECTURE.md`, and the rule that each outside crate has a reason there.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::repository::Repository;

/// The document that the checks obey.
pub(super) const DOCUMENT: &str = "ARCHITECTURE.md";

/// A row of a table: its line and its cells.
pub(super) struct Row<'a> {
    pub(super) line: usize,
    cells: Vec<&'a str>,
}

impl<'a> Row<'a> {
    /// A cell without the backticks of code; empty when the row is shorter.
    pub(super) fn cell(&self, index: usize) -> &'a str {
        self.cells.get(index).copied().unwrap_or("").trim_matches('`')
    }

    /// A cell that lists names; `-` is an empty list.
    pub(super) fn list(&self, index: usize) -> Vec<&'a str> {
        let names = self.cell(index).split(',').map(|name| name.trim().trim_matches('`'));
        names.filter(|name| !name.is_empty() && *name != "-").collect()
    }
}

/// The rows of all tables that stand under the heading `title`, without their headers.
pub(super) fn table<'a>(text: &'a str, title: &str) -> Vec<Row<'a>> {
    let mut inside = false;
    let mut rows = Vec::new();
    let mut header = true;
    for (index, line) in text.lines().enumerate() {
        if let Some(heading) = line.strip_prefix("## ") {
            inside = heading.trim() == title;
        }
        let Some(content) = line.strip_prefix('|').filter(|_| inside) else {
            header = true;
            continue;
        };
        let cells: Vec<&str> = content.trim_end().trim_end_matches('|').split('|').map(str::trim).collect();
        let rule = cells.iter().all(|cell| cell.starts_with("--") || cell.starts_with(":-"));
        if rule {
            header = false;
        } else if !header {
            rows.push(Row { line: index + 1, cells });
        }
    }
    rows
}

/// What an exception allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Allowed {
    /// `unsafe` in a file.
    Unsafe,
    /// A method that `clippy.toml` disallows, in a file.
    DisallowedMethods,
    /// More lines than a file should have.
    LongFile,
    /// More than one version of a crate.
    TwoVersions,
}

impl Allowed {
    const ALL: [(&'static str, Self); 4] = [
        ("unsafe", Self::Unsafe),
        ("disallowed methods", Self::DisallowedMethods),
        ("long file", Self::LongFile),
        ("two versions", Self::TwoVersions),
    ];
}

/// The table of exceptions: what is allowed where, and which rows were made use of.
pub(super) struct Exceptions<'a> {
    rows: BTreeMap<&'a str, usize>,
    used: BTreeSet<&'a str>,
    allowed: Allowed,
}

impl<'a> Exceptions<'a> {
    /// The rows of one kind.
    pub(super) fn read(repository: &'a Repository, allowed: Allowed) -> Self {
        let is_kind = |row: &Row<'_>| Allowed::ALL.iter().any(|(name, kind)| row.cell(1) == *name && *kind == allowed);
        let rows = table(repository.text(DOCUMENT), "Exceptions");
        let rows = rows.iter().filter(|row| is_kind(row)).map(|row| (row.cell(0), row.line)).collect();
        Self { rows, used: BTreeSet::new(), allowed }
    }

    /// Whether `subject` may; remembers that it was asked.
    pub(super) fn permits(&mut self, subject: &str) -> bool {
        match self.rows.get_key_value(subject) {
            Some((name, _)) => {
                self.used.insert(name);
                true
            }
            None => false,
        }
    }

    /// Rows that nothing needs: the document must not promise more than is so.
    pub(super) fn unused(&self) -> Vec<Finding> {
        let unused = self.rows.iter().filter(|(name, _)| !self.used.contains(**name));
        let what = |name: &str| format!("nothing needs the exception {:?} for `{name}`", self.allowed);
        unused.map(|(name, line)| Finding::new(DOCUMENT, *line, what(name), "remove the row")).collect()
    }
}

/// Each outside crate that a manifest of ours names has one line in "Dependencies" saying why this
/// one, and no line is left over; each row of "Exceptions" is of a known kind and has a reason.
pub(super) fn check_dependencies(repository: &Repository) -> Vec<Finding> {
    let text = repository.text(DOCUMENT);
    let ours: BTreeSet<&str> = repository.ours().map(|package| package.name.as_str()).collect();
    let named: BTreeMap<&str, &str> = repository
        .ours()
        .flat_map(|package| package.dependencies.iter().map(|d| (d.name.as_str(), package.manifest.as_str())))
        .filter(|(name, _)| !ours.contains(name))
        .collect();
    let rows = table(text, "Dependencies");
    let mut findings = Vec::new();
    for row in &rows {
        if row.cell(1).is_empty() {
            let what = format!("`{}` has no reason", row.cell(0));
            findings.push(Finding::new(DOCUMENT, row.line, what, "say in one line why this crate"));
        }
        if !named.contains_key(row.cell(0)) {
            let what = format!("no manifest names `{}`", row.cell(0));
            findings.push(Finding::new(DOCUMENT, row.line, what, "remove the row"));
        }
    }
    for (name, manifest) in &named {
        if !rows.iter().any(|row| row.cell(0) == *name) {
            let what = format!("`{name}` has no row under \"Dependencies\" in {DOCUMENT}");
            findings.push(Finding::new(manifest, 0, what, "add a row with the reason, or do without the crate"));
        }
    }
    for (line, name) in workspace_dependencies(repository.text("Cargo.toml")) {
        if !named.contains_key(name) && !ours.contains(name) {
            let what = format!("no crate uses `{name}`");
            findings.push(Finding::new("Cargo.toml", line, what, "remove it from [workspace.dependencies]"));
        }
    }
    for row in table(text, "Exceptions") {
        if !Allowed::ALL.iter().any(|(name, _)| row.cell(1) == *name) || row.cell(2).is_empty() {
            let known: Vec<&str> = Allowed::ALL.iter().map(|(name, _)| *name).collect();
            let mend = format!("the second cell is one of: {}; the third a reason", known.join(", "));
            findings.push(Finding::new(DOCUMENT, row.line, "this exception says nothing", mend));
        }
    }
    findings
}

/// The names under `[workspace.dependencies]`, with their lines.
fn workspace_dependencies(manifest: &str) -> Vec<(usize, &str)> {
    let lines = manifest.lines().enumerate().skip_while(|(_, line)| *line != "[workspace.dependencies]").skip(1);
    let entries = lines.take_while(|(_, line)| !line.starts_with('[')).filter(|(_, line)| !line.starts_with('#'));
    entries.filter_map(|(index, line)| Some((index + 1, line.split_once(" = ")?.0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Use;
    use crate::tidy::testing::{ours, texts};

    const GOOD: &str = "## Dependencies\n| crate | why |\n|---|---|\n| libc | the system's own names |\n\n\
                        ## Exceptions\n\n| where | what | why |\n|---|---|---|\n| `a.rs` | unsafe | calls |\n";

    const MANIFEST: &str = "[workspace]\n[workspace.dependencies]\n# Others'.\nb = { path = \"b\" }\nlibc = \"0.2\"\n";

    fn repository(document: &str, manifest: &str) -> Repository {
        let mut repository = Repository::of(&[(DOCUMENT, document), ("Cargo.toml", manifest)]);
        repository.packages = vec![ours("a", &[("libc", Use::Normal), ("b", Use::Normal)]), ours("b", &[])];
        repository
    }

    #[test]
    fn a_reason_for_each_outside_crate_is_enough() {
        assert_eq!(texts(&check_dependencies(&repository(GOOD, MANIFEST))), [""; 0]);
    }

    #[test]
    fn missing_and_needless_rows_are_found() {
        let bad = GOOD.replace("| libc | the", "| nix | the").replace("| unsafe |", "| anything |");
        let expected = [
            "ARCHITECTURE.md:4: no manifest names `nix`",
            "crates/a/Cargo.toml:0: `libc` has no row under \"Dependencies\" in ARCHITECTURE.md",
            "Cargo.toml:6: no crate uses `nix`",
            "ARCHITECTURE.md:10: this exception says nothing",
        ];
        assert_eq!(texts(&check_dependencies(&repository(&bad, &format!("{MANIFEST}nix = \"1\"\n")))), expected);
    }

    #[test]
    fn an_exception_that_nothing_needs_is_found() {
        let repository = repository(GOOD, MANIFEST);
        let mut exceptions = Exceptions::read(&repository, Allowed::Unsafe);
        assert!(!exceptions.permits("b.rs"));
        assert_eq!(texts(&exceptions.unused()), ["ARCHITECTURE.md:10: nothing needs the exception Unsafe for `a.rs`"]);
        assert!(exceptions.permits("a.rs"));
        assert_eq!(texts(&exceptions.unused()), [""; 0]);
    }
}
