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

    /// Adds what Node's runner of tests printed, or any other that ends with lines `# pass 3`.
    pub(super) fn add_node(&mut self, log: &str) {
        let count = |word: &str| {
            let numbers = log.lines().filter_map(|line| {
                let line = line.trim_start_matches(['#', 'ℹ', ' ']);
                line.strip_prefix(word)?.trim().parse::<usize>().ok()
            });
            numbers.sum::<usize>()
        };
        self.passed += count("pass ");
        self.failed += count("fail ");
        for _ in 0..count("skipped ") {
            self.skipped.push("a test of the dashboard: see the log of that step".to_string());
        }
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
        counts.add_node("# tests 5\n# pass 4\n# fail 1\n# skipped 0\n");
        counts.add_node("ℹ pass 2\nℹ fail 0\nℹ skipped 1\n");
        assert_eq!(counts.to_string(), "21 passed, 3 failed, 2 skipped");
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
