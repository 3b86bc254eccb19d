//! Rules: what evaluating them costs beside Debian's `prometheus`, in one run.

use anyhow::{Context as _, Result};

use super::Figure;
use crate::process;
use crate::steps::Steps;

/// Runs the example that evaluates 10,000 rules over 100,000 series each 15 s, here and there.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    let package = ["--release", "--locked", "--package", "squirrel-alert", "--example", "rule_figures"];
    steps.cargo("release build of the rules", &[&["build"], &package[..]].concat())?;
    let mut run = process::cargo(steps.root);
    run.args(["run", "--quiet"]).args(package);
    let text = process::output(&mut run)?;
    let (ours, theirs) = costs(&text).with_context(|| format!("no line `rules_cpu` in:\n{text}"))?;
    Ok(vec![Figure {
        name: "alerts: 10,000 rules over 100,000 series once, CPU",
        ours: format!("{ours:.3} s"),
        theirs: format!("Prometheus {theirs:.3} s"),
        value: ours / theirs,
        limit: 1.0,
        unit: "",
    }])
}

/// The figures of the line `rules_cpu OURS PROMETHEUS - s`.
fn costs(text: &str) -> Option<(f64, f64)> {
    text.lines().find_map(|line| {
        let mut words = line.strip_prefix("rules_cpu ")?.split_whitespace();
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_costs_are_found_among_other_lines() {
        assert_eq!(costs("10000 rules\nrules_cpu 0.500 2.000 - s\n"), Some((0.5, 2.0)));
        assert_eq!(costs("rules_cpu - 2.000 - s\n"), None);
    }
}
