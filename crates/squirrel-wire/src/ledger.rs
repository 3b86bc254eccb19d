//! A row of the kernel-side ledger of sockets, as the eBPF programs write it.

use core::net::IpAddr;

/// The most bytes of a process name (`TASK_COMM_LEN`, `include/linux/sched.h`).
pub const COMM_LENGTH: usize = 16;

/// One socket's owner and bytes, as counted in the kernel.
///
/// One socket may have several records with the same cookie and different `tgid`: one for each process that
/// used it (a socket shared by fork, or passed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketRecord {
    /// The socket cookie.
    pub cookie: u64,
    /// Inode number of the network namespace.
    pub namespace: u32,
    /// `IPPROTO_TCP` or `IPPROTO_UDP`.
    pub protocol: u8,
    /// The state (`TCP_ESTABLISHED` …) when the record was written.
    pub state: u8,
    /// This side.
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
    /// Whether the owner was inherited from the listener and has not used the socket itself.
    pub inherited: bool,
    /// Bytes that this owner sent.
    pub transmit_bytes: u64,
    /// Bytes that this owner received.
    pub receive_bytes: u64,
    /// Calls that sent.
    pub transmit_calls: u64,
    /// Calls that received.
    pub receive_calls: u64,
    /// The kernel's own counters of a TCP socket; `None` for UDP and for further owners of the same socket.
    pub tcp: Option<TcpCounters>,
    /// When the record was written, nanoseconds since boot.
    pub at_ns: u64,
}

/// Counters of `struct tcp_sock`.
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
    /// Segments sent, retransmissions included.
    pub segments_out: u32,
    /// Segments received.
    pub segments_in: u32,
}
