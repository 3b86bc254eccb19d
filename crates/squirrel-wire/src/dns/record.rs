//! Records of an answer, with the data of the common types read (RFC 1035, 2782, 3596).

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::{Class, Name, RecordType};
use crate::{Malformed, Reader};

/// The part of a message in which a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// What was asked for.
    Answer,
    /// Who is responsible.
    Authority,
    /// What may help.
    Additional,
}

impl Section {
    /// In the order in which they are sent.
    pub const ALL: [Self; 3] = [Self::Answer, Self::Authority, Self::Additional];
}

/// A record. It is shown as one line of a master file with tabs: name, seconds to live, class, type, data. So do the
/// tools whose patterns for records users have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where it stands.
    pub section: Section,
    /// Whose record.
    pub name: Name<'a>,
    /// Its type.
    pub record_type: RecordType,
    /// Its class.
    pub class: Class,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// What it says.
    pub data: Data<'a>,
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A name: of CNAME, DNAME, NS and PTR.
    Name(Name<'a>),
    /// Where mail goes.
    Mx {
        /// The smallest is tried first.
        preference: u16,
        /// The mail server.
        exchange: Name<'a>,
    },
    /// Texts.
    Txt(Texts<'a>),
    /// The start of a zone.
    Soa {
        /// The primary server.
        primary: Name<'a>,
        /// The mailbox of who is responsible.
        mailbox: Name<'a>,
        /// The version of the zone.
        serial: u32,
        /// Seconds: refresh, retry, expire, and the shortest time to live.
        times: [u32; 4],
    },
    /// Where a service is.
    Srv {
        /// The smallest is tried first.
        priority: u16,
        /// The share among those of one priority.
        weight: u16,
        /// The port.
        port: u16,
        /// The host.
        target: Name<'a>,
    },
    /// Another type, as it was sent.
    Other(&'a [u8]),
}

impl<'a> Record<'a> {
    /// The record at `at`, and where the next one begins.
    pub(super) fn parse(message: &'a [u8], at: usize, section: Section) -> Result<(Self, usize), Malformed> {
        let (name, fields_at) = Name::parse(message, at)?;
        let mut reader = Reader::new("dns record", message);
        reader.skip(fields_at)?;
        let (record_type, class) = (RecordType(reader.be_u16()?), Class(reader.be_u16()?));
        let ttl = u32::from_be_bytes(reader.array()?);
        let len = usize::from(reader.be_u16()?);
        let data_at = message.len() - reader.rest().len();
        let data = reader.take(len)?;
        let end = data_at + len;
        let data = Data::parse(message, record_type, data_at, data)?;
        Ok((Self { section, name, record_type, class, ttl, data }, end))
    }
}

impl<'a> Data<'a> {
    fn parse(message: &'a [u8], record_type: RecordType, at: usize, data: &'a [u8]) -> Result<Self, Malformed> {
        let end = at + data.len();
        let malformed = |offset| Malformed { layer: "dns record's data", offset };
        // A name within the data has to end with it, or before `more` octets that follow.
        let name_before = |at: usize, more: usize| {
            let (name, next) = Name::parse(message, at)?;
            if next + more <= end { Ok((name, next)) } else { Err(malformed(next)) }
        };
        let whole = |at: usize| match name_before(at, 0)? {
            (name, next) if next == end => Ok(name),
            (_, next) => Err(malformed(next)),
        };
        let mut reader = Reader::new("dns record's data", data);
        Ok(match record_type.0 {
            1 => Self::A(Ipv4Addr::from(<[u8; 4]>::try_from(data).map_err(|_| malformed(at))?)),
            28 => Self::Aaaa(Ipv6Addr::from(<[u8; 16]>::try_from(data).map_err(|_| malformed(at))?)),
            2 | 5 | 12 | 39 => Self::Name(whole(at)?),
            15 => Self::Mx { preference: reader.be_u16()?, exchange: whole(at + 2)? },
            16 | 99 => Self::Txt(Texts::parse(data)?),
            6 => {
                let (primary, next) = name_before(at, 21)?;
                let (mailbox, next) = name_before(next, 20)?;
                if next + 20 != end {
                    return Err(malformed(next));
                }
                let mut numbers = Reader::new("dns record's data", message);
                numbers.skip(next)?;
                let mut number = || numbers.array().map(u32::from_be_bytes);
                let serial = number()?;
                Self::Soa { primary, mailbox, serial, times: [number()?, number()?, number()?, number()?] }
            }
            33 => Self::Srv {
                priority: reader.be_u16()?,
                weight: reader.be_u16()?,
                port: reader.be_u16()?,
                target: whole(at + 6)?,
            },
            _ => Self::Other(data),
        })
    }
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\t{}\t{}\t{}\t{}", self.name, self.ttl, self.class, self.record_type, self.data)
    }
}

impl fmt::Display for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A(address) => write!(f, "{address}"),
            Self::Aaaa(address) => write!(f, "{address}"),
            Self::Name(name) => write!(f, "{name}"),
            Self::Mx { preference, exchange } => write!(f, "{preference} {exchange}"),
            Self::Txt(texts) => write!(f, "{texts}"),
            Self::Soa { primary, mailbox, serial, times: [refresh, retry, expire, minimum] } => {
                write!(f, "{primary} {mailbox} {serial} {refresh} {retry} {expire} {minimum}")
            }
            Self::Srv { priority, weight, port, target } => write!(f, "{priority} {weight} {port} {target}"),
            // RFC 3597, section 5.
            Self::Other(octets) => {
                write!(f, "\\# {}", octets.len())?;
                octets
                    .iter()
                    .enumerate()
                    .try_for_each(|(index, octet)| write!(f, "{}{octet:02x}", if index == 0 { " " } else { "" }))
            }
        }
    }
}

/// The texts of a TXT record: each has its length before it, and together they fill the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Texts<'a>(&'a [u8]);

impl<'a> Texts<'a> {
    fn parse(octets: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("dns texts", octets);
        while !reader.is_empty() {
            let len = usize::from(reader.u8()?);
            reader.skip(len)?;
        }
        Ok(Self(octets))
    }

    /// The texts, without their lengths.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (len, after) = rest.split_first()?;
            let (text, after) = after.split_at_checked(usize::from(*len))?;
            rest = after;
            Some(text)
        })
    }
}

/// In quotes, with spaces between; what is no printable ASCII as `\DDD`.
impl fmt::Display for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, text) in self.iter().enumerate() {
            f.write_str(if index == 0 { "\"" } else { " \"" })?;
            for octet in text {
                match octet {
                    b'"' | b'\\' => write!(f, "\\{}", char::from(*octet))?,
                    b' '..=b'~' => write!(f, "{}", char::from(*octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
            f.write_str("\"")?;
        }
        Ok(())
    }
}
