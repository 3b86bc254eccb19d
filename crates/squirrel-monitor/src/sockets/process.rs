//! Which sockets are this process's, and the rows of `/proc/net/tcp`.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use squirrel_sys::{Kernel, SysError};
use squirrel_wire::sock_diag::{InetSocket, TcpInfo, TcpState};

use super::{SocketConnection, address};

const DESCRIPTORS: &str = "/proc/self/fd";

/// The inodes of all sockets that this process has open, of every kind.
pub(super) fn socket_inodes(kernel: &dyn Kernel) -> Result<HashSet<u64>, SysError> {
    let mut names = Vec::new();
    kernel.list(DESCRIPTORS, &mut |name| names.push(String::from_utf8_lossy(name).into_owned()))?;
    let (mut inodes, mut leads_to) = (HashSet::new(), Vec::new());
    for name in names {
        match kernel.link(&format!("{DESCRIPTORS}/{name}"), &mut leads_to) {
            Ok(()) => inodes.extend(inode_of(&leads_to)),
            // Closed since the folder was listed, as the listing's own descriptor is.
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(inodes)
}

/// The number in `socket:[4711]`.
fn inode_of(leads_to: &[u8]) -> Option<u64> {
    std::str::from_utf8(leads_to).ok()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// One socket, from either source.
pub(super) struct Row {
    pub(super) inode: u64,
    pub(super) state: TcpState,
    pub(super) receive_queue: u32,
    pub(super) send_queue: u32,
    pub(super) bytes_received: Option<u64>,
    pub(super) bytes_sent: Option<u64>,
    pub(super) retransmitted: Option<u64>,
    round_trip: Option<Duration>,
    local: (IpAddr, u16),
    remote: (IpAddr, u16),
}

impl From<InetSocket<'_>> for Row {
    fn from(socket: InetSocket<'_>) -> Self {
        let tcp = socket.tcp.as_ref();
        // Kernels before 4.19 do not count what was sent, only what of it was acknowledged.
        let sent = tcp.and_then(|tcp| tcp.payload_sent().or_else(|| tcp.bytes_acked()));
        Self {
            inode: u64::from(socket.inode),
            state: socket.state,
            receive_queue: socket.receive_queue,
            send_queue: socket.send_queue,
            bytes_received: tcp.and_then(TcpInfo::bytes_received),
            bytes_sent: sent,
            retransmitted: tcp.and_then(TcpInfo::total_retrans).map(u64::from),
            // Zero means that nothing was measured yet.
            round_trip: tcp.and_then(TcpInfo::rtt_us).filter(|us| *us > 0).map(|us| Duration::from_micros(us.into())),
            local: (socket.local, socket.local_port),
            remote: (socket.remote, socket.remote_port),
        }
    }
}

impl Row {
    pub(super) fn connection(&self) -> SocketConnection {
        SocketConnection {
            inode: self.inode,
            local: address(self.local.0, self.local.1),
            remote: address(self.remote.0, self.remote.1),
            state: self.state.word().unwrap_or("unknown"),
            receive_queue: self.receive_queue,
            send_queue: self.send_queue,
            bytes_received: self.bytes_received,
            bytes_sent: self.bytes_sent,
            retransmitted_segments: self.retransmitted,
            round_trip: self.round_trip,
        }
    }
}

/// The rows of `/proc/net/tcp` or `tcp6`; `None` for one that cannot be read.
pub(super) fn rows(content: &[u8]) -> impl Iterator<Item = Option<Row>> + '_ {
    let lines = content.split(|octet| *octet == b'\n').skip(1).filter(|line| !line.is_empty());
    lines.map(|line| row(std::str::from_utf8(line).ok()?))
}

/// A row: number, local, remote, state, queues, timer, retransmits, user, timeout, inode, and more.
/// The columns are described in the kernel's `Documentation/networking/proc_net_tcp.rst`.
fn row(line: &str) -> Option<Row> {
    let mut fields = line.split_ascii_whitespace();
    let local = endpoint(fields.nth(1)?)?;
    let remote = endpoint(fields.next()?)?;
    let state = TcpState(u8::from_str_radix(fields.next()?, 16).ok()?);
    let (send_queue, receive_queue) = fields.next()?.split_once(':')?;
    Some(Row {
        inode: fields.nth(4)?.parse().ok()?,
        state,
        receive_queue: u32::from_str_radix(receive_queue, 16).ok()?,
        send_queue: u32::from_str_radix(send_queue, 16).ok()?,
        bytes_received: None,
        bytes_sent: None,
        retransmitted: None,
        round_trip: None,
        local,
        remote,
    })
}

/// `0100007F:0050`: words of the address as the processor holds them, in hexadecimal, and the port.
fn endpoint(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| Some(u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut octets = [0; 16];
            for (i, place) in octets.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                *place = word(8 * i)?;
            }
            IpAddr::V6(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some((ip, port))
}
