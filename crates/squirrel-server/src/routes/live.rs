//! `GET /api/live/…`: whose bytes they are, now. Filtered, sorted and cut here, so that a table of a hundred
//! thousand connections costs its reader one page.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as AxumState;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use squirrel_account::Picture;
use squirrel_api::live::{Books, LIVE_SCHEMA, MOST_ROWS, PacketLease, Question, Table, USUAL_LIMIT};
use squirrel_api::{ApiError, ErrorType};

use super::alerts::{may_change, unauthorised};
use super::resources::plain;
use crate::failure::{Failure, json};
use crate::form::Params;
use crate::server::State;

pub(super) async fn processes(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    table(&state, &params, Question::processes).await
}

pub(super) async fn connections(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    table(&state, &params, Question::connections).await
}

pub(super) async fn hosts(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    table(&state, &params, Question::hosts).await
}

pub(super) async fn interfaces(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    table(&state, &params, Question::interfaces).await
}

/// Each interface with the parts of its bytes, or those of one name, and what belongs to nobody.
pub(super) async fn books(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let interface = params.get("interface").map(str::to_owned);
    answer(&state, move |picture| Ok(Books::new(picture, interface.as_deref()))).await
}

/// The document of `squirrel top --json`: all tables of one moment.
pub(super) async fn top(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let name = params.get("table").unwrap_or(Table::default().name());
    let table = Table::named(name).ok_or_else(|| {
        let names = Table::ALL.map(Table::name).join(", ");
        ApiError::invalid_parameter("table", format!("there is no table {name:?}. There are: {names}"))
    })?;
    let question = question(&params, MOST_ROWS)?;
    answer(&state, move |picture| question.top(picture, table, MOST_ROWS)).await
}

/// Who uses up the ephemeral ports: an address that no series may name.
pub(super) async fn ports(AxumState(state): AxumState<State>) -> Result<Response, Failure> {
    let ports = Arc::clone(&state.parts.ports);
    let work = move |_: &crate::gate::Stop| {
        serde_json::to_string(&ports()?).map_err(|error| ApiError::new(ErrorType::Internal, error.to_string()))
    };
    Ok(json(state.gate.run(state.parts.limits.query_time, work).await?))
}

/// Counts packets for a while. It makes the kernel do something, which costs each packet of the host a little: only
/// whoever may change something can ask for it.
pub(super) async fn packets(AxumState(state): AxumState<State>, headers: HeaderMap, params: Params) -> Response {
    lease(&state, &headers, &params).unwrap_or_else(|failure| unauthorised(failure.into_response()))
}

fn lease(state: &State, headers: &HeaderMap, params: &Params) -> Result<Response, Failure> {
    may_change(state, headers)?;
    let text = params.get("seconds").unwrap_or("30");
    let asked = text.parse().ok().filter(|seconds| (1..=60).contains(seconds)).ok_or_else(|| {
        ApiError::invalid_parameter("seconds", format!("{text:?} is no whole number from 1 to 60; ask again to go on"))
    })?;
    let lease = (state.parts.count_packets)(Duration::from_secs(asked)).ok_or_else(|| {
        let why = "there is no accounting that packets could be counted for: it is \"off\" in the configuration";
        ApiError::new(ErrorType::Unavailable, why)
    })?;
    plain(&PacketLease { schema: LIVE_SCHEMA.into(), seconds: lease.as_secs_f64() })
}

async fn table<T: Serialize + Send + 'static>(
    state: &State,
    params: &Params,
    ask: impl FnOnce(&Question, &Picture) -> Result<T, ApiError> + Send + 'static,
) -> Result<Response, Failure> {
    let question = question(params, USUAL_LIMIT)?;
    answer(state, move |picture| ask(&question, picture)).await
}

/// Answers from the newest picture, on a thread and with a seat as queries have.
async fn answer<T: Serialize + Send + 'static>(
    state: &State,
    ask: impl FnOnce(&Picture) -> Result<T, ApiError> + Send + 'static,
) -> Result<Response, Failure> {
    let picture = Arc::clone(&state.parts.picture);
    let work = move |_: &crate::gate::Stop| {
        // It may have to be drawn first, and wait for a step of the accountant.
        let picture = picture().ok_or_else(|| {
            let why = "there is no accounting yet: the first reading is under way, or accounting is \"off\" in the configuration";
            ApiError::new(ErrorType::Unavailable, why)
        })?;
        let document = ask(&picture)?;
        serde_json::to_string(&document).map_err(|e| ApiError::new(ErrorType::Internal, e.to_string()))
    };
    Ok(json(state.gate.run(state.parts.limits.query_time, work).await?))
}

/// Reads the parameters `filter`, `sort`, `order`, `offset` and `limit`.
pub(super) fn question(params: &Params, usual: usize) -> Result<Question, ApiError> {
    let descending = match params.get("order") {
        None => None,
        Some("asc") => Some(false),
        Some("desc") => Some(true),
        Some(other) => {
            return Err(ApiError::invalid_parameter("order", format!("{other:?} is neither asc nor desc")));
        }
    };
    let number = |name: &str, usual: usize, most: usize| match params.get(name) {
        None => Ok(usual),
        Some(text) => text
            .parse()
            .ok()
            .filter(|number| *number <= most)
            .ok_or_else(|| ApiError::invalid_parameter(name, format!("{text:?} is no number from 0 to {most}"))),
    };
    Ok(Question {
        filter: params.get("filter").unwrap_or_default().to_owned(),
        sort: params.get("sort").map(str::to_owned),
        descending,
        offset: number("offset", 0, usize::MAX)?,
        limit: number("limit", usual, MOST_ROWS)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_wrong_ones_are_named() {
        let asked = |pairs: &[(&str, &str)]| question(&Params::of(pairs), 100);
        assert_eq!(asked(&[]).unwrap(), Question::default());
        let all = asked(&[("filter", "port:443"), ("sort", "rx"), ("order", "asc"), ("offset", "50"), ("limit", "25")]);
        let expected = Question {
            filter: "port:443".into(),
            sort: Some("rx".into()),
            descending: Some(false),
            offset: 50,
            limit: 25,
        };
        assert_eq!(all.unwrap(), expected);
        for (name, value, words) in [
            ("order", "up", "neither asc nor desc"),
            ("limit", "10001", "from 0 to 10000"),
            ("limit", "-1", "no number"),
            ("offset", "x", "no number"),
        ] {
            let message = asked(&[(name, value)]).unwrap_err().message;
            assert!(message.contains(name) && message.contains(words), "{message}");
        }
    }
}
