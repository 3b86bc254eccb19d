//! Expressions of PromQL.

use squirrel_model::{Labels, Samples, Timestamp, histogram_marker};
use squirrel_promql::{EvalOptions, ParseOptions, evaluate_instant, evaluate_range, parse};
use squirrel_testkit::MemorySelect;

use crate::show;

fn experimental() -> ParseOptions {
    ParseOptions { experimental: true, ..ParseOptions::default() }
}

/// What is understood is printed, and the print means the same.
pub(super) fn parsed(text: &str) {
    if let Ok(tree) = parse(text, &experimental()) {
        let printed = tree.to_string();
        let again = parse(&printed, &ParseOptions { max_bytes: usize::MAX, ..experimental() });
        assert_eq!(again.map(|tree| tree.to_string()), Ok(printed));
    }
}

/// An expression, evaluated over a few series.
pub(super) fn evaluated(text: &str) {
    let Ok(tree) = parse(text, &experimental()) else { return };
    let (store, options) = (small_store(), EvalOptions { max_samples: 100_000, ..EvalOptions::default() });
    let (start, end) = (Timestamp(60_000), Timestamp(120_000));
    show(&evaluate_instant(&tree, &store, end, &options, &|| false));
    show(&evaluate_range(&tree, &store, start, end, 7_000, &options, &|| false));
}

/// Labels, and the value at each time.
type Row = (&'static [(&'static str, &'static str)], fn(i64) -> f64);

/// Three series over two minutes: a counter that is reset, a gauge with what is no number, and the
/// buckets of a histogram with one missing, and native histograms.
fn small_store() -> MemorySelect {
    let mut store = MemorySelect::default();
    let times: Vec<i64> = (0..120).map(|second| second * 1_000).collect();
    let rows: [Row; 4] = [
        (&[("__name__", "a"), ("i", "1")], |time| ((time / 1_000) % 50) as f64),
        (&[("__name__", "b"), ("i", "1")], |time| {
            [1.0, f64::NAN, f64::INFINITY, histogram_marker()][(time / 1_000 % 4) as usize]
        }),
        (&[("__name__", "h_bucket"), ("le", "1")], |time| time as f64),
        (&[("__name__", "h_bucket"), ("le", "+Inf")], |time| time as f64 * 2.0),
    ];
    for (labels, value) in rows {
        if let Ok(labels) = Labels::new(labels.iter().copied()) {
            let values = times.iter().map(|time| value(*time)).collect();
            store.put_series(&labels, Samples { times: times.clone(), values });
        }
    }
    store
}
