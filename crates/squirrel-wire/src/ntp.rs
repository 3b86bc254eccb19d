//! Packets of NTP version 4 (RFC 5905), as a client asks and servers answer.

use core::fmt;

use crate::{Malformed, Reader};

/// Octets of a packet without extensions.
pub const PACKET: usize = 48;

/// Seconds between the beginnings of NTP's era (1900) and of Unix' (1970).
const UNIX_EPOCH: u64 = 2_208_988_800;

const MODE_CLIENT: u8 = 3;
const MODE_SERVER: u8 = 4;
const VERSION: u8 = 4;

/// A moment: seconds since 1900 in the upper half, which begin again in 2036, and their fraction in the lower.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// From nanoseconds since 1970.
    pub fn from_unix_nanos(nanos: u64) -> Self {
        let seconds = (nanos / 1_000_000_000).wrapping_add(UNIX_EPOCH);
        let fraction = ((nanos % 1_000_000_000) << 32) / 1_000_000_000;
        Self(seconds << 32 | fraction)
    }

    /// Seconds from `earlier` to this, negative when it is the other way round. Right for moments within 68 years of
    /// each other, whatever their eras.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        // The difference of the halves wraps as the era does, so this is the nearer one.
        let difference = self.0.wrapping_sub(earlier.0) as i64;
        difference as f64 / 4_294_967_296.0
    }
}

/// What a server warns of (the leap indicator).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leap {
    /// Nothing.
    None,
    /// The last minute of the day has 61 seconds.
    Insert,
    /// The last minute of the day has 59 seconds.
    Delete,
    /// The server itself does not know the time.
    Unsynchronized,
}

/// A packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The warning.
    pub leap: Leap,
    /// The version that is spoken.
    pub version: u8,
    /// 3 asks, 4 answers.
    pub mode: u8,
    /// Steps to a clock: 1 has one itself; 0 is a refusal ([`Packet::kiss`]), 16 knows no time.
    pub stratum: u8,
    /// What the server's clock resolves, as a power of two of seconds.
    pub precision: i8,
    /// Time to the clock and back, in 1/65536 s.
    pub root_delay: u32,
    /// The largest error against the clock, in 1/65536 s.
    pub root_dispersion: u32,
    /// Of whom the server has its time: four letters, or an address.
    pub reference_id: [u8; 4],
    /// When the server's clock was last set.
    pub reference: NtpTime,
    /// The question's `transmit`.
    pub origin: NtpTime,
    /// When the question arrived.
    pub receive: NtpTime,
    /// When the packet was sent.
    pub transmit: NtpTime,
}

impl Packet {
    /// Reads a packet; extensions and authentication after it are left alone.
    ///
    /// # Errors
    /// When there are fewer than 48 octets.
    pub fn parse(octets: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("ntp", octets);
        let [first, stratum, _poll, precision] = reader.array::<4>()?;
        let root_delay = u32::from_be_bytes(reader.array()?);
        let root_dispersion = u32::from_be_bytes(reader.array()?);
        let reference_id = reader.array()?;
        let mut time = || reader.array().map(|octets| NtpTime(u64::from_be_bytes(octets)));
        Ok(Self {
            leap: match first >> 6 {
                0 => Leap::None,
                1 => Leap::Insert,
                2 => Leap::Delete,
                _ => Leap::Unsynchronized,
            },
            version: first >> 3 & 7,
            mode: first & 7,
            stratum,
            precision: precision as i8,
            root_delay,
            root_dispersion,
            reference_id,
            reference: time()?,
            origin: time()?,
            receive: time()?,
            transmit: time()?,
        })
    }

    /// Whether it is a server's answer to the question that was sent with `transmit`. What an attacker sends who did not
    /// see the question is not, when `transmit` was chosen at random.
    pub fn answers(&self, transmit: NtpTime) -> bool {
        self.mode == MODE_SERVER && (1..=VERSION).contains(&self.version) && self.origin == transmit
    }

    /// The four letters of a server that does not want to answer, such as `RATE` or `DENY` (section 7.4).
    pub fn kiss(&self) -> Option<Kiss> {
        (self.stratum == 0).then_some(Kiss(self.reference_id))
    }

    /// Seconds to the clock and back, by the server's word.
    pub fn root_delay_seconds(&self) -> f64 {
        f64::from(self.root_delay) / 65_536.0
    }

    /// The largest error against the clock in seconds, by the server's word.
    pub fn root_dispersion_seconds(&self) -> f64 {
        f64::from(self.root_dispersion) / 65_536.0
    }

    /// How far the server's clock is ahead of the asker's, in seconds, when the question was sent and the answer
    /// arrived at these moments of the asker's clock (section 8).
    pub fn offset(&self, sent: NtpTime, received: NtpTime) -> f64 {
        f64::midpoint(self.receive.seconds_since(sent), self.transmit.seconds_since(received))
    }

    /// The way there and back in seconds, without the server's own time.
    pub fn round_trip(&self, sent: NtpTime, received: NtpTime) -> f64 {
        received.seconds_since(sent) - self.transmit.seconds_since(self.receive)
    }
}

/// Why a server does not want to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kiss(pub [u8; 4]);

/// Its letters; what is none is shown as `?`.
impl fmt::Display for Kiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for octet in self.0 {
            let shown = if octet.is_ascii_graphic() { char::from(octet) } else { '?' };
            write!(f, "{shown}")?;
        }
        Ok(())
    }
}

/// Writes a client's question. It says nothing of the asker: `transmit` need not be a time, and best is a random number,
/// which the answer repeats.
pub fn write_query(transmit: NtpTime) -> [u8; PACKET] {
    let mut packet = [0; PACKET];
    if let Some((last, first)) = packet.split_last_chunk_mut::<8>().map(|(rest, last)| (last, rest)) {
        *last = transmit.0.to_be_bytes();
        if let Some(head) = first.first_mut() {
            *head = VERSION << 3 | MODE_CLIENT;
        }
    }
    packet
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString as _;

    use proptest::prelude::*;

    fn answer(origin: NtpTime, receive: NtpTime, transmit: NtpTime) -> [u8; PACKET] {
        let mut packet = [0; PACKET];
        packet[..16].copy_from_slice(&[0x24, 2, 6, 0xe9, 0, 0, 0x80, 0, 0, 1, 0, 0, 192, 0, 2, 1]);
        packet[24..32].copy_from_slice(&origin.0.to_be_bytes());
        packet[32..40].copy_from_slice(&receive.0.to_be_bytes());
        packet[40..].copy_from_slice(&transmit.0.to_be_bytes());
        packet
    }

    #[test]
    fn an_answer_is_read() {
        let octets = answer(NtpTime(7), NtpTime(8), NtpTime(9));
        let packet = Packet::parse(&octets).unwrap();
        assert_eq!((packet.leap, packet.version, packet.mode, packet.stratum), (Leap::None, 4, 4, 2));
        assert_eq!((packet.precision, packet.root_delay_seconds(), packet.root_dispersion_seconds()), (-23, 0.5, 1.0));
        assert_eq!((packet.reference_id, packet.kiss()), ([192, 0, 2, 1], None));
        assert!(packet.answers(NtpTime(7)) && !packet.answers(NtpTime(8)));
        for len in 0..PACKET {
            assert!(Packet::parse(&octets[..len]).is_err());
        }
        let mut refused = octets;
        refused[0] = 0xe4;
        refused[1] = 0;
        refused[12..16].copy_from_slice(b"RA\x1bE");
        let packet = Packet::parse(&refused).unwrap();
        assert_eq!((packet.leap, packet.kiss().unwrap().to_string().as_str()), (Leap::Unsynchronized, "RA?E"));
    }

    #[test]
    fn a_question_is_a_clients_and_no_answer() {
        let packet = Packet::parse(&write_query(NtpTime(42))).unwrap();
        assert_eq!((packet.mode, packet.version, packet.transmit, packet.origin), (3, 4, NtpTime(42), NtpTime(0)));
        assert!(!packet.answers(NtpTime(0)));
    }

    #[test]
    fn offset_and_way_are_those_of_the_definition() {
        // The server is 100 s ahead, the way takes 0.25 s each, the server 0.5 s.
        let at = |seconds: f64| NtpTime((seconds * 4_294_967_296.0) as u64);
        let packet = Packet::parse(&answer(NtpTime(1), at(1_100.25), at(1_100.75))).unwrap();
        assert_eq!(
            (packet.offset(at(1_000.0), at(1_001.0)), packet.round_trip(at(1_000.0), at(1_001.0))),
            (100.0, 0.5)
        );
        // Over the end of the era in 2036.
        let (before, after) = (NtpTime(u64::MAX - (1 << 32) + 1), NtpTime(1 << 32));
        assert_eq!((after.seconds_since(before), before.seconds_since(after)), (2.0, -2.0));
    }

    #[test]
    fn moments_of_unix_are_turned_into_those_of_ntp() {
        assert_eq!(NtpTime::from_unix_nanos(500_000_000), NtpTime(UNIX_EPOCH << 32 | 1 << 31));
        let (one, next) = (NtpTime::from_unix_nanos(u64::MAX - 1_000_000_000), NtpTime::from_unix_nanos(u64::MAX));
        assert!((next.seconds_since(one) - 1.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn any_octets_are_survived(octets in proptest::collection::vec(any::<u8>(), 0..100), a: u64, b: u64) {
            if let Ok(packet) = Packet::parse(&octets) {
                prop_assert!(packet.offset(NtpTime(a), NtpTime(b)).is_finite());
                prop_assert!(packet.round_trip(NtpTime(a), NtpTime(b)).is_finite());
                prop_assert!(packet.kiss().is_none_or(|kiss| kiss.to_string().len() == 4));
            }
        }
    }
}
