//! `squirrel alerts check FILE…`: exit code 0 only if all files are good.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use serde::Serialize;
use squirrel_alert::{Problem, RuleErrors, RuleFile};
use squirrel_model::Untrusted;

use super::args::Check;
use crate::failure::{Class, classed};
use crate::{output, rule_files};

/// What is said of a file.
#[derive(Debug, Serialize)]
struct Judged {
    file: String,
    good: bool,
    groups: usize,
    rules: usize,
    problems: Vec<Said>,
    warnings: Vec<Said>,
}

/// Something at a place; at none when the file could not be read at all.
#[derive(Debug, Serialize)]
struct Said {
    line: Option<u32>,
    column: Option<u32>,
    message: String,
}

impl From<&Problem> for Said {
    fn from(problem: &Problem) -> Self {
        let place = problem.place;
        Self { line: Some(place.line), column: Some(place.column), message: problem.message.clone() }
    }
}

#[derive(Debug, Serialize)]
struct Document {
    schema: u32,
    good: bool,
    files: Vec<Judged>,
}

/// The files that were named, patterns resolved.
///
/// # Errors
/// A pattern that matches nothing.
pub(super) fn files(named: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    for pattern in named {
        if rule_files::matching(pattern).is_empty() {
            return Err(classed(Class::Usage, &anyhow!("{} matches no file", pattern.display())));
        }
    }
    rule_files::named(named)
}

pub(super) fn run(args: &Check) -> anyhow::Result<()> {
    let files: Vec<Judged> = files(&args.files)?.iter().map(|path| judge(path)).collect();
    let bad = files.iter().filter(|file| !file.good).count();
    let all = files.len();
    if args.json {
        output::print_json(&Document { schema: 1, good: bad == 0, files })?;
    } else {
        output::print_lines(&files.iter().flat_map(lines).collect::<Vec<_>>())?;
    }
    if bad == 0 { Ok(()) } else { Err(anyhow!("{bad} of {all} files are not good")) }
}

fn judge(path: &Path) -> Judged {
    let file = path.display().to_string();
    let refused =
        |problems| Judged { file: file.clone(), good: false, groups: 0, rules: 0, problems, warnings: vec![] };
    let text = match rule_files::text(path) {
        Ok(text) => text,
        Err(error) => return refused(vec![Said { line: None, column: None, message: format!("{error:#}") }]),
    };
    match RuleFile::parse(&file, &text) {
        Ok(rules) => Judged {
            good: true,
            groups: rules.groups.len(),
            rules: rules.rules(),
            problems: vec![],
            warnings: rules.warnings.iter().map(Said::from).collect(),
            file,
        },
        Err(RuleErrors { problems, .. }) => refused(problems.iter().map(Said::from).collect()),
    }
}

fn lines(judged: &Judged) -> Vec<String> {
    let file = Untrusted(&judged.file);
    let said = |what: &str, said: &Said| {
        let message = Untrusted(&said.message);
        match (said.line, said.column) {
            (Some(line), Some(column)) => format!("{file}:{line}:{column}: {what}{message}"),
            _ => message.to_string(),
        }
    };
    let mut lines: Vec<String> = judged.problems.iter().map(|problem| said("", problem)).collect();
    lines.extend(judged.warnings.iter().map(|warning| said("warning: ", warning)));
    if judged.good {
        lines.push(format!("{file}: good, {}", rule_files::counted(judged.rules, judged.groups)));
    }
    lines
}
