//! What the README tells a person to type works.

use super::Finding;
use crate::repository::Repository;

const README: &str = "README.md";
const CI: &str = ".ci/run";

/// The two commands that every reader starts with.
const FIRST: [&str; 2] = ["cargo run --release -- serve", "cargo xtask test"];

/// The two commands are there, `.ci/run` calls the second, each `cargo xtask …` is a command of this
/// program, and `cargo run` runs `squirrel`.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    let text = repository.text(README);
    let lines: Vec<(usize, &str)> = commands(text).collect();
    for command in FIRST {
        if !lines.iter().any(|(_, line)| *line == command) {
            let what = format!("the command `{command}` is not shown");
            findings.push(Finding::new(README, 0, what, "show it as a line of its own in a block of code"));
        }
    }
    let known: Vec<&str> = crate::COMMANDS.iter().map(|command| command.name).collect();
    for (line, word) in words_after(text, "cargo xtask ").filter(|(_, word)| !known.contains(word)) {
        let mend = format!("one of: {}", known.join(", "));
        findings.push(Finding::new(README, line, format!("`cargo xtask {word}` does not exist"), mend));
    }
    let last = repository.text(CI).lines().rev().find(|line| !line.trim().is_empty());
    if last != Some("exec cargo xtask test") || !repository.text(CI).contains("export CI=true") {
        let mend = "its last line is `exec cargo xtask test`, with CI=true exported before";
        findings.push(Finding::new(CI, 0, "it is not the README's test command", mend));
    }
    let program = repository.ours().any(|package| package.name == "squirrel");
    if program && !repository.text("Cargo.toml").contains("default-members = [\"crates/squirrel\"]") {
        let mend = "write `default-members = [\"crates/squirrel\"]`";
        findings.push(Finding::new("Cargo.toml", 0, "`cargo run` does not run squirrel", mend));
    }
    findings
}

/// Each `squirrel …` that the README shows is in the program's own list of commands, given as what
/// `squirrel --help` printed. The faults, as sentences.
pub(crate) fn unknown_subcommands(readme: &str, help: &str) -> Vec<String> {
    let section = help.split_once("Commands:").map_or("", |(_, rest)| rest);
    let known: Vec<&str> = section
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|l| l.split_whitespace().next())
        .collect();
    let shown = commands(readme).flat_map(|(line, command)| {
        ["squirrel ", "cargo run --release -- "].into_iter().filter_map(move |program| {
            let rest = command.trim_start_matches("sudo ").trim_start_matches("./target/release/");
            let word = rest.strip_prefix(program)?.split_whitespace().next()?;
            (!word.starts_with('-')).then_some((line, word))
        })
    });
    let unknown = shown.filter(|(_, word)| !known.contains(word));
    unknown
        .map(|(line, word)| format!("{README}:{line}: `squirrel {word}` does not exist; known: {}", known.join(", ")))
        .collect()
}

/// The lines of all blocks of code, without a prompt.
fn commands(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if line.trim_start().starts_with("```") {
            inside = !inside;
            return None;
        }
        inside.then(|| (index + 1, line.split(" #").next().unwrap_or(line).trim().trim_start_matches("$ ")))
    })
}

/// The word that follows each `before`, with its line.
fn words_after<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    text.lines().enumerate().flat_map(move |(index, line)| {
        line.match_indices(before).filter_map(move |(at, _)| {
            let rest = &line[at + before.len()..];
            let end = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
            (end > 0).then(|| (index + 1, &rest[..end]))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::testing::{ours, texts};

    const GOOD: &str = "# S\n```console\n$ cargo run --release -- serve   # starts\n$ cargo xtask test\n```\nAlso `cargo xtask tidy`.\n";
    const RUN: &str = "#!/bin/bash\nexport CI=true\nexec cargo xtask test\n";

    #[test]
    fn commands_that_exist_are_fine() {
        assert_eq!(texts(&check(&Repository::of(&[(README, GOOD), (CI, RUN)]))), [""; 0]);
    }

    #[test]
    fn commands_that_do_not_exist_are_found() {
        let readme = GOOD.replace("xtask tidy", "xtask polish").replace("$ cargo xtask test", "$ cargo test");
        let mut repository = Repository::of(&[(README, &readme), (CI, "cargo test\n"), ("Cargo.toml", "")]);
        repository.packages = vec![ours("squirrel", &[])];
        let expected = [
            "README.md:0: the command `cargo xtask test` is not shown",
            "README.md:6: `cargo xtask polish` does not exist",
            ".ci/run:0: it is not the README's test command",
            "Cargo.toml:0: `cargo run` does not run squirrel",
        ];
        assert_eq!(texts(&check(&repository)), expected);
    }

    #[test]
    fn subcommands_are_compared_with_the_programs_help() {
        let help = "Usage: squirrel <COMMAND>\n\nCommands:\n  serve  Runs\n  query  Asks\n\nOptions:\n  --help\n";
        let readme = "```\nsquirrel serve --listen x\nsudo squirrel query up\nsquirrel --version\nsquirrel fly\ncargo run --release -- serve\n```\n";
        assert_eq!(
            unknown_subcommands(readme, help),
            ["README.md:5: `squirrel fly` does not exist; known: serve, query"]
        );
    }
}
