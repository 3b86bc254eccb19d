//! The text exposition format, version 0.0.4: what `/metrics` answers and what golden tests read.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::{Batch, Kind, Metric, Row};

/// A label value with backslash, quote and line feed escaped.
pub fn escape_value(value: &str) -> Cow<'_, str> {
    if value.contains(['\\', '"', '\n']) {
        Cow::Owned(value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
    } else {
        Cow::Borrowed(value)
    }
}

/// A number as Prometheus writes it: shortest form, `NaN`, `+Inf`, `-Inf`, and exponents below
/// 1e-6 and from 1e21 on.
pub fn write_value(out: &mut String, value: f64) {
    let magnitude = value.abs();
    // Writing into a String cannot fail.
    let _ = if value.is_nan() {
        out.write_str("NaN")
    } else if value.is_infinite() {
        out.write_str(if value > 0.0 { "+Inf" } else { "-Inf" })
    } else if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
        write!(out, "{mantissa}e{sign}{digits:0>2}")
    } else {
        write!(out, "{value}")
    };
}

/// Writes a whole batch, metrics sorted by name, each with its `# HELP` and `# TYPE`. The three names of a histogram
/// have one of each together. Faults are not written: they are metrics of their own.
pub fn write_batch(out: &mut String, batch: &Batch) {
    let mut by_name: BTreeMap<(&str, usize), Vec<&Row>> = BTreeMap::new();
    for row in &batch.rows {
        by_name.entry(family(&row.metric)).or_default().push(row);
    }
    let mut last = "";
    for ((name, _), rows) in by_name {
        if let Some(first) = rows.first() {
            if name != last {
                let help = first.metric.help.replace('\\', "\\\\").replace('\n', "\\n");
                let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {}", first.metric.kind.exposition_word());
            }
            last = name;
        }
        for row in rows {
            write_row(out, &row.metric.name, row);
        }
    }
}

/// The name under which a metric is declared, and its place among those that share it.
fn family(metric: &Metric) -> (&str, usize) {
    if metric.kind == Kind::Histogram {
        for (place, suffix) in ["_bucket", "_sum", "_count"].into_iter().enumerate() {
            if let Some(name) = metric.name.strip_suffix(suffix) {
                return (name, place);
            }
        }
    }
    (&metric.name, 0)
}

fn write_row(out: &mut String, name: &str, row: &Row) {
    out.push_str(name);
    for (i, (label, value)) in row.labels.iter().enumerate() {
        out.push(if i == 0 { '{' } else { ',' });
        let _ = write!(out, "{label}=\"{}\"", escape_value(value));
    }
    if !row.labels.is_empty() {
        out.push('}');
    }
    out.push(' ');
    write_value(out, row.value);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Labels, Unit};

    static UP: Metric = Metric::new("node_network_up", Kind::Gauge, Unit::None, "1 when up.");

    #[test]
    fn hostile_labels_cannot_break_out() {
        let mut batch = Batch::default();
        batch.put(&UP, &Labels::new([("device", "a\"}\n# evil\\")]).unwrap(), 1.0);
        let mut text = String::new();
        write_batch(&mut text, &batch);
        assert_eq!(
            text,
            "# HELP node_network_up 1 when up.\n# TYPE node_network_up gauge\nnode_network_up{device=\"a\\\"}\\n# evil\\\\\"} 1\n"
        );
    }

    #[test]
    fn a_histogram_is_declared_once_for_its_three_names() {
        static BUCKET: Metric = Metric::new("a_seconds_bucket", Kind::Histogram, Unit::Seconds, "Waits.");
        static SUM: Metric = Metric::new("a_seconds_sum", Kind::Histogram, Unit::Seconds, "Waits.");
        static COUNT: Metric = Metric::new("a_seconds_count", Kind::Histogram, Unit::Seconds, "Waits.");
        let mut batch = Batch::default();
        batch.put_plain(&COUNT, 2.0);
        batch.put(&BUCKET, &Labels::new([("le", "1")]).unwrap(), 1.0);
        batch.put(&BUCKET, &Labels::new([("le", "+Inf")]).unwrap(), 2.0);
        batch.put_plain(&SUM, 3.5);
        batch.put_plain(&UP, 1.0);
        let mut text = String::new();
        write_batch(&mut text, &batch);
        assert_eq!(
            text,
            "# HELP a_seconds Waits.\n# TYPE a_seconds histogram\na_seconds_bucket{le=\"1\"} 1\n\
             a_seconds_bucket{le=\"+Inf\"} 2\na_seconds_sum 3.5\na_seconds_count 2\n\
             # HELP node_network_up 1 when up.\n# TYPE node_network_up gauge\nnode_network_up 1\n"
        );
    }

    #[test]
    fn numbers_are_written_as_prometheus_writes_them() {
        let shown = |v: f64| {
            let mut out = String::new();
            write_value(&mut out, v);
            out
        };
        assert_eq!(shown(1.0), "1");
        assert_eq!(shown(0.1), "0.1");
        assert_eq!(shown(-0.0), "-0");
        assert_eq!(shown(1e21), "1e+21");
        assert_eq!(shown(123_456_789_012_345_680.0), "123456789012345680");
        assert_eq!(shown(1.5e-7), "1.5e-07");
        assert_eq!(shown(f64::NEG_INFINITY), "-Inf");
        assert_eq!(shown(f64::NAN), "NaN");
    }
}
