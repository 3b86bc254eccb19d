//! What is checked, and within which time.

use std::net::IpAddr;
use std::time::Duration;

use crate::http::host_of_url;
use crate::icmp::host;
use crate::reach::host_and_port;
use crate::{DnsCheck, HttpCheck, IcmpCheck, NtpCheck, PluginCheck, TcpCheck};

/// A kind of check with its settings; the target is named when it is carried out.
#[derive(Debug)]
pub struct Module {
    /// The time for all of it, from the name to the last octet.
    pub timeout: Duration,
    /// What is looked at.
    pub prober: Prober,
}

/// What is looked at.
#[derive(Debug)]
#[non_exhaustive]
pub enum Prober {
    /// A web server. The target is a URL.
    Http(Box<HttpCheck>),
    /// A TCP server, with or without TLS. The target is `host:port`.
    Tcp(Box<TcpCheck>),
    /// A host, by an echo. The target is a name or an address.
    Icmp(IcmpCheck),
    /// A name server. The target is `host` or `host:port`.
    Dns(Box<DnsCheck>),
    /// A time server. The target is `host` or `host:port`.
    Ntp(NtpCheck),
    /// A program that follows the rules of Nagios' plugins. It knows its target by itself.
    Plugin(PluginCheck),
}

impl Prober {
    /// Its name in configurations and words.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
            Self::Icmp(_) => "icmp",
            Self::Dns(_) => "dns",
            Self::Ntp(_) => "ntp",
            Self::Plugin(_) => "plugin",
        }
    }

    /// The address that a target of this kind is written with; none for one with a name, and for what is no target of
    /// it, which is told when it is looked at.
    pub fn literal(&self, target: &str) -> Option<IpAddr> {
        let host = match self {
            Self::Http(_) => host_of_url(target),
            // The port is not what is asked for.
            Self::Tcp(_) | Self::Dns(_) | Self::Ntp(_) => host_and_port(target, Some(1)).ok().map(|(host, _)| host),
            Self::Icmp(_) => host(target).ok().map(str::to_owned),
            Self::Plugin(_) => None,
        };
        host?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_seen_in_the_targets_of_each_kind() {
        let dns = Prober::Dns(Box::new(DnsCheck::of("example.net", squirrel_wire::dns::RecordType(1))));
        let plugin = PluginCheck { program: "/bin/true".into(), arguments: Vec::new() };
        for (prober, target, expected) in [
            (Prober::Http(Box::default()), "https://[2001:db8::1]:8443/a?b", Some("2001:db8::1")),
            (Prober::Http(Box::default()), "http://192.0.2.1/", Some("192.0.2.1")),
            (Prober::Http(Box::default()), "https://example.net/192.0.2.1", None),
            (Prober::Http(Box::default()), "https://[2001:db8::1", None),
            (Prober::Tcp(Box::default()), "[2001:db8::1]:22", Some("2001:db8::1")),
            (Prober::Tcp(Box::default()), "example.net:22", None),
            (dns, "192.0.2.53", Some("192.0.2.53")),
            (Prober::Ntp(NtpCheck::default()), "2001:db8::7b", Some("2001:db8::7b")),
            (Prober::Icmp(IcmpCheck::default()), "[2001:db8::1]", Some("2001:db8::1")),
            (Prober::Plugin(plugin), "192.0.2.1", None),
        ] {
            let found = prober.literal(target).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{} {target}", prober.word());
        }
    }
}
