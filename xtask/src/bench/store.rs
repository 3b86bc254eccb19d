//! Octets for each sample, on the mix of series that a host of ours really has, and what storing and asking costs
//! beside other engines.

use anyhow::{Context as _, Result};

use super::Figure;
use crate::process;
use crate::steps::Steps;

/// Runs the example of the store that encodes the mix.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    let package = ["--release", "--locked", "--package", "squirrel-store", "--example", "codec_mix"];
    let mut build = vec!["build"];
    build.extend(package);
    steps.cargo("release build of the store", &build)?;
    let mut run = process::cargo(steps.root);
    run.args(["run", "--quiet"]).args(package);
    let text = process::output(&mut run)?;
    let find = |name| bytes_a_sample(&text, name).with_context(|| format!("no line `{name}` in:\n{text}"));
    let (codec, gorilla, block) = (find("codec_mix")?, find("gorilla_mix")?, find("block")?);
    let figure = |name, octets: f64, theirs| Figure {
        name,
        ours: format!("{octets:.3} bytes"),
        theirs,
        value: octets,
        limit: 1.1,
        unit: "bytes",
    };
    let mut figures = vec![
        figure("store: a sample, compressed", codec, format!("Gorilla's XOR: {gorilla:.3} bytes")),
        figure("store: a sample in a block, with index and checksums", block, "-".to_string()),
    ];
    figures.extend(beside_others(steps)?);
    Ok(figures)
}

/// How a figure of the comparison is judged.
enum Judged {
    /// Ours alone, by this limit in this unit.
    Alone(f64, &'static str),
    /// Ours in shares of VictoriaMetrics'; less is better.
    LessThanVictoria,
    /// Ours in shares of the lesser of both; less is better.
    LessThanBoth,
    /// VictoriaMetrics' in shares of ours; more is better.
    MoreThanVictoria,
}

/// The figures of the comparison: the example's name, what it is, how it is judged.
const COMPARED: [(&str, &str, Judged); 13] = [
    ("disk_per_sample", "store: bytes a sample on disk", Judged::Alone(1.02, "bytes")),
    ("disk_per_sample", "store: disk, beside VictoriaMetrics after its merge", Judged::LessThanVictoria),
    ("ingest_per_cpu_second", "store: remote writes taken, samples a CPU second", Judged::MoreThanVictoria),
    ("resident_after_ingest", "store: resident memory after that", Judged::LessThanBoth),
    ("query_rate_of_one", "query: rate of one series", Judged::LessThanVictoria),
    ("query_sum_of_rates", "query: sum of 400 rates", Judged::LessThanVictoria),
    ("query_topk", "query: the ten largest of 400 rates", Judged::LessThanVictoria),
    ("query_quantile", "query: a quantile of 200 series", Judged::LessThanVictoria),
    ("query_max_over_time", "query: maxima of 200 series", Judged::LessThanVictoria),
    ("query_day_of_100_series", "query: a day of 100 series, a sample a second", Judged::Alone(150.0, "ms")),
    ("million_series_resident", "store: memory of a million series", Judged::Alone(1_000.0, "MB")),
    ("million_series_cpu", "store: three samples of a million series", Judged::Alone(60.0, "s")),
    (
        "start_after_crash_per_gb_of_log",
        "store: start after a crash, for a GB of log, the busier thread",
        Judged::Alone(10.0, "s"),
    ),
];

/// Runs the example that asks this store, Debian's `prometheus` and `victoria-metrics` the same.
fn beside_others(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    let package = ["--release", "--locked", "--package", "squirrel-remote", "--example", "store_figures"];
    steps.cargo("release build of the comparison", &[&["build"], &package[..]].concat())?;
    let mut run = process::cargo(steps.root);
    run.args(["run", "--quiet"]).args(package);
    let text = process::output(&mut run)?;
    COMPARED.iter().map(|(word, name, judged)| compared(&text, word, name, judged)).collect()
}

fn compared(text: &str, word: &str, name: &'static str, judged: &Judged) -> Result<Figure> {
    let ([ours, prometheus, victoria], unit) =
        row(text, word).with_context(|| format!("no line `{word}` in:\n{text}"))?;
    let ours = ours.with_context(|| format!("`{word}` has no figure of ours"))?;
    let shown = |whose: &str, value: Option<f64>| value.map(|value| format!("{whose} {value:.3}"));
    let theirs: Vec<String> =
        [shown("Prometheus", prometheus), shown("VictoriaMetrics", victoria)].into_iter().flatten().collect();
    let theirs = if theirs.is_empty() { "-".to_string() } else { theirs.join(", ") };
    let other = |value: Option<f64>| value.with_context(|| format!("`{word}` has nothing to compare with"));
    let (value, limit, unit_of_limit) = match judged {
        Judged::Alone(limit, unit) => (ours, *limit, *unit),
        Judged::LessThanVictoria => (ours / other(victoria)?, 1.0, ""),
        Judged::LessThanBoth => (ours / other(prometheus)?.min(other(victoria)?), 1.0, ""),
        Judged::MoreThanVictoria => (other(victoria)? / ours, 1.0, ""),
    };
    Ok(Figure { name, ours: format!("{ours:.3} {unit}"), theirs, value, limit, unit: unit_of_limit })
}

/// The figures and the unit of the line `NAME OURS PROMETHEUS VICTORIAMETRICS UNIT`.
fn row<'a>(text: &'a str, name: &str) -> Option<([Option<f64>; 3], &'a str)> {
    text.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [first, ours, prometheus, victoria, unit] = words[..] else { return None };
        (first == name).then(|| ([ours, prometheus, victoria].map(|word| word.parse().ok()), unit))
    })
}

/// The number of the line `NAME 1.0645 bytes a sample`.
fn bytes_a_sample(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let number = (words.next()? == name).then(|| words.next())??;
        words.eq(["bytes", "a", "sample"]).then(|| number.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_is_judged_by_its_kind() {
        let text = "a 2.000 4.000 8.000 ms\nb 3.000 - - s\n";
        let value = |word, judged| compared(text, word, "x", &judged).map(|figure| (figure.value, figure.limit));
        assert_eq!(value("a", Judged::LessThanVictoria).expect("reads"), (0.25, 1.0));
        assert_eq!(value("a", Judged::LessThanBoth).expect("reads"), (0.5, 1.0));
        assert_eq!(value("a", Judged::MoreThanVictoria).expect("reads"), (4.0, 1.0));
        assert_eq!(value("b", Judged::Alone(10.0, "s")).expect("reads"), (3.0, 10.0));
        assert!(value("b", Judged::LessThanBoth).is_err() && value("c", Judged::LessThanBoth).is_err());
    }

    #[test]
    fn the_figure_is_found_in_what_the_example_prints() {
        let text = "codec_mix_of_old  2.0 bytes a sample\ncodec_mix   1.0645 bytes a sample\nblock 3 ms\n";
        assert_eq!(bytes_a_sample(text, "codec_mix"), Some(1.0645));
        assert_eq!(bytes_a_sample(text, "block"), None);
    }
}
