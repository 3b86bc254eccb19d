//! Publishes the numbers of a [`NetworkMonitor`](squirrel_monitor::NetworkMonitor) as instruments of an
//! OpenTelemetry meter: for applications that have OpenTelemetry's SDK, with its resource, readers and views.
//! Those that have not are served better by `squirrel-monitor-export`, which sends OTLP without it.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! use std::time::Duration;
//! use squirrel_monitor::{NetworkConfig, NetworkMonitor};
//! use squirrel_monitor_opentelemetry::MeterExporter;
//!
//! let meter = opentelemetry::global::meter("squirrel-monitor");
//! let exporter = MeterExporter::new(meter, Duration::from_secs(5));
//! let monitor = NetworkMonitor::builder(NetworkConfig::default()).exporter(exporter).build();
//! monitor.start().await?;
//! # monitor.stop().await?;
//! # Ok::<(), squirrel_monitor::MonitorError>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Names, units and attributes are those of `squirrel_monitor_export::families`. Counters and gauges are observable:
//! the SDK's reader asks for them, and costs nothing in between. OpenTelemetry has no observable histogram, so
//! durations are recorded into ordinary ones by a task, each of the monitor's buckets by its middle (right to 1/64)
//! and as often as values have come since. That is one call of the SDK for each message, though not in its path:
//! a service of 100,000 messages a second does better to send OTLP by `squirrel-monitor-export`.
//!
//! OpenTelemetry's own crate is before 1.0 and changes its types with each minor version; this crate changes
//! with it, and `squirrel-monitor` does not.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Histogram, Meter};
use squirrel_exchange::{Kind, Value};
use squirrel_monitor::{ExportConfig, ExportContext, ExportTask, Exporter, MonitorSource};
use squirrel_monitor_export::{DECLARED, Declared, Options, durations, families, middles};
use tokio::sync::Mutex;

/// Histogram records between two pauses in which other tasks run.
const RECORDS_AT_ONCE: usize = 10_000;

/// Makes instruments of a meter that tell the numbers of one monitor.
#[derive(Clone, Debug)]
pub struct MeterExporter {
    meter: Meter,
    interval: Duration,
    /// Observable instruments stay as long as the meter: they are made at the first start only.
    made: Arc<AtomicBool>,
    /// What was recorded stays recorded when the monitor stops and starts again.
    recorded: Arc<Mutex<Recorded>>,
}

impl MeterExporter {
    /// For one monitor. Durations are recorded this often, at least each millisecond; choose the interval of
    /// the SDK's reader.
    pub fn new(meter: Meter, interval: Duration) -> Self {
        Self { meter, interval: interval.max(Duration::from_millis(1)), made: Arc::default(), recorded: Arc::default() }
    }

    fn observe(&self, declared: &'static Declared, source: &MonitorSource, options: &Options) {
        let (source, options) = (source.clone(), options.clone());
        let callback = move |observer: &dyn AsyncInstrument<f64>| {
            let Some(snapshot) = source.snapshot() else { return };
            for family in families(&snapshot, &options).iter().filter(|family| family.name == declared.name) {
                for point in &family.points {
                    if let Value::Number(number) = point.value {
                        observer.observe(number, &attributes(&point.attributes));
                    }
                }
            }
        };
        // The meter keeps what is made: the instrument itself is of no further use.
        if declared.kind == Kind::Counter {
            let counter = self.meter.f64_observable_counter(declared.name).with_unit(declared.unit);
            counter.with_description(declared.help).with_callback(callback).build();
        } else {
            let gauge = self.meter.f64_observable_gauge(declared.name).with_unit(declared.unit);
            gauge.with_description(declared.help).with_callback(callback).build();
        }
    }
}

fn attributes(pairs: &[(String, String)]) -> Vec<KeyValue> {
    pairs.iter().map(|(name, value)| KeyValue::new(name.clone(), value.clone())).collect()
}

impl Exporter for MeterExporter {
    /// The option `protocol` of the configuration is read as `squirrel-monitor-export` reads it; the rest of it is
    /// for exporters that send.
    fn prepare(
        &self,
        configured: Option<&ExportConfig>,
        context: ExportContext,
    ) -> Result<ExportTask, Box<dyn Error + Send + Sync>> {
        let options = configured.map(|config| Options::read(&config.options)).transpose()?.unwrap_or_default();
        if !self.made.swap(true, SeqCst) {
            for declared in DECLARED.iter().filter(|declared| declared.kind != Kind::Histogram) {
                self.observe(declared, context.source(), &options);
            }
        }
        let Self { meter, interval, recorded, .. } = self.clone();
        Ok(Box::pin(async move {
            let mut recorded = recorded.lock_owned().await;
            let mut ticks = tokio::time::interval(interval);
            loop {
                let is_last = tokio::select! {
                    () = context.stopped() => true,
                    _ = ticks.tick() => false,
                };
                if !recorded.record(&meter, &options, context.source()).await || is_last {
                    return;
                }
            }
        }))
    }
}

/// A histogram's name and attributes.
type Row = (&'static str, Vec<(&'static str, String)>);

/// Histograms, and what they were told.
#[derive(Debug, Default)]
struct Recorded {
    histograms: HashMap<&'static str, Histogram<f64>>,
    seen: HashMap<Row, HashMap<Duration, u64>>,
}

impl Recorded {
    /// False when the monitor is gone.
    async fn record(&mut self, meter: &Meter, options: &Options, source: &MonitorSource) -> bool {
        let Some(snapshot) = source.snapshot() else { return false };
        let mut records = 0;
        for one in durations(&snapshot, options) {
            let histogram = self.histograms.entry(one.name).or_insert_with(|| histogram(meter, one.name)).clone();
            let row: Vec<_> = one.attributes.iter().map(|&(name, value)| (name, value.to_owned())).collect();
            let attributes: Vec<_> = row.iter().map(|(name, value)| KeyValue::new(*name, value.clone())).collect();
            let seen = self.seen.entry((one.name, row)).or_default();
            for (bucket, middle, count) in middles(one.values) {
                let before = std::mem::replace(seen.entry(bucket).or_default(), count);
                for _ in before..count {
                    histogram.record(middle, &attributes);
                    records += 1;
                    if records % RECORDS_AT_ONCE == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
        true
    }
}

fn histogram(meter: &Meter, name: &'static str) -> Histogram<f64> {
    let help = DECLARED.iter().find(|declared| declared.name == name).map_or("", |declared| declared.help);
    meter.f64_histogram(name).with_unit("s").with_description(help).build()
}

#[cfg(test)]
mod tests;
