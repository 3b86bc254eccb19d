//! An expression of PromQL: what is understood is printed, and the print means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_promql::{ParseOptions, parse};

fuzz_target!(|text: &str| {
    let options = ParseOptions { experimental: true, ..ParseOptions::default() };
    if let Ok(tree) = parse(text, &options) {
        let printed = tree.to_string();
        let again = parse(&printed, &ParseOptions { max_bytes: usize::MAX, ..options });
        assert_eq!(again.map(|tree| tree.to_string()), Ok(printed));
    }
});
