//! `query` and `query_range`: an expression's value at a moment, or over a range.
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#expression-queries>

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as AxumState;
use axum::response::Response;
use squirrel_api::envelope::{TRUNCATED, write_success};
use squirrel_api::params::parse_duration_ms;
use squirrel_api::{ApiError, ErrorType};
use squirrel_model::Elapsed;

use crate::engine::{self, Steps};
use crate::failure::{Failure, json};
use crate::form::Params;
use crate::server::State;

use super::parameters::{limit, required_time, time};

pub(super) async fn instant(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let answer = answer_instant(&state, &params).await;
    finish(&state, answer)
}

pub(super) async fn range(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let answer = answer_range(&state, &params).await;
    finish(&state, answer)
}

fn finish(state: &State, answer: Result<String, ApiError>) -> Result<Response, Failure> {
    state.metrics.queried(answer.as_ref().err().map(|error| error.kind));
    Ok(json(answer?))
}

async fn answer_instant(state: &State, params: &Params) -> Result<String, ApiError> {
    let limit = limit(params)?;
    let at = time(params, "time", (state.parts.clock)())?;
    evaluate(state, params, Steps::At(at), limit).await
}

async fn answer_range(state: &State, params: &Params) -> Result<String, ApiError> {
    let limit = limit(params)?;
    let start = required_time(params, "start")?;
    let end = required_time(params, "end")?;
    if end < start {
        return Err(ApiError::invalid_parameter("end", "end timestamp must not be before start time"));
    }
    let step_ms = parse_duration_ms(params.get("step").unwrap_or_default())
        .map_err(|e| ApiError::invalid_parameter("step", e))?;
    if step_ms == 0 && params.get("step").is_some_and(|step| step.parse().is_ok_and(|seconds: f64| seconds > 0.0)) {
        let why = "samples have times of whole milliseconds: the smallest step is 0.001 (1ms)";
        return Err(ApiError::invalid_parameter("step", why));
    }
    if step_ms <= 0 {
        let why = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(ApiError::invalid_parameter("step", why));
    }
    let most = state.parts.limits.query_points;
    if (end.millis() - start.millis()) / step_ms > i64::try_from(most).unwrap_or(i64::MAX) {
        return Err(ApiError::bad_data(format!(
            "exceeded maximum resolution of {} points per timeseries. Try decreasing the query resolution (?step=XX)",
            grouped(most)
        )));
    }
    evaluate(state, params, Steps::Range { start, end, step_ms }, limit).await
}

/// A number with commas, as Prometheus writes this one.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

async fn evaluate(state: &State, params: &Params, steps: Steps, limit: Option<usize>) -> Result<String, ApiError> {
    let limits = &state.parts.limits;
    let time = timeout(params, limits.query_time)?;
    let lookback_ms = lookback(params)?;
    let text = params.get("query").unwrap_or_default().to_owned();
    if text.len() > limits.query_bytes {
        let why = format!("a query has at most {} bytes and this one has {}", limits.query_bytes, text.len());
        return Err(ApiError::invalid_parameter("query", why));
    }
    let most_samples = limits.answer_samples;
    let stats = params.get("stats").is_some();
    let clock = Arc::clone(&state.parts.monotonic);
    let asked = clock();
    let engine = Arc::clone(&state.engine);
    state
        .gate
        .run(time, move |stop| {
            let expr = engine::parse(&text).map_err(|e| ApiError::invalid_parameter("query", e.message))?;
            let begun = clock();
            let mut answer = engine::ask(&expr, engine.as_ref(), steps, lookback_ms, stop)?;
            if limit.is_some_and(|limit| answer.truncate(limit)) {
                answer.notes.warnings.push(TRUNCATED.to_owned());
            }
            if answer.samples() > most_samples {
                let why = format!(
                    "the answer has {} samples and at most {most_samples} are sent: ask for fewer series, a shorter range or a longer step",
                    answer.samples()
                );
                return Err(ApiError::new(ErrorType::Execution, why));
            }
            let mut out = String::new();
            let times = stats.then(|| Times { asked, begun, done: clock() });
            write_success(&mut out, &answer.notes, |out| {
                answer.write(out);
                if let Some(times) = times {
                    times.write(answer.touched, out);
                }
            });
            if stop.asked() { Err(stop.error()) } else { Ok(out) }
        })
        .await
}

/// When a query was asked, came to its turn, and was answered.
#[derive(Clone, Copy)]
struct Times {
    asked: Elapsed,
    begun: Elapsed,
    done: Elapsed,
}

impl Times {
    /// Puts the member `stats` into the object that was written last.
    fn write(self, samples: u64, out: &mut String) {
        let seconds = |from: Elapsed, to: Elapsed| to.0.saturating_sub(from.0).as_secs_f64();
        let (eval, queue) = (seconds(self.begun, self.done), seconds(self.asked, self.begun));
        let stats = serde_json::json!({
            "timings": {
                "evalTotalTime": eval,
                "resultSortTime": 0.0,
                "queryPreparationTime": 0.0,
                "innerEvalTime": eval,
                "execQueueTime": queue,
                "execTotalTime": eval + queue,
            },
            "samples": { "totalQueryableSamples": samples, "peakSamples": samples },
        });
        if out.pop().is_some() {
            out.push_str(",\"stats\":");
            out.push_str(&stats.to_string());
            out.push('}');
        }
    }
}

/// The time for a query: what the request asks for, and no more than the server gives.
fn timeout(params: &Params, most: Duration) -> Result<Duration, ApiError> {
    let Some(text) = params.get("timeout") else { return Ok(most) };
    let ms = parse_duration_ms(text).map_err(|e| ApiError::invalid_parameter("timeout", e))?;
    Ok(Duration::from_millis(u64::try_from(ms).unwrap_or(0)).min(most))
}

/// How far back an instant selector looks; zero and less mean the usual five minutes.
fn lookback(params: &Params) -> Result<Option<i64>, ApiError> {
    let Some(text) = params.get("lookback_delta") else { return Ok(None) };
    match parse_duration_ms(text) {
        Ok(ms) => Ok(Some(ms).filter(|ms| *ms > 0)),
        Err(e) => Err(ApiError::new(ErrorType::BadData, format!("error parsing lookback delta duration: {e}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_time_than_the_server_gives_is_not_given() {
        let most = Duration::from_secs(15);
        let asked = |text: &str| timeout(&Params::of(&[("timeout", text)]), most).map(|t| t.as_secs_f64());
        assert_eq!(timeout(&Params::default(), most), Ok(most));
        assert_eq!((asked("5"), asked("100ms"), asked("1h"), asked("-1")), (Ok(5.0), Ok(0.1), Ok(15.0), Ok(0.0)));
        assert_eq!(
            asked("x").unwrap_err().message,
            "invalid parameter \"timeout\": cannot parse \"x\" to a valid duration"
        );
    }

    #[test]
    fn a_wrong_lookback_is_named_and_zero_means_the_usual() {
        let asked = |text: &str| lookback(&Params::of(&[("lookback_delta", text)]));
        assert_eq!((asked("30s"), asked("0"), asked("-1")), (Ok(Some(30_000)), Ok(None), Ok(None)));
        assert_eq!(
            asked("x").unwrap_err().message,
            "error parsing lookback delta duration: cannot parse \"x\" to a valid duration"
        );
    }
}
