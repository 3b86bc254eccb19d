//! What no command may act upon: this host's addresses and name, its gateways, its resolvers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use squirrel_channels::Protected;
use squirrel_sys::Kernel;

/// Reads what is to be protected now. What cannot be read protects nothing; loopback always is.
pub(crate) fn protected(kernel: &dyn Kernel) -> Protected {
    let read = |path: &str| {
        let mut bytes = Vec::new();
        if kernel.read(path, &mut bytes).is_err() {
            bytes.clear();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let mut found: Vec<String> = Vec::new();
    let addresses = own_v4(&read("/proc/net/fib_trie"))
        .into_iter()
        .map(IpAddr::V4)
        .chain(own_v6(&read("/proc/net/if_inet6")).into_iter().map(IpAddr::V6))
        .chain(gateways_v4(&read("/proc/net/route")).into_iter().map(IpAddr::V4))
        .chain(gateways_v6(&read("/proc/net/ipv6_route")).into_iter().map(IpAddr::V6))
        .chain(resolvers(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default()));
    found.extend(addresses.map(|address| address.to_string()));
    found.extend(Some(read("/proc/sys/kernel/hostname").trim().to_owned()).filter(|name| !name.is_empty()));
    Protected::read(&found).unwrap_or_else(|_| Protected::loopback())
}

/// Addresses that the routing tables call local (`net/ipv4/fib_trie.c`): a line with the address, and below it
/// `/32 host LOCAL`.
fn own_v4(text: &str) -> Vec<Ipv4Addr> {
    let mut out = Vec::new();
    let mut last: Option<Ipv4Addr> = None;
    for line in text.lines() {
        if let Some((_, address)) = line.split_once("|-- ") {
            last = address.trim().parse().ok();
        } else if line.contains("/32 host LOCAL") {
            out.extend(last);
        }
    }
    out.sort();
    out.dedup();
    out
}

/// The first column of `/proc/net/if_inet6`: 32 hexadecimal digits.
fn own_v6(text: &str) -> Vec<Ipv6Addr> {
    text.lines().filter_map(|line| hexadecimal(line.split_whitespace().next()?)).collect()
}

fn hexadecimal(digits: &str) -> Option<Ipv6Addr> {
    if digits.len() == 32 { u128::from_str_radix(digits, 16).ok().map(Ipv6Addr::from_bits) } else { None }
}

/// The third column of `/proc/net/route`, where it is one: a number in the host's order, shown in hexadecimal.
fn gateways_v4(text: &str) -> Vec<Ipv4Addr> {
    let number = |line: &str| u32::from_str_radix(line.split_whitespace().nth(2)?, 16).ok();
    let numbers = text.lines().skip(1).filter_map(number);
    numbers.filter(|number| *number != 0).map(|number| Ipv4Addr::from(number.to_ne_bytes())).collect()
}

/// The fifth column of `/proc/net/ipv6_route`.
fn gateways_v6(text: &str) -> Vec<Ipv6Addr> {
    let found = text.lines().filter_map(|line| hexadecimal(line.split_whitespace().nth(4)?));
    found.filter(|address| !address.is_unspecified()).collect()
}

/// `nameserver` lines of resolv.conf(5).
fn resolvers(text: &str) -> Vec<IpAddr> {
    let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    servers.filter_map(|rest| rest.trim().split('%').next()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_gateways_and_resolvers_are_read() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 192.0.2.7\n        \
                    /32 host LOCAL\n     |-- 192.0.2.255\n        /32 link BROADCAST\n";
        assert_eq!(own_v4(trie), [Ipv4Addr::new(192, 0, 2, 7)]);
        assert_eq!(
            own_v6("20010db8000000000000000000000001 02 40 00 80 eth0\n"),
            ["2001:db8::1".parse::<Ipv6Addr>().unwrap()]
        );
        let route = "Iface Destination Gateway\neth0 00000000 010200C0 0003\neth0 000200C0 00000000 0001\n";
        assert_eq!(gateways_v4(route).len(), 1);
        assert_eq!(resolvers("# x\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\nsearch a\n").len(), 2);
        let v6 = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 x\n";
        assert_eq!(gateways_v6(v6), ["fe80::1".parse::<Ipv6Addr>().unwrap()]);
    }
}
