//! The doors to the outside are listed: where `unsafe` stands, and where a method is called that
//! `clippy.toml` disallows.

use super::Finding;
use super::architecture::{Allowed, Exceptions};
use crate::repository::Repository;
use crate::rust_text::{blank, line_of, words};

/// The one crate whose root does not forbid `unsafe`.
const SYSTEM: &str = "squirrel-sys";

/// Each crate's roots forbid `unsafe`; `unsafe` and disallowed methods stand in listed files only.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in repository.ours().filter(|package| package.name != SYSTEM) {
        for root in &package.roots {
            if !blank(repository.text(root)).contains("#![forbid(unsafe_code)]") {
                let mend = "write `#![forbid(unsafe_code)]` below the module's documentation";
                findings.push(Finding::new(root, 1, "the crate does not forbid `unsafe`", mend));
            }
        }
    }
    let mut unsafe_files = Exceptions::read(repository, Allowed::Unsafe);
    let mut doors = Exceptions::read(repository, Allowed::DisallowedMethods);
    for (path, text) in repository.ending(&[".rs"]) {
        let text = blank(text);
        let first = |wanted: &dyn Fn(&str) -> bool| words(&text).find(|(_, word)| wanted(word)).map(|(at, _)| at);
        if let Some(at) = first(&|word| word == "unsafe").filter(|_| !unsafe_files.permits(path)) {
            let mend = "call a safe function of squirrel-sys, or list the file under \"Exceptions\" in ARCHITECTURE.md";
            findings.push(Finding::new(path, line_of(&text, at), "`unsafe` outside the listed files", mend));
        }
        if let Some(at) = first(&|word| word == "disallowed_methods").filter(|_| !doors.permits(path)) {
            let mend = "take the value as an argument, or list the file under \"Exceptions\" in ARCHITECTURE.md";
            findings.push(Finding::new(path, line_of(&text, at), "a door that is not listed", mend));
        }
    }
    findings.extend(unsafe_files.unused());
    findings.extend(doors.unused());
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::testing::{ours, texts};

    const TABLE: &str = "## Exceptions\n| where | what | why |\n|---|---|---|\n\
        | `crates/squirrel-sys/src/lib.rs` | unsafe | calls |\n\
        | `crates/a/src/clock.rs` | disallowed methods | the clock |\n";

    fn repository(files: &[(&str, &str)]) -> Repository {
        let mut repository = Repository::of(files);
        repository.files.insert("ARCHITECTURE.md".to_string(), TABLE.to_string());
        repository.packages = vec![ours("a", &[]), ours(SYSTEM, &[])];
        repository
    }

    #[test]
    fn listed_doors_are_open() {
        let files = [
            ("crates/a/src/lib.rs", "//! It is unsafe.\n#![forbid(unsafe_code)]\n"),
            ("crates/a/src/clock.rs", "#![expect(clippy::disallowed_methods, reason = \"the door\")]\n"),
            ("crates/squirrel-sys/src/lib.rs", "fn f() { unsafe { g() } }\n"),
        ];
        assert_eq!(texts(&check(&repository(&files))), [""; 0]);
    }

    #[test]
    fn other_doors_and_needless_rows_are_found() {
        let files = [
            ("crates/a/src/lib.rs", "//! A.\n"),
            ("crates/a/src/b.rs", "fn f() {\n unsafe { g() }\n}\n#[expect(clippy::disallowed_methods)]\nfn h() {}"),
        ];
        let expected = [
            "crates/a/src/lib.rs:1: the crate does not forbid `unsafe`",
            "crates/a/src/b.rs:2: `unsafe` outside the listed files",
            "crates/a/src/b.rs:4: a door that is not listed",
            "ARCHITECTURE.md:4: nothing needs the exception Unsafe for `crates/squirrel-sys/src/lib.rs`",
            "ARCHITECTURE.md:5: nothing needs the exception DisallowedMethods for `crates/a/src/clock.rs`",
        ];
        assert_eq!(texts(&check(&repository(&files))), expected);
    }
}
