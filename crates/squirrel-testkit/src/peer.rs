//! Servers that others wrote, started by a test on the loopback and ended with it.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Told apart, so that servers of one test do not share a folder.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// How long a server may take until it listens.
const START: Duration = Duration::from_mins(1);

/// A server that runs, its data in a folder of its own. Both are gone when it is dropped.
#[derive(Debug)]
pub struct Peer {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Peer {
    /// Debian's `prometheus`, which scrapes nothing and takes remote writes.
    ///
    /// # Errors
    /// A sentence that says why it cannot be started here. Pass it to [`skip`](crate::skip).
    pub fn prometheus() -> Result<Self, String> {
        Self::prometheus_with("global: {}\n")
    }

    /// Debian's `prometheus` with this configuration; it takes remote writes too.
    ///
    /// # Errors
    /// As [`Peer::prometheus`].
    pub fn prometheus_with(configuration: &str) -> Result<Self, String> {
        Self::start("prometheus", |folder| {
            let config = folder.join("prometheus.yml");
            fs::write(&config, configuration).map_err(|error| error.to_string())?;
            let mut command = Command::new("prometheus");
            command
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
                .args(["--web.listen-address=127.0.0.1:0", "--web.enable-remote-write-receiver"])
                .args([
                    "--enable-feature=promql-at-modifier,promql-negative-offset",
                    "--storage.tsdb.retention.time=100y",
                ]);
            Ok(command)
        })
    }

    /// Debian's `prometheus-blackbox-exporter` with this file of modules.
    ///
    /// # Errors
    /// As [`Peer::prometheus`].
    pub fn blackbox_exporter(modules: &str) -> Result<Self, String> {
        Self::start("prometheus-blackbox-exporter", |folder| {
            let config = folder.join("blackbox.yml");
            fs::write(&config, modules).map_err(|error| error.to_string())?;
            let mut command = Command::new("prometheus-blackbox-exporter");
            command.arg(format!("--config.file={}", config.display())).arg("--web.listen-address=127.0.0.1:0");
            Ok(command)
        })
    }

    /// Debian's `victoria-metrics`.
    ///
    /// # Errors
    /// As [`Peer::prometheus`].
    pub fn victoria_metrics() -> Result<Self, String> {
        Self::start("victoria-metrics", |folder| {
            let mut command = Command::new("victoria-metrics");
            command.arg(format!("-storageDataPath={}", folder.join("data").display())).args([
                "-httpListenAddr=127.0.0.1:0",
                "-retentionPeriod=100y",
                "-search.latencyOffset=0s",
            ]);
            Ok(command)
        })
    }

    fn start(name: &str, command: impl FnOnce(&PathBuf) -> Result<Command, String>) -> Result<Self, String> {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("squirrel-peer-{}-{count}", std::process::id()));
        // An earlier process of the same number may have been killed.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let log = fs::File::create(folder.join("log")).map_err(|error| error.to_string())?;
        let mut command = command(&folder)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().map_err(|error| format!("{name} cannot be started: {error}"));
        let child = child.inspect_err(|_| drop(fs::remove_dir_all(&folder)))?;
        let mut peer = Self { child, port: 0, folder };
        peer.port = peer.listening().ok_or_else(|| {
            let log = fs::read_to_string(peer.folder.join("log")).unwrap_or_default();
            format!("{name} does not listen: {}", log.lines().last().unwrap_or_default())
        })?;
        Ok(peer)
    }

    /// The port of the loopback that it listens on, which the kernel chose.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its folder; the data are below `data`.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Waits until one of the process's sockets listens.
    fn listening(&mut self) -> Option<u16> {
        let mut port = None;
        until(START, || {
            port = listening_port(self.child.id());
            port.is_some() || !matches!(self.child.try_wait(), Ok(None))
        });
        port
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Asks again and again, until the condition holds or the time is over; whether it came to hold. Blocks the thread.
pub fn until(time: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let clock = squirrel_sys::clock::Monotonic::start();
    loop {
        if condition() {
            return true;
        }
        if clock.elapsed().0 > time {
            return false;
        }
        // Not at once: what is waited for needs the processor more.
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// The port of a listening TCP socket of a process, by the kernel's table of sockets.
fn listening_port(pid: u32) -> Option<u16> {
    /// `TCP_LISTEN` of `include/net/tcp_states.h`.
    const LISTEN: &str = "0A";
    let open: Vec<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .ok()?
        .filter_map(|entry| Some(fs::read_link(entry.ok()?.path()).ok()?.to_string_lossy().into_owned()))
        .collect();
    let table = fs::read_to_string(format!("/proc/{pid}/net/tcp")).ok()?;
    table.lines().skip(1).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (words.get(1)?, words.get(3)?, words.get(9)?);
        let is_ours = *state == LISTEN && open.contains(&format!("socket:[{inode}]"));
        is_ours.then(|| u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok())?
    })
}
