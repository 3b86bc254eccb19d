//! Names and servers of this host, from the texts of `/etc/hosts` and `/etc/resolv.conf`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Port of DNS.
const PORT: u16 = 53;
/// Servers that are asked at most, as resolv.conf(5) has it.
const MOST_SERVERS: usize = 3;
/// Names that are taken of a file at most.
const MOST_NAMES: usize = 1024;
/// Octets of the longest name that is taken (RFC 1035, section 2.3.4).
const LONGEST: usize = 255;

/// The servers of a text in the form of resolv.conf(5); this host itself, if it names none.
pub fn servers(text: &str) -> Vec<SocketAddr> {
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next().filter(|word| *word == "nameserver").and_then(|_| words.next())?;
        Some(SocketAddr::new(address.parse().ok()?, PORT))
    });
    let mut servers: Vec<_> = servers.take(MOST_SERVERS).collect();
    if servers.is_empty() {
        servers.push((Ipv4Addr::LOCALHOST, PORT).into());
    }
    servers
}

/// The first name of each address in a text in the form of hosts(5).
pub fn hosts(text: &str) -> BTreeMap<IpAddr, String> {
    let mut names = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let address = words.next().and_then(|word| word.parse().ok());
        let name = words.next().filter(|name| name.len() <= LONGEST);
        if let Some((address, name)) = address.zip(name)
            && names.len() < MOST_NAMES
        {
            names.entry(address).or_insert_with(|| name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn servers_are_read_and_without_any_it_is_this_host() {
        let text = "# comment\n; another\nsearch example.org\nnameserver 192.0.2.53\nnameserver\t2001:db8::53 \nnameserver fe80::1%eth0\nnameserver 192.0.2.1\nnameserver 192.0.2.2\noptions edns0\n";
        let found: Vec<_> = servers(text).iter().map(SocketAddr::to_string).collect();
        assert_eq!(found, ["192.0.2.53:53", "[2001:db8::53]:53", "192.0.2.1:53"]);
        assert_eq!(servers("nameserver\n"), [SocketAddr::from(([127, 0, 0, 1], 53))]);
    }

    #[test]
    fn the_first_name_of_an_address_is_its_name() {
        let names = hosts(
            "127.0.0.1 localhost self # 192.0.2.9 no\n192.0.2.1\tcore core.example\n192.0.2.1 other\n::1 six\nx y\n192.0.2.3\n",
        );
        assert_eq!(names.len(), 3);
        assert_eq!(names[&IpAddr::from([192, 0, 2, 1])], "core");
        assert_eq!(names[&IpAddr::from([127, 0, 0, 1])], "localhost");
    }

    proptest! {
        #[test]
        fn any_text_has_few_servers_and_names(text in "(\\PC|\n|nameserver |1.2.3.4 ){0,100}") {
            prop_assert!((1..=MOST_SERVERS).contains(&servers(&text).len()));
            prop_assert!(hosts(&text).values().all(|name| name.len() <= LONGEST));
        }
    }
}
