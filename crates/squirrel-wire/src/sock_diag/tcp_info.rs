//! `struct tcp_info`, which every few kernels grows at its end.

use crate::Fields;

/// The kernel's own books of one TCP connection, read by offset: a field that the kernel which
/// answered does not have is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpInfo<'a>(Fields<'a>);

/// One row for each field: its name, type, offset, and meaning.
macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident: $kind:ident @ $offset:literal;)*) => {
        impl<'a> TcpInfo<'a> {
            /// Reads the value of an `INET_DIAG_INFO` attribute of a TCP socket.
            pub fn new(octets: &'a [u8]) -> Self {
                Self(Fields(octets))
            }

            $($(#[$doc])* pub fn $name(&self) -> Option<$kind> {
                self.0.$kind($offset)
            })*
        }

        /// Name, offset and width of each field, for tests.
        #[cfg(test)]
        pub(super) const LAYOUT: &[(&str, usize, usize)] = &[$((stringify!($name), $offset, size_of::<$kind>())),*];
    };
}

fields! {
    /// The connection's state, as [`TcpState`](super::TcpState) numbers it.
    state: u8 @ 0;
    /// State of the congestion control: 0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss.
    congestion_state: u8 @ 1;
    /// Retransmission timeouts in a row, without an answer.
    retransmits: u8 @ 2;
    /// Zero window or keep-alive probes without an answer.
    probes: u8 @ 3;
    /// How often the timeout was doubled.
    backoff: u8 @ 4;
    /// Negotiated options: 1 time stamps, 2 SACK, 4 window scaling, 8 ECN.
    options: u8 @ 5;
    /// Retransmission timeout, microseconds.
    rto_us: u32 @ 8;
    /// Largest segment that we send, octets.
    send_mss: u32 @ 16;
    /// Largest segment that we received, octets.
    receive_mss: u32 @ 20;
    /// Segments sent and not acknowledged. For a listener: connections waiting to be accepted.
    unacked: u32 @ 24;
    /// Segments acknowledged selectively. For a listener: the limit of waiting connections.
    sacked: u32 @ 28;
    /// Segments taken for lost.
    lost: u32 @ 32;
    /// Segments retransmitted and not acknowledged yet.
    retrans: u32 @ 36;
    /// Milliseconds since data was sent.
    last_data_sent_ms: u32 @ 44;
    /// Milliseconds since data was received.
    last_data_received_ms: u32 @ 52;
    /// Path MTU, octets.
    path_mtu: u32 @ 60;
    /// Smoothed round-trip time, microseconds.
    rtt_us: u32 @ 68;
    /// Mean deviation of the round-trip time, microseconds.
    rttvar_us: u32 @ 72;
    /// Slow start threshold, segments; 2³¹−1 when not set.
    send_ssthresh: u32 @ 76;
    /// Congestion window, segments.
    send_cwnd: u32 @ 80;
    /// Reordering that the sender reckons with, segments.
    reordering: u32 @ 88;
    /// Round-trip time estimated by the receiver, microseconds.
    receive_rtt_us: u32 @ 92;
    /// Receive buffer that the receiver aims at, octets.
    receive_space: u32 @ 96;
    /// Segments retransmitted since the start.
    total_retrans: u32 @ 100;
    /// Rate at which segments are spread, octets a second.
    pacing_rate: u64 @ 104;
    /// Limit of the pacing rate, octets a second.
    max_pacing_rate: u64 @ 112;
    /// Octets acknowledged by the other side (SYN and FIN count one each).
    bytes_acked: u64 @ 120;
    /// Octets received in order (a FIN counts one).
    bytes_received: u64 @ 128;
    /// Segments sent.
    segs_out: u32 @ 136;
    /// Segments received.
    segs_in: u32 @ 140;
    /// Octets written by the program and not sent yet.
    notsent_bytes: u32 @ 144;
    /// Smallest round-trip time of late, microseconds; 2³²−1 when unknown.
    min_rtt_us: u32 @ 148;
    /// Segments with data received.
    data_segs_in: u32 @ 152;
    /// Segments with data sent.
    data_segs_out: u32 @ 156;
    /// Latest measured rate of delivery, octets a second.
    delivery_rate: u64 @ 160;
    /// Microseconds with data to send.
    busy_us: u64 @ 168;
    /// Microseconds of these held up by the other side's receive window.
    receive_window_limited_us: u64 @ 176;
    /// Microseconds of these held up by our own send buffer.
    send_buffer_limited_us: u64 @ 184;
    /// Segments delivered.
    delivered: u32 @ 192;
    /// Segments delivered with a congestion mark (ECN).
    delivered_ce: u32 @ 196;
    /// Octets of data sent, retransmissions among them.
    bytes_sent: u64 @ 200;
    /// Octets of data retransmitted.
    bytes_retrans: u64 @ 208;
    /// Duplicate segments that the other side reported: retransmissions in vain.
    dsack_dups: u32 @ 216;
    /// Times that reordering was seen.
    reord_seen: u32 @ 220;
    /// Segments received out of order.
    rcv_ooopack: u32 @ 224;
    /// The other side's receive window, octets.
    send_window: u32 @ 228;
    /// Our receive window, octets (kernel 6.1 and later).
    receive_window: u32 @ 232;
    /// Times that the path was chosen anew after trouble.
    rehash: u32 @ 236;
    /// Retransmission timeouts since the start (kernel 6.7 and later).
    total_rto: u16 @ 240;
    /// Milliseconds spent in timeouts (kernel 6.7 and later).
    total_rto_time_ms: u32 @ 244;
}

impl TcpInfo<'_> {
    /// Octets of data sent without retransmissions: what the program handed over and what left.
    pub fn payload_sent(&self) -> Option<u64> {
        Some(self.bytes_sent()?.saturating_sub(self.bytes_retrans()?))
    }

    /// Whether the latest measured rate of delivery was held down by the program, which had nothing to send
    /// (`tcpi_delivery_rate_app_limited`, the lowest bit of its octet).
    pub fn delivery_rate_limited(&self) -> Option<bool> {
        self.0.u8(7).map(|octet| octet & 1 != 0)
    }
}
