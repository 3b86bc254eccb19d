//! The dashboard's tests obey the same rule as the others: none can pass by doing nothing.

use super::Finding;
use crate::repository::Repository;

/// What must not stand in a test of the dashboard, and what to do instead.
const BANNED: &[(&str, &str)] = &[
    (".skip(", "let it run, or report the skip as the Rust tests do"),
    (".only(", "let all tests run"),
    (".todo(", "write the test"),
    ("waitForTimeout", "wait for the text, the request or the drawn chart"),
    ("{ skip", "let it run, or report the skip as the Rust tests do"),
];

/// No test is left out, none waits by the clock, and each asserts.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in repository.ending(&[".mjs", ".js", ".ts", ".tsx"]) {
        if !path.contains("web/tests/") && !path.contains(".test.") {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            for (word, mend) in BANNED.iter().filter(|(word, _)| line.contains(word)) {
                findings.push(Finding::new(path, index + 1, format!("`{word}` in a test"), *mend));
            }
        }
        findings.extend(silent_tests(path, text));
    }
    findings
}

/// Tests without an assertion: from the line that begins one to that which begins the next. A test is
/// a call of `test`, or a function in the list that is exported as `tests`. Waiting for something
/// that never comes fails, so it asserts.
fn silent_tests(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut open: Option<usize> = None;
    let mut finish = |open: Option<usize>| {
        if let Some(line) = open {
            let mend = "assert what a user would miss";
            findings.push(Finding::new(path, line, "this test asserts nothing", mend));
        }
    };
    let listed = text.contains("export const tests = {");
    for (index, line) in text.lines().enumerate() {
        let code = line.trim_start();
        let called = ["test(", "await test(", "it("].iter().any(|start| code.starts_with(start));
        let begins = called || (listed && line.starts_with("  async ") && line.ends_with('{'));
        if begins {
            finish(open.replace(index + 1));
        }
        let asserts = ["assert", "expect(", "check", "waitFor"].iter().any(|word| code.contains(word))
            && !code.starts_with("//")
            && !code.contains("waitForTimeout");
        if asserts {
            open = None;
        }
    }
    finish(open);
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::testing::texts;

    const PATH: &str = "crates/squirrel-server/web/tests/page.mjs";

    #[test]
    fn a_test_that_asserts_is_fine() {
        let source = "import assert from 'node:assert';\ntest('a', async () => {\n  assert.equal(1, f());\n});\n";
        assert_eq!(texts(&check(&Repository::of(&[(PATH, source)]))), [""; 0]);
    }

    #[test]
    fn tests_in_a_list_are_told_apart() {
        let source = "export const tests = {\n  async a(browser) {\n    await f();\n  },\n\n  async b() {\n    assert.ok(f());\n  },\n};\n";
        let found = texts(&check(&Repository::of(&[(PATH, source)])));
        assert_eq!(found, [format!("{PATH}:2: this test asserts nothing")]);
    }

    #[test]
    fn tests_that_do_nothing_are_found() {
        let source = "test('a', () => {\n f();\n});\ntest.skip('b', () => {\n f();\n});\n\
                      test('c', async () => {\n await page.waitForTimeout(5);\n assert(g());\n});\ntest('d', () => {});\n";
        let expected = [
            ":4: `.skip(` in a test",
            ":8: `waitForTimeout` in a test",
            ":1: this test asserts nothing",
            ":11: this test asserts nothing",
        ];
        let found = texts(&check(&Repository::of(&[(PATH, source)])));
        assert_eq!(found, expected.map(|what| format!("{PATH}{what}")));
    }
}
