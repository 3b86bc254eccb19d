//! Network namespaces for tests, so that what is planted for them never stands on a person's host.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;

/// Every namespace of ours begins so; the number of the process that made it follows.
const PREFIX: &str = "squirrel-xtask-";

/// A network namespace with its loopback up, removed when dropped.
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes a namespace.
    ///
    /// # Errors
    /// There is no `ip`, or no privilege.
    pub(crate) fn create(purpose: &str) -> Result<Self> {
        remove_abandoned();
        let name = format!("{PREFIX}{}-{purpose}", std::process::id());
        process::output(Command::new("ip").args(["netns", "add", &name]))?;
        let namespace = Self { name };
        namespace.ip(["link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// The name, for `ip link add … netns`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A program to run inside. `ip netns exec` gives it a `/sys` of the namespace; `nsenter` would
    /// leave it the interfaces of the host there. It becomes the program, so that a signal arrives.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Runs `ip` on this namespace.
    ///
    /// # Errors
    /// What `ip` says.
    pub(crate) fn ip<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<()> {
        process::output(Command::new("ip").args(["-n", &self.name]).args(arguments)).map(drop)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Err(error) = process::output(Command::new("ip").args(["netns", "del", &self.name])) {
            println!("{error:#}");
        }
    }
}

/// Removes what runs left behind that were ended by a signal and dropped nothing.
fn remove_abandoned() {
    let list = process::output(Command::new("ip").args(["netns", "list"])).unwrap_or_default();
    for name in abandoned(&list, |process| Path::new("/proc").join(process).exists()) {
        let removed = process::output(Command::new("ip").args(["netns", "del", name]))
            .with_context(|| format!("the namespace {name} of an earlier run cannot be removed"));
        if let Err(error) = removed {
            println!("{error:#}");
        }
    }
}

/// Namespaces of ours in a list of `ip netns` whose process is gone.
fn abandoned(list: &str, lives: impl Fn(&str) -> bool) -> Vec<&str> {
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    let ours = |name: &&str| {
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        process.is_some_and(|process| process.parse::<u32>().is_ok() && !lives(process))
    };
    names.filter(ours).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_namespaces_of_ended_runs_are_abandoned() {
        let list = "squirrel-xtask-7-host (id: 1)\nsquirrel-xtask-8-host\nsquirrel-7-0\nsquirrel-xtask-x-host\nmine\n";
        assert_eq!(abandoned(list, |process| process == "8"), ["squirrel-xtask-7-host"]);
    }
}
