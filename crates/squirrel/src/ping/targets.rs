//! Whom to ask: names, addresses, subnets, and files of them.

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs as _};
use std::path::Path;

use anyhow::{Context as _, bail};

/// Targets of one run at most: a subnet of /16.
const MOST: usize = 1 << 16;
/// Octets of a file of targets at most.
const MOST_OCTETS: u64 = 16 << 20;

/// A target and what was found for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// As it was named.
    pub(crate) name: String,
    /// Its address, or why there is none.
    pub(crate) address: Result<IpAddr, String>,
}

/// Which addresses of a name are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) ipv4: bool,
    pub(crate) ipv6: bool,
    pub(crate) all: bool,
}

impl Wanted {
    fn takes(self, address: IpAddr) -> bool {
        if address.is_ipv4() { self.ipv4 } else { self.ipv6 }
    }
}

/// The targets that were named, those of the file after them. A name without an address is a target too: that it has
/// none is told beside the others.
///
/// # Errors
/// A file that cannot be read, a subnet that is none or too large, no target at all.
pub(crate) fn targets(named: &[String], file: Option<&Path>, wanted: Wanted) -> anyhow::Result<Vec<Target>> {
    let listed = file.map(read).transpose()?.unwrap_or_default();
    let names = listed.lines().map(|line| line.split_once('#').map_or(line, |(name, _)| name).trim());
    let mut targets = Vec::new();
    for name in named.iter().map(String::as_str).chain(names).filter(|name| !name.is_empty()) {
        match name.split_once('/') {
            Some((address, length)) => subnet(name, address, length, &mut targets)?,
            None => resolve(name, wanted, &mut targets),
        }
        if targets.len() > MOST {
            bail!("more than {MOST} targets: ask a smaller subnet, or run several");
        }
    }
    if targets.is_empty() {
        bail!("nobody to ask: name a target, such as `squirrel ping 192.0.2.1`, or --file FILE");
    }
    Ok(targets)
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(MOST_OCTETS).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(MOST_OCTETS).read_to_string(&mut text))
    };
    read.with_context(|| format!("cannot read the targets in {}", file.display()))?;
    Ok(text)
}

fn resolve(name: &str, wanted: Wanted, targets: &mut Vec<Target>) {
    let found = match name.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => match (name, 0).to_socket_addrs() {
            Ok(found) => {
                let mut found: Vec<_> = found.map(|one| one.ip()).filter(|one| wanted.takes(*one)).collect();
                found.dedup();
                found.truncate(if wanted.all { MOST } else { 1 });
                found
            }
            Err(_) => Vec::new(),
        },
    };
    let target = |address| Target { name: name.to_owned(), address };
    if found.is_empty() {
        let kind = match (wanted.ipv4, wanted.ipv6) {
            (true, false) => "IPv4 address",
            (false, true) => "IPv6 address",
            _ => "address",
        };
        targets.push(target(Err(format!("the name has no {kind} here; `getent ahosts {name}` shows what is found"))));
    }
    targets.extend(found.into_iter().map(|address| target(Ok(address))));
}

/// All hosts of a subnet: of IPv4 without the network's own address and the broadcast's, where it has them.
fn subnet(name: &str, address: &str, length: &str, targets: &mut Vec<Target>) -> anyhow::Result<()> {
    let address: IpAddr = address.parse().with_context(|| format!("{name:?} is no subnet, such as 192.0.2.0/24"))?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let length: u32 = length
        .parse()
        .ok()
        .filter(|length| *length <= bits)
        .with_context(|| format!("{name:?} is no subnet: its length is 0 to {bits}"))?;
    let free = bits - length;
    if free > MOST.ilog2() {
        bail!("{name} has more than {MOST} addresses; ask a smaller subnet");
    }
    let whole = match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    };
    let count = 1_u128 << free;
    let first = whole & !(count - 1);
    let edges = u128::from(address.is_ipv4() && free > 1);
    for number in first + edges..first + count - edges {
        let address: IpAddr = match address {
            IpAddr::V4(_) => Ipv4Addr::from(number as u32).into(),
            IpAddr::V6(_) => Ipv6Addr::from(number).into(),
        };
        targets.push(Target { name: address.to_string(), address: Ok(address) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Wanted = Wanted { ipv4: true, ipv6: true, all: false };

    fn addresses(named: &str) -> Vec<String> {
        let found = targets(&[named.to_owned()], None, BOTH).expect("targets");
        found.into_iter().map(|one| one.address.expect("an address").to_string()).collect()
    }

    #[test]
    fn a_subnet_is_its_hosts() {
        assert_eq!(addresses("192.0.2.5/30"), ["192.0.2.5", "192.0.2.6"]);
        assert_eq!(addresses("192.0.2.4/31"), ["192.0.2.4", "192.0.2.5"], "RFC 3021");
        assert_eq!(addresses("192.0.2.4/32"), ["192.0.2.4"]);
        assert_eq!(addresses("255.255.255.254/31"), ["255.255.255.254", "255.255.255.255"]);
        assert_eq!(addresses("2001:db8::/127"), ["2001:db8::", "2001:db8::1"]);
        assert_eq!(addresses("192.0.2.0/24").len(), 254);
    }

    #[test]
    fn what_is_no_subnet_or_too_large_is_refused() {
        for wrong in ["192.0.2.0/33", "x/24", "10.0.0.0/8", "::/0", "192.0.2.0/"] {
            let error = targets(&[wrong.to_owned()], None, BOTH).expect_err(wrong);
            assert!(error.to_string().contains(wrong), "{error}");
        }
        assert!(targets(&[], None, BOTH).is_err());
    }

    #[test]
    fn a_file_has_a_target_a_line() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("targets");
        std::fs::write(&file, "# routers\n192.0.2.1  # the first\n\n ::1\n").expect("written");
        let found = targets(&["127.0.0.1".to_owned()], Some(&file), BOTH).expect("targets");
        let names: Vec<_> = found.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["127.0.0.1", "192.0.2.1", "::1"]);
        assert!(targets(&[], Some(&dir.path().join("none")), BOTH).is_err());
    }

    #[test]
    fn a_name_without_an_address_stands_beside_the_others() {
        let found = targets(&["no.such.name.invalid".to_owned(), "127.0.0.1".to_owned()], None, BOTH).expect("targets");
        assert!(found[0].address.is_err() && found[1].address.is_ok());
    }
}
