//! Finds out which commit is built: of the repository, or as cargo noted it in a package.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SQUIRREL_REVISION");
    let told = std::env::var("SQUIRREL_REVISION").ok();
    let revision = told.or_else(packaged).or_else(checked_out).unwrap_or_default();
    let revision: String = revision.trim().chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let long = if revision.is_empty() { version } else { format!("{version} ({revision})") };
    println!("cargo::rustc-env=SQUIRREL_REVISION={revision}");
    println!("cargo::rustc-env=SQUIRREL_VERSION={long}");
}

/// What cargo writes into a package: `{"git":{"sha1":"…"}}`.
fn packaged() -> Option<String> {
    let text = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    Some(rest.split('"').nth(1)?.to_owned())
}

/// The commit that is checked out, if this folder belongs to the repository of Squirrel and not to another around it.
fn checked_out() -> Option<String> {
    if !Path::new("../squirrel-wire").is_dir() {
        return None;
    }
    for file in ["HEAD", "logs/HEAD"] {
        let path = PathBuf::from(git(&["rev-parse", "--git-path", file])?);
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    git(&["rev-parse", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
