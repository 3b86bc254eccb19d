//! Where requests go, by what right, and within which bounds.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::Uri;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use rustls::ClientConfig;

use crate::idle::Idle;
use crate::{AddressRules, Secret, TlsOptions};

/// How long the parts of a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Asking for the name's addresses.
    pub resolve: Duration,
    /// The connection, and again as long for TLS.
    pub connect: Duration,
    /// All of it, from the name to the last octet of the answer.
    pub whole: Duration,
}

impl Default for Timeouts {
    /// 5 s, 5 s and 30 s.
    fn default() -> Self {
        let five = Duration::from_secs(5);
        Self { resolve: five, connect: five, whole: Duration::from_secs(30) }
    }
}

/// As much of an answer as is read, unless said otherwise: 1 MiB.
const ANSWER_LIMIT: usize = 1 << 20;

/// A server and a path, with all that a request to it needs. Cheap to clone; clones share their connections.
///
/// Its texts for people are `https://host:port` alone: paths of webhooks, and headers, are secrets.
#[derive(Clone)]
pub struct Destination {
    pub(crate) host: Arc<str>,
    pub(crate) port: u16,
    pub(crate) is_tls: bool,
    /// Path and query, beginning with `/`.
    target: Arc<str>,
    pub(crate) headers: HeaderMap,
    pub(crate) tls: Arc<TlsOptions>,
    /// Made of the options when it is first needed, since that reads this machine's roots.
    pub(crate) tls_config: Arc<OnceLock<Arc<ClientConfig>>>,
    pub(crate) rules: AddressRules,
    pub(crate) timeouts: Timeouts,
    pub(crate) answer_limit: usize,
    pub(crate) idle: Arc<Idle>,
}

/// What is wrong with a destination. The text itself is not repeated: it may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// It is no URL.
    #[error("it is not a URL such as https://example.org/path")]
    NotUrl,
    /// Neither `http` nor `https`.
    #[error("it begins with neither https:// nor http://")]
    Scheme,
    /// No host in it.
    #[error("there is no host in it")]
    NoHost,
    /// A user or a password in it, where it would be shown.
    #[error("no user and no password in the URL, where they would be shown: use the settings for authentication")]
    Password,
    /// A header that HTTP does not allow.
    #[error("the header {0} has a name or a value that HTTP does not allow")]
    Header(String),
    /// A header that is written by this crate.
    #[error("the header {0} is set by the request itself")]
    OwnHeader(String),
    /// A user's name with a colon, which basic authentication has no way to write.
    #[error("a user's name holds no colon")]
    User,
}

impl Destination {
    /// Reads a URL, `http` or `https`.
    ///
    /// # Errors
    /// When it is none, or holds a password.
    pub fn parse(url: &str) -> Result<Self, DestinationError> {
        let uri: Uri = url.trim().parse().map_err(|_| DestinationError::NotUrl)?;
        let (is_tls, usual_port) = match uri.scheme_str() {
            Some("https") => (true, 443),
            Some("http") => (false, 80),
            Some(_) => return Err(DestinationError::Scheme),
            None => return Err(DestinationError::NotUrl),
        };
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(DestinationError::Password);
        }
        let host = uri.host().unwrap_or_default();
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        // Brackets hold an address (RFC 3986, section 3.2.2), and stand nowhere else.
        let is_host = match bracketed {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => !host.contains(['[', ']', ':']),
        };
        if !is_host {
            return Err(DestinationError::NotUrl);
        }
        let host = bracketed.unwrap_or(host);
        // A port that is no number reads as none.
        let rest = uri.authority().map_or("", |authority| authority.as_str());
        if uri.port_u16().is_none() && rest.ends_with(|c: char| c != ']') && rest.len() > uri.host().map_or(0, str::len)
        {
            return Err(DestinationError::NotUrl);
        }
        if host.is_empty() {
            return Err(DestinationError::NoHost);
        }
        let target = uri.path_and_query().map_or("/", hyper::http::uri::PathAndQuery::as_str);
        Ok(Self {
            host: host.to_ascii_lowercase().into(),
            port: uri.port_u16().unwrap_or(usual_port),
            is_tls,
            target: if target.starts_with('/') { target.into() } else { format!("/{target}").into() },
            headers: HeaderMap::new(),
            tls: Arc::default(),
            tls_config: Arc::default(),
            rules: AddressRules::default(),
            timeouts: Timeouts::default(),
            answer_limit: ANSWER_LIMIT,
            idle: Arc::default(),
        })
    }

    /// With basic authentication (RFC 7617).
    ///
    /// # Errors
    /// When the user's name holds a colon.
    pub fn with_basic(self, user: &str, password: &Secret) -> Result<Self, DestinationError> {
        if user.contains(':') {
            return Err(DestinationError::User);
        }
        let pair = base64(format!("{user}:{}", password.expose()).as_bytes());
        self.with_secret_header(AUTHORIZATION, &format!("Basic {pair}"))
    }

    /// With a bearer token (RFC 6750).
    ///
    /// # Errors
    /// When the token cannot stand in a header.
    pub fn with_bearer(self, token: &Secret) -> Result<Self, DestinationError> {
        self.with_secret_header(AUTHORIZATION, &format!("Bearer {}", token.expose()))
    }

    /// With one header more, such as a tenant's or an API key's. It replaces one of the same name.
    ///
    /// # Errors
    /// When HTTP does not allow it, or it is one that requests set themselves.
    pub fn with_header(self, name: &str, value: &Secret) -> Result<Self, DestinationError> {
        let own = ["host", "content-length", "transfer-encoding", "connection", "te", "upgrade", "trailer"];
        let shown = || name.chars().filter(|c| !squirrel_model::is_hostile(*c)).take(64).collect::<String>();
        if own.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return Err(DestinationError::OwnHeader(shown()));
        }
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| DestinationError::Header(shown()))?;
        self.with_secret_header(name, value.expose())
    }

    fn with_secret_header(mut self, name: HeaderName, value: &str) -> Result<Self, DestinationError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| DestinationError::Header(name.as_str().to_owned()))?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        self.idle = Arc::default();
        Ok(self)
    }

    /// With these roots, certificates and names.
    #[must_use]
    pub fn with_tls(mut self, tls: TlsOptions) -> Self {
        self.tls = Arc::new(tls);
        self.tls_config = Arc::default();
        self.idle = Arc::default();
        self
    }

    /// With other rules for addresses than the default ones.
    #[must_use]
    pub fn with_rules(mut self, rules: AddressRules) -> Self {
        self.rules = rules;
        self.idle = Arc::default();
        self
    }

    /// With another time for all of it; the other limits are at most as long.
    #[must_use]
    pub fn with_timeout(mut self, whole: Duration) -> Self {
        self.timeouts.whole = whole;
        self
    }

    /// With these times.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Reads this much of an answer, in bytes.
    #[must_use]
    pub fn with_answer_limit(mut self, bytes: usize) -> Self {
        self.answer_limit = bytes;
        self
    }

    /// With a connection of its own for each request: for requests that must not be sent twice, since a
    /// connection that waited may be closed by the server at the moment when it is used.
    #[must_use]
    pub fn without_reuse(mut self) -> Self {
        self.idle = Arc::new(Idle::none());
        self
    }

    /// Name or address, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is `https`.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Whether it is this machine by its own word: `localhost`, or a loopback address.
    pub fn is_local(&self) -> bool {
        &*self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The value of the `Host` header: with the port only where it is not the usual one.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.to_string() };
        if self.port == if self.is_tls { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }

    /// The request's target: the URL's path with `more` appended, which may have a query of its own.
    pub(crate) fn target(&self, more: Option<&str>) -> String {
        let Some(more) = more.filter(|more| !more.is_empty()) else { return self.target.to_string() };
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let (more_path, more_query) = more.split_once('?').unwrap_or((more, ""));
        let mut target = path.to_owned();
        if !more_path.is_empty() {
            target.truncate(path.trim_end_matches('/').len());
            target.push('/');
            target.push_str(more_path.trim_start_matches('/'));
        }
        for (index, query) in [query, more_query].into_iter().filter(|query| !query.is_empty()).enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(query);
        }
        target
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.is_tls { "https" } else { "http" }, self.authority())
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("to", &self.to_string())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("tls", &self.tls)
            .field("rules", &self.rules)
            .field("timeouts", &self.timeouts)
            .field("answer_limit", &self.answer_limit)
            .finish_non_exhaustive()
    }
}

/// Octets as text in the usual alphabet, padded (RFC 4648, section 4).
pub fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for three in octets.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - three.len()));
        for place in 0..4 {
            if place <= three.len() {
                text.push(char::from(ALPHABET[(bits >> (18 - 6 * place)) as usize & 63]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
