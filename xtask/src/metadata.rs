//! What `cargo metadata` says of this workspace and of all that it builds on.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process;

/// For what a dependency is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// In the crate itself.
    Normal,
    /// In its build script.
    Build,
    /// In its tests, examples and benches.
    Test,
}

/// One line of a crate's manifest.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) used_for: Use,
}

/// A crate, ours or another's.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    /// Its manifest, relative to the repository when it is ours.
    pub(crate) manifest: String,
    /// Root files of its libraries and programs, relative to the repository when it is ours.
    pub(crate) roots: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
    /// Whether it is a member of the workspace.
    pub(crate) ours: bool,
}

/// Asks cargo for all crates that this machine's target needs.
pub(crate) fn read(root: &Path) -> Result<Vec<Package>> {
    let host = host_target()?;
    let mut command = process::cargo(root);
    command.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &host]);
    let text = process::output(&mut command).context(
        "cargo metadata failed; when it says that the lock file needs an update, run `cargo check --workspace` \
         and commit Cargo.lock",
    )?;
    let value: Value = serde_json::from_str(&text).context("cargo metadata gave no JSON")?;
    parse(&value, &format!("{}/", root.display()))
}

fn host_target() -> Result<String> {
    let text = process::output(Command::new("rustc").arg("-vV"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line.context("`rustc -vV` names no host")?.to_string())
}

fn parse(value: &Value, root: &str) -> Result<Vec<Package>> {
    let members: Vec<&str> =
        value["workspace_members"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let packages = value["packages"].as_array().context("cargo metadata lists no packages")?;
    if members.is_empty() {
        bail!("cargo metadata lists no workspace members");
    }
    packages.iter().map(|package| parse_package(package, &members, root)).collect()
}

fn parse_package(value: &Value, members: &[&str], root: &str) -> Result<Package> {
    let text = |key: &str| value[key].as_str().map(str::to_string);
    let relative = |path: &str| path.strip_prefix(root).unwrap_or(path).to_string();
    let id = text("id").context("a package has no id")?;
    let targets = value["targets"].as_array().into_iter().flatten();
    let is_product = |target: &&Value| {
        let kinds = target["kind"].as_array().into_iter().flatten().filter_map(Value::as_str);
        kinds.into_iter().any(|kind| matches!(kind, "lib" | "bin" | "proc-macro"))
    };
    let dependencies = value["dependencies"].as_array().into_iter().flatten();
    Ok(Package {
        name: text("name").context("a package has no name")?,
        version: text("version").context("a package has no version")?,
        licence: text("license"),
        manifest: relative(value["manifest_path"].as_str().unwrap_or_default()),
        roots: targets.filter(is_product).filter_map(|target| target["src_path"].as_str()).map(relative).collect(),
        dependencies: dependencies.map(parse_dependency).collect::<Result<_>>()?,
        ours: members.contains(&id.as_str()),
    })
}

fn parse_dependency(value: &Value) -> Result<Dependency> {
    let used_for = match value["kind"].as_str() {
        Some("dev") => Use::Test,
        Some("build") => Use::Build,
        _ => Use::Normal,
    };
    Ok(Dependency { name: value["name"].as_str().context("a dependency has no name")?.to_string(), used_for })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_targets_and_kinds_of_dependency_are_read() {
        let value = serde_json::json!({
            "workspace_members": ["path+a"],
            "packages": [{
                "id": "path+a", "name": "a", "version": "0.1.0", "license": "MIT", "source": null,
                "manifest_path": "/r/crates/a/Cargo.toml",
                "targets": [
                    {"kind": ["lib"], "src_path": "/r/crates/a/src/lib.rs"},
                    {"kind": ["test"], "src_path": "/r/crates/a/tests/t.rs"},
                ],
                "dependencies": [{"name": "libc", "kind": null}, {"name": "insta", "kind": "dev"}],
            }],
        });
        let packages = parse(&value, "/r/").expect("parses");
        let package = &packages[0];
        assert_eq!((package.manifest.as_str(), package.ours), ("crates/a/Cargo.toml", true));
        assert_eq!(package.roots, ["crates/a/src/lib.rs"]);
        let kinds: Vec<Use> = package.dependencies.iter().map(|d| d.used_for).collect();
        assert_eq!(kinds, [Use::Normal, Use::Test]);
    }
}
