//! How fast the evaluator is, apart from any store: 400 series of 7,200 seconds in memory.
//!
//! `cargo run --release -p squirrel-promql --example query_speed`
//!
//! Prints the best and the median of eleven runs of each query, and how many samples it read.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::time::Instant;

use squirrel_model::{Labels, LabelsError, Samples, Timestamp};
use squirrel_promql::{EvalOptions, ParseOptions, Value, evaluate_instant, evaluate_range, parse};
use squirrel_testkit::MemorySelect;

const SERIES: usize = 400;
const SECONDS: i64 = 7_200;
const RUNS: usize = 11;

/// Byte counters of interfaces, each with its own pace and a restart now and then.
fn store() -> Result<MemorySelect, LabelsError> {
    let mut store = MemorySelect::default();
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    for i in 0..SERIES {
        let (host, device) = (format!("host-{:03}", i / 4), format!("eth{}", i % 4));
        let name = [("__name__", "x"), ("host", &host), ("device", &device), ("job", "squirrel")];
        let labels = Labels::new(name)?;
        let mut samples = Samples::default();
        let mut value = 0.0;
        for second in 0..SECONDS {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            value = if noise.is_multiple_of(3_001) { 0.0 } else { value + (noise % 100_000) as f64 };
            samples.push(second * 1000, value);
        }
        store.put_series(&labels, samples);
    }
    Ok(store)
}

#[expect(clippy::disallowed_methods, reason = "this program measures time")]
fn timed(mut run: impl FnMut() -> Result<usize, String>) -> Result<(f64, f64, usize), String> {
    let mut times = Vec::with_capacity(RUNS);
    let mut points = 0;
    for _ in 0..RUNS {
        let begin = Instant::now();
        points = run()?;
        times.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    let at = |i: usize| times.get(i).copied().unwrap_or_default();
    Ok((at(0), at(RUNS / 2), points))
}

fn main() -> Result<(), String> {
    let store = store().map_err(|e| e.to_string())?;
    let options = EvalOptions { max_samples: 100_000_000, ..EvalOptions::default() };
    let hour = [
        "x",
        "rate(x[1m])",
        "sum(rate(x[1m]))",
        "sum by (host) (rate(x[1m]))",
        "topk(10, rate(x[1m]))",
        "quantile(0.95, rate(x[1m]))",
        "max_over_time(x[5m])",
        "max_over_time(x[1h])",
        "avg_over_time(x[5m])",
        "quantile_over_time(0.9, x[5m])",
        "rate(x[1m]) / on (host, device) rate(x[5m])",
        "rate(x[1m]) > 50000 and on (host) x",
        "max_over_time(sum(rate(x[1m]))[10m:15s])",
    ];
    let (start, end, step) = (Timestamp(3_600_000), Timestamp(7_200_000), 15_000);
    println!("{SERIES} series of {SECONDS} s; range: 1 h at 15 s steps; times in ms");
    println!("{:<48} {:>9} {:>9} {:>9}", "query", "best", "median", "points");
    for text in hour {
        let expr = parse(text, &ParseOptions::default()).map_err(|e| e.to_string())?;
        let (best, median, points) = timed(|| {
            let answer = evaluate_range(&expr, &store, start, end, step, &options, &|| false);
            match answer.map_err(|e| e.to_string())?.value {
                Value::Matrix(rows) => Ok(rows.iter().map(|(_, samples)| samples.len()).sum()),
                _ => Ok(0),
            }
        })?;
        println!("{text:<48} {best:>9.2} {median:>9.2} {points:>9}");
    }
    println!("instant");
    for text in ["sum(rate(x[1m]))", "topk(10, rate(x[1m]))", "quantile_over_time(0.9, x[2h])"] {
        let expr = parse(text, &ParseOptions::default()).map_err(|e| e.to_string())?;
        let (best, median, points) = timed(|| {
            let answer = evaluate_instant(&expr, &store, end, &options, &|| false);
            match answer.map_err(|e| e.to_string())?.value {
                Value::Vector(samples) => Ok(samples.len()),
                _ => Ok(0),
            }
        })?;
        println!("{text:<48} {best:>9.2} {median:>9.2} {points:>9}");
    }
    Ok(())
}
