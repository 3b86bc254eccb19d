//! The rows of `/proc/net/tcp`, `udp`, `tcp6` and `udp6`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use squirrel_wire::sock_diag::TcpState;

use crate::sockets::{SocketConnection, Transport, plain};

/// The rows of such a file; `None` for one that cannot be read.
pub(super) fn rows(content: &[u8], transport: Transport) -> impl Iterator<Item = Option<SocketConnection>> + '_ {
    let lines = content.split(|octet| *octet == b'\n').skip(1).filter(|line| !line.is_empty());
    lines.map(move |line| row(std::str::from_utf8(line).ok()?, transport))
}

/// A row: number, local, remote, state, queues, timer, retransmits, user, timeout, inode, and more; of UDP
/// the reference count, a pointer and the drops. The columns are described in the kernel's
/// `Documentation/networking/proc_net_tcp.rst`, and those of UDP stand in `net/ipv4/udp.c`.
fn row(line: &str, transport: Transport) -> Option<SocketConnection> {
    let mut fields = line.split_ascii_whitespace();
    let local = endpoint(fields.nth(1)?)?;
    let remote = endpoint(fields.next()?)?;
    let state = TcpState(u8::from_str_radix(fields.next()?, 16).ok()?);
    let (send_queue, receive_queue) = fields.next()?.split_once(':')?;
    let inode = fields.nth(4)?.parse().ok()?;
    let drops = fields.nth(2).filter(|_| transport == Transport::Udp);
    Some(SocketConnection {
        receive_queue: u32::from_str_radix(receive_queue, 16).ok()?,
        send_queue: u32::from_str_radix(send_queue, 16).ok()?,
        // Kernels before 2.6.27 have no such column.
        drops: drops.and_then(|drops| drops.parse().ok()),
        ..SocketConnection::new(inode, transport, super::state(state, transport), local, remote)
    })
}

/// `0100007F:0050`: words of the address as the processor holds them, in hexadecimal, and the port.
fn endpoint(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| Some(u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut octets = [0; 16];
            for (i, place) in octets.chunks_exact_mut(4).enumerate() {
                place.copy_from_slice(&word(8 * i)?);
            }
            IpAddr::V6(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some(plain((ip, port).into()))
}
