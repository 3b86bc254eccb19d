//! Families to text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use squirrel_model::{Timestamp, exposition};

use super::Format;
use crate::flatten::flatten;
use crate::naming::{metric_name, unit_words};
use crate::{Family, Kind, Refused, Series};

/// Writes families by Prometheus' names, each with its help and type, those of one name together. The time of a
/// sample is the scrape's and is not written.
///
/// A family whose name is taken by one of another kind cannot be written, and is counted in the result
/// like points whose labels cannot be.
pub fn write(out: &mut String, format: Format, families: &[Family]) -> Refused {
    let mut refused = Refused::default();
    let mut blocks: BTreeMap<String, (&Family, Vec<Series>)> = BTreeMap::new();
    for family in families {
        let name = metric_name(&family.name, &family.unit, family.kind);
        let (first, series) = blocks.entry(name).or_insert_with(|| (family, Vec::new()));
        if first.kind == family.kind {
            series.extend(flatten(family, &[], Timestamp(0), &mut refused));
        } else {
            family.points.iter().for_each(|_| refused.add(1, "two metrics of one name and different kinds"));
        }
    }
    for (name, (family, series)) in &blocks {
        head(out, format, name, family);
        for one in series {
            line(out, one);
            out.push('\n');
        }
    }
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    refused
}

fn head(out: &mut String, format: Format, name: &str, family: &Family) {
    let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
    // Writing into a String cannot fail.
    let _ = match format {
        Format::Prometheus => writeln!(out, "# HELP {name} {help}\n# TYPE {name} {}", word(format, family.kind)),
        Format::OpenMetrics => {
            let ending = match family.kind {
                Kind::Counter => "_total",
                Kind::Info => "_info",
                _ => "",
            };
            let name = name.strip_suffix(ending).unwrap_or(name);
            let help = help.replace('"', "\\\"");
            let _ = writeln!(out, "# TYPE {name} {}", word(format, family.kind));
            let unit = unit_words(&family.unit);
            // The name must end in the unit, or the unit may not be said.
            if !unit.is_empty() && name.ends_with(&format!("_{unit}")) {
                let _ = writeln!(out, "# UNIT {name} {unit}");
            }
            writeln!(out, "# HELP {name} {help}")
        }
    };
}

fn word(format: Format, kind: Kind) -> &'static str {
    match (format, kind) {
        (_, Kind::Counter) => "counter",
        (Format::Prometheus, Kind::Gauge | Kind::Info | Kind::StateSet) | (_, Kind::Gauge) => "gauge",
        (_, Kind::Histogram) => "histogram",
        (_, Kind::Summary) => "summary",
        (Format::Prometheus, Kind::Unknown | Kind::GaugeHistogram) => "untyped",
        (Format::OpenMetrics, Kind::Info) => "info",
        (Format::OpenMetrics, Kind::StateSet) => "stateset",
        (Format::OpenMetrics, Kind::GaugeHistogram) => "gaugehistogram",
        (Format::OpenMetrics, Kind::Unknown) => "unknown",
    }
}

fn line(out: &mut String, series: &Series) {
    let labels = &series.labels;
    out.push_str(labels.metric_name());
    let mut open = false;
    for (name, value) in labels.iter().filter(|(name, _)| *name != squirrel_model::NAME_LABEL) {
        out.push(if open { ',' } else { '{' });
        open = true;
        let _ = write!(out, "{name}=\"{}\"", exposition::escape_value(value));
    }
    if open {
        out.push('}');
    }
    for sample in &series.samples {
        out.push(' ');
        exposition::write_value(out, sample.value);
    }
}
