//! Hosts in a row: a client, routers, a server, each in a network namespace of its own, joined by pairs of veth.

use std::time::Duration;

use crate::{Namespace, until};

/// A client, some routers and a server in a row, with IPv4 and IPv6.
///
/// Link `n` (from 0) joins host `n` and host `n + 1`: 10.77.n.1 and 10.77.n.2, fd77:n::1 and fd77:n::2, on interfaces
/// `right` of the one and `left` of the other.
#[derive(Debug)]
pub struct Chain {
    hosts: Vec<Namespace>,
}

impl Chain {
    /// Joins a client and a server by so many routers.
    ///
    /// # Errors
    /// A sentence that says why it cannot be made here; pass it to [`skip`](crate::skip).
    pub fn create(purpose: &str, routers: usize) -> Result<Self, String> {
        let hosts = (0..routers + 2).map(|_| Namespace::create(purpose)).collect::<Result<Vec<_>, _>>()?;
        let chain = Self { hosts };
        for host in &chain.hosts {
            for setting in [
                "net.ipv4.ip_forward=1",
                "net.ipv6.conf.all.forwarding=1",
                // An address is used at once, and not after a second of looking for its double.
                "net.ipv6.conf.all.accept_dad=0",
                "net.ipv6.conf.default.accept_dad=0",
                // Hops shall answer each probe; tests that want them silent say so.
                "net.ipv4.icmp_ratelimit=0",
                "net.ipv6.icmp.ratelimit=0",
                "net.ipv4.icmp_msgs_per_sec=100000",
            ] {
                // A kernel without one of them does without it.
                let _ = host.run("sysctl", &["-qw", setting]);
            }
        }
        for (number, pair) in chain.hosts.windows(2).enumerate() {
            let [near, far] = pair else { continue };
            near.ip(&["link", "add", "right", "type", "veth", "peer", "name", "left", "netns", far.name()])?;
            for (host, interface, end) in [(near, "right", 1), (far, "left", 2)] {
                host.ip(&["addr", "add", &format!("10.77.{number}.{end}/24"), "dev", interface])?;
                host.ip(&["addr", "add", &format!("fd77:{number}::{end}/64"), "dev", interface, "nodad"])?;
                host.ip(&["link", "set", interface, "up"])?;
            }
        }
        chain.routes()?;
        chain.wait_until_up()?;
        Ok(chain)
    }

    /// The kernel tells of a link that came up up to a second later, and IPv6 waits for that.
    fn wait_until_up(&self) -> Result<(), String> {
        let says = |host: &Namespace, arguments: &[&str]| {
            let output = std::process::Command::new("ip").args(["-n", host.name(), "-o"]).args(arguments).output();
            output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
        };
        let is_up = |host: &Namespace| {
            let links = says(host, &["link", "show", "type", "veth"]);
            links.lines().all(|link| link.contains("state UP"))
                && says(host, &["-6", "addr", "show", "tentative"]).is_empty()
        };
        if until(Duration::from_mins(1), || self.hosts.iter().all(is_up)) {
            Ok(())
        } else {
            Err("the links do not come up".to_owned())
        }
    }

    fn routes(&self) -> Result<(), String> {
        let last = self.hosts.len() - 1;
        for (place, host) in self.hosts.iter().enumerate() {
            for link in (0..last).filter(|link| *link != place && link + 1 != place) {
                let (v4, v6) = if link > place {
                    (format!("10.77.{place}.2"), format!("fd77:{place}::2"))
                } else {
                    (format!("10.77.{}.1", place - 1), format!("fd77:{}::1", place - 1))
                };
                host.ip(&["route", "add", &format!("10.77.{link}.0/24"), "via", &v4])?;
                host.ip(&["-6", "route", "add", &format!("fd77:{link}::/64"), "via", &v6])?;
            }
        }
        Ok(())
    }

    /// The host at a place: 0 is the client.
    ///
    /// # Panics
    /// When there is no such place.
    pub fn host(&self, place: usize) -> &Namespace {
        &self.hosts[place]
    }

    /// The client.
    pub fn client(&self) -> &Namespace {
        self.host(0)
    }

    /// The server.
    pub fn server(&self) -> &Namespace {
        self.host(self.hosts.len() - 1)
    }

    /// The server's addresses, of IPv4 and IPv6.
    pub fn server_addresses(&self) -> [String; 2] {
        let link = self.hosts.len() - 2;
        [format!("10.77.{link}.2"), format!("fd77:{link}::2")]
    }
}
