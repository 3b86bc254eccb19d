//! Names of ports.

use std::collections::BTreeMap;

/// Names that users write without looking them up, for hosts without a list of their own
/// (IANA's Service Name and Transport Protocol Port Number Registry).
const BUILT_IN: &[(&str, u16)] = &[
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("dns", 53),
    ("bootps", 67),
    ("bootpc", 68),
    ("tftp", 69),
    ("http", 80),
    ("kerberos", 88),
    ("pop3", 110),
    ("sunrpc", 111),
    ("ntp", 123),
    ("imap2", 143),
    ("imap", 143),
    ("snmp", 161),
    ("snmp-trap", 162),
    ("bgp", 179),
    ("ldap", 389),
    ("https", 443),
    ("microsoft-ds", 445),
    ("submissions", 465),
    ("isakmp", 500),
    ("syslog", 514),
    ("submission", 587),
    ("ldaps", 636),
    ("domain-s", 853),
    ("imaps", 993),
    ("pop3s", 995),
    ("ms-sql-s", 1433),
    ("mqtt", 1883),
    ("nfs", 2049),
    ("mysql", 3306),
    ("ms-wbt-server", 3389),
    ("ipsec-nat-t", 4500),
    ("sip", 5060),
    ("mdns", 5353),
    ("postgresql", 5432),
    ("amqp", 5672),
    ("redis", 6379),
    ("http-alt", 8080),
    ("wireguard", 51820),
];

/// Port numbers by the names of their services.
#[derive(Clone, Debug)]
pub struct Services(BTreeMap<String, u16>);

impl Default for Services {
    /// The usual names.
    fn default() -> Self {
        Self(BUILT_IN.iter().map(|(name, port)| ((*name).to_owned(), *port)).collect())
    }
}

impl Services {
    /// The usual names, and over them those of a text in the form of `/etc/services` (services(5)): a name, a
    /// port with its protocol, other names. The first line with a name counts; lines of another shape are passed over.
    pub fn with(text: &str) -> Self {
        let mut own = BTreeMap::new();
        for line in text.lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
            let (Some(name), Some(place)) = (words.next(), words.next()) else { continue };
            let Some(port) = place.split_once('/').and_then(|(port, _)| port.parse().ok()) else { continue };
            for name in std::iter::once(name).chain(words) {
                own.entry(name.to_ascii_lowercase()).or_insert(port);
            }
        }
        let mut services = Self::default();
        services.0.extend(own);
        services
    }

    /// The port of a number or a name.
    pub fn port(&self, text: &str) -> Option<u16> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok();
        }
        self.0.get(&text.to_ascii_lowercase()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_number_or_a_name_and_the_hosts_own_list_wins() {
        let services = Services::with("ssh 2222/tcp # moved\nweb\t8000/tcp www\nbroken\nx y/tcp\n# c 1/tcp");
        let port = |text: &str| services.port(text);
        assert_eq!(
            (port("ssh"), port("WWW"), port("https"), port("443")),
            (Some(2222), Some(8000), Some(443), Some(443))
        );
        assert_eq!((port("c"), port("broken"), port("65536"), port(""), port("-1")), (None, None, None, None, None));
    }
}
