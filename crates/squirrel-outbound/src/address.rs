//! Which addresses a request may go to.
//!
//! A target that is configured once may, by a change of its name's addresses, come to lead somewhere else:
//! to the machine itself, or to the service that gives a cloud's machines their credentials. So each address
//! is looked at before it is connected to, and only that address is.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// What an address is for. Sources: IANA's registries of special-purpose addresses for IPv4 (RFC 6890) and
/// IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressClass {
    /// An address of the Internet.
    Public,
    /// This machine.
    Loopback,
    /// A private network (RFC 1918, RFC 4193), or the one between a provider and its customers (RFC 6598).
    Private,
    /// The link alone (RFC 3927, RFC 4291).
    LinkLocal,
    /// The service that tells cloud machines their credentials.
    Metadata,
    /// A group of machines.
    Multicast,
    /// No address (`0.0.0.0/8`, `::`), by which Linux would reach this machine.
    Unspecified,
    /// For documents, measurements, or nothing yet.
    Reserved,
}

/// Where clouds answer their machines' questions for credentials.
const METADATA_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(100, 100, 100, 200),
];
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)];

impl AddressClass {
    /// The class of an address. One of IPv4 that is written inside one of IPv6 has its own.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => match embedded(address) {
                Some(inner) => Self::of_v4(inner),
                None => Self::of_v6(address),
            },
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        if METADATA_V4.contains(&address) {
            return Self::Metadata;
        }
        match address.octets() {
            [0, ..] => Self::Unspecified,
            [127, ..] => Self::Loopback,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Self::Private,
            [169, 254, ..] => Self::LinkLocal,
            [224..=239, ..] => Self::Multicast,
            [240..=255, ..] | [192, 0, 0 | 2, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
                Self::Reserved
            }
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if METADATA_V6.contains(&address) {
            return Self::Metadata;
        }
        if address.is_unspecified() {
            return Self::Unspecified;
        }
        if address.is_loopback() {
            return Self::Loopback;
        }
        match address.segments() {
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            // Site-local addresses were private ones until RFC 3879.
            [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Self::Private,
            [0xff00..=0xffff, ..] => Self::Multicast,
            [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Self::Reserved,
            [0x2000..=0x3fff, ..] => Self::Public,
            _ => Self::Reserved,
        }
    }

    /// Ends a sentence such as "10.0.0.1 is …".
    fn in_words(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Loopback => "an address of this machine",
            Self::Private => "an address of a private network",
            Self::LinkLocal => "an address of one link",
            Self::Metadata => "the address where clouds give credentials",
            Self::Multicast => "an address of a group",
            Self::Unspecified => "no address to connect to",
            Self::Reserved => "an address reserved for other uses",
        }
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.in_words())
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, NAT64 (RFC 6052) or 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            of(high, low)
        }
        _ => None,
    }
}

/// A network, such as `10.0.0.0/8`; an address alone is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// The address that it is written with.
    pub fn address(self) -> IpAddr {
        self.address
    }

    fn contains(self, address: IpAddr) -> bool {
        let same = |own: u128, other: u128, width: u32| {
            let shift = width - u32::from(self.bits);
            own.checked_shr(shift).unwrap_or(0) == other.checked_shr(shift).unwrap_or(0)
        };
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => same(own.to_bits().into(), other.to_bits().into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128),
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or(NetworkError)?,
        };
        Ok(Self { address, bits })
    }
}

/// A text that is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a network such as 10.0.0.0/8 or an address such as 10.0.0.1")]
pub struct NetworkError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Any,
    Usual,
    Public,
}

/// Which addresses a destination may have.
///
/// The default is for targets that the machine's administrator wrote down: every address of one machine, but
/// not those where clouds give credentials. [`AddressRules::public`] is for addresses that others may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRules {
    reach: Reach,
    also: Vec<Network>,
    /// Not even where a network says so.
    never_metadata: bool,
}

impl Default for AddressRules {
    fn default() -> Self {
        Self { reach: Reach::Usual, also: Vec::new(), never_metadata: false }
    }
}

impl AddressRules {
    /// Every address.
    pub fn any() -> Self {
        Self { reach: Reach::Any, ..Self::default() }
    }

    /// Addresses of the Internet alone: not this machine, not its networks.
    pub fn public() -> Self {
        Self { reach: Reach::Public, ..Self::default() }
    }

    /// And this network, whatever its class.
    #[must_use]
    pub fn and(mut self, network: Network) -> Self {
        self.also.push(network);
        self
    }

    /// Never where clouds give credentials, whatever networks are allowed.
    #[must_use]
    pub fn without_metadata(mut self) -> Self {
        self.never_metadata = true;
        self
    }

    /// Whether requests may go there; otherwise what it is.
    ///
    /// # Errors
    /// The class that is not allowed.
    pub fn check(&self, address: IpAddr) -> Result<(), AddressClass> {
        let class = AddressClass::of(address);
        if self.never_metadata && class == AddressClass::Metadata {
            return Err(class);
        }
        let is_allowed = match self.reach {
            Reach::Any => true,
            Reach::Usual => {
                !matches!(class, AddressClass::Metadata | AddressClass::Multicast | AddressClass::Unspecified)
            }
            Reach::Public => class == AddressClass::Public,
        };
        let plain = match address {
            IpAddr::V6(inner) => inner.to_ipv4_mapped().map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        if is_allowed || self.also.iter().any(|network| network.contains(plain)) { Ok(()) } else { Err(class) }
    }
}

#[cfg(test)]
mod tests;
