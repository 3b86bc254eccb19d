//! `squirrel alerts test FILE…`: unit tests of rules.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde::Serialize;
use squirrel_alert::{RuleFile, TestFailure, UnitTests};
use squirrel_model::Untrusted;

use super::args::Check;
use crate::{output, rule_files};

/// What came of a file of tests.
#[derive(Debug, Serialize)]
struct Tested {
    file: String,
    good: bool,
    failures: Vec<Failed>,
}

#[derive(Debug, Serialize)]
struct Failed {
    test: String,
    line: Option<u32>,
    column: Option<u32>,
    message: String,
}

impl From<TestFailure> for Failed {
    fn from(failure: TestFailure) -> Self {
        let place = failure.place;
        let (line, column) = (place.map(|place| place.line), place.map(|place| place.column));
        Self { test: failure.test, line, column, message: failure.message }
    }
}

#[derive(Debug, Serialize)]
struct Document {
    schema: u32,
    good: bool,
    files: Vec<Tested>,
}

pub(super) fn run(args: &Check) -> anyhow::Result<()> {
    let files: Vec<Tested> = super::check::files(&args.files)?.iter().map(|path| tested(path)).collect();
    let bad = files.iter().filter(|file| !file.good).count();
    let all = files.len();
    if args.json {
        output::print_json(&Document { schema: 1, good: bad == 0, files })?;
    } else {
        output::print_lines(&files.iter().flat_map(lines).collect::<Vec<_>>())?;
    }
    if bad == 0 { Ok(()) } else { Err(anyhow!("the tests of {bad} of {all} files fail")) }
}

fn tested(path: &Path) -> Tested {
    let file = path.display().to_string();
    let failures: Vec<Failed> = match results(path) {
        Ok(failures) => failures.into_iter().map(Failed::from).collect(),
        // Each line has its own file, line and column already.
        Err(error) => vec![Failed { test: String::new(), line: None, column: None, message: format!("{error:#}") }],
    };
    Tested { file, good: failures.is_empty(), failures }
}

/// Runs a file of tests over the rule files that it names, which are relative to it.
fn results(path: &Path) -> anyhow::Result<Vec<TestFailure>> {
    let tests = UnitTests::parse(&path.display().to_string(), &rule_files::text(path)?)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut rules: Vec<RuleFile> = Vec::new();
    for pattern in &tests.rule_files {
        let named = rule_files::matching(&folder.join(pattern));
        anyhow::ensure!(!named.is_empty(), "{}: rule_files: {pattern:?} matches no file", path.display());
        for file in named {
            rules.push(rule_files::read(&file).with_context(|| format!("{}: rule_files", path.display()))?);
        }
    }
    Ok(tests.run(&rules))
}

fn lines(tested: &Tested) -> Vec<String> {
    let file = Untrusted(&tested.file);
    if tested.good {
        return vec![format!("{file}: good")];
    }
    let mut lines = Vec::new();
    for failure in &tested.failures {
        let test = if failure.test.is_empty() { String::new() } else { format!("{}: ", Untrusted(&failure.test)) };
        let place = match (failure.line, failure.column) {
            (Some(line), Some(column)) => format!("{file}:{line}:{column}: "),
            _ => String::new(),
        };
        // What was expected and what came stand on lines of their own.
        let message: Vec<String> = failure.message.lines().map(|line| Untrusted(line).to_string()).collect();
        lines.push(format!("{place}{test}{}", message.join("\n")));
    }
    lines
}
