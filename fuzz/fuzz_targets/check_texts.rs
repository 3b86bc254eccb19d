//! What plugins of Nagios say in their first line.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (figures, strange) = squirrel_check::parse_performance(text);
    std::hint::black_box((&figures, strange));
    assert!(figures.iter().all(|one| one.value.is_none_or(f64::is_finite)));
});
