//! Network namespaces that live as long as a test.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Set to a namespace of its own for each, so that tests do not meet.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A network namespace with its loopback up, removed when dropped.
///
/// It is made with `ip netns`, which also gives programs that run inside a `/sys` of their own: with
/// `nsenter` they would see the interfaces of the namespace outside.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes a namespace whose name begins with `squirrel-` and `purpose`.
    ///
    /// # Errors
    /// A sentence that says why it cannot be made here: no privilege, or no `ip`. Pass it to
    /// [`skip`](crate::skip).
    pub fn create(purpose: &str) -> Result<Self, String> {
        let name = format!("squirrel-{purpose}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let add = || run(Command::new("ip").args(["netns", "add", &name]));
        if let Err(reason) = add() {
            // An earlier process of the same number may have been killed, and have left it.
            run(Command::new("ip").args(["netns", "del", &name])).map_err(|_| reason)?;
            add()?;
        }
        let namespace = Self { name };
        namespace.ip(&["link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// The name, for `ip link set … netns`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The namespace's inode number, by which the kernel tells namespaces apart.
    ///
    /// # Errors
    /// When its file below `/run/netns` cannot be read.
    pub fn inode(&self) -> std::io::Result<u64> {
        use std::os::unix::fs::MetadataExt as _;
        Ok(std::fs::metadata(format!("/run/netns/{}", self.name))?.ino())
    }

    /// A program to run inside.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Runs `ip` with these arguments on this namespace.
    ///
    /// # Errors
    /// What `ip` says.
    pub fn ip(&self, arguments: &[&str]) -> Result<(), String> {
        run(Command::new("ip").args(["-n", &self.name]).args(arguments))
    }

    /// Runs a program inside to its end.
    ///
    /// # Errors
    /// What it says when it fails.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        run(self.command(program).args(arguments))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // What still runs inside keeps its interfaces until it ends; nothing is left to report to.
        let _ = run(Command::new("ip").args(["netns", "del", &self.name]));
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?} does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
