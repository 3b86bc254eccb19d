//! What servers and configurations say to the door out.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_model::Timestamp;
use squirrel_outbound::{Destination, Network, retry_after};

fuzz_target!(|text: &str| {
    squirrel_fuzz::show(&retry_after(text, Timestamp(1_795_275_000_000)));
    squirrel_fuzz::show(&text.parse::<Network>());
    if let Ok(to) = Destination::parse(text) {
        // What is shown of it is a URL, and leads to the same place.
        let again = Destination::parse(&to.to_string()).expect("what we write we read");
        assert_eq!((again.host(), again.port(), again.is_tls()), (to.host(), to.port(), to.is_tls()));
    }
});
