//! Everything that is built comes from this repository or, at a fixed version and checksum, from the
//! public registry.

use super::Finding;
use crate::repository::Repository;

/// The one source of others' crates, as `Cargo.lock` writes it.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Each package in `Cargo.lock` is ours, or of the registry with a checksum; no file of cargo or npm
/// points to another source; npm's lock file names no host.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = lock_file("Cargo.lock", repository.text("Cargo.lock"));
    for (path, text) in repository.ending(&["/Cargo.lock"]) {
        findings.extend(lock_file(path, text));
    }
    for (path, text) in repository.ending(&[".cargo/config.toml", ".cargo/config"]) {
        for (index, line) in text.lines().enumerate() {
            if line.starts_with("[source") || line.starts_with("[registr") {
                let mend = "keep it in your own configuration of cargo";
                findings.push(Finding::new(path, index + 1, "another source of crates", mend));
            }
        }
    }
    for (path, text) in repository.ending(&[".npmrc"]) {
        let names_one = |line: &str| {
            let key = line.split('=').next().unwrap_or("").trim();
            key == "registry" || key.ends_with(":registry")
        };
        for (index, line) in text.lines().enumerate().filter(|(_, line)| names_one(line)) {
            let what = format!("another source of npm packages: {line}");
            findings.push(Finding::new(path, index + 1, what, "keep it in your own configuration of npm"));
        }
    }
    for (path, text) in repository.ending(&["package-lock.json", "npm-shrinkwrap.json"]) {
        let resolved = text.lines().enumerate().filter(|(_, line)| line.contains("\"resolved\""));
        if let Some((index, _)) = resolved.into_iter().next() {
            let mend = "write the file with `npm install --package-lock-only --omit-lockfile-registry-resolved`";
            findings.push(Finding::new(path, index + 1, "the lock file names a host", mend));
        }
        if !text.contains("\"integrity\"") {
            findings.push(Finding::new(path, 0, "no package has a checksum", "write the file anew with npm"));
        }
    }
    findings
}

fn lock_file(path: &str, text: &str) -> Vec<Finding> {
    let finding = |line, what: String, mend: &str| Finding::new(path, line, what, mend);
    if text.is_empty() {
        return vec![finding(0, "there is no lock file".to_string(), "commit Cargo.lock")];
    }
    let mut findings = Vec::new();
    let mut line = 1;
    for entry in text.split("[[package]]") {
        let value = |key: &str| entry.lines().find_map(|line| line.strip_prefix(key)).map(|v| v.trim_matches('"'));
        if let (Some(name), Some(source)) = (value("name = "), value("source = ")) {
            if source != REGISTRY {
                let mend = "use a released version from the public registry";
                findings.push(finding(line, format!("`{name}` comes from {source}"), mend));
            } else if value("checksum = ").is_none() {
                findings.push(finding(line, format!("`{name}` has no checksum"), "run `cargo update -p` for it"));
            }
        }
        line += entry.matches('\n').count();
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::testing::texts;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\
        source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"00\"\n\n\
        [[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n";

    #[test]
    fn the_registry_and_our_folders_are_fine() {
        let npm = "{ \"integrity\": \"sha512-x\" }";
        let config = "[alias]\nxtask = \"run\"\n";
        let files = [("Cargo.lock", LOCK), ("web/package-lock.json", npm), (".cargo/config.toml", config)];
        let files = [&files[..], &[("web/.npmrc", "; no registry\nomit-lockfile-registry-resolved=true\n")]].concat();
        assert_eq!(texts(&check(&Repository::of(&files))), [""; 0]);
    }

    #[test]
    fn other_sources_are_found() {
        let git = LOCK.replace("registry+https://github.com/rust-lang/crates.io-index", "git+https://example.org/a");
        let npm = "{\n\"resolved\": \"x\"\n}";
        let files = [
            ("Cargo.lock", git.as_str()),
            ("web/package-lock.json", npm),
            (".cargo/config.toml", "[source.x]\n"),
            (".npmrc", "registry=x\n"),
        ];
        let expected = [
            "Cargo.lock:3: `a` comes from git+https://example.org/a",
            ".cargo/config.toml:1: another source of crates",
            ".npmrc:1: another source of npm packages: registry=x",
            "web/package-lock.json:2: the lock file names a host",
            "web/package-lock.json:0: no package has a checksum",
        ];
        assert_eq!(texts(&check(&Repository::of(&files))), expected);
    }

    #[test]
    fn a_missing_lock_file_or_checksum_is_found() {
        assert_eq!(texts(&check(&Repository::default())), ["Cargo.lock:0: there is no lock file"]);
        let unchecked = LOCK.replace("checksum = \"00\"\n", "");
        assert_eq!(
            texts(&check(&Repository::of(&[("Cargo.lock", &unchecked)]))),
            ["Cargo.lock:3: `a` has no checksum"]
        );
    }
}
