//! What no command may act upon: this host's own addresses, its gateways and resolvers, and what the configuration names.

use std::net::IpAddr;

use squirrel_notify::Texts;

/// Labels that say where an alert was measured, and not what it is about.
const MEASURED_BY: [&str; 3] = ["instance", "job", "alertname"];

/// Names, addresses and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protected {
    networks: Vec<Net>,
    names: Vec<String>,
}

/// A network, or one address of it with all bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Net {
    /// As 128 bits: IPv4 in its mapped place.
    first: u128,
    bits: u32,
}

impl Net {
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address = address.trim_start_matches('[').trim_end_matches(']');
        let address = address.split('%').next().unwrap_or(address);
        let address: IpAddr = address.parse().ok()?;
        let (value, offset) = match address {
            IpAddr::V4(v4) => (v4.to_ipv6_mapped().to_bits(), 96),
            IpAddr::V6(v6) => (v6.to_bits(), 0),
        };
        let bits = match bits {
            None => 128,
            Some(bits) => offset + bits.parse::<u32>().ok().filter(|bits| offset + bits <= 128)?,
        };
        Some(Self { first: value, bits })
    }

    /// Whether they have an address in common.
    fn meets(self, other: Self) -> bool {
        let shift = 128 - self.bits.min(other.bits);
        self.first.checked_shr(shift).unwrap_or(0) == other.first.checked_shr(shift).unwrap_or(0)
    }
}

impl Protected {
    /// What is protected always: this machine's loopback.
    pub fn loopback() -> Self {
        let nets = ["127.0.0.0/8", "::1", "0.0.0.0", "::"];
        Self { networks: nets.iter().filter_map(|net| Net::read(net)).collect(), names: vec!["localhost".to_owned()] }
    }

    /// Loopback, and addresses, networks and names as texts.
    ///
    /// # Errors
    /// A text that is empty, or a network that is none.
    pub fn read(texts: &[impl AsRef<str>]) -> Result<Self, String> {
        let mut protected = Self::loopback();
        for text in texts.iter().map(AsRef::as_ref) {
            match Net::read(text) {
                Some(net) => protected.networks.push(net),
                None if text.is_empty() || text.contains('/') => {
                    return Err(format!("{text:?} in protect is no address, network or name"));
                }
                None => protected.names.push(text.trim_end_matches('.').to_ascii_lowercase()),
            }
        }
        Ok(protected)
    }

    /// The first label that speaks of something protected.
    pub(crate) fn holds(&self, labels: &Texts) -> Option<String> {
        let told = labels.iter().filter(|(name, _)| !MEASURED_BY.contains(&name.as_str()));
        told.filter(|(_, value)| self.is_in(value))
            .map(|(name, value)| format!("{name}={}", crate::render::one_line(value, 80)))
            .next()
    }

    fn is_in(&self, value: &str) -> bool {
        let words =
            value.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '=' | '"' | '\'' | '(' | ')' | '@'));
        words.filter(|word| !word.is_empty()).any(|word| {
            // As it stands, and without a scheme, a path or a port.
            let bare = word.split_once("://").map_or(word, |(_, rest)| rest.split('/').next().unwrap_or(rest));
            let host = bare.rsplit_once(':').map_or(bare, |(host, _)| host);
            [word, bare, host].into_iter().any(|text| self.is_named(text))
        })
    }

    fn is_named(&self, text: &str) -> bool {
        let name = text.trim_end_matches('.').to_ascii_lowercase();
        let net = Net::read(text);
        self.names.contains(&name) || net.is_some_and(|net| self.networks.iter().any(|own| own.meets(net)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protected_things_are_found_however_they_are_written() {
        let protected = Protected::read(&["192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "Gateway.example."]).unwrap();
        for (value, is_found) in [
            ("192.0.2.1", true),
            ("192.0.2.1:443", true),
            ("::ffff:192.0.2.1", true),
            ("192.0.2.2", false),
            ("10.9.8.7", true),
            ("0.0.0.0/0", true),
            ("10.1.0.0/16", true),
            ("11.0.0.0/8", false),
            ("[2001:db8::7]:80", true),
            ("fe80::1%eth0", false),
            ("127.0.0.53", true),
            ("localhost", true),
            ("GATEWAY.example", true),
            ("https://gateway.example/x", true),
            ("peers: 198.51.100.7, 10.0.0.1", true),
            ("gateway.example.org", false),
            ("", false),
        ] {
            let labels = Texts::from([("remote".to_owned(), value.to_owned())]);
            assert_eq!(protected.holds(&labels).is_some(), is_found, "{value}");
        }
        let measured = Texts::from([("instance".to_owned(), "192.0.2.1:9100".to_owned())]);
        assert_eq!(protected.holds(&measured), None, "where it was measured is not what it is about");
        assert!(Protected::read(&["10.0.0.0/99"]).is_err() && Protected::read(&[""]).is_err());
    }
}
