//! Each crate takes its lints, its edition and the versions of its dependencies from the workspace; what
//! is built into programs of others may ask for an older compiler.

use super::Finding;
use crate::repository::Repository;

/// What every manifest of ours must say.
const INHERITED: [(&str, &str); 4] =
    [("package", "version"), ("package", "edition"), ("package", "rust-version"), ("package", "license")];

/// Every manifest inherits, and no dependency has a version of its own.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    repository.ours().flat_map(|package| manifest(&package.manifest, repository.text(&package.manifest))).collect()
}

/// An entry of a manifest: table, line, text.
fn entries(text: &str) -> impl Iterator<Item = (&str, usize, &str)> {
    let mut table = "";
    text.lines().enumerate().filter_map(move |(index, line)| {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_end_matches(']');
            return None;
        }
        (!line.is_empty() && !line.starts_with('#')).then_some((table, index + 1, line))
    })
}

fn manifest(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let says = |table: &str, start: &str| {
        entries(text).any(|(t, _, entry)| t == table && entry.replace(' ', "").starts_with(start))
    };
    for (table, key) in INHERITED {
        let older = key == "rust-version" && says(table, "rust-version=\"1.");
        if !older && !says(table, &format!("{key}.workspace=true")) {
            let what = format!("the crate does not take `{key}` from the workspace");
            findings.push(Finding::new(path, 0, what, format!("write `{key}.workspace = true` under [{table}]")));
        }
    }
    if !says("lints", "workspace=true") {
        let mend = "write `[lints]` and below it `workspace = true`";
        findings.push(Finding::new(path, 0, "the crate does not take the lints of the workspace", mend));
    }
    for (table, line, entry) in entries(text) {
        let whole = table.split('.').find(|part| part.ends_with("dependencies"));
        let Some(whole) = whole else { continue };
        if table.ends_with(whole) && !entry.replace(' ', "").contains("workspace=true") {
            let what = format!("a version of its own: {entry}");
            let mend = "put the version into [workspace.dependencies] and write `NAME.workspace = true` here";
            findings.push(Finding::new(path, line, what, mend));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::testing::texts;

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\n\n[dependencies]\nlibc.workspace = true\n\n\
        [dev-dependencies]\n# for the tests\ninsta = { workspace = true, features = [\"yaml\"] }\n\n[lints]\nworkspace = true\n";

    #[test]
    fn a_manifest_that_inherits_is_fine() {
        assert_eq!(texts(&manifest("a/Cargo.toml", GOOD)), [""; 0]);
    }

    #[test]
    fn a_library_may_ask_for_an_older_compiler() {
        let older = GOOD.replace("rust-version.workspace = true", "rust-version = \"1.85\"");
        assert_eq!(texts(&manifest("a/Cargo.toml", &older)), [""; 0]);
        let none = GOOD.replace("rust-version.workspace = true\n", "");
        assert_eq!(
            texts(&manifest("a/Cargo.toml", &none)),
            ["a/Cargo.toml:0: the crate does not take `rust-version` from the workspace"]
        );
    }

    #[test]
    fn what_is_not_inherited_is_found() {
        let bad = GOOD
            .replace("libc.workspace = true", "libc = \"0.2\"")
            .replace("license.workspace = true", "license = \"MIT\"")
            .replace("[lints]", "[other]");
        let expected = [
            "a/Cargo.toml:0: the crate does not take `license` from the workspace",
            "a/Cargo.toml:0: the crate does not take the lints of the workspace",
            "a/Cargo.toml:9: a version of its own: libc = \"0.2\"",
        ];
        assert_eq!(texts(&manifest("a/Cargo.toml", &bad)), expected);
    }
}
