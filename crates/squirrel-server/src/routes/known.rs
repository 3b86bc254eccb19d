//! Parameters that a route does not know are refused: a filter that was misspelled would else show everything, and
//! look like an answer.
//!
//! What a route knows is what its description says, so the two cannot differ. Routes of Prometheus' API are left alone:
//! Prometheus passes over what it does not know, and its clients send such.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use squirrel_api::ApiError;

use super::openapi;
use crate::failure::Failure;
use crate::form;

/// Names in a message; the rest of a hostile question is not repeated.
const SHOWN: usize = 40;

/// Answers the request, unless its address has a parameter that its route does not know.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    match check(request.uri().path(), request.uri().query().unwrap_or_default()) {
        Ok(()) => next.run(request).await,
        Err(error) => Failure::from(error).into_response(),
    }
}

fn check(path: &str, query: &str) -> Result<(), ApiError> {
    let Some(known) = openapi::known_parameters(path) else { return Ok(()) };
    let given = form::decode(query.as_bytes())?;
    let Some((unknown, _)) = given.iter().find(|(name, _)| !known.contains(name)) else { return Ok(()) };
    let shown: String = unknown.chars().take(SHOWN).collect();
    let why = match known {
        [] => format!("{path} takes no parameters"),
        known => format!("{path} knows only {}", known.join(", ")),
    };
    Err(ApiError::invalid_parameter(&shown, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_route_does_not_know_is_refused_and_what_it_knows_is_named() {
        for (path, query) in [
            ("/api/live/processes", "filter=a&sort=rate&order=asc&offset=1&limit=2"),
            ("/api/live/top", "table=hosts&limit=1"),
            ("/api/stream", "query=up&query=down"),
            ("/api/verdict", ""),
            ("/api/v1/query", "query=up&stats=all&anything=1"),
            ("/healthz", "probe=7"),
            ("/api/nothing", "a=b"),
        ] {
            assert!(check(path, query).is_ok(), "{path}?{query}");
        }
        for (path, query, message) in [
            (
                "/api/live/hosts",
                "filtre=a",
                "invalid parameter \"filtre\": /api/live/hosts knows only filter, sort, order, offset, limit",
            ),
            ("/api/applications/shop", "a=1", "invalid parameter \"a\": /api/applications/shop takes no parameters"),
            ("/api/verdict", "at=1", "invalid parameter \"at\": /api/verdict takes no parameters"),
            (
                "/api/live/books",
                "limit=%31&%1b[2J=1",
                "invalid parameter \"limit\": /api/live/books knows only interface",
            ),
        ] {
            assert_eq!(check(path, query).expect_err(query).message, message);
        }
        assert!(check("/api/catalogue", "a=%").is_err(), "what cannot be read is no known parameter");
        let long = "x".repeat(10_000);
        assert!(check("/api/charts", &long).expect_err("unknown").message.len() < 200);
    }
}
