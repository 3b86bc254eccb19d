//! One implementation of TLS and of cryptography, or none.
//!
//! Two providers of rustls in one program end in a panic when the first connection is made, and
//! OpenSSL ties a program to the machine that it was built on.

use super::Finding;
use crate::repository::Repository;

/// Crates that must not be in the tree, and why.
const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "it ties the program to one machine's OpenSSL; rustls does the same work"),
    ("native-tls", "it is OpenSSL by another name; rustls does the same work"),
    ("boring-sys", "a second TLS; rustls does the same work"),
    ("mbedtls", "a second TLS; rustls does the same work"),
    ("wolfssl-sys", "a second TLS; rustls does the same work"),
];

/// Implementations of cryptography of which at most one may be in the tree.
const PROVIDERS: &[&str] = &["aws-lc-rs", "ring", "rustls-graviola", "rustls-rustcrypto", "graviola"];

/// No banned crate, and at most one provider.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let present = |name: &str| repository.others().any(|package| package.name == name);
    let mut findings = Vec::new();
    for (name, reason) in BANNED.iter().filter(|(name, _)| present(name)) {
        let mend = format!("find who brings it by `cargo tree -i {name}` and switch its feature off");
        findings.push(Finding::new("Cargo.lock", 0, format!("`{name}` is banned: {reason}"), mend));
    }
    let providers: Vec<&str> = PROVIDERS.iter().copied().filter(|name| present(name)).collect();
    if providers.len() > 1 {
        let what = format!("more than one provider of cryptography: {}", providers.join(", "));
        findings.push(Finding::new("Cargo.lock", 0, what, "choose one by the features of rustls and its users"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::testing::{texts, theirs};

    fn findings(names: &[&str]) -> Vec<String> {
        let packages = names.iter().map(|name| theirs(name, "1.0.0", "MIT")).collect();
        texts(&check(&Repository { packages, ..Repository::default() }))
    }

    #[test]
    fn one_provider_is_fine() {
        assert_eq!(findings(&["rustls", "aws-lc-rs"]), [""; 0]);
    }

    #[test]
    fn a_second_provider_and_openssl_are_found() {
        let found = findings(&["ring", "aws-lc-rs", "openssl-sys"]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("`openssl-sys` is banned"), "{found:?}");
        assert!(found[1].ends_with("more than one provider of cryptography: aws-lc-rs, ring"), "{found:?}");
    }
}
