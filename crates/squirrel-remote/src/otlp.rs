//! The newest values as OTLP metrics over HTTP, each interval.
//!
//! Of each series the newest value of the interval is a point; its `job` and `instance` become the resource's
//! `service.name` and `service.instance.id`, as OpenTelemetry and Prometheus map them to each other. An export
//! that does not arrive is tried again until the next one is due, and then counted as lost: who has to have
//! every sample uses remote write.

mod metrics;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use squirrel_exchange::otlp::{self, Resource};
use squirrel_exchange::{Family, Kind, Metadata, Point, Value};
use squirrel_model::{Batch, NAME_LABEL, Samples, Select, TimeRange, Timestamp, Untrusted, is_stale};
use squirrel_outbound::{Client, Destination, Request};

use crate::backoff::Backoff;
use crate::metadata::Describe;
use metrics::Figures;
pub use metrics::METRICS;

/// Most points of one request.
const MOST_POINTS: usize = 10_000;

/// Where values are sent, and how often.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name, in metrics.
    pub name: String,
    /// Where: the whole URL, `/v1/metrics` included.
    pub destination: Destination,
    /// Time between two exports, in milliseconds.
    pub interval_ms: i64,
    /// Said of every resource.
    pub attributes: Vec<(String, String)>,
}

/// Sends the newest values to one target.
pub struct Exporter {
    target: Target,
    snapshots: Arc<dyn Fn() -> Arc<dyn Select> + Send + Sync>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    describe: Describe,
    client: Arc<Client>,
    figures: Arc<Figures>,
    works: bool,
}

/// A target's figures. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    name: Arc<str>,
    figures: Arc<Figures>,
}

impl Handle {
    /// Adds the target's figures to a batch; [`METRICS`] declares them.
    pub fn rows(&self, out: &mut Batch) {
        self.figures.rows(&self.name, out);
    }
}

impl Exporter {
    /// An exporter of what these snapshots hold.
    pub fn new(
        target: Target,
        snapshots: Arc<dyn Fn() -> Arc<dyn Select> + Send + Sync>,
        clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
        describe: Describe,
        client: Arc<Client>,
    ) -> Self {
        Self { target, snapshots, clock, describe, client, figures: Arc::default(), works: true }
    }

    /// Its figures.
    pub fn handle(&self) -> Handle {
        Handle { name: self.target.name.as_str().into(), figures: Arc::clone(&self.figures) }
    }

    /// Exports for ever, at multiples of the interval. Dropping the future stops it.
    pub async fn run(mut self) {
        let interval = self.target.interval_ms.max(1);
        loop {
            let now = (self.clock)();
            let next = now.floor_to(interval).plus_ms(interval);
            let wait = next.millis().saturating_sub(now.millis()).clamp(1, interval);
            let wait = Duration::from_millis(wait.unsigned_abs());
            tokio::time::sleep(wait).await;
            self.export(next, Duration::from_millis(interval.unsigned_abs())).await;
        }
    }

    async fn export(&mut self, at: Timestamp, limit: Duration) {
        let range = TimeRange::new(at.plus_ms(1 - self.target.interval_ms.max(1)), at);
        let (snapshot, describe) = ((self.snapshots)(), Arc::clone(&self.describe));
        let attributes = self.target.attributes.clone();
        let reading = tokio::task::spawn_blocking(move || resources(&*snapshot, range, &describe, &attributes));
        let Ok((resources, unreadable)) = reading.await else { return };
        self.figures.lost(unreadable);
        let mut done = 0;
        let sending = async {
            for resource in &resources {
                self.send(resource, at).await;
                done += 1;
            }
        };
        // What is left when the next export is due is old by then.
        if tokio::time::timeout(limit, sending).await.is_err() {
            self.figures.lost(resources.iter().skip(done).map(points).sum());
        }
    }

    async fn send(&mut self, resource: &Resource, at: Timestamp) {
        let body = otlp::encode(resource, ("squirrel", env!("CARGO_PKG_VERSION")), at);
        let count = points(resource);
        let mut backoff = Backoff::default();
        loop {
            let request = Request::post(otlp::CONTENT_TYPE, body.clone());
            let answer = self.client.send(&self.target.destination, request).await;
            let (reason, after) = match answer {
                Ok(answer) if answer.is_success() => {
                    // What cannot be read says nothing of points that were refused.
                    let (refused, message) = otlp::decode_response(&answer.body).unwrap_or_default();
                    let refused = usize::try_from(refused).unwrap_or(count).min(count);
                    self.figures.sent(count - refused, body.len());
                    self.figures.lost(refused);
                    if refused > 0 {
                        self.complain(&format!("refused {refused} points: {}", Untrusted(&message)));
                    } else if !std::mem::replace(&mut self.works, true) {
                        tracing::info!(target = self.target.name, "OTLP export goes on");
                    }
                    return;
                }
                Ok(answer) => {
                    let reason = format!("answered {}: {}", answer.status, Untrusted(&answer.first_line()));
                    if !otlp::RETRIED.contains(&answer.status) {
                        self.figures.lost(count);
                        return self.complain(&reason);
                    }
                    (reason, answer.retry_after((self.clock)()))
                }
                Err(error) => (error.to_string(), None),
            };
            self.figures.failed();
            self.complain(&reason);
            tokio::time::sleep(backoff.pause(after)).await;
        }
    }

    /// Says what is wrong when it begins.
    fn complain(&mut self, what: &str) {
        if std::mem::replace(&mut self.works, false) {
            tracing::warn!(target = self.target.name, to = %self.target.destination, "OTLP export: {what}");
        }
    }
}

fn points(resource: &Resource) -> usize {
    resource.families.iter().map(|family| family.points.len()).sum()
}

/// The newest values of a range, by source, in requests of bounded size; and how many cannot be read.
fn resources(
    snapshot: &dyn Select,
    range: TimeRange,
    describe: &Describe,
    attributes: &[(String, String)],
) -> (Vec<Resource>, usize) {
    let Ok(found) = snapshot.find(&[], range) else { return (Vec::new(), 1) };
    let mut sources: BTreeMap<(String, String), BTreeMap<String, Vec<Point>>> = BTreeMap::new();
    let (mut samples, mut unreadable) = (Samples::default(), 0);
    for series in &found {
        if snapshot.read(series, range, &mut samples).is_err() {
            unreadable += 1;
            continue;
        }
        let (Some(&at), Some(&value)) = (samples.times.last(), samples.values.last()) else { continue };
        if is_stale(value) {
            continue;
        }
        let label = |name| series.labels.get(name).unwrap_or_default().to_owned();
        let own = [NAME_LABEL, "job", "instance"];
        let pairs: Vec<(&str, &str)> = series.labels.iter().filter(|(name, _)| !own.contains(name)).collect();
        let point = Point { at: Some(Timestamp(at)), ..Point::new(&pairs, Value::Number(value)) };
        let source = sources.entry((label("job"), label("instance"))).or_default();
        source.entry(label(NAME_LABEL)).or_default().push(point);
    }
    let mut out = Vec::new();
    for ((job, instance), families) in sources {
        let mut said = attributes.to_vec();
        for (name, value) in [("service.name", job), ("service.instance.id", instance)] {
            if !value.is_empty() && !said.iter().any(|(known, _)| known == name) {
                said.push((name.to_owned(), value));
            }
        }
        let empty = || Resource { attributes: said.clone(), families: Vec::new() };
        let (mut resource, mut room) = (empty(), MOST_POINTS);
        for (name, mut points) in families {
            let Metadata { kind, unit, help } = describe(&name);
            while !points.is_empty() {
                let rest = points.split_off(points.len().min(room));
                room -= points.len();
                let mut family = Family::new(&name, shape(kind), &unit, &help);
                family.points = points;
                resource.families.push(family);
                points = rest;
                if room == 0 {
                    out.push(std::mem::replace(&mut resource, empty()));
                    room = MOST_POINTS;
                }
            }
        }
        if !resource.families.is_empty() {
            out.push(resource);
        }
    }
    (out, unreadable)
}

/// Parts of histograms are numbers of their own here.
fn shape(kind: Kind) -> Kind {
    match kind {
        Kind::Counter => Kind::Counter,
        _ => Kind::Gauge,
    }
}

#[cfg(test)]
mod tests;
