//! No test can pass by doing nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::repository::Repository;
use crate::rust_text::{Function, blank, closing_brace, functions, line_of, test_modules, words};

/// How the names of functions begin that assert on behalf of a test. Such a function counts only
/// when it can be seen to assert.
const HELPERS: [&str; 4] = ["check", "assert", "expect_", "same"];

/// The crate whose helpers every other crate's tests may call.
const TESTKIT: &str = "crates/squirrel-testkit";

struct Source<'a> {
    path: &'a str,
    text: String,
    functions: Vec<Function>,
}

/// Every test asserts; none is ignored, expects a panic, sleeps, or returns early but after a counted
/// skip or an assertion; no `matches!` stands where its answer is thrown away.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let sources: Vec<Source<'_>> = repository
        .ending(&[".rs"])
        .map(|(path, text)| {
            let text = blank(text);
            Source { path, functions: functions(&text), text }
        })
        .collect();
    let helpers = asserting_helpers(&sources);
    let shared = helpers.get(TESTKIT).cloned().unwrap_or_default();
    let mut findings = Vec::new();
    for source in &sources {
        let own = helpers.get(crate_of(source.path)).unwrap_or(&shared);
        let known = |name: &str| own.contains(name) || shared.contains(name);
        for test in source.functions.iter().filter(|function| function.is_test()) {
            check_test(source, test, &known, &mut findings);
        }
        check_file(source, &mut findings);
    }
    findings
}

/// The folder of the crate that a file belongs to: `crates/NAME`, or the first part of the path.
fn crate_of(path: &str) -> &str {
    let parts = if path.starts_with("crates/") { 2 } else { 1 };
    path.match_indices('/').nth(parts - 1).map_or(path, |(at, _)| &path[..at])
}

/// For each crate, the names of those helpers that assert, directly or by another helper.
fn asserting_helpers<'a>(sources: &'a [Source<'_>]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    loop {
        let mut grew = false;
        for source in sources {
            let own = found.entry(crate_of(source.path)).or_default();
            for function in source.functions.iter().filter(|function| is_helper_name(&function.name)) {
                let body = &source.text[function.body.clone()];
                if !own.contains(function.name.as_str()) && asserts(body, &|name| own.contains(name)) {
                    grew |= own.insert(&function.name);
                }
            }
        }
        if !grew {
            return found;
        }
    }
}

fn is_helper_name(name: &str) -> bool {
    HELPERS.iter().any(|start| name.starts_with(start))
}

/// Whether a body contains something that fails when the code under test is wrong.
fn asserts(body: &str, helper: &dyn Fn(&str) -> bool) -> bool {
    words(body).any(|(at, word)| {
        let next = body[at + word.len()..].trim_start().as_bytes().first().copied();
        match next {
            Some(b'!') => word.starts_with("assert") || word.starts_with("prop_assert") || word == "panic",
            Some(b'(') => matches!(word, "expect_err" | "unwrap_err") || (is_helper_name(word) && helper(word)),
            _ => false,
        }
    })
}

fn check_test(source: &Source<'_>, test: &Function, helper: &dyn Fn(&str) -> bool, findings: &mut Vec<Finding>) {
    let body = &source.text[test.body.clone()];
    let mut found = |line: usize, what: &str, mend: &str| {
        findings.push(Finding::new(source.path, line, format!("`{}` {what}", test.name), mend));
    };
    let survival = is_survival(&test.name) && in_property(&source.text, test) && body.contains('(');
    if !survival && !asserts(body, helper) {
        let mend = "assert what a user would miss; a helper's name begins with check, assert or same, and it asserts";
        found(test.line, "asserts nothing", mend);
    }
    for path in test.attributes.iter().filter(|path| matches!(path.as_str(), "ignore" | "should_panic")) {
        let mend = match path.as_str() {
            "ignore" => "let it run, or call `squirrel_testkit::skip` with the reason and return",
            _ => "assert on the error that is returned",
        };
        found(test.line, &format!("has `#[{path}]`"), mend);
    }
    for (at, _) in words(body).filter(|(_, word)| *word == "return") {
        let rest = body[at + "return".len()..].trim_start();
        let passes = rest.starts_with([';', '}', ',']) || rest.starts_with("Ok(())");
        let block = enclosing_block(body, at);
        if passes && !words(block).any(|(_, word)| word == "skip") && !asserts(block, helper) {
            let line = line_of(&source.text, test.body.start + at);
            found(line, "returns early", "call `squirrel_testkit::skip` with the reason before it");
        }
    }
}

/// Whether the name says that not to panic is what is tested.
fn is_survival(name: &str) -> bool {
    name.contains("surviv") || name.contains("panic")
}

/// Whether proptest calls it: with inputs at random, a test that only survives has tested something.
fn in_property(text: &str, test: &Function) -> bool {
    let macros = text.match_indices("proptest!").filter_map(|(at, _)| Some(at + text[at..].find('{')?));
    macros.into_iter().any(|opening| (opening..closing_brace(text, opening)).contains(&test.body.start))
}

/// What stands before `at` in the innermost braces around it.
fn enclosing_block(body: &str, at: usize) -> &str {
    let mut depth = 0;
    for (position, byte) in body.bytes().enumerate().take(at).collect::<Vec<_>>().into_iter().rev() {
        match byte {
            b'}' => depth += 1,
            b'{' if depth == 0 => return &body[position..at],
            b'{' => depth -= 1,
            _ => {}
        }
    }
    &body[..at]
}

fn check_file(source: &Source<'_>, findings: &mut Vec<Finding>) {
    let text = &source.text;
    for (at, _) in words(text).filter(|(_, word)| *word == "matches") {
        let after = text[at + "matches".len()..].trim_start();
        let before = text[..at].trim_end();
        let statement = before.ends_with([';', '{', '}']) || before.ends_with("_ =");
        if after.starts_with('!') && statement && closed_by_semicolon(after) {
            let mend = "write `assert!(matches!(…))`";
            findings.push(Finding::new(
                source.path,
                line_of(text, at),
                "the answer of `matches!` is thrown away",
                mend,
            ));
        }
    }
    let whole = source.path.contains("/tests/") || source.path.ends_with("/tests.rs");
    let modules = if whole { std::iter::once(0..text.len()).collect() } else { test_modules(text) };
    for module in modules {
        for (at, word) in words(&text[module.clone()]) {
            let at = module.start + at;
            let call = text[at + word.len()..].starts_with('(');
            let virtual_time = source
                .functions
                .iter()
                .any(|function| function.body.contains(&at) && function.attribute_text.contains("start_paused"));
            if call && matches!(word, "sleep" | "sleep_until") && !virtual_time {
                let mend = "wait for the event itself, or let time be virtual (`start_paused = true`)";
                findings.push(Finding::new(source.path, line_of(text, at), "a test sleeps", mend));
            }
        }
    }
}

/// Whether the parentheses that open in `text` are followed by a semicolon.
fn closed_by_semicolon(text: &str) -> bool {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return text[at + 1..].trim_start().starts_with(';');
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests;
