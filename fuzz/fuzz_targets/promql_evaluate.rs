//! An expression of PromQL, evaluated over a few series.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_fuzz::show;
use squirrel_fuzz::small_store;
use squirrel_model::Timestamp;
use squirrel_promql::{EvalOptions, ParseOptions, evaluate_instant, evaluate_range, parse};

fuzz_target!(|text: &str| {
    let Ok(tree) = parse(text, &ParseOptions { experimental: true, ..ParseOptions::default() }) else { return };
    let (store, options) = (small_store(), EvalOptions { max_samples: 100_000, ..EvalOptions::default() });
    let (start, end) = (Timestamp(60_000), Timestamp(120_000));
    show(&evaluate_instant(&tree, &store, end, &options, &|| false));
    show(&evaluate_range(&tree, &store, start, end, 7_000, &options, &|| false));
});
