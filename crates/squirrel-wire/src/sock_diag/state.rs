//! States of TCP, by the kernel's numbers and by their names.

/// The state of a TCP connection (RFC 9293 section 3.3.2), by the kernel's numbers. A UDP socket is
/// [`TcpState::ESTABLISHED`] when connected and [`TcpState::CLOSE`] otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TcpState(pub u8);

impl TcpState {
    /// Data may flow.
    pub const ESTABLISHED: Self = Self(1);
    /// We asked for a connection.
    pub const SYN_SENT: Self = Self(2);
    /// Somebody asked us, and the handshake is not complete.
    pub const SYN_RECV: Self = Self(3);
    /// We closed and wait for the acknowledgement.
    pub const FIN_WAIT1: Self = Self(4);
    /// We closed and wait for the other side to close.
    pub const FIN_WAIT2: Self = Self(5);
    /// Closed on both sides; kept so that late segments do harm to nobody.
    pub const TIME_WAIT: Self = Self(6);
    /// Not connected.
    pub const CLOSE: Self = Self(7);
    /// The other side closed; our program has not.
    pub const CLOSE_WAIT: Self = Self(8);
    /// Both closed; we wait for the last acknowledgement.
    pub const LAST_ACK: Self = Self(9);
    /// Waits for connections.
    pub const LISTEN: Self = Self(10);
    /// Both closed at the same time.
    pub const CLOSING: Self = Self(11);
    /// A connection request, in the kernel's own books.
    pub const NEW_SYN_RECV: Self = Self(12);

    /// The bit of this state in [`InetRequest::states`](super::InetRequest::states).
    pub const fn bit(self) -> u32 {
        1u32.wrapping_shl(self.0 as u32)
    }

    /// The name in lower case with underscores, as node_exporter's `tcpstat` writes it.
    pub fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::ESTABLISHED => "established",
            Self::SYN_SENT => "syn_sent",
            Self::SYN_RECV | Self::NEW_SYN_RECV => "syn_recv",
            Self::FIN_WAIT1 => "fin_wait1",
            Self::FIN_WAIT2 => "fin_wait2",
            Self::TIME_WAIT => "time_wait",
            Self::CLOSE => "close",
            Self::CLOSE_WAIT => "close_wait",
            Self::LAST_ACK => "last_ack",
            Self::LISTEN => "listen",
            Self::CLOSING => "closing",
            _ => return None,
        })
    }
}
