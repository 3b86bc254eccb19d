//! Autonomous systems of addresses, from a file: a line for each prefix with `prefix,number,name`.

use std::collections::HashMap;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context as _, bail};

/// Octets of a file at most; all prefixes of the internet need about sixty million.
const MOST_OCTETS: u64 = 256 << 20;

/// Which autonomous system announces which prefix.
#[derive(Debug, Default)]
pub(super) struct AsNumbers {
    /// The longest first, of each IP: prefixes of one length, by their bits.
    by_length: Vec<(bool, u8, HashMap<u128, usize>)>,
    systems: Vec<(u32, String)>,
}

impl AsNumbers {
    /// The number and the name of the system with the longest prefix that an address is in.
    pub(super) fn of(&self, address: IpAddr) -> Option<(u32, &str)> {
        let found = self
            .by_length
            .iter()
            .filter(|(ipv4, ..)| *ipv4 == address.is_ipv4())
            .find_map(|(_, length, prefixes)| prefixes.get(&cut(address, *length)))?;
        self.systems.get(*found).map(|(number, name)| (*number, name.as_str()))
    }
}

/// The first bits of an address, from the top.
fn cut(address: IpAddr, length: u8) -> u128 {
    let bits = match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)) << 96,
        IpAddr::V6(v6) => u128::from(v6),
    };
    let free = 128_u32.saturating_sub(length.into());
    bits.checked_shr(free).and_then(|kept| kept.checked_shl(free)).unwrap_or(0)
}

/// Reads a file.
///
/// # Errors
/// A file that cannot be read or is too large; a line that is none, with its number.
pub(super) fn read(file: &Path) -> anyhow::Result<AsNumbers> {
    let name = file.display();
    let mut text = String::new();
    let open =
        std::fs::File::open(file).with_context(|| format!("cannot open the file of autonomous systems {name}"))?;
    let octets = open.take(MOST_OCTETS + 1).read_to_string(&mut text);
    let octets = octets.with_context(|| format!("cannot read the file of autonomous systems {name}"))?;
    if octets as u64 > MOST_OCTETS {
        bail!("{name} is larger than 256 MiB");
    }
    parse(&text).with_context(|| format!("cannot use {name}"))
}

fn parse(text: &str) -> anyhow::Result<AsNumbers> {
    let mut lengths: HashMap<(bool, u8), HashMap<u128, usize>> = HashMap::new();
    let mut systems = Vec::new();
    let mut known: HashMap<(u32, &str), usize> = HashMap::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut cells = line.splitn(3, [',', '\t']).map(|cell| cell.trim().trim_matches('"'));
        let [prefix, system] = [cells.next().unwrap_or_default(), cells.next().unwrap_or_default()];
        let name = cells.next().unwrap_or_default();
        let (Some((address, length)), Some(system)) = (read_prefix(prefix), read_system(system)) else {
            if number == 1 {
                // A heading.
                continue;
            }
            bail!("line {number} is not prefix,number,name, such as 192.0.2.0/24,64496,Example");
        };
        let index = *known.entry((system, name)).or_insert_with(|| {
            systems.push((system, name.to_owned()));
            systems.len() - 1
        });
        lengths.entry((address.is_ipv4(), length)).or_default().insert(cut(address, length), index);
    }
    let mut by_length: Vec<_> = lengths.into_iter().map(|((ipv4, length), all)| (ipv4, length, all)).collect();
    by_length.sort_by_key(|(_, length, _)| std::cmp::Reverse(*length));
    Ok(AsNumbers { by_length, systems })
}

fn read_prefix(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let (address, length): (IpAddr, u8) = (address.parse().ok()?, length.parse().ok()?);
    (length <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, length))
}

fn read_system(text: &str) -> Option<u32> {
    text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longest_prefix_wins() {
        let text = "prefix,asn,name\n192.0.0.0/8,64496,Large, and more\n192.0.2.0/24\tAS64497\tSmall\n\n# none\n2001:db8::/32,64498,\n0.0.0.0/0,1,All\n";
        let systems = parse(text).expect("systems");
        let of = |address: &str| systems.of(address.parse().expect("an address"));
        assert_eq!(of("192.0.2.9"), Some((64_497, "Small")));
        assert_eq!(of("192.0.3.9"), Some((64_496, "Large, and more")));
        assert_eq!(of("2001:db8::1"), Some((64_498, "")));
        assert_eq!((of("8.8.8.8"), of("::1")), (Some((1, "All")), None));
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        for wrong in ["h\n192.0.2.0/33,1,x", "h\n192.0.2.0,1,x", "h\n192.0.2.0/24,x,x", "h\nx"] {
            let error = parse(wrong).expect_err(wrong).to_string();
            assert!(error.contains("line 2 is not prefix,number,name"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_with_its_line(text in "(\\PC|\n){0,200}", address in any::<u128>()) {
            match parse(&text) {
                Ok(systems) => {
                    let found = systems.of(std::net::Ipv6Addr::from(address).into());
                    prop_assert!(found.is_none() || text.contains(&found.map_or(0, |(number, _)| number).to_string()));
                }
                Err(error) => prop_assert!(error.to_string().starts_with("line ")),
            }
        }
    }
}
