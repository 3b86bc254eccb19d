//! Installs the tools that the tests compare with, where that is allowed, and says what is missing
//! where it is not.

use std::path::Path;
use std::process::Command;

use super::report::Counts;
use crate::process;
use crate::steps::Steps;

/// A tool, or a file of a package without one, the Debian package that brings it, and what cannot be tested without it.
struct Tool {
    program: &'static str,
    package: &'static str,
    needed_for: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool { program: "ip", package: "iproute2", needed_for: "network namespaces" },
    Tool { program: "unshare", package: "util-linux", needed_for: "network namespaces" },
    Tool { program: "ethtool", package: "ethtool", needed_for: "driver counters" },
    Tool { program: "bpftool", package: "bpftool", needed_for: "programs left at interfaces" },
    Tool { program: "nft", package: "nftables", needed_for: "loss that is known" },
    Tool { program: "sysctl", package: "procps", needed_for: "network namespaces" },
    Tool { program: "conntrack", package: "conntrack", needed_for: "connection tracking" },
    Tool { program: "iperf3", package: "iperf3", needed_for: "throughput, against the program whose protocol it is" },
    Tool { program: "openssl", package: "openssl", needed_for: "logins of throughput, against another RSA" },
    Tool {
        program: "clang-14",
        package: "clang-14",
        needed_for: "the eBPF objects, and traffic by calls that Rust has no safe words for",
    },
    Tool { program: "llvm-strip-14", package: "llvm-14", needed_for: "the eBPF objects" },
    Tool { program: "promtool", package: "prometheus", needed_for: "the query API and rule files" },
    Tool {
        program: "prometheus-node-exporter",
        package: "prometheus-node-exporter",
        needed_for: "names and values of metrics",
    },
    Tool {
        program: "prometheus-blackbox-exporter",
        package: "prometheus-blackbox-exporter",
        needed_for: "names and values of checks",
    },
    Tool { program: "prometheus", package: "prometheus", needed_for: "scrapes and remote write" },
    Tool { program: "systemd-analyze", package: "systemd", needed_for: "the unit of systemd" },
    Tool { program: "tcpdump", package: "tcpdump", needed_for: "packet sockets with a ring" },
    Tool { program: "setpriv", package: "util-linux", needed_for: "processes of other users" },
    Tool {
        program: "prometheus-alertmanager",
        package: "prometheus-alertmanager",
        needed_for: "notifications to Alertmanager",
    },
    Tool { program: "notify-send", package: "libnotify-bin", needed_for: "alerts on the desktop" },
    Tool { program: "dbus-daemon", package: "dbus-daemon", needed_for: "alerts on the desktop" },
    Tool {
        program: "/usr/lib/python3/dist-packages/dbus/__init__.py",
        package: "python3-dbus",
        needed_for: "alerts on the desktop",
    },
    Tool {
        program: "/usr/lib/python3/dist-packages/gi/__init__.py",
        package: "python3-gi",
        needed_for: "alerts on the desktop",
    },
    Tool { program: "aiosmtpd", package: "python3-aiosmtpd", needed_for: "notifications by mail" },
    Tool { program: "victoria-metrics", package: "victoria-metrics", needed_for: "remote write" },
    Tool { program: "chromium", package: "chromium", needed_for: "the dashboard" },
    Tool { program: "npm", package: "npm", needed_for: "the dashboard" },
];

/// The oldest Node that the bundler and the browser tests run on.
const NODE_OLDEST: u32 = 20;

/// Installs missing packages when root and apt are there; else counts what is missing.
pub(super) fn packages(steps: &Steps<'_>, counts: &mut Counts) {
    let mut wanted: Vec<&str> = missing().iter().map(|tool| tool.package).collect();
    if node_version().is_none_or(|version| version < NODE_OLDEST) {
        wanted.push("nodejs");
    }
    if !wanted.is_empty() && is_root() && process::exists("apt-get") {
        install(steps, &wanted);
    }
    for tool in missing() {
        println!("missing: {} (Debian package {}), needed for {}", tool.program, tool.package, tool.needed_for);
        counts.skip(format!("tests of {}: {} is not installed", tool.needed_for, tool.program));
    }
    match node_version() {
        Some(version) if version >= NODE_OLDEST => {}
        Some(version) => counts.skip(format!("the dashboard: Node {version} is older than {NODE_OLDEST}")),
        None => counts.skip("the dashboard: Node is not installed"),
    }
}

fn missing() -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| !process::exists(tool.program)).collect()
}

/// The major version of the Node in `PATH`.
pub(super) fn node_version() -> Option<u32> {
    major(&process::output(Command::new("node").arg("--version")).ok()?)
}

fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Whether this process may install: its effective user is 0 by `/proc/self/status`.
pub(crate) fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    line.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}

/// Installs all packages at once; when one of them cannot be had, one after the other, so that it
/// costs the others nothing. A failure is told by what is missing afterwards.
fn install(steps: &Steps<'_>, wanted: &[&str]) {
    let _no_services = NoServices::start();
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-y", "-o", "DPkg::Lock::Timeout=120"]);
        command.args(arguments);
        command
    };
    if let Err(error) = steps.run("apt update", &mut apt(&["update"])) {
        println!("{error:#}");
    }
    let all: Vec<&str> = ["install", "--no-install-recommends"].iter().chain(wanted).copied().collect();
    if steps.run("apt install", &mut apt(&all)).is_ok() {
        return;
    }
    for package in wanted {
        if let Err(error) = steps.run("apt install one", &mut apt(&["install", "--no-install-recommends", package])) {
            println!("{error:#}");
        }
    }
}

/// While this lives, Debian's packages do not start their services: Prometheus and node_exporter are
/// wanted as programs to compare with, not as servers on a person's machine.
struct NoServices {
    made: bool,
}

impl NoServices {
    const POLICY: &'static str = "/usr/sbin/policy-rc.d";

    fn start() -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let path = Path::new(Self::POLICY);
        let made = !path.exists()
            && std::fs::write(path, "#!/bin/sh\nexit 101\n").is_ok()
            && std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).is_ok();
        Self { made }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.made && std::fs::remove_file(Self::POLICY).is_err() {
            println!("{} could not be removed: remove it by hand", Self::POLICY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_version_is_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("20"), None);
    }
}
