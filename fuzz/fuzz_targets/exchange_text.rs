//! A page that a scrape brings, in both formats.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_exchange::Limits;
use squirrel_exchange::text::{Format, parse};
use squirrel_model::Timestamp;

fuzz_target!(|octets: &[u8]| {
    let text = String::from_utf8_lossy(octets);
    squirrel_fuzz::show(&Format::of_accept(&text));
    for format in [Format::Prometheus, Format::OpenMetrics] {
        squirrel_fuzz::show(&parse(&text, format, Timestamp(0), &Limits::default()));
    }
});
