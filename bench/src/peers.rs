//! The libraries, each in the way that its manual recommends for the task.
//!
//! Histograms of the peers have twenty buckets, which is fewer than ours have; they are given seconds, as
//! they want them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::{ManualReader, SdkMeterProvider};
use squirrel_monitor::{NetworkConfig, NetworkMonitor};

use crate::harness::{CALLS, Entry, Task, Work, label, repeat};

/// The name of the library that is compared with the others.
pub const OURS: &str = "squirrel-monitor";

fn entry(task: Task, library: &'static str, work: impl Fn(u64) + Send + Sync + 'static) -> Entry {
    Entry { task, library, work: Box::new(work) as Work, calls: CALLS, tidy: None }
}

/// Upper ends of the peers' buckets, in seconds.
fn buckets() -> Vec<f64> {
    (0..20).map(|power| 1e-6 * 2f64.powi(power)).collect()
}

/// The time of a call: up to 0.4 s.
fn nanoseconds(call: u64) -> u64 {
    call * 997
}

fn seconds(call: u64) -> f64 {
    nanoseconds(call) as f64 / 1e9
}

/// All libraries at all tasks that they have.
pub fn all() -> Result<Vec<Entry>, String> {
    let mut entries = ours();
    entries.extend(metrics()?);
    entries.extend(prometheus_client());
    entries.extend(prometheus().map_err(|error| error.to_string())?);
    entries.extend(opentelemetry());
    entries.push(locked()?);
    Ok(entries)
}

fn ours() -> Vec<Entry> {
    let recorder = NetworkMonitor::new(NetworkConfig::default()).recorder().clone();
    let (counter, latency) = (recorder.message_received("tools/call"), recorder.message_latency("tools/call"));
    vec![
        entry(Task::Handle, OURS, move |calls| repeat(calls, |i| counter.record(i))),
        entry(Task::Label, OURS, move |calls| repeat(calls, |i| recorder.record_message_received(label(i), i))),
        entry(Task::Histogram, OURS, move |calls| {
            repeat(calls, |i| latency.record(Duration::from_nanos(nanoseconds(i))));
        }),
    ]
}

/// The facade with its exporter for Prometheus.
fn metrics() -> Result<Vec<Entry>, String> {
    const NAME: &str = "metrics";
    let builder = metrics_exporter_prometheus::PrometheusBuilder::new();
    let recorder = builder.set_buckets(&buckets()).map_err(|error| error.to_string())?.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|error| error.to_string())?;
    let counter = metrics::counter!("kept", "type" => "tools/call");
    let histogram = metrics::histogram!("latency", "type" => "tools/call");
    let mut recorded = entry(Task::Histogram, NAME, move |calls| repeat(calls, |i| histogram.record(seconds(i))));
    // What is recorded is kept one by one until somebody reads it.
    recorded.tidy = Some(Box::new(move || handle.run_upkeep()));
    Ok(vec![
        entry(Task::Handle, NAME, move |calls| repeat(calls, |i| counter.increment(i))),
        entry(Task::Label, NAME, |calls| {
            repeat(calls, |i| metrics::counter!("messages", "type" => label(i)).increment(i));
        }),
        recorded,
    ])
}

fn prometheus_client() -> Vec<Entry> {
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::metrics::histogram::Histogram;
    const NAME: &str = "prometheus-client";
    let counter = Counter::<u64>::default();
    let family = Family::<[(&'static str, &'static str); 1], Counter>::default();
    let histogram = Histogram::new(buckets());
    vec![
        entry(Task::Handle, NAME, move |calls| repeat(calls, |i| _ = counter.inc_by(i))),
        entry(Task::Label, NAME, move |calls| {
            repeat(calls, |i| _ = family.get_or_create(&[("type", label(i))]).inc_by(i));
        }),
        entry(Task::Histogram, NAME, move |calls| repeat(calls, |i| histogram.observe(seconds(i)))),
    ]
}

fn prometheus() -> Result<Vec<Entry>, ::prometheus::Error> {
    use ::prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts};
    const NAME: &str = "prometheus";
    let counter = IntCounter::new("kept", "kept")?;
    let family = IntCounterVec::new(Opts::new("messages", "messages"), &["type"])?;
    let histogram = Histogram::with_opts(HistogramOpts::new("latency", "latency").buckets(buckets()))?;
    Ok(vec![
        entry(Task::Handle, NAME, move |calls| repeat(calls, |i| counter.inc_by(i))),
        entry(Task::Label, NAME, move |calls| repeat(calls, |i| family.with_label_values(&[label(i)]).inc_by(i))),
        entry(Task::Histogram, NAME, move |calls| repeat(calls, |i| histogram.observe(seconds(i)))),
    ])
}

/// The SDK, with instruments that are bound to their attributes where a handle is kept: its fastest form.
fn opentelemetry() -> Vec<Entry> {
    const NAME: &str = "opentelemetry_sdk";
    let provider = SdkMeterProvider::builder().with_reader(ManualReader::builder().build()).build();
    let meter = provider.meter("bench");
    let kind = [KeyValue::new("type", "tools/call")];
    let counter = meter.u64_counter("messages").build();
    let bound = counter.bind(&kind);
    let histogram = meter.f64_histogram("latency").with_boundaries(buckets()).build().bind(&kind);
    // The instruments record for as long as their provider lives.
    let kept = provider.clone();
    vec![
        entry(Task::Handle, NAME, move |calls| repeat(calls, |i| bound.add(i))),
        entry(Task::Label, NAME, move |calls| {
            let _ = &kept;
            repeat(calls, |i| counter.add(i, &[KeyValue::new("type", label(i))]));
        }),
        entry(Task::Histogram, NAME, move |calls| {
            let _ = &provider;
            repeat(calls, |i| histogram.record(seconds(i)));
        }),
    ]
}

/// The form that the specification sketches. The time that a thread sleeps while another has the lock is
/// not processor time, which is in its favour.
fn locked() -> Result<Entry, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    let map: Arc<tokio::sync::RwLock<HashMap<String, u64>>> = Arc::default();
    let mut locked = entry(Task::Label, "RwLock<HashMap>", move |calls| {
        runtime.handle().block_on(async {
            for i in 0..calls {
                let name = label(i);
                let mut map = map.write().await;
                if let Some(count) = map.get_mut(name) {
                    *count += i;
                } else {
                    map.insert(name.to_owned(), i);
                }
            }
        });
    });
    locked.calls = CALLS / 8;
    Ok(locked)
}
