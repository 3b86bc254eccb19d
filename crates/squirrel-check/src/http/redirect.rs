//! Places on the web: where a request goes, and where an answer leads.

use std::fmt;

use hyper::http::Uri;
use hyper::http::response::Parts;

use crate::finding::Failed;

/// Characters of the longest target.
const LONGEST: usize = 8 << 10;

/// A URL taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) is_tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// Path and query, beginning with a slash.
    pub(super) path: String,
}

impl Place {
    /// Reads a target; without a scheme it is `http`.
    pub(super) fn parse(target: &str) -> Result<Self, Failed> {
        let target = target.trim();
        let lower: String = target.chars().take(8).collect::<String>().to_ascii_lowercase();
        let has_scheme = lower.starts_with("http://") || lower.starts_with("https://");
        Self::absolute(&if has_scheme { target.to_owned() } else { format!("http://{target}") })
    }

    fn absolute(url: &str) -> Result<Self, Failed> {
        let refused =
            |why: &str| Failed::new(format!("the target is not a URL such as https://example.org/path: {why}"));
        if url.len() > LONGEST {
            return Err(refused("it is too long"));
        }
        let url = url.split('#').next().unwrap_or_default();
        let is_tls = match url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase()).as_deref() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(refused("it begins with neither http:// nor https://")),
        };
        let uri: Uri = url.parse().map_err(|_| refused("it cannot be read"))?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(refused("a user or a password stands in it; the module has settings for authentication"));
        }
        let shown = uri.host().unwrap_or_default();
        let host = shown.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(shown);
        if host.is_empty() || host.len() > 253 {
            return Err(refused("it has no host that could be one"));
        }
        let port = match (uri.port_u16(), authority.len() > shown.len()) {
            (Some(0), _) | (None, true) => return Err(refused("its port is none")),
            (Some(port), _) => port,
            (None, false) => {
                if is_tls {
                    443
                } else {
                    80
                }
            }
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { is_tls, host: host.to_ascii_lowercase(), port, path })
    }

    /// Where a `Location` leads from here (RFC 3986, section 5).
    pub(super) fn joined(&self, location: &str) -> Result<Self, Failed> {
        let location = location.trim();
        let scheme_end = location.find([':', '/', '?', '#']).filter(|at| location.get(*at..=*at) == Some(":"));
        if scheme_end.is_some() {
            return Self::absolute(location)
                .map_err(|Failed(why)| Failed::new(format!("it leads to what is no place: {why}")));
        }
        let scheme = if self.is_tls { "https" } else { "http" };
        let url = if location.starts_with("//") {
            format!("{scheme}:{location}")
        } else {
            let own = self.path.split('?').next().unwrap_or_default();
            let path = match location.bytes().next() {
                None | Some(b'#') => self.path.clone(),
                Some(b'/') => location.to_owned(),
                Some(b'?') => format!("{own}{location}"),
                Some(_) => format!("{}/{location}", own.rsplit_once('/').map_or("", |(folder, _)| folder)),
            };
            format!("{scheme}://{}{}", self.authority(), without_dots(&path))
        };
        Self::absolute(&url).map_err(|Failed(why)| Failed::new(format!("it leads to what is no place: {why}")))
    }

    /// `host` or `host:port`, as the `Host` header has it.
    pub(super) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.is_tls { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }

    /// Whether credentials for one may be shown to the other: the same host and port, and TLS not given up.
    pub(super) fn is_same_host(&self, before: &Self) -> bool {
        let same_port = self.port == before.port || (before.port == 80 && self.port == 443 && self.is_tls);
        self.host == before.host && same_port && (self.is_tls || !before.is_tls)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.is_tls { "https" } else { "http" }, self.authority())
    }
}

/// A path whose `.` and `..` are carried out; the query stays as it is.
fn without_dots(path: &str) -> String {
    let (path, query) = match path.find(['?', '#']) {
        Some(at) => path.split_at(at),
        None => (path, ""),
    };
    let mut out: Vec<&str> = Vec::new();
    let count = path.split('/').count();
    for (index, part) in path.split('/').enumerate().skip(1) {
        let is_last = index + 1 == count;
        match part {
            ".." | "." => {
                if part == ".." {
                    out.pop();
                }
                if is_last {
                    out.push("");
                }
            }
            _ => out.push(part),
        }
    }
    format!("/{}{query}", out.join("/"))
}

/// Where an answer leads, if it is a redirect.
pub(super) fn location(head: &Parts) -> Option<&str> {
    matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308)
        .then(|| head.headers.get(hyper::header::LOCATION)?.to_str().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(place: &Place) -> String {
        format!("{place}{}", place.path)
    }

    #[test]
    fn targets_are_read() {
        for (target, expected) in [
            ("example.org", "http://example.org/"),
            (" HTTPS://Example.org/A?b#c ", "https://example.org/A?b"),
            ("example.org:8080/x", "http://example.org:8080/x"),
            ("https://[::1]:443?q", "https://[::1]/?q"),
            ("http://127.0.0.1:80", "http://127.0.0.1/"),
        ] {
            assert_eq!(Place::parse(target).map(|place| whole(&place)).ok().as_deref(), Some(expected), "{target}");
        }
        for target in
            ["", "http://", "ftp://a/", "http://u:sesame@a/", "http://a:x/", "http://a:0/", "a b", "http://:80/"]
        {
            let Failed(why) = Place::parse(target).unwrap_err();
            assert!(!why.contains("sesame"), "{why}");
        }
    }

    #[test]
    fn locations_lead_where_the_rfc_says() {
        let base = Place::parse("http://a/b/c/d?q").unwrap();
        for (location, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d?q"),
            ("", "http://a/b/c/d?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../../../g", "http://a/g"),
            ("g?y=/../x", "http://a/b/c/g?y=/../x"),
            ("https://other:8443/x", "https://other:8443/x"),
        ] {
            assert_eq!(base.joined(location).map(|place| whole(&place)).ok().as_deref(), Some(expected), "{location}");
        }
        for location in ["file:///etc/passwd", "gopher://a/", "javascript:alert(1)", "http://u:p@a/", "//"] {
            assert!(base.joined(location).is_err(), "{location}");
        }
    }

    #[test]
    fn credentials_stay_with_their_host() {
        let place = |url: &str| Place::parse(url).unwrap();
        for (from, to, expected) in [
            ("http://a/", "http://a/x", true),
            ("http://a/", "https://a/", true),
            ("https://a/", "http://a/", false),
            ("http://a/", "http://b/", false),
            ("http://a/", "http://a:81/", false),
            ("https://a:8443/", "https://a:8443/x", true),
        ] {
            assert_eq!(place(to).is_same_host(&place(from)), expected, "{from} to {to}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_location_is_survived(location in "\\PC{0,40}|[a-z:/?#.@\\[\\]]{0,20}") {
            let _ = Place::parse("http://a/b/c?d").unwrap().joined(&location);
        }
    }
}
