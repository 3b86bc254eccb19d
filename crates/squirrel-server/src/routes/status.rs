//! `status/…`, `targets` and their like: what Prometheus' API says of the program itself. Squirrel scrapes nothing, so
//! several of these are empty, in the shape that clients read.
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#status>

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State as AxumState;
use axum::response::Response;
use serde_json::{Value, json};
use squirrel_api::envelope::{Notes, write_success};
use squirrel_api::{ApiError, ErrorType};
use squirrel_model::{Found, TimeRange, Timestamp, duration_text};

use crate::failure::{Failure, json as answer};
use crate::form::Params;
use crate::gate::Stop;
use crate::parts::Limits;
use crate::server::State;

use super::parameters::limit;

/// How far back a series counts as one of the head's: Prometheus' head holds two hours and a little.
const HEAD_MS: i64 = 2 * 3_600_000;

/// Rows of each list, when nothing else is asked for.
const ROWS: usize = 10;

fn success(data: &Value) -> Response {
    let mut out = String::new();
    write_success(&mut out, &Notes::default(), |out| out.push_str(&data.to_string()));
    answer(out)
}

/// `status/config`: the configuration is a file of Squirrel's own kind, which `squirrel config show` prints.
pub(super) async fn config() -> Response {
    success(&json!({ "yaml": "" }))
}

/// `status/flags`: the limits, under the names that Prometheus has for them.
pub(super) async fn flags(AxumState(state): AxumState<State>) -> Response {
    success(&flags_of(&state.parts.limits))
}

fn flags_of(limits: &Limits) -> Value {
    let options = crate::engine::options(limits);
    let ms = |ms: u128| duration_text(i64::try_from(ms).unwrap_or(i64::MAX));
    json!({
        "query.lookback-delta": duration_text(options.lookback_ms),
        "query.max-concurrency": limits.queries.to_string(),
        "query.max-samples": options.max_samples.to_string(),
        "query.timeout": ms(limits.query_time.as_millis()),
        "web.max-connections": limits.connections.to_string(),
        "web.read-timeout": ms(limits.body_time.as_millis()),
    })
}

/// `status/runtimeinfo`. What is of Go's runtime is nought.
pub(super) async fn runtimeinfo(AxumState(state): AxumState<State>) -> Response {
    let now = (state.parts.clock)();
    let up = i64::try_from((state.parts.monotonic)().0.as_millis()).unwrap_or(i64::MAX);
    success(&json!({
        "startTime": rfc3339(now.plus_ms(-up)),
        "serverTime": rfc3339(now),
        "CWD": "",
        "hostname": "",
        "reloadConfigSuccess": true,
        "lastConfigTime": rfc3339(now.plus_ms(-up)),
        "corruptionCount": 0,
        "goroutineCount": 0,
        "GOMAXPROCS": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        "GOMEMLIMIT": 0,
        "GOGC": "",
        "GODEBUG": "",
        "storageRetention": "",
    }))
}

fn rfc3339(at: Timestamp) -> String {
    squirrel_api::params::rfc3339(at)
}

/// `status/tsdb`: which names and labels have the most series. `limit` is the length of each list.
pub(super) async fn tsdb(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let rows = limit(&params)?.unwrap_or(ROWS);
    let now = (state.parts.clock)();
    let snapshots = Arc::clone(&state.parts.snapshots);
    let range = TimeRange::new(now.plus_ms(-HEAD_MS), now);
    let work = move |stop: &Stop| {
        let found = snapshots.snapshot().find(&[], range);
        let found = found.map_err(|e| ApiError::new(ErrorType::Internal, e.to_string()))?;
        if stop.asked() { Err(stop.error()) } else { Ok(cardinality(&found, range, rows)) }
    };
    Ok(success(&state.gate.run(state.parts.limits.query_time, work).await?))
}

fn cardinality(found: &[Found], range: TimeRange, rows: usize) -> Value {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut pairs: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for series in found {
        *names.entry(series.labels.metric_name()).or_default() += 1;
        for pair in series.labels.iter() {
            *pairs.entry(pair).or_default() += 1;
        }
    }
    let mut values: BTreeMap<&str, usize> = BTreeMap::new();
    let mut octets: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, value) in pairs.keys() {
        *values.entry(name).or_default() += 1;
        *octets.entry(name).or_default() += value.len();
    }
    let by_pair = pairs.iter().map(|((name, value), count)| (format!("{name}={value}"), *count));
    json!({
        "headStats": {
            "numSeries": found.len(),
            "numLabelPairs": pairs.len(),
            "chunkCount": found.len(),
            "minTime": range.start.millis(),
            "maxTime": range.end.millis(),
        },
        "seriesCountByMetricName": most(names.iter().map(|(name, count)| ((*name).to_owned(), *count)), rows),
        "labelValueCountByLabelName": most(values.iter().map(|(name, count)| ((*name).to_owned(), *count)), rows),
        "memoryInBytesByLabelName": most(octets.iter().map(|(name, count)| ((*name).to_owned(), *count)), rows),
        "seriesCountByLabelValuePair": most(by_pair, rows),
    })
}

/// The largest first.
fn most(counts: impl Iterator<Item = (String, usize)>, rows: usize) -> Vec<Value> {
    let mut counts: Vec<(String, usize)> = counts.collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(rows);
    counts.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

/// `status/walreplay`: who can ask comes after it.
pub(super) async fn walreplay() -> Response {
    success(&json!({ "min": 0, "max": 0, "current": 0, "state": "done" }))
}

/// `targets`: nothing is scraped.
pub(super) async fn targets() -> Response {
    success(&json!({ "activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {} }))
}

/// `targets/metadata`: what metrics mean stands under `metadata`.
pub(super) async fn target_metadata() -> Response {
    success(&json!([]))
}

/// `scrape_pools`: there are none.
pub(super) async fn scrape_pools() -> Response {
    success(&json!({ "scrapePools": [] }))
}

/// `alertmanagers`: those that a channel tells of alerts.
pub(super) async fn alertmanagers(AxumState(state): AxumState<State>) -> Response {
    let told = state.parts.alerting.alertmanagers();
    let active: Vec<Value> = told.into_iter().map(|url| json!({ "url": url })).collect();
    success(&json!({ "activeAlertmanagers": active, "droppedAlertmanagers": [] }))
}

/// `notifications`, which Prometheus' own pages ask for.
pub(super) async fn notifications() -> Response {
    success(&json!([]))
}
