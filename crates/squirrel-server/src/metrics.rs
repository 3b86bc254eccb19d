//! What the server says of itself. All labels come from closed lists: no client can make a series.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use squirrel_api::ErrorType;
use squirrel_model::{Batch, Labels};

mod declared;

pub use declared::METRICS;
use declared::{
    CONNECTIONS, DURATION_BUCKET, DURATION_COUNT, DURATION_SUM, GAVE_WAY, QUERIES, QUERIES_RUNNING, QUERIES_WAITING,
    REJECTED, REQUESTS, STREAM_CLIENTS, STREAM_DROPPED, STREAM_EVENTS,
};

/// Routes as they are counted.
const ROUTES: [&str; 15] = [
    "query",
    "query_range",
    "labels",
    "label_values",
    "series",
    "metadata",
    "buildinfo",
    "metrics",
    "health",
    "stream",
    "applications",
    "resources",
    "assets",
    "page",
    "other",
];

const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// Upper bounds of the buckets: in seconds as the label says it, and in microseconds.
const BUCKETS: [(&str, u64); 8] = [
    ("0.001", 1_000),
    ("0.005", 5_000),
    ("0.025", 25_000),
    ("0.1", 100_000),
    ("0.5", 500_000),
    ("2.5", 2_500_000),
    ("10", 10_000_000),
    ("+Inf", u64::MAX),
];

const OUTCOMES: [&str; 8] =
    ["success", "bad_data", "canceled", "execution", "internal", "not_found", "timeout", "unavailable"];

const REASONS: [&str; 2] = ["host", "origin"];

/// Counters of one server.
#[derive(Debug, Default)]
pub struct ServerMetrics {
    requests: [[AtomicU64; CLASSES.len()]; ROUTES.len()],
    buckets: [AtomicU64; BUCKETS.len()],
    duration_micros: AtomicU64,
    rejected: [AtomicU64; REASONS.len()],
    outcomes: [AtomicU64; OUTCOMES.len()],
    pub(crate) connections: Gauge,
    pub(crate) queries_running: Gauge,
    pub(crate) queries_waiting: Gauge,
    pub(crate) stream_clients: Gauge,
    stream_events: AtomicU64,
    stream_dropped: AtomicU64,
    gave_way: AtomicU64,
}

/// Why a request did not reach a route.
#[derive(Clone, Copy)]
pub(crate) enum Rejection {
    Host,
    Origin,
}

/// How many of something exist now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauge(Arc<AtomicI64>);

/// Something that is counted while it exists.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Gauge {
    pub(crate) fn count(&self) -> Counted {
        self.0.fetch_add(1, Ordering::Relaxed);
        Counted(self.clone())
    }

    fn read(&self) -> f64 {
        self.0.load(Ordering::Relaxed) as f64
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn add(counter: Option<&AtomicU64>, n: u64) {
    if let Some(counter) = counter {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}

fn position(names: &[&str], name: &str) -> Option<usize> {
    names.iter().position(|n| *n == name)
}

impl ServerMetrics {
    /// Counts an answered request.
    pub(crate) fn answered(&self, path: &str, status: u16, took: Duration) {
        let route = position(&ROUTES, route_of(path)).and_then(|i| self.requests.get(i));
        let class = usize::from(status / 100).saturating_sub(2);
        add(route.and_then(|classes| classes.get(class)), 1);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.iter().position(|(_, bound)| micros <= *bound);
        add(bucket.and_then(|i| self.buckets.get(i)), 1);
        self.duration_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn reject(&self, reason: Rejection) {
        add(self.rejected.get(reason as usize), 1);
    }

    /// Counts a query by its outcome.
    pub(crate) fn queried(&self, error: Option<ErrorType>) {
        let word = error.map_or("success", ErrorType::word);
        add(position(&OUTCOMES, word).and_then(|i| self.outcomes.get(i)), 1);
    }

    /// Counts a connection that was closed to make room for a newer one.
    pub(crate) fn gave_way(&self) {
        self.gave_way.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn stream_sent(&self) {
        self.stream_events.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn stream_dropped(&self, events: u64) {
        self.stream_dropped.fetch_add(events, Ordering::Relaxed);
    }

    /// Adds the rows of [`METRICS`] as they stand now.
    pub fn rows(&self, out: &mut Batch) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
        for (route, classes) in ROUTES.iter().zip(&self.requests) {
            for (code, count) in CLASSES.iter().zip(classes).filter(|(_, count)| read(count) > 0.0) {
                out.put(&REQUESTS, &labels(&[("code", code), ("route", route)]), read(count));
            }
        }
        let mut total = 0.0;
        for ((le, _), count) in BUCKETS.iter().zip(&self.buckets) {
            total += read(count);
            out.put(&DURATION_BUCKET, &labels(&[("le", le)]), total);
        }
        out.put_plain(&DURATION_SUM, read(&self.duration_micros) / 1e6);
        out.put_plain(&DURATION_COUNT, total);
        for (reason, count) in REASONS.iter().zip(&self.rejected) {
            out.put(&REJECTED, &labels(&[("reason", reason)]), read(count));
        }
        for (outcome, count) in OUTCOMES.iter().zip(&self.outcomes) {
            out.put(&QUERIES, &labels(&[("outcome", outcome)]), read(count));
        }
        out.put_plain(&QUERIES_RUNNING, self.queries_running.read());
        out.put_plain(&QUERIES_WAITING, self.queries_waiting.read());
        out.put_plain(&CONNECTIONS, self.connections.read());
        out.put_plain(&GAVE_WAY, read(&self.gave_way));
        out.put_plain(&STREAM_CLIENTS, self.stream_clients.read());
        out.put_plain(&STREAM_EVENTS, read(&self.stream_events));
        out.put_plain(&STREAM_DROPPED, read(&self.stream_dropped));
    }
}

/// The names above are label names and the values are short, so this cannot fail; were it to, the
/// row would only lose its labels.
fn labels(pairs: &[(&str, &str)]) -> Labels {
    Labels::new(pairs.iter().copied()).unwrap_or_default()
}

fn route_of(path: &str) -> &'static str {
    match path {
        "/api/v1/query" => "query",
        "/api/v1/query_range" => "query_range",
        "/api/v1/labels" => "labels",
        "/api/v1/series" => "series",
        "/api/v1/metadata" => "metadata",
        "/api/v1/status/buildinfo" => "buildinfo",
        "/api/v1/query_exemplars" => "absent",
        "/api/v1/rules" | "/api/v1/alerts" => "rules",
        "/metrics" => "metrics",
        "/healthz" | "/readyz" | "/-/healthy" | "/-/ready" => "health",
        "/api/stream" => "stream",
        "/api/charts" | "/api/catalogue" | "/api/collectors" | "/api/verdict" => "resources",
        "/" => "page",
        _ if path.starts_with("/api/v1/label/") => "label_values",
        _ if path.starts_with("/assets/") => "assets",
        "/api/alerts" | "/api/silences" | "/api/notify/test" => "alerts",
        _ if ["/api/alerts/", "/api/silences/", "/api/v2/"].iter().any(|start| path.starts_with(start)) => "alerts",
        _ if path.starts_with("/api/applications") => "applications",
        _ if path.starts_with("/interfaces") || path.starts_with("/applications") => "page",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squirrel_model::{Catalogue, exposition};

    #[test]
    fn rows_are_declared_and_say_what_was_counted() {
        let metrics = ServerMetrics::default();
        metrics.answered("/api/v1/query", 200, Duration::from_millis(3));
        metrics.answered("/api/v1/query", 200, Duration::from_millis(30));
        metrics.answered("/no/such/path?x", 404, Duration::from_secs(100));
        metrics.queried(Some(ErrorType::Timeout));
        metrics.reject(Rejection::Origin);
        let open = metrics.connections.count();
        let mut batch = Batch::default();
        metrics.rows(&mut batch);
        let mut text = String::new();
        exposition::write_batch(&mut text, &batch);
        for line in [
            "squirrel_http_requests_total{code=\"2xx\",route=\"query\"} 2",
            "squirrel_http_requests_total{code=\"4xx\",route=\"other\"} 1",
            "squirrel_http_request_duration_seconds_bucket{le=\"0.005\"} 1",
            "squirrel_http_request_duration_seconds_bucket{le=\"0.1\"} 2",
            "squirrel_http_request_duration_seconds_bucket{le=\"+Inf\"} 3",
            "squirrel_http_request_duration_seconds_count 3",
            "squirrel_http_rejected_total{reason=\"origin\"} 1",
            "squirrel_queries_total{outcome=\"timeout\"} 1",
            "squirrel_http_connections 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
        drop(open);
        let catalogue = Catalogue::new([METRICS]);
        assert!(catalogue.duplicates().is_empty());
        for row in &batch.rows {
            let declared = catalogue.find(&row.metric.name).expect("declared");
            assert!(row.labels.iter().all(|(name, _)| declared.labels.contains(&name)), "{}", row.metric.name);
        }
    }

    #[test]
    fn every_kind_of_error_and_every_route_has_a_place() {
        for kind in [
            ErrorType::BadData,
            ErrorType::Canceled,
            ErrorType::Execution,
            ErrorType::Internal,
            ErrorType::NotFound,
            ErrorType::Timeout,
            ErrorType::Unavailable,
        ] {
            assert!(OUTCOMES.contains(&kind.word()));
        }
        for path in
            ["/", "/metrics", "/api/v1/label/x/values", "/assets/a.js", "/interfaces/eth0", "/applications/a", "/evil"]
        {
            assert!(ROUTES.contains(&route_of(path)), "{path}");
        }
    }
}
