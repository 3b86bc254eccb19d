//! The figures that the README states, measured on this machine.
//!
//! Each figure has a limit; the table says whether it is kept. Figures are never asserted in tests:
//! a busy machine would fail them without a fault of ours, so what can be a ratio is one.

mod accounting;
mod alerts;
mod build;
mod collection;
mod daemon;
mod library;
mod monitor;
mod page;
mod probes;
mod sockets;
mod store;
mod throughput;
mod truth;
mod usage;
mod watched;

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::steps::Steps;

/// One line of the table.
pub(crate) struct Figure {
    name: &'static str,
    /// What Squirrel needs, with its unit.
    ours: String,
    /// What it is compared with, when it is.
    theirs: String,
    /// The number that the limit is about.
    value: f64,
    limit: f64,
    /// The unit of value and limit; empty for a ratio.
    unit: &'static str,
}

impl Figure {
    fn row(&self) -> String {
        let verdict = if self.value <= self.limit { "kept" } else { "**exceeded**" };
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        format!(
            "| {} | {} | {} | {:.2}{unit} | {:.2}{unit} | {verdict} |",
            self.name, self.ours, self.theirs, self.value, self.limit
        )
    }
}

/// How the command was called.
struct Options {
    /// How long the daemon is watched.
    minutes: u64,
    names: Vec<String>,
}

const NAMES: [&str; 14] = [
    "collection",
    "sockets",
    "daemon",
    "store",
    "library",
    "page",
    "accounting",
    "monitor",
    "truth",
    "throughput",
    "probes",
    "alerts",
    "watched",
    "build",
];

/// Measures all figures but the clean build, or those named, and prints them as a table.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<bool> {
    if arguments.first().map(String::as_str) == Some(collection::INSIDE) {
        return collection::inside(&arguments[1..]).map(|()| true);
    }
    if arguments.first().map(String::as_str) == Some(sockets::INSIDE) {
        return sockets::inside(&arguments[1..]).map(|()| true);
    }
    if arguments.first().map(String::as_str) == Some(monitor::INSIDE) {
        return monitor::inside(&arguments[1..]).map(|()| true);
    }
    if arguments.first().map(String::as_str) == Some(truth::INSIDE) {
        return truth::inside(&arguments[1..]).map(|()| true);
    }
    let options = parse(arguments)?;
    let steps = Steps::new(root)?;
    let mut figures = Vec::new();
    let mut complete = true;
    for name in &options.names {
        let measured = match name.as_str() {
            "collection" => collection::measure(&steps),
            "sockets" => sockets::measure(&steps),
            "daemon" => daemon::measure(&steps, options.minutes),
            "store" => store::measure(&steps),
            "library" => library::measure(&steps),
            "page" => page::measure(&steps),
            "accounting" => accounting::measure(&steps),
            "monitor" => monitor::measure(&steps),
            "truth" => truth::measure(&steps),
            "throughput" => throughput::measure(&steps),
            "probes" => probes::measure(&steps),
            "alerts" => alerts::measure(&steps),
            "watched" => watched::measure(&steps),
            _ => build::measure(&steps),
        };
        match measured {
            Ok(measured) => figures.extend(measured),
            Err(error) => {
                complete = false;
                println!("not measured: {name}: {error:#}");
            }
        }
    }
    println!("\n| figure | Squirrel | compared with | measured | limit | |\n|---|---|---|---|---|---|");
    for figure in &figures {
        println!("{}", figure.row());
    }
    Ok(complete)
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options = Options { minutes: 10, names: Vec::new() };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--minutes" => {
                let number = words.next().context("--minutes needs a number: how long the daemon is watched")?;
                options.minutes = number.parse().with_context(|| format!("`{number}` is no number of minutes"))?;
            }
            name if NAMES.contains(&name) => options.names.push(name.to_string()),
            other => bail!("`cargo xtask bench` does not know `{other}`; it takes --minutes N, {}", NAMES.join(", ")),
        }
    }
    if options.names.is_empty() {
        options.names = NAMES.iter().filter(|name| **name != "build").map(|name| (*name).to_string()).collect();
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(value: f64) -> Figure {
        Figure { name: "RSS", ours: "1".to_string(), theirs: "-".to_string(), value, limit: 40.0, unit: "MB" }
    }

    #[test]
    fn the_verdict_is_by_the_limit() {
        assert_eq!(figure(40.0).row(), "| RSS | 1 | - | 40.00 MB | 40.00 MB | kept |");
        assert_eq!(figure(40.5).row(), "| RSS | 1 | - | 40.50 MB | 40.00 MB | **exceeded** |");
    }

    #[test]
    fn the_clean_build_is_measured_only_when_named() {
        let words = |text: &str| text.split_whitespace().map(str::to_string).collect::<Vec<_>>();
        let all = parse(&[]).expect("parses");
        assert_eq!((all.minutes, all.names.contains(&"build".to_string())), (10, false));
        let some = parse(&words("--minutes 2 build daemon")).expect("parses");
        assert_eq!((some.minutes, some.names.as_slice()), (2, words("build daemon").as_slice()));
        assert!(parse(&words("--seconds 2")).is_err());
    }
}
