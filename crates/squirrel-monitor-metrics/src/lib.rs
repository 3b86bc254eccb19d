//! Publishes the numbers of a [`NetworkMonitor`](squirrel_monitor::NetworkMonitor) through the
//! [`metrics`] facade: they appear beside the application's own, in whatever recorder it has.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! use std::time::Duration;
//! use squirrel_monitor::{NetworkConfig, NetworkMonitor};
//! use squirrel_monitor_metrics::MetricsExporter;
//!
//! let exporter = MetricsExporter::new(Duration::from_secs(5));
//! let monitor = NetworkMonitor::builder(NetworkConfig::default()).exporter(exporter).build();
//! monitor.start().await?;
//! # monitor.stop().await?;
//! # Ok::<(), squirrel_monitor::MonitorError>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Names are Prometheus' form of those that `squirrel_monitor_export::families` lists: recorders of this facade
//! mostly end at Prometheus. Counters are set to their totals. Of histograms what is new since the last time
//! is recorded, each of the monitor's buckets by its middle, so that the recorder's own buckets and
//! quantiles are right to 1/64 (1.6 %).
//!
//! One way only. The other, a recorder that puts the application's own metrics into the monitor, would have
//! nowhere to put them: a monitor has the network's numbers and no free ones, and bounds on them that a
//! facade of free names does not keep. An application that uses the facade has a recorder already.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metrics::{Key, KeyName, Label, Level, Metadata, Recorder, SharedString};
use squirrel_exchange::naming::{label_name, metric_name};
use squirrel_exchange::{Kind, Value};
use squirrel_monitor::{ExportConfig, ExportContext, ExportTask, Exporter, MonitorSource};
use squirrel_monitor_export::{Options, durations, families, middles};

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// Puts the monitor's numbers into a recorder of the facade, again and again while the monitor runs.
#[derive(Clone)]
pub struct MetricsExporter {
    interval: Duration,
    recorder: Option<Arc<dyn Recorder + Send + Sync>>,
    /// What was published stays published when the monitor stops and starts again.
    published: Arc<Mutex<Published>>,
}

impl std::fmt::Debug for MetricsExporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MetricsExporter").field("interval", &self.interval).finish_non_exhaustive()
    }
}

impl MetricsExporter {
    /// For one monitor, into the recorder that the application has installed, this often; at least each millisecond. One that
    /// is installed later is used from then on.
    pub fn new(interval: Duration) -> Self {
        Self { interval: interval.max(Duration::from_millis(1)), recorder: None, published: Arc::default() }
    }

    /// Into this recorder instead.
    #[must_use]
    pub fn into_recorder(mut self, recorder: Arc<dyn Recorder + Send + Sync>) -> Self {
        self.recorder = Some(recorder);
        self
    }
}

impl Exporter for MetricsExporter {
    /// The options `protocol` and `service.*` of the configuration are read as `squirrel-monitor-export` reads
    /// them; the rest of it is for exporters that send.
    fn prepare(
        &self,
        configured: Option<&ExportConfig>,
        context: ExportContext,
    ) -> Result<ExportTask, Box<dyn Error + Send + Sync>> {
        let options = configured.map(|config| Options::read(&config.options)).transpose()?.unwrap_or_default();
        let Self { interval, recorder, published } = self.clone();
        Ok(Box::pin(async move {
            let mut ticks = tokio::time::interval(interval);
            loop {
                let is_last = tokio::select! {
                    () = context.stopped() => true,
                    _ = ticks.tick() => false,
                };
                let publish = |recorder: &dyn Recorder| {
                    let mut published = published.lock().unwrap_or_else(PoisonError::into_inner);
                    published.publish(context.source(), &options, recorder)
                };
                let is_there = match &recorder {
                    Some(recorder) => publish(recorder),
                    None => metrics::with_recorder(publish),
                };
                if is_last || !is_there {
                    return;
                }
            }
        }))
    }
}

/// What was published so far.
#[derive(Default)]
struct Published {
    /// Of each histogram the counts of its buckets, by their ends.
    seen: HashMap<Key, HashMap<Duration, u64>>,
}

impl Published {
    /// False when the monitor is gone.
    fn publish(&mut self, source: &MonitorSource, options: &Options, recorder: &dyn Recorder) -> bool {
        let Some(snapshot) = source.snapshot() else { return false };
        for family in families(&snapshot, options) {
            let name = metric_name(&family.name, &family.unit, family.kind);
            // Each time: a recorder that was installed meanwhile has not heard it.
            describe(family.kind, &family.unit, &name, &family.help, recorder);
            for point in &family.points {
                let Value::Number(number) = point.value else { continue };
                let key = key(&name, point.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())));
                if family.kind == Kind::Counter {
                    recorder.register_counter(&key, &METADATA).absolute(number as u64);
                } else {
                    recorder.register_gauge(&key, &METADATA).set(number);
                }
            }
        }
        for one in durations(&snapshot, options) {
            let name = metric_name(one.name, "s", Kind::Histogram);
            let key = key(&name, one.attributes.iter().copied());
            let histogram = recorder.register_histogram(&key, &METADATA);
            let seen = self.seen.entry(key).or_default();
            for (bucket, middle, count) in middles(one.values) {
                let before = std::mem::replace(seen.entry(bucket).or_default(), count);
                let new = usize::try_from(count.saturating_sub(before)).unwrap_or(usize::MAX);
                if new > 0 {
                    histogram.record_many(middle, new);
                }
            }
        }
        true
    }
}

fn key<'a>(name: &str, labels: impl Iterator<Item = (&'a str, &'a str)>) -> Key {
    let labels = labels.map(|(name, value)| Label::new(label_name(name).into_owned(), value.to_owned()));
    Key::from_parts(name.to_owned(), labels.collect::<Vec<_>>())
}

fn describe(kind: Kind, unit: &str, name: &str, help: &str, recorder: &dyn Recorder) {
    let (name, help) = (KeyName::from(name.to_owned()), SharedString::from(help.to_owned()));
    let unit = match unit {
        "By" => Some(metrics::Unit::Bytes),
        "s" => Some(metrics::Unit::Seconds),
        _ => None,
    };
    match kind {
        Kind::Counter => recorder.describe_counter(name, unit, help),
        Kind::Histogram => recorder.describe_histogram(name, unit, help),
        _ => recorder.describe_gauge(name, unit, help),
    }
}

#[cfg(test)]
mod tests;
