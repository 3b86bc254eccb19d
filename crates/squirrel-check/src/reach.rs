//! From a target to a connection: one address of it, that the rules allow.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use squirrel_outbound::{AddressRules, Resolve, allowed_addresses};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::time::Instant;

use crate::finding::{Failed, Notes};
use crate::metrics;

/// A version of IP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IpVersion {
    /// IPv4.
    V4,
    /// IPv6.
    #[default]
    V6,
}

impl IpVersion {
    /// The version of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv6() { Self::V6 } else { Self::V4 }
    }

    /// Its number: 4 or 6.
    pub fn number(self) -> u8 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }
}

impl fmt::Display for IpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IPv{}", self.number())
    }
}

/// Which of a name's addresses is looked at. One is, and no other is tried when it does not answer: a check says
/// whether this one works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The version that is preferred.
    pub preferred: IpVersion,
    /// Whether the other will do when there is no address of the preferred one.
    pub fallback: bool,
    /// The address that is sent from.
    pub source: Option<IpAddr>,
}

impl Default for Reach {
    fn default() -> Self {
        Self { preferred: IpVersion::V6, fallback: true, source: None }
    }
}

/// Who answers for names, and which addresses are allowed.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) resolver: &'a dyn Resolve,
    pub(crate) rules: &'a AddressRules,
    /// The one version of IP that will do, whatever is preferred.
    pub(crate) only: Option<IpVersion>,
}

/// `host:port`, with an IPv6 address in brackets; without a port the usual one, if there is one.
pub(crate) fn host_and_port(target: &str, usual: Option<u16>) -> Result<(String, u16), Failed> {
    let target = target.trim();
    let refused = |why: &str| Failed::new(format!("the target {target:?} is {why}"));
    if let Some(rest) = target.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(|| refused("an address without its closing bracket"))?;
        let port = match after.strip_prefix(':') {
            Some(port) => number(port),
            None if after.is_empty() => usual,
            None => None,
        };
        let port = port.ok_or_else(|| refused("without a port: write [address]:port"))?;
        return Ok((host.to_owned(), port));
    }
    let (host, port) = match (target.parse::<IpAddr>().is_ok(), target.split_once(':')) {
        (false, Some((host, port))) => {
            (host, number(port).ok_or_else(|| refused("not host:port with a port from 1 to 65535"))?)
        }
        _ => (target, usual.ok_or_else(|| refused("without a port: write host:port"))?),
    };
    if host.is_empty() || host.len() > 253 {
        return Err(refused("without a host that could be one"));
    }
    Ok((host.to_owned(), port))
}

fn number(port: &str) -> Option<u16> {
    let is_number = port.bytes().all(|octet| octet.is_ascii_digit());
    port.parse().ok().filter(|port| is_number && *port > 0)
}

impl Way<'_> {
    /// The address of a host that is looked at, and how long the question took.
    pub(crate) async fn address(
        self,
        host: &str,
        port: u16,
        reach: Reach,
        notes: &mut Notes,
    ) -> Result<(SocketAddr, Duration), Failed> {
        let begin = Instant::now();
        // The rows are of the target itself, and not of where it leads.
        let is_target = !notes.has(&metrics::IP_PROTOCOL);
        if is_target {
            // There before the answer is, so that a name that is not found has them too.
            notes.set(&metrics::IP_PROTOCOL, 0.0);
            notes.set(&metrics::IP_ADDR_HASH, 0.0);
            notes.set(&metrics::DNS_LOOKUP_TIME, 0.0);
        }
        let found = allowed_addresses(self.resolver, host, port, self.rules).await;
        let took = begin.elapsed();
        if is_target {
            notes.set(&metrics::DNS_LOOKUP_TIME, took.as_secs_f64());
        }
        let found = found.map_err(|error| Failed::new(format!("{host}: {error}")))?;
        let wanted = self.only.unwrap_or(reach.preferred);
        let other_will_do = reach.fallback && self.only.is_none();
        let is_wanted = |address: &&SocketAddr| IpVersion::of(address.ip()) == wanted;
        let chosen = found.iter().find(is_wanted).or_else(|| found.first().filter(|_| other_will_do));
        let chosen = *chosen.ok_or_else(|| Failed::new(format!("{host} has no address of {wanted}")))?;
        if is_target {
            notes.set(&metrics::IP_PROTOCOL, if chosen.is_ipv6() { 6.0 } else { 4.0 });
            notes.set(&metrics::IP_ADDR_HASH, f64::from(fnv1a(chosen.ip())));
        }
        notes.say(&format!("{host} is looked at by {}", chosen.ip()));
        Ok((chosen, took))
    }
}

impl Reach {
    pub(crate) fn source_for(self, to: SocketAddr) -> Result<Option<SocketAddr>, Failed> {
        let Some(source) = self.source else { return Ok(None) };
        if source.is_ipv6() == to.is_ipv6() {
            return Ok(Some(SocketAddr::new(source, 0)));
        }
        Err(Failed::new(format!("{} cannot be reached from {source}, which is of another version of IP", to.ip())))
    }

    /// A connection.
    pub(crate) async fn connect(self, to: SocketAddr) -> Result<TcpStream, Failed> {
        let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.map_err(|error| Failed::new(format!("no socket: {}", in_words(&error))))?;
        if let Some(source) = self.source_for(to)? {
            socket.bind(source).map_err(|error| Failed::new(format!("{}: {}", source.ip(), in_words(&error))))?;
        }
        let stream = socket.connect(to).await.map_err(|error| Failed::new(format!("{to}: {}", in_words(&error))))?;
        // Questions are written whole; waiting for more to send would only delay their ends.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    /// A socket for datagrams to and from one place.
    pub(crate) async fn datagrams(self, to: SocketAddr) -> Result<UdpSocket, Failed> {
        let any: SocketAddr = if to.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
        let local = self.source_for(to)?.unwrap_or(any);
        let failed = |error: std::io::Error| Failed::new(format!("{to}: {}", in_words(&error)));
        let socket = UdpSocket::bind(local).await.map_err(failed)?;
        socket.connect(to).await.map_err(failed)?;
        Ok(socket)
    }
}

/// What the system says, without its number.
pub(crate) fn in_words(error: &std::io::Error) -> String {
    squirrel_model::without_numbers(&error.to_string()).to_lowercase()
}

/// FNV-1a of 32 bits over the octets of an address: blackbox_exporter's way to show that it changed.
fn fnv1a(address: IpAddr) -> u32 {
    let add = |hash: u32, octets: &[u8]| {
        octets.iter().fold(hash, |hash, octet| (hash ^ u32::from(*octet)).wrapping_mul(16_777_619))
    };
    match address {
        IpAddr::V4(address) => add(2_166_136_261, &address.octets()),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(inner) => add(2_166_136_261, &inner.octets()),
            None => add(2_166_136_261, &address.octets()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        let read = |target: &str, usual| host_and_port(target, usual).ok();
        let is = |host: &str, port| Some((host.to_owned(), port));
        for (target, usual, expected) in [
            ("a:80", None, is("a", 80)),
            (" a:80 ", Some(53), is("a", 80)),
            ("a", Some(53), is("a", 53)),
            ("[::1]:8080", None, is("::1", 8080)),
            ("[::1]", Some(53), is("::1", 53)),
            ("::1", Some(53), is("::1", 53)),
            ("a", None, None),
            ("::1", None, None),
            ("[::1", Some(1), None),
            ("[::1]x", Some(1), None),
            ("a:0", Some(1), None),
            ("a:+1", Some(1), None),
            ("a:65536", Some(1), None),
            (":80", None, None),
            ("", Some(53), None),
        ] {
            assert_eq!(read(target, usual), expected, "{target:?}");
        }
    }

    #[test]
    fn the_hash_is_that_of_the_definition() {
        for text in ["127.0.0.1", "::ffff:127.0.0.1"] {
            assert_eq!(fnv1a(text.parse().unwrap()), 3_668_918_509, "{text}");
        }
    }
}
