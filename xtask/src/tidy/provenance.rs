//! The repository holds what we wrote, and nothing that tells where it was written.

use super::Finding;
use crate::repository::Repository;

/// Parts of a path that hold other people's code.
const FOLDERS: &[&str] = &["node_modules", "vendor", "vendored", "third_party", "third-party", "bower_components"];

/// Folders of a developer's machine, in pieces so that this file does not contain them.
const MACHINE: &[&str] = &[
    concat!("/", "home/"),
    concat!("/", "root/"),
    concat!("/", "Users/"),
    concat!("/", "work/"),
    concat!("/tmp/", "wt/"),
];

/// A line of code that no person writes.
const WIDEST: usize = 1000;

/// No code of others, nothing made by a tool, no path of a machine.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in repository.files.keys().chain(&repository.binaries) {
        let folder = path.split('/').any(|part| FOLDERS.contains(&part));
        let minified = [".min.js", ".min.css", ".min.mjs", ".js.map", ".css.map", ".wasm"];
        if folder || minified.iter().any(|ending| path.ends_with(ending)) {
            let mend = "take it from its registry when building, by a lock file";
            findings.push(Finding::new(path, 0, "code of others", mend));
        }
    }
    for (path, text) in &repository.files {
        let code = [".js", ".mjs", ".ts", ".tsx", ".css"].iter().any(|ending| path.ends_with(ending));
        for (index, line) in text.lines().enumerate() {
            if code && line.len() > WIDEST {
                let what = format!("a line of {} octets, as a bundler writes it", line.len());
                findings.push(Finding::new(path, index + 1, what, "commit the source, and let the build make this"));
            }
            if let Some(folder) = MACHINE.iter().find(|folder| names_folder(line, folder)) {
                let mend = "name it relative to the repository, or by an argument";
                findings.push(Finding::new(path, index + 1, format!("a path of one machine ({folder}…)"), mend));
            }
        }
    }
    findings
}

/// Whether `line` contains the absolute path `folder`, and not a longer path or address that ends so.
fn names_folder(line: &str, folder: &str) -> bool {
    let continues = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '/' | '}' | '*');
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + folder.len()..].trim_start_matches('.').chars().next();
        !before.is_some_and(continues) && after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::testing::texts;

    #[test]
    fn our_own_text_is_fine() {
        let text = "See https://example.org/home/x and docs/work/plan.md; systemd's ProtectHome hides /home/.\n";
        assert_eq!(texts(&check(&Repository::of(&[("README.md", text), ("web/src/a.ts", "f();\n")]))), [""; 0]);
    }

    #[test]
    fn others_code_and_paths_of_a_machine_are_found() {
        let wide = "x".repeat(1001);
        let path = format!("see {}me/x/notes\n", "/ho");
        let files = [
            ("README.md", path.as_str()),
            ("web/node_modules/a/index.js", "f();\n"),
            ("web/src/a.js", &wide),
            ("web/uplot.min.css", "a {}\n"),
        ];
        let found = texts(&check(&Repository::of(&files)));
        let expected = [
            "web/node_modules/a/index.js:0: code of others".to_string(),
            "web/uplot.min.css:0: code of others".to_string(),
            format!("README.md:1: a path of one machine ({}me/…)", "/ho"),
            "web/src/a.js:1: a line of 1001 octets, as a bundler writes it".to_string(),
        ];
        assert_eq!(found, expected);
    }
}
