//! Whether an answer is as it should be.

use hyper::Version;
use hyper::header::HeaderName;
use hyper::http::response::Parts;
use regex::bytes::Regex;

use super::HttpCheck;
use crate::finding::{Failed, Notes};
use crate::metrics;

/// A rule for the values of a header.
#[derive(Debug)]
pub struct HeaderRule {
    /// The header's name.
    pub header: String,
    /// The pattern.
    pub pattern: Regex,
    /// An answer without the header is good; else it is a failure.
    pub allow_missing: bool,
}

/// The word for a version, and its number.
pub(super) fn version(version: Version) -> (&'static str, f64) {
    match version {
        Version::HTTP_09 => ("HTTP/0.9", 0.9),
        Version::HTTP_10 => ("HTTP/1.0", 1.0),
        Version::HTTP_2 => ("HTTP/2.0", 2.0),
        Version::HTTP_3 => ("HTTP/3.0", 3.0),
        _ => ("HTTP/1.1", 1.1),
    }
}

impl HttpCheck {
    /// Status and headers.
    pub(super) fn judge_head(&self, head: &Parts, notes: &mut Notes) -> Result<(), Failed> {
        let status = head.status.as_u16();
        if self.valid_statuses.is_empty() && !head.status.is_success() {
            return Err(Failed::new(format!("it answered {status}, and 2xx is wanted")));
        }
        if !self.valid_statuses.is_empty() && !self.valid_statuses.contains(&status) {
            return Err(Failed::new(format!("it answered {status}, and {:?} is wanted", self.valid_statuses)));
        }
        let verdict = self.judge_headers(head);
        notes.set(&metrics::FAILED_DUE_TO_REGEX, f64::from(u8::from(verdict.is_err())));
        verdict
    }

    fn judge_headers(&self, head: &Parts) -> Result<(), Failed> {
        let unwanted = self.fail_if_header_matches.iter().map(|rule| (rule, false));
        let wanted = self.fail_if_header_not_matches.iter().map(|rule| (rule, true));
        for (rule, should_match) in unwanted.chain(wanted) {
            let name = HeaderName::from_bytes(rule.header.as_bytes());
            let values: Vec<_> = name.into_iter().flat_map(|name| head.headers.get_all(name)).collect();
            let header = &rule.header;
            if values.is_empty() {
                if rule.allow_missing {
                    continue;
                }
                return Err(Failed::new(format!("it answered without the header {header}")));
            }
            let matches = values.iter().any(|value| rule.pattern.is_match(value.as_bytes()));
            if matches != should_match {
                let what = if matches { "matches" } else { "does not match" };
                return Err(Failed::new(format!("the header {header} {what} {}", rule.pattern)));
            }
        }
        Ok(())
    }

    /// The patterns of the body.
    pub(super) fn judge_body(&self, body: &[u8], notes: &mut Notes) -> Result<(), Failed> {
        let unwanted = self.fail_if_body_matches.iter().find(|pattern| pattern.is_match(body));
        let missing = self.fail_if_body_not_matches.iter().find(|pattern| !pattern.is_match(body));
        let (pattern, what) = match (unwanted, missing) {
            (Some(pattern), _) => (pattern, "matches"),
            (None, Some(pattern)) => (pattern, "does not match"),
            (None, None) => return Ok(()),
        };
        notes.set(&metrics::FAILED_DUE_TO_REGEX, 1.0);
        Err(Failed::new(format!("the body {what} {pattern}")))
    }
}
