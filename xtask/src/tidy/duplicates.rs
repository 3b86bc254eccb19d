//! One version of each crate: two are twice the compile time, and two types of the same name.

use std::collections::BTreeMap;

use super::Finding;
use super::architecture::{Allowed, Exceptions};
use crate::repository::Repository;

/// No crate is there in two versions but those that the table of exceptions lists.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in repository.others() {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    let mut exceptions = Exceptions::read(repository, Allowed::TwoVersions);
    let mut findings = Vec::new();
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        if exceptions.permits(name) {
            continue;
        }
        let what = format!("`{name}` is there in {} versions: {}", versions.len(), versions.join(", "));
        let mend = format!(
            "see who asks for each by `cargo tree -i {name}@{}`; update the older user, or add a row \
             \"two versions\" with the reason to ARCHITECTURE.md",
            versions[0]
        );
        findings.push(Finding::new("Cargo.lock", 0, what, mend));
    }
    findings.extend(exceptions.unused());
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::testing::{texts, theirs};

    #[test]
    fn a_second_version_needs_an_exception() {
        let packages = vec![theirs("a", "1.0.0", "MIT"), theirs("a", "2.0.0", "MIT"), theirs("b", "1.0.0", "MIT")];
        let mut repository = Repository { packages, ..Repository::default() };
        assert_eq!(texts(&check(&repository)), ["Cargo.lock:0: `a` is there in 2 versions: 1.0.0, 2.0.0"]);
        let table = "## Exceptions\n| where | what | why |\n|---|---|---|\n| a | two versions | x wants 1 |\n";
        repository.files.insert("ARCHITECTURE.md".to_string(), table.to_string());
        assert_eq!(texts(&check(&repository)), [""; 0]);
    }
}
