//! Families to octets.

use squirrel_model::Timestamp;

use super::Resource;
use crate::protobuf::Writer;
use crate::{Buckets, Family, Kind, Point, Temporality, Value};

/// Writes a request with one resource and one scope (the instrumenting library and its version). Points
/// without a time get `now`.
pub fn encode(resource: &Resource, scope: (&str, &str), now: Timestamp) -> Vec<u8> {
    let mut request = Writer::default();
    request.message(1, |out| {
        out.message(1, |out| attributes(out, 1, &resource.attributes));
        out.message(2, |out| {
            out.message(1, |out| {
                out.text(1, scope.0);
                out.text(2, scope.1);
            });
            for family in &resource.families {
                metrics(out, family, now);
            }
        });
    });
    request.0
}

fn attributes(out: &mut Writer, field: u32, attributes: &[(String, String)]) {
    for (name, value) in attributes {
        out.message(field, |out| {
            out.text(1, name);
            // Also an empty text is a value.
            out.message(2, |out| out.octets(1, value.as_bytes()));
        });
    }
}

/// A metric of OTLP has values of one shape; a family whose points have several becomes several.
fn metrics(out: &mut Writer, family: &Family, now: Timestamp) {
    let shape = |point: &Point| match point.value {
        Value::Number(_) if family.kind == Kind::Counter => 7,
        Value::Number(_) => 5,
        Value::Histogram(_) => 9,
        Value::Exponential(_) => 10,
        Value::Summary(_) => 11,
    };
    for field in [5, 7, 9, 10, 11] {
        let mut points = family.points.iter().filter(|point| shape(point) == field).peekable();
        if points.peek().is_none() {
            continue;
        }
        out.message(2, |out| {
            out.text(1, &family.name);
            out.text(2, &family.help);
            out.text(3, &family.unit);
            out.message(field, |out| {
                points.for_each(|one| out.message(1, |out| point(out, one, now)));
                // Gauges and summaries have no temporality.
                if matches!(field, 7 | 9 | 10) {
                    out.varint(2, if family.temporality == Temporality::Delta { 1 } else { 2 });
                }
                out.varint(3, u64::from(field == 7));
            });
        });
    }
}

/// Nanoseconds since the epoch; zero, which is "not known", before it.
fn nanoseconds(at: Timestamp) -> u64 {
    u64::try_from(at.millis()).unwrap_or(0).saturating_mul(1_000_000)
}

fn point(out: &mut Writer, point: &Point, now: Timestamp) {
    // Times stand in the same fields of all shapes; attributes do not.
    out.fixed(2, point.start.map_or(0, nanoseconds));
    out.fixed(3, nanoseconds(point.at.unwrap_or(now)));
    let optional = |out: &mut Writer, field, value: Option<f64>| {
        if let Some(value) = value {
            out.fixed_always(field, value.to_bits());
        }
    };
    match &point.value {
        Value::Number(value) => {
            out.fixed_always(4, value.to_bits());
            attributes(out, 7, &point.attributes);
        }
        Value::Histogram(histogram) => {
            out.fixed(4, histogram.count());
            optional(out, 5, histogram.sum);
            out.packed_fixeds(6, histogram.counts.iter().copied());
            out.packed_fixeds(7, histogram.bounds.iter().map(|bound| bound.to_bits()));
            attributes(out, 9, &point.attributes);
            optional(out, 11, histogram.min);
            optional(out, 12, histogram.max);
        }
        Value::Exponential(histogram) => {
            attributes(out, 1, &point.attributes);
            out.fixed(4, histogram.count());
            optional(out, 5, histogram.sum);
            out.zigzag(6, histogram.scale);
            out.fixed(7, histogram.zero_count);
            out.message(8, |out| buckets(out, &histogram.positive));
            out.message(9, |out| buckets(out, &histogram.negative));
            optional(out, 12, histogram.min);
            optional(out, 13, histogram.max);
            out.double(14, histogram.zero_threshold);
        }
        Value::Summary(summary) => {
            out.fixed(4, summary.count);
            out.double(5, summary.sum);
            for (quantile, value) in &summary.quantiles {
                out.message(6, |out| {
                    out.double(1, *quantile);
                    out.double(2, *value);
                });
            }
            attributes(out, 7, &point.attributes);
        }
    }
}

fn buckets(out: &mut Writer, buckets: &Buckets) {
    out.zigzag(1, buckets.offset);
    out.packed_varints(2, buckets.counts.iter().copied());
}
