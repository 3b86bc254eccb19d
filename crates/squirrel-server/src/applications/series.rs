//! From a report to series: names, labels, and the three parts of a histogram.

use std::collections::BTreeMap;

use squirrel_api::application::{ApplicationHistogram, ApplicationMetric, ApplicationReport, ApplicationValue};
use squirrel_model::{Catalogue, Labels, LabelsBuilder, NAME_LABEL, exposition};

use super::JOB;
use super::counters::Reason;

/// Labels that say whose a series is. The daemon alone sets them.
const OWN_LABELS: [&str; 3] = ["application", "instance", "job"];

/// What a report offers to be kept.
#[derive(Debug, Default)]
pub(super) struct Offered {
    /// The series of each metric: one of a number, several of a histogram. A metric is kept as a whole or
    /// not at all, for half a histogram would lie.
    pub(super) metrics: Vec<Vec<(Labels, f64)>>,
    /// Metrics that cannot be kept, by reason.
    pub(super) refused: BTreeMap<Reason, u64>,
}

/// The series of all metrics of a report.
pub(super) fn offered(report: &ApplicationReport, reserved: &Catalogue) -> Offered {
    let mut offered = Offered::default();
    for metric in &report.metrics {
        match series(metric, report, reserved) {
            Ok(series) => offered.metrics.push(series),
            Err(reason) => *offered.refused.entry(reason).or_default() += 1,
        }
    }
    offered
}

fn series(
    metric: &ApplicationMetric,
    report: &ApplicationReport,
    reserved: &Catalogue,
) -> Result<Vec<(Labels, f64)>, Reason> {
    let mut base = LabelsBuilder::default();
    for (name, value) in &metric.labels {
        base.set(free_name(name, metric), value.as_str());
    }
    base.set("job", JOB).set("application", report.application.as_str()).set("instance", report.instance.as_str());
    let named = |name: String, le: Option<&str>, value: f64| {
        if is_ours(&name, reserved) {
            return Err(Reason::Reserved);
        }
        let mut labels = base.clone();
        labels.set(NAME_LABEL, name);
        if let Some(le) = le {
            labels.set("le", le);
        }
        labels.build().map(|labels| (labels, value)).map_err(|_| Reason::Labels)
    };
    match &metric.value {
        ApplicationValue::Value(value) => Ok(vec![named(metric.name.clone(), None, *value)?]),
        ApplicationValue::Histogram(histogram) => parts(metric, histogram, named),
    }
}

/// A classic histogram: cumulated buckets, the sum and the count.
fn parts(
    metric: &ApplicationMetric,
    histogram: &ApplicationHistogram,
    named: impl Fn(String, Option<&str>, f64) -> Result<(Labels, f64), Reason>,
) -> Result<Vec<(Labels, f64)>, Reason> {
    let mut series = Vec::with_capacity(histogram.buckets.len() + 3);
    let bucket = format!("{}_bucket", metric.name);
    for one in &histogram.buckets {
        let mut le = String::new();
        exposition::write_value(&mut le, one.le);
        series.push(named(bucket.clone(), Some(&le), one.count as f64)?);
    }
    series.push(named(bucket, Some("+Inf"), histogram.count as f64)?);
    series.push(named(format!("{}_sum", metric.name), None, histogram.sum)?);
    series.push(named(format!("{}_count", metric.name), None, histogram.count as f64)?);
    Ok(series)
}

/// Whether the daemon itself, or node_exporter whose names it uses, measures something of this name.
fn is_ours(name: &str, reserved: &Catalogue) -> bool {
    matches!(name, "up" | "ALERTS" | "ALERTS_FOR_STATE")
        || name.starts_with("node_")
        || name.starts_with("scrape_")
        || reserved.find(name).is_some()
}

/// The name under which an application's own label is kept.
fn free_name(name: &str, metric: &ApplicationMetric) -> String {
    if !OWN_LABELS.contains(&name) {
        return name.to_owned();
    }
    let mut free = format!("exported_{name}");
    while metric.labels.contains_key(&free) {
        free.insert_str(0, "exported_");
    }
    free
}
