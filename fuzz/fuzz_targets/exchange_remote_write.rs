//! Both versions of remote write, as they come and behind snappy.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_exchange::Limits;
use squirrel_exchange::remote_write::{Version, decode, encode};

fuzz_target!(|octets: &[u8]| {
    for version in [Version::V1, Version::V2] {
        squirrel_fuzz::show(&decode(version, octets, &Limits::default()));
        // A literal of snappy around the octets: the length, a tag that says that two octets of length follow.
        let Ok(length) = u16::try_from(octets.len()) else { return };
        let Some(last) = length.checked_sub(1) else { return };
        let varint = [length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8];
        let body = [&varint, [61 << 2].as_slice(), &last.to_le_bytes(), octets].concat();
        let Ok(received) = decode(version, &body, &Limits::default()) else { continue };
        let again = encode(version, &received.series).expect("it is small");
        let again = decode(version, &again, &Limits::default()).expect("what we write we read");
        assert_eq!(again.samples(), received.samples());
    }
});
