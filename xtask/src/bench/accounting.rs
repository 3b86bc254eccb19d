//! What accounting in the kernel costs those who are watched: processor time with and without, as ratios.

use anyhow::{Context as _, Result};

use super::Figure;
use crate::process;
use crate::steps::Steps;

/// The lines of the example, what they are called here, and the most that each may cost.
const LOADS: &[(&str, &str, f64)] = &[
    ("tcp_pair", "accounting: sending and receiving 64 bytes by TCP", 1.05),
    ("udp_pair", "accounting: sending and receiving 64 bytes by UDP", 1.10),
    ("connection", "accounting: a connection of 64 bytes", 1.12),
    ("bulk", "accounting: bulk by TCP, 128 KiB a call", 1.00),
];

/// Runs the example that alternates rounds with and without the ledger.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    let package = ["--release", "--locked", "--package", "squirrel-bpf", "--example", "overhead"];
    let mut build = vec!["build"];
    build.extend(package);
    steps.cargo("release build of the ledger", &build)?;
    let mut run = process::cargo(steps.root);
    run.args(["run", "--quiet"]).args(package);
    let text = process::output(&mut run)?;
    let figure = |(load, name, limit): &(&str, &'static str, f64)| -> Result<Figure> {
        let line = Line::find(&text, load).with_context(|| format!("no line `{load}` in:\n{text}"))?;
        let (ours, theirs) = (format!("{:.0} ns", line.with), format!("without: {:.0} ns", line.without));
        Ok(Figure { name, ours, theirs, value: line.ratio, limit: *limit, unit: "" })
    };
    LOADS.iter().map(figure).collect()
}

/// One line: `NAME 1478 ns without, 1540 ns with, ratio 1.042`.
#[derive(Debug, PartialEq)]
struct Line {
    without: f64,
    with: f64,
    ratio: f64,
}

impl Line {
    fn find(text: &str, name: &str) -> Option<Self> {
        text.lines().find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [found, without, "ns", "without,", with, "ns", "with,", "ratio", ratio] = words[..] else {
                return None;
            };
            let number = |word: &str| word.parse().ok();
            (found == name).then_some(())?;
            Some(Self { without: number(without)?, with: number(with)?, ratio: number(ratio)? })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_load_is_found() {
        let text = "tcp_pair+packets 1 ns without, 2 ns with, ratio 2.000\ntcp_pair 1478 ns without, 1540 ns with, ratio 1.042\n";
        assert_eq!(Line::find(text, "tcp_pair"), Some(Line { without: 1478.0, with: 1540.0, ratio: 1.042 }));
        assert_eq!(Line::find(text, "bulk"), None);
    }
}
