//! Where exports are sent, and by what right.

use hyper::Uri;
use hyper::header::HeaderValue;

/// A server and a path, of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Name or address, an IPv6 address without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query.
    pub(crate) target: String,
}

impl Endpoint {
    /// Reads a URL; one without a scheme is plain HTTP, one without a path has `default_path`.
    ///
    /// # Errors
    /// What is wrong and what to write instead. The text itself is not repeated: it may hold a secret.
    pub(crate) fn read(text: &str, default_path: &str, default_port: u16) -> Result<Self, String> {
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri =
            whole.parse().map_err(|_| "endpoint: it is not a URL such as http://127.0.0.1:9090/api/v1/write")?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err("endpoint: https is not spoken here; send to a collector or daemon on this machine, \
                            which speaks it"
                    .to_owned());
            }
            _ => return Err("endpoint: it begins with http://".to_owned()),
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err("endpoint: no password in the URL, where it would be shown; use auth_token".to_owned());
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or("endpoint: no host in it")?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let target = match uri.path_and_query().map(hyper::http::uri::PathAndQuery::as_str) {
            None | Some("" | "/") => default_path.to_owned(),
            Some(target) => target.to_owned(),
        };
        Ok(Self { host, port: uri.port_u16().unwrap_or(default_port), target })
    }

    #[cfg(any(feature = "push", test))]
    /// Whether it is this machine by its own word.
    pub(crate) fn is_local(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// For people and the `Host` header; without the path, where a secret could stand.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// The bearer token, as a header that is never printed.
///
/// # Errors
/// When it cannot stand in a header.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| "auth_token: it holds octets that a header cannot".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        let cases = [
            ("127.0.0.1:7775", "127.0.0.1:7775", "/d", true),
            ("http://localhost", "localhost:80", "/d", true),
            ("http://[::1]:9/", "[::1]:9", "/d", true),
            ("http://collector.example:4318/a?b=c", "collector.example:4318", "/a?b=c", false),
        ];
        for (text, authority, target, local) in cases {
            let endpoint = Endpoint::read(text, "/d", 80).unwrap();
            assert_eq!(
                (endpoint.authority().as_str(), endpoint.target.as_str(), endpoint.is_local()),
                (authority, target, local)
            );
        }
    }

    #[test]
    fn what_cannot_be_is_refused_and_not_repeated() {
        for text in ["", "http://", "ftp://a", "https://a", "http://user:sesame@a/", "http://a b/sesame", "sesame://x"]
        {
            let error = Endpoint::read(text, "/", 80).unwrap_err();
            assert!(error.starts_with("endpoint: ") && !error.contains("sesame"), "{text}: {error}");
        }
    }
}
