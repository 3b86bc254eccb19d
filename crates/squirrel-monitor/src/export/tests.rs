//! Exporters begin and end with the monitor, however it ends.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use super::*;
use crate::{ExportFormat, NetworkConfig, NetworkMonitor};

/// Counts how often it began, exported and ended.
#[derive(Clone, Default)]
struct Counting {
    begun: Arc<AtomicU32>,
    ended: Arc<AtomicU32>,
    /// Where it was told to send.
    endpoint: Arc<Mutex<String>>,
    /// Does not end by itself.
    hangs: bool,
    refuses: bool,
}

impl Exporter for Counting {
    fn prepare(
        &self,
        configured: Option<&ExportConfig>,
        mut context: ExportContext,
    ) -> Result<ExportTask, Box<dyn Error + Send + Sync>> {
        if self.refuses {
            return Err("the address is taken".into());
        }
        *self.endpoint.lock().unwrap() = configured.map(|config| config.endpoint.clone()).unwrap_or_default();
        let Self { begun, ended, hangs, .. } = self.clone();
        Ok(Box::pin(async move {
            begun.fetch_add(1, SeqCst);
            context.failed("nobody listens");
            context.failed("nobody listens");
            context.worked();
            context.worked();
            context.lost(3);
            context.stopped().await;
            context.stopped().await;
            if hangs {
                std::future::pending::<()>().await;
            }
            ended.fetch_add(1, SeqCst);
        }))
    }
}

fn config() -> NetworkConfig {
    let export = ExportConfig {
        format: ExportFormat::Otlp,
        endpoint: "somewhere".to_owned(),
        interval: 5,
        auth_token: None,
        options: [].into(),
    };
    NetworkConfig { export: Some(export), ..NetworkConfig::default() }
}

fn kinds(monitor: &NetworkMonitor) -> Vec<AlertKind> {
    monitor.recent_alerts().into_iter().map(|alert| alert.kind).collect()
}

fn counts(exporter: &Counting) -> (u32, u32) {
    (exporter.begun.load(SeqCst), exporter.ended.load(SeqCst))
}

async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_exporter_begins_and_ends_with_the_monitor() {
    let exporter = Counting::default();
    let monitor = NetworkMonitor::builder(config()).exporter(exporter.clone()).build();
    assert_eq!(counts(&exporter), (0, 0));
    for round in 1..=2 {
        monitor.start().await.unwrap();
        monitor.start().await.unwrap();
        until(|| exporter.begun.load(SeqCst) == round).await;
        monitor.stop().await.unwrap();
        assert_eq!(counts(&exporter), (round, round));
    }
    assert_eq!(*exporter.endpoint.lock().unwrap(), "somewhere");
    let once = [AlertKind::ExportFailing { reason: "nobody listens".to_owned() }, AlertKind::ExportWorks];
    assert_eq!(kinds(&monitor), [once.clone(), once].concat(), "each told once a run, and never that nothing exports");
    assert_eq!((monitor.lost_exports(), monitor.snapshot().lost_exports), (6, 6));
    assert_eq!(monitor.source().alerts_after(3).len(), 1);
}

#[tokio::test]
async fn one_that_is_attached_late_begins_at_once() {
    let (before, after) = (Counting::default(), Counting::default());
    let monitor = NetworkMonitor::new(config());
    monitor.attach_exporter(before.clone()).unwrap();
    monitor.start().await.unwrap();
    monitor.attach_exporter(after.clone()).unwrap();
    until(|| counts(&before).0 == 1 && counts(&after).0 == 1).await;
    assert!(!kinds(&monitor).contains(&AlertKind::NothingExports));
    monitor.stop().await.unwrap();
    assert_eq!((counts(&before), counts(&after)), ((1, 1), (1, 1)));
}

#[tokio::test]
async fn a_monitor_that_is_dropped_ends_its_exporters() {
    let exporter = Counting::default();
    let monitor = NetworkMonitor::builder(config()).exporter(exporter.clone()).build();
    let source = monitor.source();
    monitor.start().await.unwrap();
    until(|| counts(&exporter).0 == 1).await;
    drop(monitor);
    until(|| counts(&exporter).1 == 1).await;
    assert_eq!((source.snapshot(), source.alerts_after(0)), (None, vec![]));
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_is_ended_after_five_seconds() {
    let exporter = Counting { hangs: true, ..Counting::default() };
    let monitor = NetworkMonitor::builder(config()).exporter(exporter.clone()).build();
    monitor.start().await.unwrap();
    until(|| counts(&exporter).0 == 1).await;
    let begin = tokio::time::Instant::now();
    monitor.stop().await.unwrap();
    let waited = begin.elapsed();
    assert!(waited >= EXPORT_STOP_LIMIT && waited < EXPORT_STOP_LIMIT + Duration::from_secs(1), "{waited:?}");
    until(|| Arc::strong_count(&exporter.begun) == 2).await;
}

#[tokio::test]
async fn one_that_cannot_begin_is_the_starts_error() {
    let exporter = Counting { refuses: true, ..Counting::default() };
    let monitor = NetworkMonitor::builder(config()).exporter(exporter.clone()).build();
    let error = monitor.start().await.unwrap_err().to_string();
    assert_eq!((error.as_str(), monitor.is_running()), ("export: the address is taken", false));
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    monitor.start().await.unwrap();
    assert!(monitor.attach_exporter(exporter).is_err() && monitor.is_running());
}
