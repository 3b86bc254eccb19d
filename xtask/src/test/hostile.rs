//! A host for the browser tests whose interfaces have names and aliases that try to break a page, a
//! query or a terminal. It is a network namespace, so that none of it stands on a person's machine.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::namespace::Namespace;
use crate::process;
use crate::stopwatch::wait_until;

/// Longest wait for an interface to come up.
const PATIENCE: Duration = Duration::from_mins(1);

/// An interface to plant. The kernel takes any octets as a name but white space, `/`, `:` and `%`.
struct Planted {
    /// As the kernel has it, 15 octets at most.
    name: &'static [u8],
    /// The label `device`: octets that are not UTF-8 are written as `\xHH`.
    device: &'static str,
    /// The device as the page must show it.
    shown: &'static str,
    alias: &'static str,
    /// The alias as the page must show it.
    shown_alias: &'static str,
}

/// The first is the end of a pair with traffic, the others are bridges.
const PLANTED: &[Planted] = &[
    Planted {
        name: b"<b>x<b>",
        device: "<b>x<b>",
        shown: "<b>x<b>",
        alias: "<img src=x onerror=alert(1)>",
        shown_alias: "<img src=x onerror=alert(1)>",
    },
    Planted {
        name: b"a\"};x\\",
        device: "a\"};x\\",
        shown: "a\"};x\\",
        alias: "</span><script>document.title='owned'</script>",
        shown_alias: "</span><script>document.title='owned'</script>",
    },
    Planted {
        name: b"?a=1#b&c+d",
        device: "?a=1#b&c+d",
        shown: "?a=1#b&c+d",
        alias: "{{constructor}}${alert(1)}$device",
        shown_alias: "{{constructor}}${alert(1)}$device",
    },
    Planted {
        name: b"e\x1b[2J\xe2\x80\xae0h",
        device: "e\u{1b}[2J\u{202e}0h",
        shown: "e␛[2J⟨U+202E⟩0h",
        alias: "bell\u{7} \u{1b}[31mred\u{200b}\u{2066}",
        shown_alias: "bell␇ ␛[31mred⟨U+200B⟩⟨U+2066⟩",
    },
    Planted { name: b"bad\xff", device: "bad\\xff", shown: "bad\\xff", alias: "latin", shown_alias: "latin" },
];

/// Sends a datagram each 50 ms to an address that refuses it: there is traffic in both directions.
const TRAFFIC: &str = "const s = require('node:dgram').createSocket('udp4'); \
                       setInterval(() => s.send(Buffer.alloc(1000), 9, '192.0.2.2'), 50);";

/// The planted host; all of it is removed when dropped.
pub(super) struct HostileHost {
    traffic: Child,
    pub(super) namespace: Namespace,
    /// The other end of the pair.
    _peer: Namespace,
}

impl HostileHost {
    /// Makes the host with its neighbour, and starts the traffic between them.
    ///
    /// # Errors
    /// No privilege, or the kernel lacks pairs or bridges.
    pub(super) fn create() -> Result<Self> {
        let (namespace, peer) = (Namespace::create("host")?, Namespace::create("peer")?);
        let name = |planted: &Planted| OsStr::from_bytes(planted.name);
        for (index, planted) in PLANTED.iter().enumerate() {
            let name = name(planted);
            let kind: &[&str] = if index == 0 {
                &["type", "veth", "peer", "name", "far", "netns", peer.name()]
            } else {
                &["type", "bridge"]
            };
            namespace.ip(["link", "add", "name"]
                .map(OsStr::new)
                .into_iter()
                .chain([name])
                .chain(kind.iter().map(OsStr::new)))?;
            // An address of its own would come into force a second or two later, and each such change
            // makes a browser give up the requests that are under way.
            for end in [&["alias", planted.alias][..], &["addrgenmode", "none"], &["up"]] {
                let words = ["link", "set", "dev"].map(OsStr::new).into_iter().chain([name]);
                namespace.ip(words.chain(end.iter().map(OsStr::new)))?;
            }
        }
        let near = name(&PLANTED[0]);
        namespace.ip(["address", "add", "192.0.2.1/24", "dev"].map(OsStr::new).into_iter().chain([near]))?;
        peer.ip(["address", "add", "192.0.2.2/24", "dev", "far"])?;
        peer.ip(["link", "set", "far", "up"])?;
        // The kernel tells of the carrier up to a second late.
        ensure!(wait_until(PATIENCE, || is_up(&namespace)), "the pair of the hostile host does not come up");
        let traffic = namespace
            .command("node")
            .args(["-e", TRAFFIC])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("the traffic cannot be started")?;
        Ok(Self { traffic, namespace, _peer: peer })
    }

    /// A program to run on this host, which is told what was planted.
    pub(super) fn command(&self, program: &str) -> Command {
        let list: Vec<_> = PLANTED
            .iter()
            .map(|one| {
                json!({"device": one.device, "shown": one.shown, "alias": one.alias, "shownAlias": one.shown_alias})
            })
            .collect();
        let mut command = self.namespace.command(program);
        command.env("SQUIRREL_HOSTILE", json!(list).to_string());
        command
    }
}

/// Whether the end of the pair has its carrier: of all planted interfaces it alone can be `UP`.
fn is_up(namespace: &Namespace) -> bool {
    let list =
        process::output(Command::new("ip").args(["-n", namespace.name(), "-o", "link", "show", "up", "type", "veth"]));
    list.is_ok_and(|list| list.contains(" state UP "))
}

impl Drop for HostileHost {
    fn drop(&mut self) {
        // It may have ended already; the namespace goes in any case.
        drop(self.traffic.kill());
        drop(self.traffic.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_names_are_names_that_the_kernel_takes() {
        for Planted { name, device, .. } in PLANTED {
            assert!((1..16).contains(&name.len()), "{device}");
            let refused = |octet: &u8| octet.is_ascii_whitespace() || b"/:%".contains(octet);
            assert!(!name.iter().any(refused), "{device}");
        }
    }
}
