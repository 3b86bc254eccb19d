//! The questions of a path: all of one flow look the same to a router that spreads traffic, and each names itself.
//!
//! Routers tell flows apart by addresses, ports, and of ICMP by the first four octets: type, code and checksum. So a
//! flow of UDP keeps its ports, and a flow of ICMP its checksum, which two octets of the payload balance.

use squirrel_wire::icmp::{Echo, Family, checksum, write_echo_request};

use super::Probe;
use crate::packet::{TAG, Tag};

/// Octets of a payload that are ours: the tag, and what balances it.
const OWN: usize = TAG + 2;
/// Octets of a question's payload, unless its size is what is asked about: the packet stays below 128 octets, so that
/// routers fill up their quotations, and extensions are found behind them.
pub(super) const PAYLOAD: usize = 32;

/// What names a question.
pub(super) fn tag(run: u64, probe: Probe) -> Tag {
    Tag { run, target: u32::from(probe.flow) << 8 | u32::from(probe.ttl), question: probe.number }
}

/// The payload of a datagram.
pub(super) fn write_datagram(run: u64, probe: Probe, size: usize, out: &mut Vec<u8>) {
    out.clear();
    out.extend(tag(run, probe).octets());
    out.resize(size.max(OWN), 0);
}

/// An echo request whose checksum is that of its flow, with a payload of `size` octets.
pub(super) fn write_echo(family: Family, identifier: u16, run: u64, probe: Probe, size: usize, out: &mut Vec<u8>) {
    let sequence = probe.number as u16;
    let mut payload = vec![0; size.max(OWN)];
    for (place, octet) in payload.iter_mut().zip(tag(run, probe).octets()) {
        *place = octet;
    }
    // The checksum is the complement of the sum, so adding it to what it was made of makes the sum of all constant.
    let mut varying = sequence.to_be_bytes().to_vec();
    varying.extend(payload.iter().take(TAG));
    let wanted = u32::from(probe.flow) * 257 + 1;
    let balance = u32::from(checksum(&varying)) + wanted;
    let balance = (balance & 0xFFFF) + (balance >> 16);
    if let Some(place) = payload.get_mut(TAG..OWN) {
        place.copy_from_slice(&(balance as u16).to_be_bytes());
    }
    out.clear();
    out.resize(payload.len() + squirrel_wire::icmp::ECHO_HEADER, 0);
    // There is room for it.
    let _ = write_echo_request(family, Echo { identifier, sequence, payload: &payload }, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_keeps_its_checksum_and_another_has_another() {
        let mut seen = Vec::new();
        for flow in 0..16 {
            let sums: Vec<[u8; 2]> = (0..70_000)
                .step_by(37)
                .map(|number| {
                    let probe = Probe { number, round: 0, flow, ttl: (number % 30) as u8 };
                    let mut out = Vec::new();
                    write_echo(
                        Family::V4,
                        77,
                        0x1234_5678_9ABC_DEF0 ^ u64::from(flow),
                        probe,
                        PAYLOAD + 8 * (number as usize % 2),
                        &mut out,
                    );
                    assert_eq!(checksum(&out), 0, "a checksum that receivers take");
                    [out[2], out[3]]
                })
                .collect();
            assert!(sums.windows(2).all(|pair| pair[0] == pair[1]), "flow {flow}");
            seen.push(sums[0]);
        }
        seen.dedup();
        assert_eq!(seen.len(), 16);
    }

    #[test]
    fn a_question_names_itself_and_is_short_enough_to_be_filled_up() {
        let probe = Probe { number: 70_001, round: 9, flow: 3, ttl: 12 };
        let mut out = Vec::new();
        write_datagram(5, probe, PAYLOAD, &mut out);
        assert_eq!(Tag::read(5, &out), Some(tag(5, probe)));
        assert!(out.len() + 8 + 40 < 128);
        assert_eq!(Tag::read(6, &out), None, "another run's");
    }
}
