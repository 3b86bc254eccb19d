//! A row of the kernel-side ledger of sockets, as the eBPF programs write it.
//!
//! Source: `struct record` in `crates/squirrel-bpf/bpf/record.h`; numbers in the machine's order, ports and
//! addresses in network order.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::packet_diag::AF_PACKET;
use crate::{AF_INET, AF_INET6, Malformed, Reader};

/// `SOCK_RAW`, `include/linux/net.h`.
const SOCK_RAW: u8 = 3;

/// Octets of one row.
pub const RECORD_LEN: usize = 176;

/// Octets of what is noted of a process (`struct person`).
pub const PERSON_LEN: usize = 248;

/// The most bytes of a process name (`TASK_COMM_LEN`, `include/linux/sched.h`).
pub const COMM_LENGTH: usize = 16;

/// What a socket is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SocketKind {
    /// TCP; a path of a multipath socket too.
    #[default]
    Tcp,
    /// Multipath TCP (RFC 8684): what processes see, while TCP connections carry its bytes.
    Multipath,
    /// UDP and UDP-Lite.
    Udp,
    /// ICMP by a datagram socket, as `ping` uses where it may.
    Ping,
    /// Packets of any protocol of IP, without a transport of the kernel.
    Raw,
    /// Frames of an interface (`packet(7)`).
    Packet,
    /// Another protocol, such as SCTP.
    Other,
}

impl SocketKind {
    /// By the family, the type, the protocol, and whether the kernel's row says that it is multipath TCP.
    fn of(family: u8, kind: u8, protocol: u8, multipath: bool) -> Self {
        match (family, kind, protocol) {
            (AF_PACKET, ..) => Self::Packet,
            (_, SOCK_RAW, _) => Self::Raw,
            _ if multipath => Self::Multipath,
            (.., 6) => Self::Tcp,
            (.., 17 | 136) => Self::Udp,
            (.., 1 | 58) => Self::Ping,
            _ => Self::Other,
        }
    }
}

/// One socket's owner and bytes, as counted in the kernel.
///
/// One socket may have several records with the same cookie and different `tgid`: one for each process that
/// used it (a socket shared by fork, or passed).
#[expect(clippy::struct_excessive_bools, reason = "bits of the kernel's row, each of its own meaning")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketRecord {
    /// The socket cookie.
    pub cookie: u64,
    /// Inode number of the network namespace.
    pub namespace: u32,
    /// What it is.
    pub kind: SocketKind,
    /// The protocol of IP: `IPPROTO_TCP`, also of multipath TCP, `IPPROTO_UDP`, or any that a raw socket asked for; 0 of
    /// packet sockets.
    pub protocol: u8,
    /// The cookie of the multipath socket whose bytes this TCP connection carries. Its own bytes are then those of the
    /// kernel's counters alone, and its owner is whoever made the path, often the kernel itself.
    pub path_of: Option<u64>,
    /// The state (`TCP_ESTABLISHED` …) when the record was written; of a TCP connection that is closed, the one
    /// that it left, such as `TCP_SYN_SENT` when nobody answered.
    pub state: u8,
    /// This side. IPv4 in an IPv6 socket is IPv4 here.
    pub local: IpAddr,
    /// This side's port.
    pub local_port: u16,
    /// The other side; unspecified when unconnected.
    pub remote: IpAddr,
    /// The other side's port.
    pub remote_port: u16,
    /// The owner: thread group id in the initial pid namespace; 0 if nobody was seen.
    pub tgid: u32,
    /// The owner's user id.
    pub uid: u32,
    /// When the owner started, nanoseconds since boot (`group_leader->start_boottime`).
    pub started_ns: u64,
    /// The owner's control group id (version 2).
    pub cgroup: u64,
    /// The owner's leader's name, up to the first zero; any bytes.
    pub comm: [u8; COMM_LENGTH],
    /// Whether the owner was inherited from the listener, or only holds a descriptor, and has not used the
    /// socket itself: whoever uses it first becomes the owner.
    pub inherited: bool,
    /// Whether the socket is older than the ledger: what it moved before is in no number of this record, those
    /// of `tcp` included. Never set for a UDP socket whose owner was first seen using it.
    pub older: bool,
    /// Whether further processes used the socket; they have records of their own, with the same cookie.
    pub shared: bool,
    /// Whether this record is one of those further processes.
    pub further: bool,
    /// Bytes that this owner sent.
    pub transmit_bytes: u64,
    /// Bytes that this owner received.
    pub receive_bytes: u64,
    /// Calls that sent; not counted of TCP.
    pub transmit_calls: u64,
    /// Calls that received; not counted of TCP.
    pub receive_calls: u64,
    /// The kernel's own counters of a TCP socket; `None` for UDP and for further owners of the same socket.
    pub tcp: Option<TcpCounters>,
}

/// Counters of `struct tcp_sock`, since the ledger first saw the socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpCounters {
    /// Payload sent, retransmissions included.
    pub bytes_sent: u64,
    /// Payload sent again.
    pub bytes_retransmitted: u64,
    /// Bytes acknowledged by the other side.
    pub bytes_acked: u64,
    /// Bytes received, in order; one more once the other side's FIN was processed.
    pub bytes_received: u64,
    /// Whether that FIN was processed.
    pub fin_received: bool,
    /// Segments sent, retransmissions included.
    pub segments_out: u32,
    /// Segments received.
    pub segments_in: u32,
}

impl TcpCounters {
    /// Payload that left this side, each byte once.
    pub fn transmitted_payload(&self) -> u64 {
        self.bytes_sent.saturating_sub(self.bytes_retransmitted)
    }

    /// Payload that came in order, read by a process or not.
    pub fn received_payload(&self) -> u64 {
        self.bytes_received.saturating_sub(u64::from(self.fin_received))
    }
}

/// Bits of the field `flags`.
mod flag {
    pub(super) const INHERITED: u32 = 1 << 0;
    pub(super) const HAS_TCP: u32 = 1 << 1;
    pub(super) const OLDER: u32 = 1 << 2;
    pub(super) const SHARED: u32 = 1 << 3;
    pub(super) const FIN: u32 = 1 << 4;
    pub(super) const FURTHER: u32 = 1 << 8;
    pub(super) const MULTIPATH: u32 = 1 << 11;
}

impl SocketRecord {
    /// Reads one row; what follows it is left alone.
    ///
    /// # Errors
    /// Fewer octets than [`RECORD_LEN`], or a family that is neither IPv4, IPv6, nor that of packet sockets.
    pub fn parse(octets: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new("socket record", octets);
        let [cookie, transmit_bytes, receive_bytes, transmit_calls, receive_calls] = words(&mut row)?;
        let (tgid, flags) = (row.u32()?, row.u32()?);
        let [started_ns, cgroup] = words(&mut row)?;
        let [bytes_sent, bytes_retransmitted, bytes_acked, bytes_received] = words(&mut row)?;
        let (segments_out, segments_in) = (row.u32()?, row.u32()?);
        let (namespace, uid) = (row.u32()?, row.u32()?);
        let path_of = row.u64()?;
        let (local_port, remote_port) = (row.be_u16()?, row.be_u16()?);
        let (protocol, state) = (row.u8()?, row.u8()?);
        let bad_family = row.malformed();
        let (family, kind) = (row.u8()?, row.u8()?);
        let (local, remote) = (row.array()?, row.array()?);
        let comm = row.array()?;
        let has = |bit: u32| flags & bit != 0;
        let tcp = TcpCounters {
            bytes_sent,
            bytes_retransmitted,
            bytes_acked,
            bytes_received,
            fin_received: has(flag::FIN),
            segments_out,
            segments_in,
        };
        Ok(Self {
            cookie,
            namespace,
            kind: SocketKind::of(family, kind, protocol, has(flag::MULTIPATH)),
            protocol,
            path_of: (path_of != 0).then_some(path_of),
            state,
            local: address(family, local).ok_or(bad_family)?,
            local_port,
            remote: address(family, remote).ok_or(bad_family)?,
            remote_port,
            tgid,
            uid,
            started_ns,
            cgroup,
            comm,
            inherited: has(flag::INHERITED),
            older: has(flag::OLDER),
            shared: has(flag::SHARED),
            further: has(flag::FURTHER),
            transmit_bytes,
            receive_bytes,
            transmit_calls,
            receive_calls,
            tcp: has(flag::HAS_TCP).then_some(tcp),
        })
    }
}

fn words<const N: usize>(row: &mut Reader<'_>) -> Result<[u64; N], Malformed> {
    let mut words = [0; N];
    for word in &mut words {
        *word = row.u64()?;
    }
    Ok(words)
}

/// What was noted of a process when it first used a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person<'a> {
    /// When it started, nanoseconds since boot.
    pub started_ns: u64,
    /// The thread group id of its parent.
    pub parent: u32,
    /// Its arguments, each with a zero behind it, up to some length; empty when they could not be read.
    pub command: &'a [u8],
}

impl<'a> Person<'a> {
    /// Reads what stands in the kernel's map.
    ///
    /// # Errors
    /// Fewer octets than [`PERSON_LEN`], or a length of the command that is beyond them.
    pub fn parse(octets: &'a [u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new("note of a process", Reader::new("note of a process", octets).take(PERSON_LEN)?);
        let started_ns = row.u64()?;
        let (parent, length) = (row.u32()?, row.u32()?);
        Ok(Self { started_ns, parent, command: row.take(length as usize)? })
    }
}

/// An address that stands in 16 octets, an IPv4 one in the first four; packet sockets have none.
fn address(family: u8, octets: [u8; 16]) -> Option<IpAddr> {
    let [a, b, c, d, ..] = octets;
    match family {
        AF_INET => Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d))),
        AF_INET6 => Some(IpAddr::V6(Ipv6Addr::from(octets)).to_canonical()),
        AF_PACKET => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
