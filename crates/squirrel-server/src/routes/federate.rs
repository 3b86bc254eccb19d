//! `/federate`: the newest values of chosen series, for another Prometheus to scrape.
//! <https://prometheus.io/docs/prometheus/latest/federation/>

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State as AxumState;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use squirrel_api::{ApiError, ErrorType};
use squirrel_model::exposition::{escape_value, write_value};
use squirrel_model::{Labels, NAME_LABEL, Samples, TimeRange, Timestamp, is_stale};

use super::parameters::matchers;
use super::plain::EXPOSITION;
use crate::failure::Failure;
use crate::form::Params;
use crate::gate::Stop;
use crate::server::State;

/// Values older than this, in milliseconds, are not the newest of anything: as queries look back.
const LOOK_BACK_MS: i64 = 300_000;

pub(super) async fn federate(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let sets = matchers(&params, state.parts.limits.query_bytes)?;
    if sets.is_empty() {
        return Err(ApiError::bad_data("no match[] parameter provided: name the series, as in match[]=up").into());
    }
    let now = (state.parts.clock)();
    let range = TimeRange::new(now.plus_ms(1 - LOOK_BACK_MS), now);
    let (snapshots, catalogue) = (Arc::clone(&state.parts.snapshots), Arc::clone(&state.parts.catalogue));
    let most = state.parts.limits.answer_samples;
    let work = move |stop: &Stop| {
        let snapshot = snapshots.snapshot();
        let internal = |error: squirrel_model::SelectError| ApiError::new(ErrorType::Internal, error.to_string());
        let mut found = BTreeMap::new();
        for set in &sets {
            if stop.asked() {
                return Err(stop.error());
            }
            for series in snapshot.find(set, range).map_err(internal)? {
                // By name first, so that the series of a metric stand together.
                found.insert((series.labels.metric_name().to_owned(), series.labels.clone()), series);
            }
        }
        if found.len() > most {
            let text = format!("more than {most} series: name fewer by match[]");
            return Err(ApiError::new(ErrorType::Execution, text));
        }
        let (mut text, mut last_name, mut samples) = (String::new(), String::new(), Samples::default());
        for ((name, labels), series) in &found {
            if stop.asked() {
                return Err(stop.error());
            }
            snapshot.read(series, range, &mut samples).map_err(internal)?;
            let (Some(&at), Some(&value)) = (samples.times.last(), samples.values.last()) else { continue };
            if is_stale(value) {
                continue;
            }
            if *name != last_name {
                let kind = catalogue.find(name).map_or("untyped", |metric| metric.kind.exposition_word());
                let _ = writeln!(text, "# TYPE {name} {kind}");
                last_name.clone_from(name);
            }
            line(&mut text, labels, value, Timestamp(at));
        }
        Ok(text)
    };
    let text = state.gate.run(state.parts.limits.query_time, work).await?;
    Ok(([(header::CONTENT_TYPE, EXPOSITION)], text).into_response())
}

/// The labels stand as they are kept, `job` and `instance` among them: whoever scrapes sets `honor_labels`.
fn line(out: &mut String, labels: &Labels, value: f64, at: Timestamp) {
    out.push_str(labels.metric_name());
    let mut mark = '{';
    for (name, text) in labels.iter().filter(|(name, _)| *name != NAME_LABEL) {
        let _ = write!(out, "{mark}{name}=\"{}\"", escape_value(text));
        mark = ',';
    }
    // As Prometheus has it, so that a scrape with honor_labels does not put its own instance there.
    if labels.get("instance").is_none() {
        let _ = write!(out, "{mark}instance=\"\"");
        mark = ',';
    }
    if mark == ',' {
        out.push('}');
    }
    out.push(' ');
    write_value(out, value);
    let _ = writeln!(out, " {}", at.millis());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_carry_their_time_and_an_instance() {
        let mut out = String::new();
        let labels = Labels::new([("__name__", "up"), ("job", "a\"b"), ("instance", "oak:1")]).unwrap();
        line(&mut out, &labels, 1.5, Timestamp(1_234));
        line(&mut out, &Labels::new([("__name__", "x")]).unwrap(), f64::INFINITY, Timestamp(0));
        assert_eq!(out, "up{instance=\"oak:1\",job=\"a\\\"b\"} 1.5 1234\nx{instance=\"\"} +Inf 0\n");
    }
}
