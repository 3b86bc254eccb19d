//! The server that a proxy stands before.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;
use hyper::http::uri::{Authority, PathAndQuery};

/// Where requests go: `http://HOST[:PORT][/PATH]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    authority: Authority,
    path: Option<PathAndQuery>,
}

/// Why a text is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadTarget {
    /// Not a URL.
    #[error("{0:?} is no URL: write it as http://127.0.0.1:3001/mcp")]
    NotUrl(String),
    /// Another scheme than HTTP.
    #[error("{0:?}: only http:// can be proxied; for https:// put a proxy that ends TLS between")]
    Scheme(String),
    /// A query or a user's name.
    #[error("{0:?}: only a host, a port and a path are understood")]
    More(String),
}

impl FromStr for Target {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        let not_url = || BadTarget::NotUrl(text.to_owned());
        let url: Uri = text.parse().map_err(|_| not_url())?;
        if url.scheme_str().ok_or_else(not_url)? != "http" {
            return Err(BadTarget::Scheme(text.to_owned()));
        }
        let authority = url.authority().ok_or_else(not_url)?.clone();
        if authority.as_str().contains('@') || url.query().is_some() {
            return Err(BadTarget::More(text.to_owned()));
        }
        let path = url.path_and_query().filter(|path| path.path() != "/").cloned();
        Ok(Self { authority, path })
    }
}

impl Target {
    /// The value of `Host`.
    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Host and port, to connect to.
    pub(super) fn address(&self) -> (&str, u16) {
        let host = self.authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        (host, self.authority.port_u16().unwrap_or(80))
    }

    /// Where a request for this path goes: the root means the target's own path, and every other path itself.
    pub(super) fn path(&self, asked: &Uri) -> PathAndQuery {
        let asked = asked.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        match &self.path {
            Some(path) if asked.as_str() == "/" => path.clone(),
            _ => asked,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path.as_ref().map_or("/", PathAndQuery::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_understood_or_refused_with_a_reason() {
        let target = |text: &str| text.parse::<Target>().map(|target| target.to_string());
        assert_eq!(target("http://127.0.0.1:3001/mcp"), Ok("http://127.0.0.1:3001/mcp".to_owned()));
        assert_eq!(target("http://h"), Ok("http://h/".to_owned()));
        assert!(matches!(target("https://h/mcp"), Err(BadTarget::Scheme(_))));
        for text in ["", "h:1", "/mcp", "http://", "http:///x", "ht tp://h"] {
            assert!(matches!(target(text), Err(BadTarget::NotUrl(_))), "{text} {:?}", target(text));
        }
        for text in ["http://u:p@h/", "http://h/?q=1"] {
            assert!(matches!(target(text), Err(BadTarget::More(_))), "{text}");
        }
    }

    #[test]
    fn the_root_is_the_targets_path() {
        let target: Target = "http://[::1]:3001/mcp".parse().unwrap();
        assert_eq!(target.address(), ("::1", 3_001));
        let path = |asked: &str| target.path(&asked.parse().unwrap()).to_string();
        assert_eq!([path("/"), path("/mcp"), path("/other?x=1")], ["/mcp", "/mcp", "/other?x=1"]);
    }
}
