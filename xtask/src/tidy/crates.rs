//! The table of crates and the manifests say the same.

use std::collections::BTreeMap;

use super::Finding;
use super::architecture::{DOCUMENT, Row, table};
use crate::metadata::{Dependency, Package, Use};
use crate::repository::Repository;

/// The crate that every other may use in its tests.
const TESTKIT: &str = "squirrel-testkit";

/// A row of the table of crates.
struct CrateRow<'a> {
    line: usize,
    /// `None` for what no release build contains.
    layer: Option<u32>,
    uses: Vec<&'a str>,
    outside: Vec<&'a str>,
}

impl<'a> CrateRow<'a> {
    fn read(row: &Row<'a>) -> Self {
        Self { line: row.line, layer: row.cell(0).parse().ok(), uses: row.list(3), outside: row.list(4) }
    }

    fn may_use(&self, name: &str) -> bool {
        self.uses == ["all"] || self.uses.contains(&name)
    }

    fn may_bring(&self, name: &str) -> bool {
        self.outside == ["all"] || self.outside.contains(&name)
    }
}

type Rows<'a> = BTreeMap<&'a str, CrateRow<'a>>;

/// Every crate has a row and every row a crate; each dependency on a crate of ours is listed and of a
/// lower layer; each on a crate of others is listed; and nothing is listed that is not used.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let rows: Rows<'_> =
        table(repository.text(DOCUMENT), "Crates").iter().map(|row| (row.cell(1), CrateRow::read(row))).collect();
    let mut findings = Vec::new();
    for (name, row) in &rows {
        if !repository.ours().any(|package| package.name == *name) {
            let what = format!("there is no crate `{name}` in the workspace");
            findings.push(Finding::new(DOCUMENT, row.line, what, "remove the row, or add the crate"));
        }
    }
    for package in repository.ours() {
        if let Some(row) = rows.get(package.name.as_str()) {
            check_package(package, row, &rows, &mut findings);
        } else {
            let what = format!("`{}` has no row in the table of crates in {DOCUMENT}", package.name);
            findings.push(Finding::new(&package.manifest, 0, what, "add a row: layer, purpose, what it may use"));
        }
    }
    findings
}

fn check_package(package: &Package, row: &CrateRow<'_>, rows: &Rows<'_>, findings: &mut Vec<Finding>) {
    let uses = |name: &str| package.dependencies.iter().any(|d| d.name == name && d.used_for != Use::Test);
    for dependency in &package.dependencies {
        let fault = match rows.get(dependency.name.as_str()) {
            Some(other) => internal_fault(dependency, row, other),
            None if dependency.used_for == Use::Test || row.may_bring(&dependency.name) => None,
            None => Some(format!("`{}` is not among its outside crates", dependency.name)),
        };
        if let Some(fault) = fault {
            let mend = format!("do without it, or change the row of `{}` in {DOCUMENT}:{}", package.name, row.line);
            findings.push(Finding::new(&package.manifest, 0, fault, mend));
        }
    }
    let promised = row.uses.iter().chain(&row.outside).filter(|name| **name != "all");
    for name in promised.filter(|name| !uses(name)) {
        let what = format!("`{}` does not use `{name}`, though its row lists it", package.name);
        findings.push(Finding::new(DOCUMENT, row.line, what, "remove the name from the row"));
    }
}

/// What is wrong with a dependency between two crates of ours, if anything.
fn internal_fault(dependency: &Dependency, row: &CrateRow<'_>, other: &CrateRow<'_>) -> Option<String> {
    let name = &dependency.name;
    let lower = match (row.layer, other.layer) {
        (Some(own), Some(theirs)) => theirs < own,
        (None, _) => true,
        (Some(_), None) => false,
    };
    if dependency.used_for == Use::Test {
        let fine = lower || name == TESTKIT;
        return (!fine).then(|| format!("its tests use `{name}`, which is not of a lower layer"));
    }
    if !row.may_use(name) {
        return Some(format!("`{name}` is not in its cell \"may use\""));
    }
    (!lower).then(|| format!("`{name}` is not of a lower layer"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::testing::{ours, texts};

    const TABLE: &str = "## Crates\n| layer | crate | what | may use | outside crates | never |\n|---|---|---|---|---|---|\n\
        | 0 | wire | octets | - | thiserror | x |\n\
        | 1 | sys | door | wire | libc | x |\n\
        | 1 | store | disk | - | - | x |\n\
        | 2 | squirrel | all | all | all | x |\n\
        | - | squirrel-testkit | tests | wire | - | x |\n";

    fn repository() -> Repository {
        let mut repository = Repository::of(&[(DOCUMENT, TABLE)]);
        repository.packages = vec![
            ours("wire", &[("thiserror", Use::Normal), ("proptest", Use::Test), ("squirrel-testkit", Use::Test)]),
            ours("sys", &[("wire", Use::Normal), ("libc", Use::Build)]),
            ours("store", &[("wire", Use::Test)]),
            ours("squirrel", &[("sys", Use::Normal), ("store", Use::Normal), ("clap", Use::Normal)]),
            ours("squirrel-testkit", &[("wire", Use::Normal)]),
        ];
        repository
    }

    #[test]
    fn what_the_table_lists_is_allowed() {
        assert_eq!(texts(&check(&repository())), [""; 0]);
    }

    #[test]
    fn a_crate_without_a_row_and_a_row_without_a_crate_are_found() {
        let mut repository = repository();
        repository.packages.retain(|package| package.name != "store");
        repository.packages.push(ours("extra", &[]));
        let expected = [
            "ARCHITECTURE.md:6: there is no crate `store` in the workspace",
            "crates/extra/Cargo.toml:0: `extra` has no row in the table of crates in ARCHITECTURE.md",
        ];
        assert_eq!(texts(&check(&repository)), expected);
    }

    #[test]
    fn edges_that_the_table_does_not_list_are_found() {
        let cases = [
            ("outside crate", "wire", ("libc", Use::Normal), "`libc` is not among its outside crates"),
            ("outside crate of a build script", "wire", ("cc", Use::Build), "`cc` is not among its outside crates"),
            ("unlisted", "store", ("wire", Use::Normal), "`wire` is not in its cell \"may use\""),
            ("upwards in a test", "wire", ("store", Use::Test), "its tests use `store`, which is not of a lower layer"),
            (
                "neighbour in a test",
                "sys",
                ("store", Use::Test),
                "its tests use `store`, which is not of a lower layer",
            ),
            (
                "test code in a program",
                "squirrel",
                ("squirrel-testkit", Use::Normal),
                "`squirrel-testkit` is not of a lower layer",
            ),
        ];
        for (case, name, (dependency, used_for), expected) in cases {
            let mut repository = repository();
            let package = repository.packages.iter_mut().find(|package| package.name == name).expect("is there");
            package.dependencies.push(Dependency { name: dependency.to_string(), used_for });
            assert_eq!(texts(&check(&repository)), [format!("crates/{name}/Cargo.toml:0: {expected}")], "{case}");
        }
    }

    #[test]
    fn a_permission_that_nothing_uses_is_found() {
        let mut repository = repository();
        for package in repository.packages.iter_mut().filter(|package| package.name == "sys") {
            package.dependencies.retain(|dependency| dependency.name != "libc");
        }
        assert_eq!(
            texts(&check(&repository)),
            ["ARCHITECTURE.md:5: `sys` does not use `libc`, though its row lists it"]
        );
    }
}
