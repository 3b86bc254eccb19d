//! Times, durations and hosts as a request or a configuration gives them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_api::params::{parse_duration_ms, parse_time};
use squirrel_fuzz::show;
use squirrel_server::AllowedHost;

fuzz_target!(|text: &str| show(&(parse_time(text), parse_duration_ms(text), AllowedHost::parse(text))));
