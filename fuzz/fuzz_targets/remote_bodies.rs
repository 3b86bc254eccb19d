//! Files of bodies of remote write.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_exchange::Limits;
use squirrel_remote::frames::{Frames, received};

fuzz_target!(|octets: &[u8]| {
    squirrel_fuzz::show(&received(octets, &Limits::default()));
    let mut frames = Frames::new(octets);
    while let Ok(Some(received)) = frames.received(&Limits::default()) {
        squirrel_fuzz::show(&received);
    }
});
