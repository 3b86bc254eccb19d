//! From families to series: what Prometheus would make of them.

use squirrel_model::{Labels, LabelsBuilder, NAME_LABEL, Timestamp, exposition};

use crate::naming::{label_name, metric_name, unit_words};
use crate::{Family, Histogram, Metadata, Point, Refused, Sample, Series, Value};

/// The series of a family, in the order of its points, each with one sample. `extra` labels are put on
/// each of them, before those of the points; points without a time get `now`.
///
/// Two attributes whose names become one (`a.b` and `a_b`) are joined by `;`, as Prometheus does. A point
/// whose labels cannot be is left out and counted.
pub fn flatten(family: &Family, extra: &[(&str, &str)], now: Timestamp, refused: &mut Refused) -> Vec<Series> {
    let name = metric_name(&family.name, &family.unit, family.kind);
    let metadata = Metadata::new(family.kind, &unit_words(&family.unit), &family.help);
    let mut flat = Flat { metadata, out: Vec::new() };
    for point in &family.points {
        if flat.point(&name, extra, point, now).is_none() {
            refused.add(1, "its labels, or its buckets, cannot be");
        }
    }
    flat.out
}

/// The labels of a point, without a name; repeated names are joined.
pub(crate) fn labels_of(extra: &[(&str, &str)], attributes: &[(String, String)]) -> LabelsBuilder {
    let mut labels = LabelsBuilder::default();
    let attributes = attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in extra.iter().copied().chain(attributes) {
        let name = label_name(name);
        match labels.get(&name) {
            Some(known) if !known.is_empty() => {
                let joined = format!("{known};{value}");
                labels.set(name, joined);
            }
            _ => drop(labels.set(name, value)),
        }
    }
    labels
}

/// A number as it stands in `le` and `quantile`: the shortest that is read back the same.
pub(crate) fn bound_text(bound: f64) -> String {
    let mut text = String::new();
    exposition::write_value(&mut text, bound);
    text
}

struct Flat {
    metadata: Metadata,
    out: Vec<Series>,
}

impl Flat {
    /// `None` when the labels cannot be.
    fn point(&mut self, name: &str, extra: &[(&str, &str)], point: &Point, now: Timestamp) -> Option<()> {
        let labels = labels_of(extra, &point.attributes);
        let mut put = |suffix: &str, more: Option<(&str, f64)>, value: f64| {
            let series = self.series(&labels, &format!("{name}{suffix}"), more, point, now, value)?;
            self.out.push(series);
            Some(())
        };
        match &point.value {
            Value::Number(value) => put("", None, *value),
            Value::Histogram(histogram) => put_histogram(&mut put, histogram),
            Value::Exponential(histogram) => put_histogram(&mut put, &histogram.to_classic()?),
            Value::Summary(summary) => {
                for (quantile, value) in &summary.quantiles {
                    put("", Some(("quantile", *quantile)), *value)?;
                }
                put("_sum", None, summary.sum)?;
                put("_count", None, summary.count as f64)
            }
        }
    }

    fn series(
        &self,
        labels: &LabelsBuilder,
        name: &str,
        more: Option<(&str, f64)>,
        point: &Point,
        now: Timestamp,
        value: f64,
    ) -> Option<Series> {
        let mut labels = labels.clone();
        labels.set(NAME_LABEL, name);
        if let Some((name, number)) = more {
            labels.set(name, bound_text(number));
        }
        let labels: Labels = labels.build().ok()?;
        let sample = Sample { at: point.at.unwrap_or(now), value, start: point.start };
        Some(Series { labels, metadata: self.metadata.clone(), samples: vec![sample] })
    }
}

fn put_histogram(
    put: &mut impl FnMut(&str, Option<(&str, f64)>, f64) -> Option<()>,
    histogram: &Histogram,
) -> Option<()> {
    if !histogram.is_sound() {
        return None;
    }
    let mut seen = 0u64;
    let bounds = histogram.bounds.iter().copied().chain([f64::INFINITY]);
    for (bound, count) in bounds.zip(&histogram.counts) {
        seen = seen.saturating_add(*count);
        put("_bucket", Some(("le", bound)), seen as f64)?;
    }
    if let Some(sum) = histogram.sum {
        put("_sum", None, sum)?;
    }
    put("_count", None, seen as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExponentialHistogram, Kind, Summary};

    fn shown(kind: Kind, unit: &str, value: Value) -> Vec<String> {
        let mut family = Family::new("a.b", kind, unit, "Help.");
        family.points.push(Point::new(&[("x.y", "1"), ("x_y", "2")], value));
        let mut refused = Refused::default();
        let series = flatten(&family, &[("job", "j")], Timestamp(5), &mut refused);
        let mut shown: Vec<String> = series.iter().map(|s| format!("{} {}", s.labels, s.samples[0].value)).collect();
        shown.extend((!refused.is_none()).then(|| format!("{} refused", refused.series)));
        shown
    }

    #[test]
    fn a_histogram_becomes_buckets_that_count_again() {
        let histogram =
            Histogram { bounds: vec![0.5, 1.0], counts: vec![1, 2, 4], sum: Some(9.0), ..Histogram::default() };
        let labels = r#"job="j",x_y="1;2""#;
        let expected = [
            r#"a_b_seconds_bucket{job="j",le="0.5",x_y="1;2"} 1"#.to_owned(),
            r#"a_b_seconds_bucket{job="j",le="1",x_y="1;2"} 3"#.to_owned(),
            r#"a_b_seconds_bucket{job="j",le="+Inf",x_y="1;2"} 7"#.to_owned(),
            format!("a_b_seconds_sum{{{labels}}} 9"),
            format!("a_b_seconds_count{{{labels}}} 7"),
        ];
        assert_eq!(shown(Kind::Histogram, "s", Value::Histogram(histogram)), expected);
    }

    #[test]
    fn other_values_become_what_prometheus_has() {
        assert_eq!(shown(Kind::Counter, "By", Value::Number(3.0)), [r#"a_b_bytes_total{job="j",x_y="1;2"} 3"#]);
        let summary = Summary { count: 2, sum: 3.0, quantiles: vec![(0.99, 2.5)] };
        let lines = shown(Kind::Summary, "", Value::Summary(summary));
        assert_eq!(lines[0], r#"a_b{job="j",quantile="0.99",x_y="1;2"} 2.5"#);
        let exponential = ExponentialHistogram { zero_count: 1, ..ExponentialHistogram::default() };
        assert_eq!(shown(Kind::Histogram, "", Value::Exponential(exponential)).len(), 3);
    }

    #[test]
    fn buckets_that_cannot_be_are_counted() {
        let histogram = Histogram { bounds: vec![1.0, 0.5], counts: vec![1, 2, 4], ..Histogram::default() };
        assert_eq!(shown(Kind::Histogram, "", Value::Histogram(histogram)), ["1 refused"]);
    }
}
