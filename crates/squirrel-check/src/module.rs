//! What is checked, and within which time.

use std::time::Duration;

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
}
