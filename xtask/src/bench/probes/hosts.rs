//! Hosts in a row, each in a network namespace, joined by pairs of veth.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::namespace::Namespace;
use crate::process;
use crate::stopwatch::wait_until;

/// A client and so many hosts behind it, the last of them the server.
///
/// Link `n` (from 0) joins host `n` and host `n + 1`: 10.77.n.1 on `right` of the one, 10.77.n.2 on `left` of the other.
pub(super) struct Hosts(Vec<Namespace>);

impl Hosts {
    pub(super) fn create(hops: usize) -> Result<Self> {
        let create = |number| Namespace::create(&format!("hop{hops}-{number}"));
        let hosts: Vec<Namespace> =
            (0..=hops).map(create).collect::<Result<_>>().context("a network namespace needs root")?;
        for host in &hosts {
            for setting in [
                "net.ipv4.ip_forward=1",
                // Each question is answered, and every user may ask.
                "net.ipv4.icmp_ratelimit=0",
                "net.ipv4.icmp_msgs_per_sec=100000",
                "net.ipv4.ping_group_range=0 2147483647",
            ] {
                process::output(host.command("sysctl").args(["-qw", setting]))?;
            }
        }
        for (number, pair) in hosts.windows(2).enumerate() {
            let [near, far] = pair else { continue };
            near.ip(["link", "add", "right", "type", "veth", "peer", "name", "left", "netns", far.name()])?;
            for (host, interface, end) in [(near, "right", 1), (far, "left", 2)] {
                host.ip(["addr", "add", &format!("10.77.{number}.{end}/24"), "dev", interface])?;
                host.ip(["link", "set", interface, "up"])?;
            }
        }
        for (place, host) in hosts.iter().enumerate() {
            for link in (0..hops).filter(|link| *link != place && link + 1 != place) {
                let way = if link > place { format!("10.77.{place}.2") } else { format!("10.77.{}.1", place - 1) };
                host.ip(["route", "add", &format!("10.77.{link}.0/24"), "via", &way])?;
            }
        }
        let hosts = Self(hosts);
        let answers = || {
            let ping = ["-c", "1", "-W", "1", &hosts.address()];
            process::output(hosts.client().command("ping").args(ping)).is_ok()
        };
        if !wait_until(std::time::Duration::from_secs(20), answers) {
            bail!("the last of {hops} hosts does not answer");
        }
        Ok(hosts)
    }

    pub(super) fn client(&self) -> &Namespace {
        &self.0[0]
    }

    pub(super) fn server(&self) -> &Namespace {
        &self.0[self.0.len() - 1]
    }

    /// The server's address.
    pub(super) fn address(&self) -> String {
        format!("10.77.{}.2", self.0.len() - 2)
    }

    /// Lets a rule of nftables at this hook of a host decide.
    pub(super) fn firewall(&self, host: usize, hook: &str, rule: &str) -> Result<()> {
        let run = |words: &[&str]| -> Result<()> {
            let mut command: Command = self.0[host].command("nft");
            process::output(command.args(words)).map(drop)
        };
        run(&["add", "table", "inet", "bench"])?;
        run(&["add", "chain", "inet", "bench", hook, &format!("{{ type filter hook {hook} priority 0; }}")])?;
        let words: Vec<&str> = rule.split(' ').collect();
        run(&[&["add", "rule", "inet", "bench", hook], words.as_slice()].concat())
    }
}
