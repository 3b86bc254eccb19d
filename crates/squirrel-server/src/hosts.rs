//! By which names this server may be addressed.
//!
//! A page of another site can make a browser send requests to 127.0.0.1 under a name of its own
//! (DNS rebinding); the name then stands in the `Host` header. So only known names are answered.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A host and perhaps a port, as in a `Host` header or the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    host: Host,
    port: Option<u16>,
}

/// Why a text is no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a host: write a name or an address, and a port if one is needed, such as \"monitor.example.org\" or \"[::1]:7775\""
)]
pub struct AllowedHostError(pub String);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    /// Lower case, without a trailing dot.
    Name(String),
}

impl AllowedHost {
    /// Reads `host`, `host:port`, `1.2.3.4:port`, `[::1]:port`.
    ///
    /// # Errors
    /// A text of another shape.
    pub fn parse(text: &str) -> Result<Self, AllowedHostError> {
        Self::read(text).ok_or_else(|| AllowedHostError(text.to_owned()))
    }

    fn read(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            let address = IpAddr::V6(address.parse().ok()?).to_canonical();
            let port = if rest.is_empty() { None } else { Some(read_port(rest.strip_prefix(':')?)?) };
            return Some(Self { host: Host::Address(address), port });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(read_port(port)?)),
            None => (text, None),
        };
        let host = match host.parse::<IpAddr>() {
            Ok(address) => Host::Address(address),
            Err(_) => Host::Name(read_name(host)?),
        };
        Some(Self { host, port })
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            Host::Address(address) => write!(f, "{address}")?,
            Host::Name(name) => f.write_str(name)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Digits only: `parse` alone would take `+80`.
fn read_port(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A name in the letters of DNS, its case and its root dot taken away. Anything that could be
/// another notation of an address (`127.1`, `0x7f000001`) is no name of ours.
fn read_name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let fits = !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| !label.is_empty())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    fits.then(|| name.to_ascii_lowercase())
}

/// The names and addresses of one server.
#[derive(Clone, Debug)]
pub(crate) struct HostRules {
    bound: Vec<SocketAddr>,
    configured: Vec<AllowedHost>,
}

impl HostRules {
    pub(crate) fn new(bound: Vec<SocketAddr>, configured: Vec<AllowedHost>) -> Self {
        Self { bound, configured }
    }

    /// Whether a request that came in at `local` may address this server as `text`.
    pub(crate) fn allows(&self, text: &str, local: SocketAddr) -> bool {
        AllowedHost::read(text).is_some_and(|asked| self.allows_host(&asked, local))
    }

    fn allows_host(&self, asked: &AllowedHost, local: SocketAddr) -> bool {
        let port = asked.port.unwrap_or(80);
        let right_port = self.bound.iter().any(|bound| bound.port() == port);
        let own = match &asked.host {
            // An address cannot be rebound: whoever wrote it meant this machine.
            Host::Address(address) => {
                address.is_loopback()
                    && [[127, 0, 0, 1].into(), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])].contains(address)
                    || *address == local.ip().to_canonical()
                    || self.bound.iter().any(|bound| bound.ip().to_canonical() == *address && !address.is_unspecified())
            }
            Host::Name(name) => name == "localhost",
        };
        if own && right_port {
            return true;
        }
        // A configured name without a port also stands for a proxy in front of us, at any usual port.
        self.configured.iter().any(|allowed| {
            allowed.host == asked.host
                && match allowed.port {
                    Some(port) => asked.port == Some(port),
                    None => right_port || matches!(asked.port, None | Some(80 | 443)),
                }
        })
    }

    /// The names, for the sentence that refuses another.
    pub(crate) fn examples(&self) -> String {
        let port = self.bound.first().map_or(0, SocketAddr::port);
        let mut names = vec![format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")];
        names.extend(self.configured.iter().map(AllowedHost::to_string));
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules() -> HostRules {
        HostRules::new(
            vec!["127.0.0.1:7775".parse().unwrap(), "[::1]:7775".parse().unwrap()],
            vec![AllowedHost::parse("Monitor.Example.org").unwrap(), AllowedHost::parse("nas:8443").unwrap()],
        )
    }

    #[test]
    fn only_own_names_with_the_right_port_are_answered() {
        let local = "127.0.0.1:7775".parse().unwrap();
        let cases: [(&str, bool); 32] = [
            ("localhost:7775", true),
            ("LOCALHOST:7775", true),
            ("localhost.:7775", true),
            ("127.0.0.1:7775", true),
            ("[::1]:7775", true),
            ("[0:0:0:0:0:0:0:1]:7775", true),
            ("[::ffff:127.0.0.1]:7775", true),
            ("monitor.example.org", true),
            ("monitor.example.org:443", true),
            ("monitor.example.org.:7775", true),
            ("nas:8443", true),
            ("localhost", false),
            ("localhost:80", false),
            ("localhost:7776", false),
            ("127.0.0.1", false),
            ("127.0.0.2:7775", false),
            ("127.1:7775", false),
            ("2130706433:7775", false),
            ("0.0.0.0:7775", false),
            ("[::]:7775", false),
            ("::1:7775", false),
            ("localhost.evil.example:7775", false),
            ("evil.example:7775", false),
            ("localhost:7775@evil.example", false),
            ("evil@localhost:7775", false),
            ("localhost:7775:7775", false),
            ("localhost:+7775", false),
            ("localhost..:7775", false),
            ("monitor.example.org:9000", false),
            ("nas", false),
            ("localhost:", false),
            ("", false),
        ];
        for (host, allowed) in cases {
            assert_eq!(rules().allows(host, local), allowed, "{host}");
        }
    }

    #[test]
    fn on_all_addresses_the_one_that_was_connected_to_is_ours() {
        let rules = HostRules::new(vec!["0.0.0.0:7775".parse().unwrap()], vec![]);
        let local = "192.0.2.7:7775".parse().unwrap();
        assert!(rules.allows("192.0.2.7:7775", local) && rules.allows("localhost:7775", local));
        assert!(!rules.allows("192.0.2.8:7775", local) && !rules.allows("0.0.0.0:7775", local));
    }

    #[test]
    fn a_host_is_shown_as_it_is_read() {
        for text in ["monitor.example.org", "nas:8443", "[::1]:7775", "192.0.2.7"] {
            assert_eq!(AllowedHost::parse(text).unwrap().to_string(), text);
        }
        assert!(AllowedHost::parse("http://nas").unwrap_err().to_string().contains("http://nas"));
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic_or_a_way_in(text in "[a-z0-9.:@\\[\\]%/-]{0,24}") {
            let local = "127.0.0.1:7775".parse().unwrap();
            if rules().allows(&text, local) {
                prop_assert!(AllowedHost::parse(&text).is_ok());
            }
        }
    }
}
