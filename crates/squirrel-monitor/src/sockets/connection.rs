//! One socket, as a table of sockets tells it.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// What carries the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// TCP (RFC 9293).
    #[default]
    Tcp,
    /// UDP (RFC 768).
    Udp,
}

impl Transport {
    /// `tcp` or `udp`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The states with their words. Those of TCP are RFC 9293's, section 3.3.2.
macro_rules! states {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// How far a socket is. Those of TCP are the states of RFC 9293, section 3.3.2.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum SocketState {
            $($(#[$doc])* $name,)*
        }

        impl SocketState {
            /// All of them, in the order of their numbers in a packed row.
            pub(super) const ALL: &[Self] = &[$(Self::$name),*];

            /// The state in lower case with underscores, such as `close_wait`.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

states! {
    /// Something that the source has no name for.
    #[default]
    Unknown = "unknown";
    /// Data may flow; of UDP: connected to one other address.
    Established = "established";
    /// We asked for a connection.
    SynSent = "syn_sent";
    /// Somebody asked us, and the handshake is not complete.
    SynReceived = "syn_recv";
    /// We closed and wait for the acknowledgement.
    FinWait1 = "fin_wait1";
    /// We closed and wait for the other side to close.
    FinWait2 = "fin_wait2";
    /// Closed on both sides, and kept so that late segments do harm to nobody.
    TimeWait = "time_wait";
    /// Bound or made, and neither connected nor listening.
    Closed = "close";
    /// The other side closed; this process has not.
    CloseWait = "close_wait";
    /// Both closed; we wait for the last acknowledgement.
    LastAck = "last_ack";
    /// Waits for connections.
    Listen = "listen";
    /// Both closed at the same time.
    Closing = "closing";
    /// A UDP socket that takes datagrams from everybody.
    Unconnected = "unconnected";
}

impl fmt::Display for SocketState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One connection of this process, or one UDP socket. What the source does not know is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketConnection {
    /// By which it is recognised from one collection to the next: on Linux the inode of its socket,
    /// elsewhere a hash of transport and addresses.
    pub id: u64,
    /// TCP or UDP.
    pub transport: Transport,
    /// Our address.
    pub local: SocketAddr,
    /// Their address; all zeros for a UDP socket that is not connected.
    pub remote: SocketAddr,
    /// Its state.
    pub state: SocketState,
    /// Bytes received and not yet read by the application; zero when the source does not know.
    pub receive_queue: u32,
    /// Bytes sent and not yet acknowledged (TCP) or not yet on the wire (UDP); zero when the source does not know.
    pub send_queue: u32,
    /// Bytes of data received. Never known of UDP.
    pub bytes_received: Option<u64>,
    /// Bytes of data sent, each byte once. Never known of UDP.
    pub bytes_sent: Option<u64>,
    /// Segments sent again.
    pub retransmitted_segments: Option<u64>,
    /// Datagrams that a UDP socket dropped, mostly because its receive buffer was full.
    pub drops: Option<u64>,
    /// Smoothed round-trip time.
    pub round_trip: Option<Duration>,
}

impl SocketConnection {
    /// A socket of which nothing more is known, for a [`SocketTable`](crate::SocketTable) to fill.
    pub fn new(id: u64, transport: Transport, state: SocketState, local: SocketAddr, remote: SocketAddr) -> Self {
        Self {
            id,
            transport,
            local,
            remote,
            state,
            receive_queue: 0,
            send_queue: 0,
            bytes_received: None,
            bytes_sent: None,
            retransmitted_segments: None,
            drops: None,
            round_trip: None,
        }
    }

    /// Whether it is listed: a TCP connection in any state, or a UDP socket, but not what merely listens
    /// or has not begun.
    pub(super) fn is_listed(&self) -> bool {
        self.transport == Transport::Udp || !matches!(self.state, SocketState::Listen | SocketState::Closed)
    }
}
