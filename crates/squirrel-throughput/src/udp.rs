//! What stands at the beginning of each datagram, and what a receiver concludes from it.

use std::time::Duration;

/// Says "here I am" on a new stream, and the answer: four octets in the order of the sender's machine. Iperf3 has had
/// several; each is understood.
pub(crate) const GREETINGS: [u32; 2] = [0x3637_3839, 123_456_789];
/// Answers to a greeting.
pub(crate) const ANSWERS: [u32; 2] = [0x3938_3736, 987_654_321];

/// Whether a datagram is one of these, of either order of octets.
pub(crate) fn is_one_of(words: [u32; 2], datagram: &[u8]) -> bool {
    let Some(four) = datagram.first_chunk::<4>() else { return false };
    datagram.len() == 4 && (words.contains(&u32::from_le_bytes(*four)) || words.contains(&u32::from_be_bytes(*four)))
}

/// Writes the beginning of a datagram: seconds, microseconds and number, in network order.
pub(crate) fn write_header(datagram: &mut [u8], sent: Duration, number: u64, wide: bool) {
    let mut put = |at: usize, octets: &[u8]| {
        if let Some(place) = datagram.get_mut(at..at + octets.len()) {
            place.copy_from_slice(octets);
        }
    };
    put(0, &(sent.as_secs() as u32).to_be_bytes());
    put(4, &sent.subsec_micros().to_be_bytes());
    if wide {
        put(8, &number.to_be_bytes());
    } else {
        put(8, &(number as u32).to_be_bytes());
    }
}

fn read_header(datagram: &[u8], wide: bool) -> Option<(f64, u64)> {
    let four = |at: usize| datagram.get(at..at + 4)?.first_chunk::<4>().map(|four| u32::from_be_bytes(*four));
    let (seconds, micros, high) = (four(0)?, four(4)?, four(8)?);
    let number = if wide { u64::from(high) << 32 | u64::from(four(12)?) } else { u64::from(high) };
    Some((f64::from(seconds) + f64::from(micros) / 1e6, number))
}

/// Loss, order and jitter of one stream, as iperf3 counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Arrivals {
    /// The highest number that came.
    pub(crate) highest: u64,
    /// Numbers that did not come. One that comes late is taken off again, a duplicate too.
    pub(crate) lost: u64,
    /// Datagrams whose number is not above all before.
    pub(crate) out_of_order: u64,
    /// Seconds of jitter (RFC 1889, section 6.3.1).
    pub(crate) jitter: f64,
    /// Datagrams that were no datagrams of a stream.
    pub(crate) strange: u64,
    transit: Option<f64>,
}

/// A gap that no loss explains: whoever sends such a number lies, and shall not spoil the count.
const FARTHEST: u64 = 1 << 40;

impl Arrivals {
    /// A datagram came. Says whether it belongs to a stream.
    pub(crate) fn note(&mut self, datagram: &[u8], now: Duration, wide: bool) -> bool {
        let header = read_header(datagram, wide).filter(|(_, number)| number.saturating_sub(self.highest) < FARTHEST);
        let Some((sent, number)) = header else {
            self.strange += 1;
            return false;
        };
        if number > self.highest {
            self.lost += number - self.highest - 1;
            self.highest = number;
        } else {
            self.out_of_order += 1;
            self.lost = self.lost.saturating_sub(1);
        }
        let transit = now.as_secs_f64() - sent;
        let difference = (transit - self.transit.unwrap_or(transit)).abs();
        self.transit = Some(transit);
        self.jitter += (difference - self.jitter) / 16.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn datagram(number: u64, sent_ms: u64, wide: bool) -> [u8; 20] {
        let mut octets = [0; 20];
        write_header(&mut octets, Duration::from_millis(sent_ms), number, wide);
        octets
    }

    fn arrivals(numbers: &[u64]) -> Arrivals {
        let mut arrivals = Arrivals::default();
        for number in numbers {
            assert!(arrivals.note(&datagram(*number, 0, false), Duration::ZERO, false));
        }
        arrivals
    }

    #[test]
    fn gaps_are_loss_until_they_are_filled() {
        let cases: [(&[u64], u64, u64, u64); 5] = [
            (&[1, 2, 3], 3, 0, 0),
            (&[1, 4], 4, 2, 0),
            (&[1, 4, 2, 3], 4, 0, 2),
            (&[2, 1], 2, 0, 1),
            (&[1, 1], 1, 0, 1),
        ];
        for (numbers, highest, lost, out_of_order) in cases {
            let seen = arrivals(numbers);
            assert_eq!((seen.highest, seen.lost, seen.out_of_order), (highest, lost, out_of_order), "{numbers:?}");
        }
    }

    #[test]
    fn jitter_moves_by_a_sixteenth_of_each_difference() {
        let mut seen = Arrivals::default();
        for (number, sent, came) in [(1, 0, 100), (2, 10, 110), (3, 20, 136), (4, 30, 130)] {
            seen.note(&datagram(number, sent, true), Duration::from_millis(came), true);
        }
        let expected = (0.016_f64 / 16.0) * 15.0 / 16.0 + 0.016 / 16.0;
        assert!((seen.jitter - expected).abs() < 1e-9, "{}", seen.jitter);
    }

    #[test]
    fn wide_numbers_are_told_beyond_32_bits() {
        let number = 0x1_0000_0005;
        assert_eq!(read_header(&datagram(number, 1500, true), true), Some((1.5, number)));
        assert_eq!(read_header(&datagram(number, 1500, false), false), Some((1.5, 5)));
        assert_eq!(read_header(&[0; 15], true), None);
    }

    #[test]
    fn greetings_of_both_orders_are_understood() {
        assert!(is_one_of(GREETINGS, b"9876") && is_one_of(GREETINGS, b"6789"));
        assert!(is_one_of(ANSWERS, b"6789") && !is_one_of(GREETINGS, b"6780") && !is_one_of(GREETINGS, b"98765"));
    }

    proptest! {
        #[test]
        fn any_datagrams_are_survived_and_never_lose_more_than_there_were(
            datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..24), 0..40),
            wide: bool,
        ) {
            let mut seen = Arrivals::default();
            for one in &datagrams {
                seen.note(one, Duration::from_secs(1), wide);
            }
            prop_assert!(seen.lost <= seen.highest && seen.jitter.is_finite());
        }
    }
}
