//! A recorder that keeps what it is told.

use std::collections::BTreeMap;

use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Unit};
use squirrel_monitor::{NetworkConfig, NetworkMonitor};

use super::*;

type Kept = Arc<Mutex<BTreeMap<String, f64>>>;

#[derive(Default)]
struct Keeping(Kept);

/// One metric of it.
struct Metric(String, Kept);

impl Metric {
    fn keep(&self, suffix: &str, change: impl FnOnce(&mut f64)) {
        let mut kept = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        change(kept.entry(format!("{}{suffix}", self.0)).or_default());
    }
}

impl CounterFn for Metric {
    fn increment(&self, value: u64) {
        self.keep("", |kept| *kept += value as f64);
    }
    fn absolute(&self, value: u64) {
        self.keep("", |kept| *kept = kept.max(value as f64));
    }
}

impl GaugeFn for Metric {
    fn increment(&self, value: f64) {
        self.keep("", |kept| *kept += value);
    }
    fn decrement(&self, value: f64) {
        self.keep("", |kept| *kept -= value);
    }
    fn set(&self, value: f64) {
        self.keep("", |kept| *kept = value);
    }
}

impl HistogramFn for Metric {
    fn record(&self, value: f64) {
        self.keep(" count", |kept| *kept += 1.0);
        self.keep(" sum", |kept| *kept += value);
    }
}

impl Keeping {
    fn metric(&self, key: &Key) -> Arc<Metric> {
        let labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Metric(format!("{}{{{}}}", key.name(), labels.join(",")), Arc::clone(&self.0)))
    }

    fn help(&self, name: &KeyName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("help of {}", name.as_str()), 1.0);
    }
}

impl Recorder for Keeping {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.help(&name);
    }
    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.help(&name);
    }
    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.help(&name);
    }
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.metric(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.metric(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.metric(key))
    }
}

#[tokio::test(start_paused = true)]
async fn the_recorder_of_the_application_gets_every_number_once() {
    let recorder = Arc::new(Keeping::default());
    let exporter = MetricsExporter::new(Duration::from_secs(1)).into_recorder(Arc::clone(&recorder) as Arc<_>);
    let monitor = NetworkMonitor::builder(NetworkConfig::default()).exporter(exporter).build();
    monitor.start().await.unwrap();
    let mut ticks = tokio::time::interval(Duration::from_millis(700));
    for _ in 0..10 {
        ticks.tick().await;
        monitor.record_message_received("query", 7).await;
        monitor.record_message_latency("query", Duration::from_millis(100)).await;
        monitor.update_active_connections(3).await;
    }
    monitor.stop().await.unwrap();
    // Again: what was told is not told twice.
    monitor.start().await.unwrap();
    monitor.stop().await.unwrap();
    let kept = recorder.0.lock().unwrap().clone();
    let of = |name: &str| kept.get(name).copied();
    assert_eq!(of("squirrel_messages_total{message_type=query,network_io_direction=receive}"), Some(10.0));
    assert_eq!(of("squirrel_connections_active{}"), Some(3.0));
    assert_eq!(of("squirrel_message_duration_seconds{message_type=query} count"), Some(10.0), "{kept:?}");
    let sum = of("squirrel_message_duration_seconds{message_type=query} sum").unwrap();
    assert!((sum - 1.0).abs() <= 1.0 / 64.0, "{sum}");
    assert_eq!(of("help of squirrel_message_duration_seconds"), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_is_installed_late_or_never_does_no_harm() {
    let monitor =
        NetworkMonitor::builder(NetworkConfig::default()).exporter(MetricsExporter::new(Duration::ZERO)).build();
    monitor.start().await.unwrap();
    monitor.stop().await.unwrap();
    assert_eq!(monitor.lost_exports(), 0);
}
