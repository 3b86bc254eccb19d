//! Samples in the formats of other systems.

use squirrel_exchange::flatten::flatten;
use squirrel_exchange::remote_write::{Version, decode, encode};
use squirrel_exchange::text::{Format, parse};
use squirrel_exchange::{Limits, Refused, otlp};
use squirrel_model::Timestamp;

use crate::show;

/// A request of OTLP metrics, what its families become, and an answer to one.
pub(super) fn otlp(octets: &[u8]) {
    show(&otlp::decode_response(octets));
    let Ok(received) = otlp::decode(octets, &Limits::default()) else { return };
    for resource in &received.resources {
        for family in &resource.families {
            show(&flatten(family, &[("job", "fuzz")], Timestamp(0), &mut Refused::default()));
        }
        // What was read can be written, and is the same when it is read again.
        let again = otlp::encode(resource, ("fuzz", ""), Timestamp(1));
        let again = otlp::decode(&again, &Limits::default()).expect("what we write we read");
        assert!(again.resources.len() == 1 && again.refused.is_none());
    }
}

/// Both versions of remote write, as they come and behind snappy.
pub(super) fn remote_write(octets: &[u8]) {
    for version in [Version::V1, Version::V2] {
        show(&decode(version, octets, &Limits::default()));
        let Some(body) = literal(octets) else { return };
        let Ok(received) = decode(version, &body, &Limits::default()) else { continue };
        let again = encode(version, &received.series).expect("it is small");
        let again = decode(version, &again, &Limits::default()).expect("what we write we read");
        assert_eq!(again.samples(), received.samples());
    }
}

/// A literal of snappy around the octets: the length, a tag that says that two octets of length follow.
fn literal(octets: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(octets.len()).ok()?;
    let last = length.checked_sub(1)?;
    let varint = [length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8];
    Some([&varint, [61 << 2].as_slice(), &last.to_le_bytes(), octets].concat())
}

/// A page that a scrape brings, in both formats.
pub(super) fn text(text: &str) {
    show(&Format::of_accept(text));
    for format in [Format::Prometheus, Format::OpenMetrics] {
        show(&parse(text, format, Timestamp(0), &Limits::default()));
    }
}
