//! From OpenTelemetry's names and units to Prometheus': the rules that Prometheus applies to OTLP by
//! default (`UnderscoreEscapingWithSuffixes`).
//! <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/>

use std::borrow::Cow;

use crate::Kind;

/// UCUM's symbols and Prometheus' words.
const UNITS: &[(&str, &str)] = &[
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("%", "percent"),
];

/// What stands after the stroke of a unit.
const PER: &[(&str, &str)] = &[
    ("s", "second"),
    ("m", "minute"),
    ("min", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

/// The unit as words: `By/s` is `bytes_per_second`; what stands in braces, and `1`, is no unit.
pub fn unit_words(unit: &str) -> String {
    let (of, per) = unit.split_once('/').map_or((unit, None), |(of, per)| (of, Some(per)));
    let word = |part: &str, table: &[(&str, &str)]| {
        let part = part.trim();
        if part.contains(['{', '}']) || part == "1" {
            return String::new();
        }
        let known = table.iter().find(|(symbol, _)| *symbol == part);
        known.map_or_else(|| escaped(part).trim_matches('_').to_owned(), |(_, word)| (*word).to_owned())
    };
    let of = word(of, UNITS);
    match per.map(|per| word(per, PER)).filter(|per| !per.is_empty()) {
        None => of,
        Some(per) if of.is_empty() => format!("per_{per}"),
        Some(per) => format!("{of}_per_{per}"),
    }
}

/// The name of a metric as Prometheus has it: dots become underscores, the unit's words are added,
/// and counters end in `_total`, gauges of unit `1` in `_ratio`. A name that has them already is left as it is.
pub fn metric_name(name: &str, unit: &str, kind: Kind) -> String {
    let mut out = escaped(name);
    let total = out.ends_with("_total");
    if total && kind == Kind::Counter {
        out.truncate(out.len() - "_total".len());
    }
    let words = unit_words(unit);
    if !words.is_empty() && !has_words(&out, &words) {
        add(&mut out, &words);
    }
    match kind {
        Kind::Counter => add(&mut out, "total"),
        Kind::Gauge if unit == "1" && !has_words(&out, "ratio") => add(&mut out, "ratio"),
        Kind::Info if !out.ends_with("_info") => add(&mut out, "info"),
        _ => {}
    }
    out
}

/// The name of a label as Prometheus has it.
pub fn label_name(name: &str) -> Cow<'_, str> {
    if squirrel_model::is_label_name(name) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        out.push(if c.is_ascii_alphanumeric() { c } else { '_' });
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) || out.is_empty() {
        out.insert_str(0, "key_");
    }
    Cow::Owned(out)
}

fn add(name: &mut String, words: &str) {
    if !name.ends_with('_') {
        name.push('_');
    }
    name.push_str(words);
}

fn has_words(name: &str, words: &str) -> bool {
    name.match_indices(words).any(|(at, _)| {
        let (before, after) = (name.get(..at).unwrap_or_default(), name.get(at + words.len()..).unwrap_or_default());
        (before.is_empty() || before.ends_with('_')) && (after.is_empty() || after.starts_with('_'))
    })
}

/// Runs of what a name may not hold become one underscore.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 16);
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == ':' {
            out.push(c);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) || out.is_empty() {
        out.insert(0, '_');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_those_that_prometheus_makes() {
        let cases = [
            ("mcp.server.operation.duration", "s", Kind::Histogram, "mcp_server_operation_duration_seconds"),
            ("process.network.io", "By", Kind::Counter, "process_network_io_bytes_total"),
            ("squirrel.messages", "{message}", Kind::Counter, "squirrel_messages_total"),
            ("system.filesystem.usage", "By/s", Kind::Gauge, "system_filesystem_usage_bytes_per_second"),
            ("cpu.utilization", "1", Kind::Gauge, "cpu_utilization_ratio"),
            ("node_network_receive_bytes_total", "bytes", Kind::Counter, "node_network_receive_bytes_total"),
            ("requests", "{request}/s", Kind::Gauge, "requests_per_second"),
            ("2xx..count", "", Kind::Gauge, "_2xx_count"),
            ("", "", Kind::Unknown, "_"),
        ];
        for (name, unit, kind, expected) in cases {
            assert_eq!(metric_name(name, unit, kind), expected);
        }
    }

    #[test]
    fn labels_have_no_dots() {
        assert_eq!(label_name("http.request.method"), "http_request_method");
        assert_eq!((label_name("0a"), label_name(""), label_name("le")), ("key_0a".into(), "key_".into(), "le".into()));
    }

    proptest! {
        #[test]
        fn every_name_becomes_one_and_stays_it(name in ".{0,40}", unit in ".{0,8}|s|By|1|By/s", kind in 0u64..8) {
            let kind = Kind::of_number(kind);
            let made = metric_name(&name, &unit, kind);
            prop_assert!(squirrel_model::is_metric_name(&made), "{}", made);
            prop_assert_eq!(metric_name(&made, &unit, kind), made);
            prop_assert!(squirrel_model::is_label_name(&label_name(&name)));
        }
    }
}
