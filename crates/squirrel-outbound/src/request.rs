//! What is asked, and what is answered.

use std::fmt;
use std::time::Duration;

use hyper::header::HeaderMap;
use squirrel_model::Timestamp;

use crate::retry_after;

pub use hyper::Method;

/// A request to a [`crate::Destination`].
#[derive(Clone)]
pub struct Request {
    /// What is to be done.
    pub method: Method,
    /// Appended to the path of the destination's URL; a query in it is joined with the URL's.
    pub path: Option<String>,
    /// Headers of this request, besides the destination's, which win over them.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

impl Request {
    /// Asks for the destination's URL.
    pub fn get() -> Self {
        Self { method: Method::GET, path: None, headers: Vec::new(), body: Vec::new() }
    }

    /// Posts a body.
    pub fn post(content_type: &str, body: Vec<u8>) -> Self {
        Self { method: Method::POST, body, ..Self::get() }.with_header("Content-Type", content_type)
    }

    /// Below the URL's path.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// With a header more.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Without paths, values and the body, which may be secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("octets", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An answer, whatever its status; only redirects are errors.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Of HTTP.
    pub status: u16,
    /// The headers, at most 100.
    pub headers: HeaderMap,
    /// The body, up to the destination's limit.
    pub body: Vec<u8>,
    /// Whether the body was longer than the limit, and the rest was not read.
    pub is_cut: bool,
}

impl Answer {
    /// An answer of a status and nothing else, for tests of those who judge answers.
    pub fn of_status(status: u16) -> Self {
        Self { status, headers: HeaderMap::new(), body: Vec::new(), is_cut: false }
    }

    /// Whether the status says that it was done (2xx).
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first value of a header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long the server asks to be left alone; see [`retry_after`].
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        retry_after(self.header("Retry-After")?, now)
    }

    /// The first line of the body, at most 200 characters, for a person: fit for logs once it is written
    /// with [`squirrel_model::Untrusted`].
    pub fn first_line(&self) -> String {
        let text = String::from_utf8_lossy(self.body.get(..1_024).unwrap_or(&self.body));
        text.trim_start().lines().next().unwrap_or_default().chars().take(200).collect()
    }
}
