//! What OpenTelemetry's SDK collects.

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use squirrel_monitor::{ExportFormat, NetworkConfig, NetworkMonitor};

use super::*;

fn collected(provider: &SdkMeterProvider, exporter: &InMemoryMetricExporter, each: &mut dyn FnMut(&Metric)) {
    exporter.reset();
    provider.force_flush().expect("the SDK collects");
    for resource in exporter.get_finished_metrics().expect("it keeps them") {
        resource.scope_metrics().flat_map(ScopeMetrics::metrics).for_each(&mut *each);
    }
}

/// Sums and gauges by name and attributes; of histograms count and sum.
fn numbers(provider: &SdkMeterProvider, exporter: &InMemoryMetricExporter) -> HashMap<String, f64> {
    let mut numbers = HashMap::new();
    let labels = |attributes: &mut dyn Iterator<Item = &KeyValue>| {
        attributes.map(|pair| format!("{}={}", pair.key, pair.value)).collect::<Vec<_>>().join(",")
    };
    collected(provider, exporter, &mut |metric| {
        let AggregatedMetrics::F64(data) = metric.data() else { return };
        let name =
            |attributes: &mut dyn Iterator<Item = &KeyValue>| format!("{}{{{}}}", metric.name(), labels(attributes));
        match data {
            MetricData::Sum(sum) => {
                numbers.extend(sum.data_points().map(|point| (name(&mut point.attributes()), point.value())));
            }
            MetricData::Gauge(gauge) => {
                numbers.extend(gauge.data_points().map(|point| (name(&mut point.attributes()), point.value())));
            }
            MetricData::Histogram(histogram) => {
                for point in histogram.data_points() {
                    let name = name(&mut point.attributes());
                    numbers.insert(format!("{name} count"), point.count() as f64);
                    numbers.insert(format!("{name} sum"), point.sum());
                }
            }
            MetricData::ExponentialHistogram(_) => {}
        }
    });
    numbers
}

#[tokio::test]
async fn the_meter_tells_every_number_once() {
    let memory = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_reader(PeriodicReader::builder(memory.clone()).build()).build();
    let exporter = MeterExporter::new(provider.meter("test"), Duration::from_hours(1));
    let export = ExportConfig {
        format: ExportFormat::Otlp,
        endpoint: String::new(),
        interval: 5,
        auth_token: None,
        options: [("protocol".to_owned(), "mcp.server".to_owned())].into(),
    };
    let config = NetworkConfig { export: Some(export), ..NetworkConfig::default() };
    let monitor = NetworkMonitor::builder(config).exporter(exporter).build();
    for _ in 0..10 {
        monitor.record_message_received("tools/call(search)", 7).await;
        monitor.record_message_latency("tools/call(search)", Duration::from_millis(100)).await;
    }
    monitor.update_active_connections(3).await;
    for _ in 0..2 {
        monitor.start().await.unwrap();
        monitor.stop().await.unwrap();
    }
    let told = numbers(&provider, &memory);
    let of = |name: &str| told.get(name).copied();
    let received = "squirrel.message.io{message.type=tools/call(search),network.io.direction=receive}";
    assert_eq!((of(received), of("squirrel.connections.active{}")), (Some(70.0), Some(3.0)), "{told:?}");
    let duration =
        told.iter().find(|(name, _)| name.starts_with("mcp.server.operation.duration") && name.ends_with("count"));
    assert_eq!(duration.map(|(_, count)| *count), Some(10.0), "{told:?}");
    drop(monitor);
    let told = numbers(&provider, &memory);
    assert!(!told.contains_key("squirrel.connections.active{}"), "the monitor is gone: {told:?}");
    provider.shutdown().unwrap();
}
