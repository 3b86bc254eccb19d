//! How a file looks: what it begins with, how long it is, and no white space that nobody sees.

use super::Finding;
use super::architecture::{Allowed, Exceptions};
use crate::repository::Repository;

/// More lines than this in one file mean two subjects.
const LONGEST: usize = 600;

/// Files that people write; recordings and snapshots are what they are.
const WRITTEN: &[&str] =
    &[".rs", ".md", ".toml", ".ts", ".tsx", ".mjs", ".js", ".css", ".html", ".sh", ".yml", ".json"];

/// Each Rust file says at its top what it is, is of one subject, and is called by its module's name.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let mut long = Exceptions::read(repository, Allowed::LongFile);
    let mut findings = Vec::new();
    for (path, text) in repository.ending(WRITTEN) {
        if path.contains("/testdata/") {
            continue;
        }
        if is_kind(path, "rs") {
            rust(path, text, &mut findings);
        }
        let lines = text.lines().count();
        let prose = is_kind(path, "md") || is_kind(path, "json");
        if lines > LONGEST && !prose && !long.permits(path) {
            let mend = "divide it by subject; a catalogue may be listed under \"Exceptions\" in ARCHITECTURE.md";
            findings.push(Finding::new(path, LONGEST + 1, format!("{lines} lines"), mend));
        }
        white_space(path, text, &mut findings);
    }
    findings.extend(long.unused());
    findings
}

fn is_kind(path: &str, extension: &str) -> bool {
    std::path::Path::new(path).extension().is_some_and(|found| found == extension)
}

fn rust(path: &str, text: &str, findings: &mut Vec<Finding>) {
    if !text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with("//!")) {
        let mend = "begin with `//!` and a sentence";
        findings.push(Finding::new(path, 1, "the file does not say what it is", mend));
    }
    if path.ends_with("/mod.rs") {
        let mend = "name it after the module, beside the folder: `foo.rs` and `foo/`";
        findings.push(Finding::new(path, 0, "a file that is called `mod.rs`", mend));
    }
    if let Some(index) = text.lines().position(|line| line.contains('\t')) {
        findings.push(Finding::new(path, index + 1, "a tab", "write spaces, or `\\t` in a literal"));
    }
}

fn white_space(path: &str, text: &str, findings: &mut Vec<Finding>) {
    if let Some(index) = text.split('\n').position(|line| line.ends_with([' ', '\t', '\r'])) {
        findings.push(Finding::new(path, index + 1, "white space at the end of the line", "remove it"));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(Finding::new(path, text.lines().count(), "no end of line at the end", "add it"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::testing::texts;

    #[test]
    fn a_clean_file_is_fine() {
        let long = format!("//! A list.\n{}", "const A: u8 = 0;\n".repeat(700));
        let table = "## Exceptions\n| where | what | why |\n|---|---|---|\n| `a/src/list.rs` | long file | a list |\n";
        let files = [
            ("a/src/lib.rs", "//! A.\n\nfn f() {}\n"),
            ("a/src/list.rs", long.as_str()),
            ("ARCHITECTURE.md", table),
            ("a/testdata/proc/net/dev", "eth0: 1 \t\n"),
            ("a/testdata/notes.md", "as recorded \n"),
        ];
        assert_eq!(texts(&check(&Repository::of(&files))), [""; 0]);
    }

    #[test]
    fn each_fault_of_form_is_found() {
        let long = format!("//! A.\n{}", "// a\n".repeat(600));
        let cases = [
            ("mute", "a/src/b.rs", "use x;\n", "1: the file does not say what it is"),
            ("named mod", "a/src/b/mod.rs", "//! B.\n", "0: a file that is called `mod.rs`"),
            ("tab", "a/src/b.rs", "//! B.\n\tf();\n", "2: a tab"),
            ("long", "a/src/b.rs", &long, "601: 601 lines"),
            ("space", "README.md", "a\nb \nc\n", "2: white space at the end of the line"),
            ("windows", "README.md", "a\r\n", "1: white space at the end of the line"),
            ("no end", "web/a.css", "a {}", "1: no end of line at the end"),
        ];
        for (case, path, text, expected) in cases {
            assert_eq!(texts(&check(&Repository::of(&[(path, text)]))), [format!("{path}:{expected}")], "{case}");
        }
    }
}
