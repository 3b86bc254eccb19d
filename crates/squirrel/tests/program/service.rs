//! Squirrel as a service: the unit of systemd, and the processes of a user who is not root but was given capabilities,
//! as that unit gives them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use squirrel_testkit::skip;

use crate::inside::Inside;
use crate::processes::{capabilities, descendant, status};

const UNIT: &str = include_str!("../../../../packaging/systemd/squirrel.service");

/// The lines of the unit that begin so.
fn settings(key: &str) -> Vec<&'static str> {
    UNIT.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// The unit with this build in the place of the installed one, in a folder that lives as long as the result.
fn unit() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("squirrel.service");
    std::fs::write(&path, UNIT.replace("/usr/bin/squirrel", env!("CARGO_BIN_EXE_squirrel"))).expect("written");
    (folder, path)
}

fn analyze(arguments: &[&str], unit: &Path) -> std::io::Result<(bool, String)> {
    let output = Command::new("systemd-analyze").args(arguments).arg(unit).stdin(Stdio::null()).output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn systemd_takes_the_unit_and_finds_it_hardened() {
    let (_folder, unit) = unit();
    match analyze(&["verify", "--recursive-errors=no"], &unit) {
        Err(error) => skip("systemd_takes_the_unit_and_finds_it_hardened", &format!("systemd-analyze: {error}")),
        Ok((good, said)) => {
            let about_it: Vec<&str> = said.lines().filter(|line| line.contains("squirrel.service")).collect();
            assert!(good && about_it.is_empty(), "{said}");
            // 9.6 is a unit that says nothing; in tenths.
            let (good, said) = analyze(&["security", "--offline=true", "--threshold=45", "--no-pager"], &unit)
                .expect("it was there a moment ago");
            assert!(good, "{said}");
        }
    }
}

#[test]
fn the_unit_gives_what_the_processes_need_and_nothing_else() {
    let mut given: Vec<&str> = settings("AmbientCapabilities").iter().flat_map(|line| line.split(' ')).collect();
    let mut needed = squirrel_keeper::STARTER_CAPABILITIES.to_vec();
    given.sort_unstable();
    needed.sort_unstable();
    assert_eq!(given, needed);
    assert_eq!(settings("AmbientCapabilities"), settings("CapabilityBoundingSet"));
}

#[test]
fn a_user_with_the_units_capabilities_accounts_for_everybody_and_the_daemon_has_none_of_them() {
    let name = "a_user_with_the_units_capabilities_accounts_for_everybody_and_the_daemon_has_none_of_them";
    let list = squirrel_keeper::STARTER_CAPABILITIES.map(|name| format!("+{}", name.trim_start_matches("CAP_")));
    let list = list.join(",").to_lowercase();
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::chown(folder.path(), Some(65534), Some(65534)).expect("a test runs as root where it can");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.args([format!("--inh-caps={list}"), format!("--ambient-caps={list}")]);
    command.arg(env!("CARGO_BIN_EXE_squirrel")).args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]);
    let daemon = Inside::spawn({
        command.arg(folder.path().join("data"));
        command
    });
    // Collectors too may say that something is not permitted, and before the first account is done.
    let Some(level) = daemon.find(&["accounting by ", "etpriv"]) else {
        return skip(name, "the program ended");
    };
    let Some((_, level)) = level.split_once("accounting by ") else { return skip(name, &level) };
    assert!(level.starts_with("sockets"), "{level}");
    assert_eq!(status(daemon.pid(), "Uid:").expect("it lives").split_whitespace().next(), Some("65534"));
    assert!(capabilities(daemon.pid(), "CapPrm:").iter().all(|set| *set == 0));
    let keeper = descendant(daemon.pid(), "squirrel-keeper").expect("it keeps what was given");
    assert_eq!(capabilities(keeper, "CapPrm:"), [1 << 2 | 1 << 19 | 1 << 21]);
    assert_eq!(capabilities(keeper, "CapAmb:"), [0]);
    let starter = descendant(daemon.pid(), "squirrel-start").expect("it starts the keeper");
    assert_eq!(capabilities(starter, "CapEff:"), [0]);
}
