//! Who may speak to the server: no page of another site, and nobody by a name that is not ours.
//!
//! A browser sends `Origin` with every POST of a page, and pages cannot change it; and a page whose own name
//! was made to point at this machine (DNS rebinding) still says that name in `Host`. The MCP specification
//! demands both checks of servers on a user's own machine; many do not have them.

use hyper::header::{HOST, ORIGIN};
use hyper::http::uri::Authority;
use hyper::{HeaderMap, StatusCode};

/// Why a request is not passed on, with the status to say so.
pub(super) fn refusal(headers: &HeaderMap, is_loopback: bool) -> Option<(StatusCode, &'static str)> {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(Ok(host)), None) = (hosts.next().map(|host| host.to_str()), hosts.next()) else {
        return Some((StatusCode::BAD_REQUEST, "A request needs exactly one Host header.\n"));
    };
    if is_loopback && !is_loopback_name(host) {
        let message = "This proxy answers to localhost, 127.0.0.1 and [::1] only.\n";
        return Some((StatusCode::MISDIRECTED_REQUEST, message));
    }
    let is_own = |origin: &str| {
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        authority.is_some_and(|authority| {
            if is_loopback { is_loopback_name(authority) } else { authority.eq_ignore_ascii_case(host) }
        })
    };
    let foreign = headers.get_all(ORIGIN).iter().any(|origin| !origin.to_str().is_ok_and(is_own));
    foreign.then_some((StatusCode::FORBIDDEN, "This request comes from a page of another site and is refused.\n"))
}

/// Whether a name, with or without a port, always means this machine.
fn is_loopback_name(name: &str) -> bool {
    let Ok(authority) = name.parse::<Authority>() else { return false };
    let host = authority.host();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let named = host.eq_ignore_ascii_case("localhost");
    !name.contains('@') && (named || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()))
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn status(headers: &[(&'static str, &'static str)], is_loopback: bool) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        refusal(&map, is_loopback).map_or(200, |(status, _)| status.as_u16())
    }

    #[test]
    fn foreign_names_and_pages_are_refused_on_loopback() {
        let cases: &[(&[(&str, &str)], u16)] = &[
            (&[("host", "localhost:9")], 200),
            (&[("host", "127.0.0.1")], 200),
            (&[("host", "[::1]:9")], 200),
            (&[("host", "127.9.9.9:1")], 200),
            (&[], 400),
            (&[("host", "localhost"), ("host", "localhost")], 400),
            (&[("host", "evil.example:9")], 421),
            (&[("host", "localhost.evil.example")], 421),
            (&[("host", "localhost@evil.example")], 421),
            (&[("host", "10.0.0.1")], 421),
            (&[("host", "")], 421),
            (&[("host", "localhost"), ("origin", "http://localhost:6274")], 200),
            (&[("host", "localhost"), ("origin", "http://evil.example")], 403),
            (&[("host", "localhost"), ("origin", "http://localhost.evil.example")], 403),
            (&[("host", "localhost"), ("origin", "null")], 403),
            (&[("host", "localhost"), ("origin", "file://localhost")], 403),
            (&[("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://evil.example")], 403),
        ];
        for (headers, expected) in cases {
            assert_eq!(status(headers, true), *expected, "{headers:?}");
        }
    }

    #[test]
    fn elsewhere_a_page_must_come_from_the_same_name() {
        assert_eq!(status(&[("host", "mcp.example:9"), ("origin", "https://mcp.example:9")], false), 200);
        assert_eq!(status(&[("host", "mcp.example:9"), ("origin", "https://evil.example")], false), 403);
        assert_eq!(status(&[("host", "mcp.example:9")], false), 200);
    }
}
