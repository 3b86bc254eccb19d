//! A chunk of the store: its head, and its samples.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_fuzz::show;
use squirrel_store::codec;

fuzz_target!(|octets: &[u8]| {
    let mut samples = squirrel_model::Samples::default();
    show(&(codec::header(octets), codec::decode(octets, &mut samples), samples));
});
