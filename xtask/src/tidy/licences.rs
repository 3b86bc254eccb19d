//! Squirrel is given under the MIT licence: what it is built from must not ask for more than a notice.

use super::{Finding, spdx};
use crate::repository::Repository;

/// What a crate may be licensed under, and why that is no burden.
const ALLOWED: &[(&str, &str)] = &[
    ("MIT", "our own"),
    ("MIT-0", "MIT without the notice"),
    ("Apache-2.0", "permissive, with a grant of patents"),
    ("Apache-2.0 WITH LLVM-exception", "the same, and no notice in programs"),
    ("BSD-2-Clause", "permissive"),
    ("BSD-3-Clause", "permissive"),
    ("ISC", "permissive"),
    ("Zlib", "permissive"),
    ("BSL-1.0", "permissive; no notice in programs"),
    ("0BSD", "as good as the public domain"),
    ("CC0-1.0", "the public domain"),
    ("Unlicense", "the public domain"),
    ("Unicode-3.0", "permissive: Unicode's own tables"),
    ("CDLA-Permissive-2.0", "permissive: the list of root certificates"),
];

/// Each crate of others has a licence from the list.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let allowed = |name: &str| ALLOWED.iter().any(|(known, _)| *known == name);
    let mut findings = Vec::new();
    for package in repository.others() {
        let what = match package.licence.as_deref().map(|licence| (licence, spdx::permits(licence, &allowed))) {
            Some((_, Some(true))) => continue,
            Some((licence, Some(false))) => format!("`{}` is licensed under {licence}", package.name),
            Some((licence, None)) => format!("the licence of `{}` cannot be read: {licence}", package.name),
            None => format!("`{}` names no licence", package.name),
        };
        let mend = "do without it, or add the licence with a reason to xtask/src/tidy/licences.rs";
        findings.push(Finding::new("Cargo.lock", 0, what, mend));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::testing::{texts, theirs};

    #[test]
    fn only_licences_from_the_list_pass() {
        let mut nameless = theirs("d", "1.0.0", "");
        nameless.licence = None;
        let packages = vec![
            theirs("a", "1.0.0", "MIT OR Apache-2.0"),
            theirs("b", "1.0.0", "GPL-2.0-only"),
            theirs("c", "1.0.0", "?) MIT"),
            nameless,
        ];
        let expected = [
            "Cargo.lock:0: `b` is licensed under GPL-2.0-only",
            "Cargo.lock:0: the licence of `c` cannot be read: ?) MIT",
            "Cargo.lock:0: `d` names no licence",
        ];
        assert_eq!(texts(&check(&Repository { packages, ..Repository::default() })), expected);
    }
}
