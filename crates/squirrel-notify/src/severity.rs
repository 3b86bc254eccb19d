//! How bad an alert is, by the words of its label `severity`.

use squirrel_model::Labels;

/// The label that says how bad an alert is.
pub const SEVERITY_LABEL: &str = "severity";
/// What quiet hours let through unless the configuration says otherwise.
pub const DEFAULT_SEVERITY: &str = "critical";

/// Words that people use, from the harmless to the worst; those in one row mean the same.
const RANKS: [&[&str]; 5] = [
    &["debug", "ok", "none"],
    &["info", "information", "informational", "notice", "low"],
    &["warning", "warn", "medium", "minor"],
    &["error", "high", "major"],
    &["critical", "page", "emergency", "fatal", "disaster", "alert"],
];

/// The rank of an alert without the label or with a word that is not known: as a warning, so that it is neither
/// overlooked nor worse than a known one.
const UNKNOWN: u8 = 2;

/// The alert's own word, empty when it has none.
pub fn severity_of(labels: &Labels) -> &str {
    labels.get(SEVERITY_LABEL).unwrap_or_default()
}

/// How bad, from 0 (harmless) to 4 (critical).
pub fn severity_rank(labels: &Labels) -> u8 {
    let word = severity_of(labels);
    let rank = RANKS.iter().position(|words| words.iter().any(|one| one.eq_ignore_ascii_case(word)));
    rank.and_then(|rank| u8::try_from(rank).ok()).unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_ranked_and_unknown_ones_are_warnings() {
        let rank = |word: &str| severity_rank(&Labels::new([(SEVERITY_LABEL, word)]).expect("a label"));
        assert!(rank("critical") > rank("error") && rank("error") > rank("warning") && rank("warning") > rank("info"));
        assert_eq!([rank("P1"), rank("")], [rank("warning"); 2]);
        assert_eq!(rank("Page"), rank("critical"));
    }
}
