//! A web server: whether it answers, in which time, and with what.

mod body;
mod conversation;
mod judge;
mod redirect;
mod request;
mod round;

use regex::bytes::Regex;
use squirrel_outbound::{Secret, TlsOptions};
use tokio::time::Instant;

use crate::checker::{Asked, Checker};
use crate::finding::{Failed, Notes};
use crate::metrics;
use crate::reach::Reach;
use redirect::Place;
use round::Answer;

pub use body::Compression;
pub use judge::HeaderRule;

/// The host that a URL names; none for what is no URL.
pub(crate) fn host_of_url(url: &str) -> Option<String> {
    Place::parse(url).ok().map(|place| place.host)
}

/// Redirects that are followed; one more ends the check.
const MOST_REDIRECTS: u32 = 10;

/// What is looked at of a web server.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own, by the names of blackbox_exporter")]
pub struct HttpCheck {
    /// Which address.
    pub reach: Reach,
    /// Such as GET or POST.
    pub method: String,
    /// Headers of the request. `Host` also names the server for TLS.
    pub headers: Vec<(String, Secret)>,
    /// User and password (RFC 7617).
    pub basic_auth: Option<(String, Secret)>,
    /// The value of `Authorization`, such as `Bearer …`.
    pub authorization: Option<Secret>,
    /// The request's body; it may hold a password.
    pub body: Option<Secret>,
    /// Whom to believe.
    pub tls: TlsOptions,
    /// Whether redirects are followed: at most ten, each by the same rules for addresses, and credentials only to the
    /// host that they were written down for.
    pub follow_redirects: bool,
    /// HTTP/2 is offered within TLS, besides HTTP/1.1.
    pub http2: bool,
    /// Which statuses are good; empty for 2xx.
    pub valid_statuses: Vec<u16>,
    /// Which versions are good, such as `HTTP/1.1` or `HTTP/2.0`; empty for all.
    pub valid_versions: Vec<String>,
    /// An answer by TLS is a failure.
    pub fail_if_tls: bool,
    /// An answer without TLS is a failure.
    pub fail_if_not_tls: bool,
    /// A body in which one of these is found is a failure.
    pub fail_if_body_matches: Vec<Regex>,
    /// A body in which one of these is not found is a failure.
    pub fail_if_body_not_matches: Vec<Regex>,
    /// A header in which the pattern is found is a failure.
    pub fail_if_header_matches: Vec<HeaderRule>,
    /// A header in none of whose values the pattern is found is a failure.
    pub fail_if_header_not_matches: Vec<HeaderRule>,
    /// How the body has to be packed; none takes it as it comes.
    pub compression: Option<Compression>,
    /// Octets of the unpacked body; more is a failure.
    pub body_limit: u64,
}

/// Octets of a body that are read unless said otherwise.
const BODY_LIMIT: u64 = 64 << 20;

impl Default for HttpCheck {
    fn default() -> Self {
        Self {
            reach: Reach::default(),
            method: "GET".to_owned(),
            headers: Vec::new(),
            basic_auth: None,
            authorization: None,
            body: None,
            tls: TlsOptions::new(),
            follow_redirects: true,
            http2: true,
            valid_statuses: Vec::new(),
            valid_versions: Vec::new(),
            fail_if_tls: false,
            fail_if_not_tls: false,
            fail_if_body_matches: Vec::new(),
            fail_if_body_not_matches: Vec::new(),
            fail_if_header_matches: Vec::new(),
            fail_if_header_not_matches: Vec::new(),
            compression: None,
            body_limit: BODY_LIMIT,
        }
    }
}

impl HttpCheck {
    pub(crate) async fn run(&self, checker: &Checker, asked: &Asked<'_>, notes: &mut Notes) -> Result<(), Failed> {
        for metric in [
            &metrics::HTTP_STATUS_CODE,
            &metrics::HTTP_CONTENT_LENGTH,
            &metrics::HTTP_UNCOMPRESSED_BODY_LENGTH,
            &metrics::HTTP_REDIRECTS,
            &metrics::HTTP_SSL,
            &metrics::HTTP_VERSION,
            &metrics::FAILED_DUE_TO_REGEX,
        ] {
            notes.set(metric, 0.0);
        }
        for phase in ["resolve", "connect", "tls", "processing", "transfer"] {
            notes.add_phase(&metrics::HTTP_DURATION, phase, std::time::Duration::ZERO);
        }
        let first = Place::parse(asked.target)?;
        let mut outgoing = request::Outgoing::of(self, &first, asked.hostname)?;
        let mut place = first;
        let mut redirects = 0;
        loop {
            let answer = round::ask(self, checker, &place, &outgoing, notes).await?;
            if let Some(location) = redirect::location(&answer.head) {
                redirects += 1;
                notes.set(&metrics::HTTP_REDIRECTS, f64::from(redirects));
                if self.follow_redirects && redirects <= MOST_REDIRECTS {
                    let next = place.joined(location)?;
                    notes.say(&format!("{} leads to {next}", answer.head.status.as_u16()));
                    outgoing.follow(answer.head.status.as_u16(), next.is_same_host(&place));
                    place = next;
                    continue;
                }
                notes.say("the redirect is not followed");
                return self.conclude(answer, false, notes).await;
            }
            return self.conclude(answer, true, notes).await;
        }
    }

    /// Reads the body, and says whether everything is as it should be.
    async fn conclude(&self, answer: Answer, with_body: bool, notes: &mut Notes) -> Result<(), Failed> {
        let Answer { head, body, is_tls, content_length } = answer;
        notes.set(&metrics::HTTP_STATUS_CODE, f64::from(head.status.as_u16()));
        notes.set(&metrics::HTTP_CONTENT_LENGTH, content_length.map_or(-1.0, |length| length as f64));
        notes.set(&metrics::HTTP_SSL, f64::from(u8::from(is_tls)));
        let (version, number) = judge::version(head.version);
        notes.set(&metrics::HTTP_VERSION, number);
        let modified = head.headers.get(hyper::header::LAST_MODIFIED).and_then(|value| value.to_str().ok());
        if let Some(seconds) = modified.and_then(squirrel_outbound::http_date) {
            notes.set(&metrics::HTTP_LAST_MODIFIED, seconds as f64);
        }
        let mut verdict = self.judge_head(&head, notes);
        if with_body {
            let begin = Instant::now();
            let keep = !(self.fail_if_body_matches.is_empty() && self.fail_if_body_not_matches.is_empty());
            let (read, result) = body::read(body, self.compression, self.body_limit, keep && verdict.is_ok()).await;
            notes.add_phase(&metrics::HTTP_DURATION, "transfer", begin.elapsed());
            notes.set(&metrics::HTTP_UNCOMPRESSED_BODY_LENGTH, read.length as f64);
            verdict = verdict.and(result).and_then(|()| self.judge_body(&read.kept, notes));
        }
        if !self.valid_versions.is_empty() && !self.valid_versions.iter().any(|valid| valid == version) {
            verdict =
                verdict.and(Err(Failed::new(format!("it answered by {version}, which is not among those wanted"))));
        }
        if is_tls && self.fail_if_tls {
            verdict = verdict.and(Err(Failed::new("it answered by TLS, and should not")));
        }
        if !is_tls && self.fail_if_not_tls {
            verdict = verdict.and(Err(Failed::new("it answered without TLS, and should not")));
        }
        verdict
    }
}
