//! A request of OTLP metrics, what its families become, and an answer to one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_exchange::flatten::flatten;
use squirrel_exchange::{Limits, Refused, otlp};
use squirrel_model::Timestamp;

fuzz_target!(|octets: &[u8]| {
    squirrel_fuzz::show(&otlp::decode_response(octets));
    let Ok(received) = otlp::decode(octets, &Limits::default()) else { return };
    for resource in &received.resources {
        for family in &resource.families {
            squirrel_fuzz::show(&flatten(family, &[("job", "fuzz")], Timestamp(0), &mut Refused::default()));
        }
        // What was read can be written, and is the same when it is read again.
        let again = otlp::encode(resource, ("fuzz", ""), Timestamp(1));
        let again = otlp::decode(&again, &Limits::default()).expect("what we write we read");
        assert!(again.resources.len() == 1 && again.refused.is_none());
    }
});
