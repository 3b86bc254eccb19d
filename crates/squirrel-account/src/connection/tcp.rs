//! What the kernel tells of a TCP connection, packed.

use squirrel_wire::sock_diag::TcpInfo;

use crate::picture::{TcpDetail, Traffic};

/// Details of TCP, packed. A number that this kernel does not have is the largest of its kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tcp {
    pub(crate) known: bool,
    application_limited: u8,
    /// The place of the congestion algorithm's name.
    pub(crate) congestion: u8,
    /// Octets of its headers: time stamps make each longer.
    pub(crate) header: u8,
    /// Whether the other side opened the connection; `None` as long as that cannot be told.
    pub(crate) accepted: Option<bool>,
    /// Whether the answer to its opening, which is not among the socket's segments, stands in the books.
    pub(crate) answer_booked: bool,
    rtt_us: u32,
    rtt_variation_us: u32,
    min_rtt_us: u32,
    retransmits: u32,
    window: u32,
    pub(crate) segments_out: u32,
    pub(crate) segments_in: u32,
    retransmitted_bytes: u64,
    /// Segments and payload sent again that stand in an interface's books.
    pub(crate) booked: Traffic,
    pub(crate) booked_again: u64,
    delivery_rate: u64,
    busy_us: u64,
    receiver_limited_us: u64,
    buffer_limited_us: u64,
}

const NO: u32 = u32::MAX;
const NONE: u64 = u64::MAX;
/// Octets of a TCP header, and of time stamps in it.
const HEADER: u8 = 20;
const HEADER_STAMPS: u8 = 12;
/// `TCPI_OPT_TIMESTAMPS`.
const STAMPS: u8 = 1;

impl Default for Tcp {
    fn default() -> Self {
        Self {
            known: false,
            application_limited: 2,
            congestion: u8::MAX,
            header: HEADER + HEADER_STAMPS,
            accepted: None,
            answer_booked: false,
            rtt_us: NO,
            rtt_variation_us: NO,
            min_rtt_us: NO,
            retransmits: NO,
            window: NO,
            segments_out: 0,
            segments_in: 0,
            retransmitted_bytes: NONE,
            booked: Traffic::default(),
            booked_again: 0,
            delivery_rate: NONE,
            busy_us: NONE,
            receiver_limited_us: NONE,
            buffer_limited_us: NONE,
        }
    }
}

impl Tcp {
    /// Takes over what a dump or an announcement says. Segments never go back: a connection that was reset has lost
    /// its counters when its end is announced.
    pub(crate) fn take(&mut self, info: &TcpInfo<'_>) {
        let (out, into) = (info.segs_out().unwrap_or(0), info.segs_in().unwrap_or(0));
        if self.known && out < self.segments_out {
            return;
        }
        *self = Self {
            known: true,
            application_limited: info.delivery_rate_limited().map_or(2, u8::from),
            congestion: self.congestion,
            header: HEADER + if info.options().is_none_or(|options| options & STAMPS != 0) { HEADER_STAMPS } else { 0 },
            accepted: accepted(info).or(self.accepted),
            answer_booked: self.answer_booked,
            rtt_us: info.rtt_us().filter(|us| *us > 0).unwrap_or(NO),
            rtt_variation_us: info.rttvar_us().filter(|us| *us > 0).unwrap_or(NO),
            min_rtt_us: info.min_rtt_us().unwrap_or(NO),
            retransmits: info.total_retrans().unwrap_or(NO),
            window: info.send_cwnd().unwrap_or(NO),
            segments_out: out,
            segments_in: into.max(self.segments_in),
            retransmitted_bytes: info.bytes_retrans().unwrap_or(NONE),
            booked: self.booked,
            booked_again: self.booked_again,
            delivery_rate: info.delivery_rate().unwrap_or(NONE),
            busy_us: info.busy_us().unwrap_or(NONE),
            receiver_limited_us: info.receive_window_limited_us().unwrap_or(NONE),
            buffer_limited_us: info.send_buffer_limited_us().unwrap_or(NONE),
        };
    }

    /// Payload sent again.
    pub(crate) fn retransmitted(&self) -> u64 {
        if self.retransmitted_bytes == NONE { 0 } else { self.retransmitted_bytes }
    }

    /// What was before is in nobody's books.
    pub(crate) fn skip(&mut self) {
        self.booked = Traffic::new(u64::from(self.segments_in), u64::from(self.segments_out));
        self.booked_again = self.retransmitted();
        self.answer_booked = true;
    }

    pub(crate) fn detail(&self, congestion: Option<&String>) -> TcpDetail {
        let small = |number: u32| (number != NO).then_some(number);
        let large = |number: u64| (number != NONE).then_some(number);
        TcpDetail {
            rtt_us: small(self.rtt_us),
            rtt_variation_us: small(self.rtt_variation_us),
            min_rtt_us: small(self.min_rtt_us),
            retransmitted_bytes: large(self.retransmitted_bytes),
            retransmits: small(self.retransmits),
            congestion_window: small(self.window),
            congestion: congestion.cloned(),
            delivery_rate: large(self.delivery_rate),
            busy_us: large(self.busy_us),
            receiver_limited_us: large(self.receiver_limited_us),
            buffer_limited_us: large(self.buffer_limited_us),
            application_limited: (self.application_limited < 2).then_some(self.application_limited == 1),
        }
    }
}

/// Whether the other side opened a connection: then no SYN of ours is among the acknowledged bytes. It shows when all
/// that was sent is acknowledged. A FIN of ours counts too, once it is acknowledged: after one a single octet beyond may
/// be either, and says nothing.
fn accepted(info: &TcpInfo<'_>) -> Option<bool> {
    const AFTER_FIN: [u8; 5] = [4, 5, 7, 9, 11];
    if info.unacked()? > 0 {
        return None;
    }
    let beyond = info.bytes_acked()?.checked_sub(info.payload_sent()?)?;
    let ambiguous = beyond == 1 && AFTER_FIN.contains(&info.state()?);
    (!ambiguous).then_some(beyond == 0)
}
