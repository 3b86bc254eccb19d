//! `/probe?target=&module=`: what blackbox_exporter answers at its address of this name, for a Prometheus that scrapes
//! Squirrel in its place.
//!
//! Unlike every other question this one makes the daemon send something, to a place that the question names. So a page
//! of another site may not ask it (`security`), and the program's rules say which addresses may be looked at: the second
//! holds alone where browsers do not say whose page asks, which is with listeners that are neither on the loopback nor
//! behind HTTPS.
//! <https://github.com/prometheus/blackbox_exporter#prometheus-configuration>

use std::time::Duration;

use axum::extract::State as AxumState;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use squirrel_api::{ApiError, ErrorType};

use super::plain::EXPOSITION;
use crate::checks::CheckQuery;
use crate::failure::Failure;
use crate::form::Params;
use crate::server::State;

/// By which Prometheus says how long it waits.
const PATIENCE: &str = "x-prometheus-scrape-timeout-seconds";
/// So much earlier the check ends, so that its answer is still taken.
const EARLIER: Duration = Duration::from_millis(500);

pub(super) async fn probe(
    AxumState(state): AxumState<State>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Failure> {
    let text = |name: &str| params.get(name).map(str::to_owned);
    let example = "name what is to be looked at, as in /probe?module=http_2xx&target=https://example.org";
    let query = CheckQuery {
        target: text("target").ok_or_else(|| ApiError::invalid_parameter("target", example))?,
        module: text("module"),
        hostname: text("hostname"),
        debug: match params.get("debug") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(ApiError::invalid_parameter("debug", "true or false").into()),
        },
        limit: patience(&headers)?,
    };
    let debug = query.debug;
    let Some(checks) = &state.parts.checks else {
        return Err(ApiError::new(ErrorType::NotFound, "no targets are looked at from here").into());
    };
    let text = checks.check(query).await?;
    let kind = if debug { "text/plain; charset=utf-8" } else { EXPOSITION };
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// How long a check may take for whoever asked.
fn patience(headers: &HeaderMap) -> Result<Option<Duration>, ApiError> {
    let Some(value) = headers.get(PATIENCE) else { return Ok(None) };
    let seconds = value.to_str().ok().and_then(|text| text.parse().ok());
    let span = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).filter(|span| !span.is_zero());
    let wrong = || ApiError::bad_data("X-Prometheus-Scrape-Timeout-Seconds is a number of seconds above zero");
    let span = span.ok_or_else(wrong)?;
    Ok(Some(if span > EARLIER * 2 { span.saturating_sub(EARLIER) } else { span / 2 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_ends_before_nobody_waits_any_more() {
        let read = |text: &'static str| {
            let headers = HeaderMap::from_iter([(PATIENCE.parse().unwrap(), text.parse().unwrap())]);
            patience(&headers).map(|span| span.map(|span| span.as_millis())).ok()
        };
        assert_eq!(patience(&HeaderMap::new()), Ok(None));
        for (text, expected) in [("10", 9_500), ("10.000000", 9_500), ("1.5", 1_000), ("0.2", 100)] {
            assert_eq!(read(text), Some(Some(expected)), "{text}");
        }
        for text in ["", "x", "0", "-1", "nan", "inf", "1e300"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
