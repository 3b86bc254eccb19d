//! The answers of a driver to ethtool requests.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_fuzz::show;
use squirrel_wire::ethtool::{DriverInfo, parse_statistics, parse_string_set_info, parse_strings};

fuzz_target!(|octets: &[u8]| {
    show(&(DriverInfo::parse(octets), parse_string_set_info(octets)));
    show(&parse_strings(octets).map(Iterator::collect::<Vec<_>>));
    show(&parse_statistics(octets).map(Iterator::collect::<Vec<_>>));
});
