//! The packet that an ICMP error quotes: its IP header and the first octets after it.

use core::net::IpAddr;

use super::Family;
use crate::{Malformed, Reader, ip_address};

/// A quoted packet. Routers on the way may have changed what they pass on: a different TOS shows that they did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted<'a> {
    /// Who sent it.
    pub source: IpAddr,
    /// To whom.
    pub destination: IpAddr,
    /// IP protocol of what follows.
    pub protocol: u8,
    /// TOS or traffic class, as it arrived.
    pub tos: u8,
    /// Time to live or hop limit, as it arrived.
    pub ttl: u8,
    /// The identification of IPv4; 0 for IPv6.
    pub identification: u16,
    /// The first octets of the transport's header: eight at least, if the sender follows RFC 792.
    pub transport: &'a [u8],
}

impl<'a> Quoted<'a> {
    /// Reads a quotation.
    ///
    /// # Errors
    /// When it ends within the IP header, or is of another version.
    pub fn parse(family: Family, octets: &'a [u8]) -> Result<Self, Malformed> {
        match family {
            Family::V4 => v4(octets),
            Family::V6 => v6(octets),
        }
    }
}

fn v4(octets: &[u8]) -> Result<Quoted<'_>, Malformed> {
    let mut reader = Reader::new("quoted IPv4", octets);
    let version_and_length = reader.u8()?;
    let header = usize::from(version_and_length & 0xF) * 4;
    if version_and_length >> 4 != 4 || header < 20 {
        return Err(reader.malformed());
    }
    let tos = reader.u8()?;
    reader.skip(2)?;
    let identification = reader.be_u16()?;
    reader.skip(2)?;
    let (ttl, protocol) = (reader.u8()?, reader.u8()?);
    reader.skip(2)?;
    let (source, destination) = addresses(&mut reader, 4)?;
    reader.skip(header - 20)?;
    Ok(Quoted { source, destination, protocol, tos, ttl, identification, transport: reader.rest() })
}

fn v6(octets: &[u8]) -> Result<Quoted<'_>, Malformed> {
    let mut reader = Reader::new("quoted IPv6", octets);
    let word = u32::from_be_bytes(reader.array()?);
    if word >> 28 != 6 {
        return Err(reader.malformed());
    }
    reader.skip(2)?;
    let (protocol, ttl) = (reader.u8()?, reader.u8()?);
    let (source, destination) = addresses(&mut reader, 16)?;
    let tos = (word >> 20) as u8;
    Ok(Quoted { source, destination, protocol, tos, ttl, identification: 0, transport: reader.rest() })
}

fn addresses(reader: &mut Reader<'_>, len: usize) -> Result<(IpAddr, IpAddr), Malformed> {
    let malformed = reader.malformed();
    let mut next = || reader.take(len).and_then(|octets| ip_address(octets).ok_or(malformed));
    Ok((next()?, next()?))
}

/// What follows the header of an IPv4 packet, and the packet's time to live: raw sockets of IPv4 receive headers.
///
/// # Errors
/// When it ends within the header, or is of another version.
pub fn ipv4_payload(packet: &[u8]) -> Result<(u8, &[u8]), Malformed> {
    v4(packet).map(|read| (read.ttl, read.transport))
}
