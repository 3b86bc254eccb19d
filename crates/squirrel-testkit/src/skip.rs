//! Skips that cannot go unseen.

use std::io::Write as _;

/// Says that the running test cannot run here, and why. The caller returns at once afterwards.
///
/// The reason is printed and, when the test command set `SQUIRREL_SKIPS` to a file, appended there:
/// `cargo xtask test` counts the lines, and in CI one is a failure.
///
/// # Panics
/// When the file cannot be written: a skip that nobody counts would pass for a test.
#[expect(clippy::print_stdout, reason = "this crate runs in tests only")]
pub fn skip(test: &str, reason: &str) {
    println!("skipped: {test}: {reason}");
    if let Some(path) = std::env::var_os("SQUIRREL_SKIPS") {
        let mut file =
            std::fs::OpenOptions::new().append(true).create(true).open(&path).expect("the list of skips opens");
        writeln!(file, "{test}: {reason}").expect("the list of skips can be written");
    }
}
