//! What failed, out of what a step printed: names and messages, without the lines between them.

use std::fmt::Write as _;

/// So many lines a digest has.
const LINES: usize = 80;
/// So many lines of one failure are kept.
const LINES_EACH: usize = 12;
/// So much of a line is kept.
const LINE_CHARACTERS: usize = 240;
/// A place follows the compiler's first line of an error within so many lines.
const LINES_TO_PLACE: usize = 4;

/// One test, error or difference.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What failed: a test with how to run it, or an error's first line.
    pub(crate) name: String,
    /// What was said of it.
    said: Vec<String>,
}

/// Reads what cargo, rustc, clippy, rustdoc, rustfmt, the tests' own runner, tsc and the browser tests print.
pub(crate) fn failures(log: &str) -> Vec<Failure> {
    let lines: Vec<&str> = log.lines().collect();
    // The programs that tests start write there too, and begin their own complaints with the same word.
    let has_tests = lines.iter().any(|line| line.starts_with("test result: "));
    let mut found = Found::default();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let rest = &lines[at..];
        if let Some(test) = section(line) {
            let end = rest.iter().position(|line| ends_section(line)).unwrap_or(rest.len());
            found.test(test, told_by_test(&rest[..end]));
            at += end;
        } else if *line == "failures:" {
            for test in rest.iter().map_while(|line| line.strip_prefix("    ")) {
                found.test(test, Vec::new());
            }
        } else if let Some(target) = rerun(line) {
            found.end_of_program(target, rest);
        } else if let Some(test) = line.strip_prefix("FAIL  ") {
            found.add(test.to_string(), block(rest.iter().take_while(|line| line.starts_with("      "))));
        } else if line.contains("): error TS") || line.starts_with("Diff in ") {
            found.add((*line).to_string(), Vec::new());
        } else if is_error(line) && (!has_tests || place(rest).is_some()) {
            let name = place(rest).map_or((*line).to_string(), |place| format!("{line}   ({place})"));
            found.add(name, block(rest.iter().take_while(|line| !line.trim().is_empty()).skip(1)));
        }
    }
    found.failures
}

/// The failures within [`LINES`] lines, or nothing where there are none.
pub(crate) fn digest(failures: &[Failure]) -> String {
    let mut text = String::new();
    let shown = failures.len().min(LINES);
    let each = (LINES / shown.max(1)).saturating_sub(1).min(LINES_EACH);
    for failure in &failures[..shown] {
        let _ = writeln!(text, "   {}", failure.name);
        for line in failure.said.iter().take(each) {
            let _ = writeln!(text, "      {line}");
        }
    }
    if failures.len() > shown {
        let _ = writeln!(text, "   and {} more", failures.len() - shown);
    }
    text
}

#[derive(Default)]
struct Found {
    failures: Vec<Failure>,
    /// Where the tests of the present program begin.
    program: usize,
}

impl Found {
    /// What is not a test of Rust. The compiler tells an error again for each target that has the file.
    fn add(&mut self, name: String, said: Vec<String>) {
        if !self.failures.iter().any(|failure| failure.name == name) {
            self.failures.push(Failure { name, said });
        }
    }

    /// A test of the present program, of which another program may have one of the same name.
    fn test(&mut self, name: &str, said: Vec<String>) {
        if !self.failures[self.program..].iter().any(|failure| failure.name == name) {
            self.failures.push(Failure { name: name.to_string(), said });
        }
    }

    /// Cargo tells how to run the present program again. One that was killed has named no test.
    fn end_of_program(&mut self, target: &str, rest: &[&str]) {
        if self.failures.len() == self.program {
            let why = block(rest.iter().take_while(|line| !line.starts_with("error")));
            self.failures.push(Failure { name: format!("cargo test {target}"), said: why });
        } else {
            for failure in &mut self.failures[self.program..] {
                failure.name = format!("{}   (cargo test {target})", failure.name);
            }
        }
        self.program = self.failures.len();
    }
}

/// The name of the test whose output follows.
fn section(line: &str) -> Option<&str> {
    line.strip_prefix("---- ")?.strip_suffix(" stdout ----")
}

fn ends_section(line: &str) -> bool {
    section(line).is_some() || line == "failures:"
}

/// What cargo says must be passed to it to run a failed program again.
fn rerun(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("test failed, to rerun pass `")?;
    before.starts_with("error: ").then(|| after.trim_end_matches('`'))
}

/// Whether a line begins an error, and is not cargo's count of those before it.
fn is_error(line: &str) -> bool {
    let summary = ["could not compile", "could not document", "aborting due to", "build failed"];
    line.starts_with("error[")
        || line.strip_prefix("error: ").is_some_and(|rest| {
            !summary.iter().any(|word| rest.starts_with(word))
                && !rest.ends_with(" target failed:")
                && !rest.ends_with(" targets failed:")
        })
}

/// Where in the source the error is, by the lines after its first.
fn place<'a>(rest: &[&'a str]) -> Option<&'a str> {
    rest.iter().take(LINES_TO_PLACE).find_map(|line| line.trim_start().strip_prefix("--> "))
}

/// The messages of a test's panics, with their places; else its error; else what it printed first.
fn told_by_test(section: &[&str]) -> Vec<String> {
    let mut told = Vec::new();
    let mut within = false;
    for line in section {
        if let Some((_, place)) = line.split_once("panicked at ").filter(|_| line.starts_with("thread '")) {
            told.push(place.trim_end_matches(':'));
            within = true;
        } else if line.starts_with("stack backtrace:") || line.starts_with("note: run with ") {
            within = false;
        } else if within || line.starts_with("Error: ") {
            told.push(line);
        }
    }
    block(if told.is_empty() { section.iter() } else { told.iter() })
}

/// Lines that say something, within the limits of one failure.
fn block<'a>(lines: impl Iterator<Item = &'a &'a str>) -> Vec<String> {
    let cut = |line: &str| line.trim_end().chars().take(LINE_CHARACTERS).collect();
    lines.filter(|line| !line.trim().is_empty()).take(LINES_EACH).map(|line| cut(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TESTS: &str = "\
     Running tests/program/main.rs (target/debug/deps/program-1)
error: unexpected argument '--colour' found

running 3 tests
test mcp::signals_reach_the_server ... FAILED
test check::a_word ... ok

failures:

---- mcp::signals_reach_the_server stdout ----

thread 'mcp::signals_reach_the_server' (77) panicked at crates/squirrel/tests/program/mcp.rs:12:9:
assertion `left == right` failed
  left: 1
 right: 2
stack backtrace:
   0: __rustc::rust_begin_unwind
note: run with `RUST_BACKTRACE=full`

---- cli::returns_an_error stdout ----
line of its own
Error: \"no such file\"

failures:
    cli::returns_an_error
    mcp::signals_reach_the_server

test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

error: test failed, to rerun pass `-p squirrel --test program`
     Running unittests src/lib.rs (target/debug/deps/squirrel_sys-2)
error: test failed, to rerun pass `-p squirrel-sys --lib`

Caused by:
  process didn't exit successfully: `/x/squirrel_sys-2` (signal: 6, SIGABRT: process abort signal)
error: 2 targets failed:
    `-p squirrel --test program`
";

    fn names(log: &str) -> Vec<String> {
        failures(log).into_iter().map(|failure| failure.name).collect()
    }

    #[test]
    fn failed_tests_are_named_once_with_their_messages_and_how_to_run_them() {
        let text = digest(&failures(TESTS));
        let wanted = "   mcp::signals_reach_the_server   (cargo test -p squirrel --test program)
      crates/squirrel/tests/program/mcp.rs:12:9
      assertion `left == right` failed
        left: 1
       right: 2
   cli::returns_an_error   (cargo test -p squirrel --test program)
      Error: \"no such file\"
   cargo test -p squirrel-sys --lib
      Caused by:
        process didn't exit successfully: `/x/squirrel_sys-2` (signal: 6, SIGABRT: process abort signal)
";
        assert_eq!(text, wanted);
    }

    #[test]
    fn errors_of_compilers_are_named_without_their_summaries() {
        let log = "error[E0433]: cannot find `x`\n --> src/a.rs:1:5\n  |\n\nwarning: unused\n --> src/b.rs:1:1\n\n\
            error: too long\n --> src/c.rs:2:1\n\nerror: too long\n --> src/c.rs:9:1\n  |\n9 | fn f()\n\n\
            error: too long\n --> src/c.rs:2:1\n\nerror: could not compile `a` (lib) due to 2 errors\n";
        let wanted = [
            "error[E0433]: cannot find `x`   (src/a.rs:1:5)",
            "error: too long   (src/c.rs:2:1)",
            "error: too long   (src/c.rs:9:1)",
        ];
        assert_eq!(names(log), wanted);
        assert!(digest(&failures(log)).ends_with("(src/c.rs:9:1)\n        |\n      9 | fn f()\n"));
        let lock = "error: the lock file needs to be updated but --locked was passed\n";
        assert_eq!(names(lock).len(), 1);
    }

    #[test]
    fn the_browser_types_and_format_are_read_too() {
        let browser =
            "ok    a_page (0.1 s)\nFAIL  another_page\n      Error: not done after 90 s\nok    last (1.0 s)\n";
        assert_eq!(digest(&failures(browser)), "   another_page\n            Error: not done after 90 s\n");
        assert_eq!(names("src/a.ts(3,7): error TS2345: no such thing.\n").len(), 1);
        assert_eq!(names("Diff in /x/src/a.rs:3:\n-a\n+b\n"), ["Diff in /x/src/a.rs:3:"]);
        assert_eq!(names("test result: ok. 3 passed; 0 failed\nnothing else\n"), Vec::<String>::new());
    }

    #[test]
    fn a_digest_has_a_bound_and_says_what_it_leaves_out() {
        let pages = |count: usize, said: usize| {
            let each = |n| format!("FAIL  test_{n}\n{}", "      why\n".repeat(said));
            (0..count).map(each).collect::<Vec<_>>().concat()
        };
        let text = digest(&failures(&pages(100, 2)));
        assert_eq!(text.lines().count(), LINES + 1);
        assert!(text.ends_with("   and 20 more\n"), "{text}");
        assert_eq!(digest(&failures(&pages(20, 40))).lines().count(), LINES);
    }
}
