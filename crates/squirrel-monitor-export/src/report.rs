//! The report to Squirrel's daemon: the numbers and the alerts.

use std::time::{Duration, SystemTime};

use squirrel_api::Level;
use squirrel_api::application::{
    APPLICATION_SCHEMA, ApplicationAlert, ApplicationAlertState, ApplicationBucket, ApplicationHistogram,
    ApplicationLosses, ApplicationMetric, ApplicationMetricKind, ApplicationReceipt, ApplicationReport,
    ApplicationValue, MAX_REPORT_ALERTS, MAX_REPORT_METRICS, MAX_REPORT_TEXT,
};
use squirrel_exchange::naming::{label_name, metric_name, unit_words};
use squirrel_exchange::{Family, Histogram, Kind, Point, Value};
use squirrel_monitor::{Alert, AlertKind, MonitorSnapshot, MonitorSource};

use crate::options::Options;
use crate::push_format::{Verdict, quoted};

/// What a row of reports keeps.
pub(crate) struct Reports {
    interval: Duration,
    /// The last alert in the report that was made last, and in the one that was taken last.
    told: u64,
    taken: u64,
    lost: ApplicationLosses,
}

impl Reports {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, told: 0, taken: 0, lost: ApplicationLosses::default() }
    }

    /// A report was dropped for a newer one, or refused.
    pub(crate) fn lost(&mut self) {
        self.lost.reports += 1;
    }

    /// The report of now, with the alerts that no report which was taken had.
    pub(crate) fn report(
        &mut self,
        source: &MonitorSource,
        snapshot: &MonitorSnapshot,
        families: &[Family],
        options: &Options,
    ) -> ApplicationReport {
        let mut metrics: Vec<ApplicationMetric> = families.iter().flat_map(metrics_of).collect();
        self.lost.metrics = metrics.len().saturating_sub(MAX_REPORT_METRICS) as u64;
        metrics.truncate(MAX_REPORT_METRICS);
        let fresh = source.alerts_after(self.taken);
        // The memory of alerts has an end: numbers that are missing are alerts that were lost.
        let first = fresh.first().map_or(self.taken + 1, |(number, _)| *number);
        let missed = first.saturating_sub(self.taken + 1);
        self.told = fresh.last().map_or(self.taken, |(number, _)| *number);
        let alerts = fresh.into_iter().take(MAX_REPORT_ALERTS);
        ApplicationReport {
            schema: APPLICATION_SCHEMA,
            application: options.service("service.name").to_owned(),
            instance: options.service("service.instance.id").to_owned(),
            pid: std::process::id(),
            started: seconds(snapshot.started),
            sent_at: seconds(snapshot.taken),
            interval_seconds: self.interval.as_secs_f64(),
            protocol_version: clipped(&snapshot.protocol_version),
            metrics,
            alerts: alerts.map(|(number, alert)| alert_of(number, &alert, snapshot.started)).collect(),
            lost: ApplicationLosses { alerts: self.lost.alerts + missed, ..self.lost },
        }
    }

    /// What the daemon's receipt says.
    pub(crate) fn taken(&mut self, body: &[u8]) -> Verdict {
        let Ok(receipt) = serde_json::from_slice::<ApplicationReceipt>(body) else {
            let reason = "took the report without a receipt: is it Squirrel's daemon?".to_owned();
            return Verdict::Refused { reason };
        };
        self.taken = self.told;
        let sentence = receipt.sentences.first().map_or("", String::as_str);
        let reason = format!("refused {} metrics{}", receipt.refused, quoted(sentence.as_bytes()));
        Verdict::Taken { refused: receipt.refused, reason }
    }
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// As much of a text as a report has room for.
fn clipped(text: &str) -> String {
    text.get(..text.floor_char_boundary(MAX_REPORT_TEXT)).unwrap_or_default().to_owned()
}

fn metrics_of(family: &Family) -> impl Iterator<Item = ApplicationMetric> + '_ {
    let (name, unit) = (metric_name(&family.name, &family.unit, family.kind), unit_words(&family.unit));
    family.points.iter().filter_map(move |point| {
        let (kind, value) = value_of(family.kind, point)?;
        let labels = point.attributes.iter().map(|(name, value)| (label_name(name).into_owned(), clipped(value)));
        Some(ApplicationMetric {
            name: name.clone(),
            kind,
            unit: unit.clone(),
            help: family.help.clone(),
            labels: labels.filter(|(_, value)| !value.is_empty()).collect(),
            value,
        })
    })
}

fn value_of(kind: Kind, point: &Point) -> Option<(ApplicationMetricKind, ApplicationValue)> {
    match &point.value {
        Value::Number(number) => {
            let kind =
                if kind == Kind::Counter { ApplicationMetricKind::Counter } else { ApplicationMetricKind::Gauge };
            Some((kind, ApplicationValue::Value(*number)))
        }
        Value::Histogram(histogram) => Some(histogram_of(histogram)),
        Value::Exponential(histogram) => histogram.to_classic().as_ref().map(histogram_of),
        Value::Summary(_) => None,
    }
}

fn histogram_of(histogram: &Histogram) -> (ApplicationMetricKind, ApplicationValue) {
    let mut count = 0;
    let bounds = histogram.bounds.iter().zip(&histogram.counts);
    let buckets = bounds.map(|(le, own)| {
        count += own;
        ApplicationBucket { le: *le, count }
    });
    let buckets = buckets.collect();
    let (count, sum) = (histogram.count(), histogram.sum.unwrap_or_default());
    let told = ApplicationHistogram { count, sum, max: histogram.max, buckets };
    (ApplicationMetricKind::Histogram, ApplicationValue::Histogram(told))
}

fn alert_of(number: u64, alert: &Alert, started: SystemTime) -> ApplicationAlert {
    use ApplicationAlertState::{Cleared, Raised, Told};
    let (state, level) = match &alert.kind {
        AlertKind::Raised { .. } | AlertKind::SocketsUnreadable { .. } | AlertKind::ExportFailing { .. } => {
            (Raised, Level::Warning)
        }
        AlertKind::Cleared { .. } | AlertKind::SocketsReadable | AlertKind::ExportWorks => (Cleared, Level::Ok),
        _ => (Told, Level::Warning),
    };
    let (value, threshold) = match alert.kind {
        AlertKind::Raised { value, threshold, .. } | AlertKind::Cleared { value, threshold, .. } => {
            (Some(value), Some(threshold))
        }
        _ => (None, None),
    };
    ApplicationAlert {
        number,
        at: seconds(started) + alert.at.as_secs_f64(),
        name: alert.kind.name().to_owned(),
        state,
        level,
        sentence: clipped(&alert.kind.to_string()),
        // JSON has no infinity; one says as little as none.
        value: value.filter(|value| value.is_finite()),
        threshold: threshold.filter(|threshold| threshold.is_finite()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::families;
    use squirrel_monitor::{NetworkConfig, NetworkMonitor, Quantity};

    /// A monitor of which a threshold was passed and whose types are full.
    async fn busy() -> NetworkMonitor {
        let config = NetworkConfig { max_message_types: 1, ..NetworkConfig::default() };
        let monitor = NetworkMonitor::builder(config).threshold(Quantity::ActiveConnections, 3.0).build();
        monitor.record_message_latency("a", Duration::from_millis(20)).await;
        monitor.record_message_received("b", 7).await;
        monitor.update_active_connections(9).await;
        monitor.start().await.unwrap();
        monitor.stop().await.unwrap();
        monitor
    }

    fn report(reports: &mut Reports, monitor: &NetworkMonitor, exponential: bool) -> ApplicationReport {
        let options = Options { exponential, ..Options::default() };
        let snapshot = monitor.snapshot();
        reports.report(&monitor.source(), &snapshot, &families(&snapshot, &options), &options)
    }

    #[tokio::test]
    async fn a_report_holds_to_the_bounds_and_has_the_alerts() {
        let monitor = busy().await;
        for exponential in [false, true] {
            let report = report(&mut Reports::new(Duration::from_secs(5)), &monitor, exponential);
            assert_eq!(report.check(), Ok(()));
            let names: Vec<_> =
                report.alerts.iter().map(|alert| (alert.number, alert.name.as_str(), alert.state)).collect();
            let expected = [
                (1, "active_connections", ApplicationAlertState::Raised),
                (2, "types_full", ApplicationAlertState::Told),
            ];
            assert_eq!(names, expected);
            assert_eq!((report.alerts[0].value, report.alerts[0].threshold), (Some(9.0), Some(3.0)));
            let duration =
                report.metrics.iter().find(|metric| metric.name == "squirrel_message_duration_seconds").unwrap();
            assert_eq!((duration.labels["message_type"].as_str(), duration.unit.as_str()), ("a", "seconds"));
            let ApplicationValue::Histogram(histogram) = &duration.value else { panic!("{duration:?}") };
            assert_eq!((histogram.count, histogram.sum, histogram.max), (1, 0.02, Some(0.02)));
        }
    }

    #[tokio::test]
    async fn alerts_go_with_each_report_until_one_is_taken() {
        let (monitor, mut reports) = (busy().await, Reports::new(Duration::from_secs(5)));
        assert_eq!(report(&mut reports, &monitor, false).alerts.len(), 2);
        assert_eq!(report(&mut reports, &monitor, false).alerts.len(), 2);
        assert!(matches!(reports.taken(b"<html>"), Verdict::Refused { .. }));
        assert_eq!(
            reports.taken(br#"{"taken":5,"refused":0}"#),
            Verdict::Taken { refused: 0, reason: "refused 0 metrics".to_owned() }
        );
        reports.lost();
        let next = report(&mut reports, &monitor, false);
        assert_eq!((next.alerts.len(), next.lost.reports), (0, 1));
    }
}
