//! What every request must pass, and what every answer carries.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use axum::extract::{Request, State as AxumState};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use squirrel_model::Untrusted;

use crate::metrics::Rejection;
use crate::server::State;

/// The address at which a connection came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalAddress(pub(crate) SocketAddr);

/// The address from which a connection came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerAddress(pub(crate) SocketAddr);

/// Headers of every answer. The policy lets a page load nothing but this server's own files and run
/// no script that stands in the page itself.
const HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    (HeaderName::from_static("x-permitted-cross-domain-policies"), "none"),
];

/// Counts the request, refuses a foreign `Host` or `Origin`, and adds the headers.
pub(crate) async fn guard(AxumState(state): AxumState<State>, request: Request, next: Next) -> Response {
    let began = (state.parts.monotonic)();
    let path = request.uri().path().to_owned();
    let mut response = match refusal(&state, &request) {
        Some(refused) => refused,
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Answers are of this moment; files of the dashboard say for themselves how long they last.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let took = (state.parts.monotonic)().0.saturating_sub(began.0);
    state.metrics.answered(&path, response.status().as_u16(), took);
    response
}

fn refusal(state: &State, request: &Request) -> Option<Response> {
    let refused = match check_host(state, request) {
        Err(refused) => {
            state.metrics.reject(Rejection::Host);
            refused
        }
        Ok(host) => {
            // Questions that hold a connection, or make this machine send something, are not for pages of other sites.
            let is_quiet = !["/api/stream", "/probe"].contains(&request.uri().path());
            let safe = matches!(*request.method(), Method::GET | Method::HEAD) && is_quiet;
            if safe || is_own_page(request.headers(), &host) {
                return None;
            }
            state.metrics.reject(Rejection::Origin);
            if may_warn(state) {
                let origin = request.headers().get(header::ORIGIN);
                tracing::warn!(?origin, "refused a request that a page of another site sent");
            }
            (StatusCode::FORBIDDEN, "This request comes from a page of another site and is refused.\n".to_owned())
        }
    };
    Some(refused.into_response())
}

/// The `Host` by which this server is addressed, if it is one of its names.
/// RFC 9112, 3.2: none or several are a bad request; in the absolute form the target's host counts.
fn check_host(state: &State, request: &Request) -> Result<String, (StatusCode, String)> {
    let Some(LocalAddress(local)) = request.extensions().get::<LocalAddress>().copied() else {
        return Err((StatusCode::INTERNAL_SERVER_ERROR, "The connection has no address.\n".to_owned()));
    };
    let mut hosts = request.headers().get_all(header::HOST).iter().peekable();
    // RFC 9112, 3.2 asks for the header from 1.1 on. Browsers always send it, and so cannot come this way.
    if request.version() < Version::HTTP_11 && hosts.peek().is_none() && request.uri().authority().is_none() {
        return Ok(local.to_string());
    }
    let (Some(Ok(host)), None) = (hosts.next().map(HeaderValue::to_str), hosts.next()) else {
        return Err((StatusCode::BAD_REQUEST, "A request needs exactly one Host header.\n".to_owned()));
    };
    let target = request.uri().authority().map(hyper::http::uri::Authority::as_str);
    for name in [Some(host), target].into_iter().flatten() {
        if !state.hosts.allows(name, local) {
            if may_warn(state) {
                tracing::warn!(host = %Untrusted(name), "refused a request for a name that is not this server's");
            }
            let message = format!(
                "This server does not answer to the name {:?}. Use one of: {}; or add it to hosts under [server] in the configuration.\n",
                Untrusted(name).to_string().chars().take(260).collect::<String>(),
                state.hosts.examples(),
            );
            return Err((StatusCode::MISDIRECTED_REQUEST, message));
        }
    }
    Ok(target.unwrap_or(host).to_owned())
}

/// Once a second at most; the counter of rejections has them all.
fn may_warn(state: &State) -> bool {
    let second = (state.parts.monotonic)().0.as_secs() + 1;
    state.warned.swap(second, Ordering::Relaxed) != second
}

/// Whether a request comes from one of our own pages, or from no browser at all. Browsers say where a
/// request comes from, and pages cannot change what they say (Fetch Metadata; RFC 6454).
fn is_own_page(headers: &HeaderMap, host: &str) -> bool {
    let site_fits = headers
        .get_all("sec-fetch-site")
        .iter()
        .all(|site| site.to_str().is_ok_and(|site| matches!(site, "same-origin" | "none")));
    let origin_fits = headers.get_all(header::ORIGIN).iter().all(|origin| {
        let origin = origin.to_str().unwrap_or("null");
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    });
    site_fits && origin_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_pages_and_programs_pass() {
        let host = "localhost:7775";
        let cases: [(&[(&'static str, &'static str)], bool); 14] = [
            (&[], true),
            (&[("origin", "http://localhost:7775")], true),
            (&[("origin", "https://LOCALHOST:7775")], true),
            (&[("origin", "http://localhost:7775"), ("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("origin", "http://localhost:7775"), ("sec-fetch-site", "cross-site")], false),
            (&[("origin", "http://localhost:7776")], false),
            (&[("origin", "http://127.0.0.1:7775")], false),
            (&[("origin", "http://evil.example")], false),
            (&[("origin", "http://localhost:7775.evil.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "")], false),
        ];
        for (headers, own) in cases {
            let map: HeaderMap =
                headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
            assert_eq!(is_own_page(&map, host), own, "{headers:?}");
        }
    }
}
