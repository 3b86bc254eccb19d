//! Counting what ran, and what could not.

use std::fmt;

/// How many tests there were.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    skipped: Vec<String>,
}

impl Counts {
    /// Adds what `cargo test` printed. An ignored test is a skip without a reason.
    pub(super) fn add_rust(&mut self, log: &str) {
        for line in log.lines().filter_map(|line| line.trim().strip_prefix("test result: ")) {
            self.passed += number_before(line, " passed");
            self.failed += number_before(line, " failed");
            for _ in 0..number_before(line, " ignored") {
                self.skipped.push("an ignored test: it gives no reason".to_string());
            }
        }
    }

    /// Adds what the dashboard's tests printed: their last line is `3 passed, 1 failed`.
    pub(super) fn add_dashboard(&mut self, log: &str) {
        let line = log.lines().rev().find(|line| line.contains(" passed, ")).unwrap_or("");
        self.passed += number_before(line, " passed");
        self.failed += number_before(line, " failed");
    }

    /// Adds tests that returned early and said why. They had been counted as passed.
    pub(super) fn add_skips(&mut self, reasons: Vec<String>) {
        self.passed = self.passed.saturating_sub(reasons.len());
        self.skipped.extend(reasons);
    }

    /// Adds a part that could not be run at all.
    pub(super) fn skip(&mut self, reason: impl Into<String>) {
        self.skipped.push(reason.into());
    }

    /// Tells the skips; whether all is well.
    pub(super) fn verdict(&self, ci: bool) -> bool {
        for reason in &self.skipped {
            println!("skipped: {reason}");
        }
        if ci && !self.skipped.is_empty() {
            println!("CI=true: a skip is a failure, for nobody would read of it");
        }
        self.failed == 0 && (!ci || self.skipped.is_empty())
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped.len())
    }
}

fn number_before(line: &str, word: &str) -> usize {
    let before = line.split_once(word).map_or("", |(before, _)| before);
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The lines of a list of skips, each once.
pub(super) fn skips_in(list: &str) -> Vec<String> {
    let mut reasons: Vec<String> = list.lines().filter(|line| !line.is_empty()).map(str::to_string).collect();
    reasons.sort();
    reasons.dedup();
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: &str = "running 3 tests\ntest result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; \
        finished in 0.1s\n\ntest result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n";

    #[test]
    fn results_of_all_runners_are_added() {
        let mut counts = Counts::default();
        counts.add_rust(RUST);
        counts.add_dashboard("ok    a page (0.1 s)\n4 passed, 1 failed\n");
        assert_eq!(counts.to_string(), "19 passed, 3 failed, 1 skipped");
    }

    #[test]
    fn a_skip_is_no_pass_and_fails_in_ci() {
        let mut counts = Counts::default();
        counts.add_rust("test result: ok. 3 passed; 0 failed; 0 ignored");
        counts.add_skips(skips_in("a: no root\na: no root\nb: no ip\n"));
        assert_eq!(counts.to_string(), "1 passed, 0 failed, 2 skipped");
        assert!(counts.verdict(false));
        assert!(!counts.verdict(true));
    }

    #[test]
    fn a_failure_fails_everywhere() {
        let mut counts = Counts::default();
        counts.add_rust(RUST);
        assert!(!counts.verdict(false));
        assert!(Counts::default().verdict(true));
    }
}
