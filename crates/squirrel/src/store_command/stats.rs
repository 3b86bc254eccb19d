//! `squirrel store stats`.

use std::fmt::Write as _;

use squirrel_model::Untrusted;
use squirrel_store::dir::Dir as _;
use squirrel_store::offline::{self, MetricShare, StoreStats};
use squirrel_sys::clock;

use super::args::Stats;
use super::{folder, of_store};
use crate::config::Environment;
use crate::output;

const NAMES: [&str; 3] = ["full", "minutes", "hours"];

pub(super) fn run(args: &Stats, environment: &Environment) -> anyhow::Result<()> {
    let dir = folder(&args.place, environment)?;
    let stats = offline::stats(&dir, clock::wall()).map_err(of_store)?;
    Ok(output::print(&if args.place.json { json(&stats, args.top)? } else { text(&dir.place(), &stats, args.top) })?)
}

fn most_series(stats: &StoreStats, top: usize) -> Vec<&MetricShare> {
    let mut metrics: Vec<&MetricShare> = stats.metrics.iter().collect();
    metrics.sort_by(|a, b| b.series.cmp(&a.series).then(a.name.cmp(&b.name)));
    metrics.truncate(top);
    metrics
}

fn text(place: &str, stats: &StoreStats, top: usize) -> String {
    let mut text = format!(
        "{}: {} bytes, {} series\nlog {} bytes with {} samples that are in no block yet; series files {} bytes; reserve for a full disk {} bytes\n\n",
        Untrusted(place),
        stats.bytes,
        stats.series,
        stats.log_bytes,
        stats.log_samples,
        stats.series_bytes,
        stats.reserve_bytes
    );
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "{:8} {:>6} {:>14} {:>14} {:>8} {:>8}  from .. to (s)",
        "", "blocks", "bytes", "samples", "series", "B/sample"
    );
    for (name, tier) in NAMES.iter().zip(&stats.tiers) {
        let each = tier.bytes_per_sample().map_or_else(|| "-".to_owned(), |bytes| format!("{bytes:.3}"));
        let span = tier.span.map_or_else(|| "-".to_owned(), |span| format!("{} .. {}", span.start, span.end));
        let _ = writeln!(
            text,
            "{name:8} {:>6} {:>14} {:>14} {:>8} {each:>8}  {span}",
            tier.blocks, tier.bytes, tier.samples, tier.series
        );
    }
    let width = stats.metrics.iter().map(|metric| metric.name.len()).max().unwrap_or(0).min(70);
    for (title, metrics) in [("bytes", stats.metrics.iter().take(top).collect()), ("series", most_series(stats, top))] {
        let _ = writeln!(text, "\nmost {title}");
        for metric in metrics {
            let name = Untrusted(&metric.name).to_string();
            let _ = writeln!(text, "  {name:width$}  {:>12} bytes  {:>8} series", metric.bytes, metric.series);
        }
    }
    if stats.incomplete {
        text.push_str("\nA part of the store cannot be read: `squirrel store check` says which.\n");
    }
    text
}

fn json(stats: &StoreStats, top: usize) -> anyhow::Result<String> {
    let share = |metric: &MetricShare| serde_json::json!({ "name": metric.name, "series": metric.series, "bytes": metric.bytes });
    let tiers: Vec<_> = NAMES
        .iter()
        .zip(&stats.tiers)
        .map(|(name, tier)| {
            serde_json::json!({
                "name": name, "step_ms": tier.step_ms, "blocks": tier.blocks, "bytes": tier.bytes,
                "samples": tier.samples, "series": tier.series, "bytes_per_sample": tier.bytes_per_sample(),
                "first_ms": tier.span.map(|span| span.start.millis()), "last_ms": tier.span.map(|span| span.end.millis()),
            })
        })
        .collect();
    let document = serde_json::json!({
        "schema": 1, "bytes": stats.bytes, "log_bytes": stats.log_bytes, "series_bytes": stats.series_bytes, "reserve_bytes": stats.reserve_bytes,
        "log_samples": stats.log_samples, "series": stats.series, "tiers": tiers,
        "newest_ms": stats.newest.map(squirrel_model::Timestamp::millis), "incomplete": stats.incomplete,
        "most_bytes": stats.metrics.iter().take(top).map(share).collect::<Vec<_>>(),
        "most_series": most_series(stats, top).into_iter().map(share).collect::<Vec<_>>(),
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
