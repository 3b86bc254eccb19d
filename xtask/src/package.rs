//! The packages (`.crate` files) as they would be published, with the built dashboard inside, and the
//! proof that they stand alone: the program is built from them, without Node, and serves it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::daemon::Daemon;
use crate::metadata::{self, Package};
use crate::steps::Steps;
use crate::{http, process};

/// For tests and for this repository only: no package is made of these.
const NOT_PACKAGED: [&str; 3] = ["squirrel-fuzzing", "squirrel-testkit", "xtask"];

/// The package that carries the dashboard.
const SERVER: &str = "squirrel-server";

/// Programs that the build from packages must not need.
const FORBIDDEN: [&str; 5] = ["corepack", "node", "nodejs", "npm", "npx"];

/// Builds the dashboard, packs, and verifies what was packed.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<bool> {
    if let Some(argument) = arguments.first() {
        bail!("`cargo xtask package` takes no argument, and was given `{argument}`");
    }
    let steps = Steps::new(root)?;
    let work = root.join("target/xtask/package");
    let dist = dashboard(&steps, &work)?;
    let packages: Vec<Package> = metadata::read(root)?.into_iter().filter(is_packaged).collect();
    let unpacked = work.join("unpacked");
    empty(&unpacked)?;
    for archive in pack(&steps, &packages)? {
        // Archives have one time for all files, whatever changed in them; cargo goes by the time (-m).
        process::output(Command::new("tar").arg("-xzmf").arg(&archive).arg("-C").arg(&unpacked))?;
        println!("   {}", archive.display());
    }
    let program = build(&steps, &packages, &work, &unpacked)?;
    let (files, octets) = serves(&steps, &program, &dist)?;
    println!("verified: {files} files, {octets} bytes, served by a program built of the packages without Node");
    Ok(true)
}

fn is_packaged(package: &Package) -> bool {
    package.ours && !NOT_PACKAGED.contains(&package.name.as_str())
}

/// Bundles the dashboard into `web/dist`, in the way of the server's build script: `npm ci` and
/// `build.mjs` on a copy, so that a `node_modules` of the source tree stays what it is.
fn dashboard(steps: &Steps<'_>, work: &Path) -> Result<PathBuf> {
    for program in ["node", "npm"] {
        if !process::exists(program) {
            bail!("{program} is needed to build the dashboard that the package carries: install Node.js 20 or newer");
        }
    }
    let web = steps.root.join("crates/squirrel-server/web");
    let copy = work.join("web");
    empty(&copy)?;
    copy_folder(&web, &copy)?;
    let mut install = Command::new("npm");
    install.current_dir(&copy).args(["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]);
    steps.run("npm ci for the package", install.arg("--prefer-offline"))?;
    let dist = web.join("dist");
    steps.run(
        "dashboard of the package",
        Command::new("node").current_dir(&copy).args(["build.mjs", "--out"]).arg(&dist),
    )?;
    Ok(dist)
}

/// Makes one archive of each crate.
///
/// As long as `publish` is false, cargo looks for our own crates in the public registry when it writes
/// a package's lock file; the patches on its command line send it to our folders instead.
fn pack(steps: &Steps<'_>, packages: &[Package]) -> Result<Vec<PathBuf>> {
    let mut command = process::cargo(steps.root);
    // Built files that git ignores would count as changes.
    command.args(["package", "--no-verify", "--allow-dirty"]);
    for package in packages {
        let folder = steps.root.join(&package.manifest).with_file_name("");
        command.args(["--package", &package.name, "--config"]);
        command.arg(format!("patch.crates-io.{}.path={:?}", package.name, folder.to_string_lossy()));
    }
    steps.run("packages", &mut command)?;
    let made = steps.root.join("target/package");
    Ok(packages.iter().map(|package| made.join(format!("{}.crate", folder_name(package)))).collect())
}

/// The folder inside a package's archive.
fn folder_name(package: &Package) -> String {
    format!("{}-{}", package.name, package.version)
}

/// Builds the program of the unpacked packages alone, where no Node is to be found.
fn build(steps: &Steps<'_>, packages: &[Package], work: &Path, unpacked: &Path) -> Result<PathBuf> {
    let server = packages.iter().find(|package| package.name == SERVER).context("there is no squirrel-server")?;
    let web = unpacked.join(folder_name(server)).join("web");
    for folder in fs::read_dir(&web).with_context(|| format!("{} cannot be listed", web.display()))? {
        let name = folder?.file_name();
        if name != "dist" && name != "fallback" {
            bail!("the package of {SERVER} carries web/{}: see `include` in its manifest", name.to_string_lossy());
        }
    }
    let manifest = fs::read_to_string(steps.root.join("Cargo.toml"))?;
    fs::write(unpacked.join("Cargo.toml"), workspace(packages, &manifest))?;
    fs::copy(steps.root.join("Cargo.lock"), unpacked.join("Cargo.lock"))?;
    let target = work.join("target");
    let mut command = process::cargo(unpacked);
    command.args(["build", "--package", "squirrel"]).env("CARGO_TARGET_DIR", &target);
    command.env("PATH", path_without_node(&work.join("bin"))?).env_remove("SQUIRREL_NO_WEB");
    steps.run("build of the packages without Node", &mut command)?;
    Ok(target.join("debug/squirrel"))
}

/// A workspace of the unpacked packages, with the profiles of ours, in which each finds the others.
fn workspace(packages: &[Package], manifest: &str) -> String {
    let folders: Vec<String> = packages.iter().map(folder_name).collect();
    let mut text = format!("[workspace]\nresolver = \"3\"\nmembers = {folders:?}\n\n[patch.crates-io]\n");
    for (package, folder) in packages.iter().zip(&folders) {
        text.push_str(&format!("{} = {{ path = {folder:?} }}\n", package.name));
    }
    let profiles = manifest.find("[profile.").map_or("", |at| &manifest[at..]);
    text + "\n" + profiles
}

/// A folder of links to all programs in `PATH`, Node and what belongs to it left out.
fn path_without_node(folder: &Path) -> Result<PathBuf> {
    empty(folder)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    for directory in std::env::split_paths(&path).filter(|directory| directory.is_absolute()) {
        let Ok(programs) = fs::read_dir(&directory) else { continue };
        for program in programs.flatten() {
            let link = folder.join(program.file_name());
            let forbidden = FORBIDDEN.iter().any(|name| program.file_name() == *name);
            // The first folder of PATH that has a program is the one that counts.
            if !forbidden && fs::symlink_metadata(&link).is_err() {
                std::os::unix::fs::symlink(program.path(), &link)?;
            }
        }
    }
    Ok(folder.to_path_buf())
}

/// Starts the program and asks for each file of the dashboard; how many there are and their size.
fn serves(steps: &Steps<'_>, program: &Path, dist: &Path) -> Result<(usize, usize)> {
    let daemon = Daemon::start(program, &steps.log("daemon of the packages"))?;
    let table = fs::read_to_string(dist.join("assets.tsv")).context("the bundler wrote no table")?;
    let (mut files, mut octets) = (0, 0);
    for row in table.lines() {
        let mut columns = row.split('\t');
        let (Some(url), Some(file)) = (columns.next(), columns.next()) else {
            bail!("assets.tsv has a row without two columns: {row}");
        };
        let built = fs::read(dist.join(file))?;
        let answer = http::get(daemon.address, url)?;
        if answer.status != 200 || answer.body != built {
            let served = answer.body.len();
            bail!("{url}: status {}, {served} bytes instead of the {} of {file}", answer.status, built.len());
        }
        files += 1;
        octets += built.len();
    }
    if files < 3 {
        bail!("a page needs markup, style and script, and the table has {files} files");
    }
    daemon.stop()?;
    Ok((files, octets))
}

/// An empty folder at `path`, whatever was there.
fn empty(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("{} cannot be removed", path.display()))?;
    }
    fs::create_dir_all(path).with_context(|| format!("{} cannot be made", path.display()))
}

/// Copies sources: what npm and the bundler made stays where it is.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("{} cannot be listed", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            if name != "node_modules" && name != "dist" {
                copy_folder(&entry.path(), &to.join(name))?;
            }
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::testing::ours;

    #[test]
    fn tools_of_the_repository_and_others_crates_are_not_packaged() {
        let other = Package { ours: false, ..ours("libc", &[]) };
        let all = [ours("squirrel", &[]), ours("squirrel-testkit", &[]), ours("xtask", &[]), other];
        let names: Vec<&str> = all.iter().filter(|one| is_packaged(one)).map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["squirrel"]);
    }

    #[test]
    fn unpacked_packages_find_each_other_and_keep_the_profiles() {
        let mut package = ours("a", &[]);
        package.version = "1.2.3".to_string();
        let manifest = "[workspace]\nmembers = [\"crates/*\"]\n\n[profile.dev]\nopt-level = 1\n";
        let expected = "[workspace]\nresolver = \"3\"\nmembers = [\"a-1.2.3\"]\n\n[patch.crates-io]\n\
                        a = { path = \"a-1.2.3\" }\n\n[profile.dev]\nopt-level = 1\n";
        assert_eq!(workspace(&[package], manifest), expected);
    }
}
