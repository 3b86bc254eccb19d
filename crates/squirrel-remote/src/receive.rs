//! Remote write in: who may send, how much, and what is kept of it.
//!
//! Nothing here listens. The server hands over a request's credentials before its body is read
//! ([`Receiver::admit`]), and then the body ([`Receiver::take`]); what is kept goes to the store by a function
//! that the program gives.

mod metrics;
mod seen;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use squirrel_exchange::remote_write::{self, CONTENT_ENCODING, Received, Version, WRITTEN_HEADERS};
use squirrel_exchange::{DecodeError, Limits};
use squirrel_model::{Batch, Elapsed, Labels, Timestamp};
use squirrel_outbound::Secret;

pub use metrics::METRICS;
use metrics::{Figures, Outcome, Reason};
use seen::Seen;

/// How a sender shows who it is.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A bearer token.
    Bearer(Secret),
    /// Basic authentication.
    Basic {
        /// The user's name.
        user: String,
        /// The password.
        password: Secret,
    },
}

/// One sender, and how much of it is kept.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Its name, in metrics and logs.
    pub name: String,
    /// How it shows who it is.
    pub credential: Credential,
    /// Series within an hour or two; those beyond are refused.
    pub series: usize,
    /// Samples a second, over ten seconds; above it the sender is told to wait.
    pub samples_per_second: u32,
}

impl Sender {
    /// A sender with the usual limits: 50,000 series, 100,000 samples a second.
    pub fn new(name: impl Into<String>, credential: Credential) -> Self {
        Self { name: name.into(), credential, series: 50_000, samples_per_second: 100_000 }
    }
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Of HTTP.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// A sentence for the sender's log; empty when all is well.
    pub text: String,
}

impl Reply {
    fn new(status: u16, text: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), text: text.into() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What became of samples that were handed to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// They are there, but for so many, which retention would delete at once.
    Kept {
        /// How many were not taken.
        refused: usize,
    },
    /// The store cannot take them now.
    NotNow,
}

/// Takes samples to the store.
pub type Keep<'a> = dyn Fn(&[(Labels, Timestamp, f64)]) -> Stored + 'a;

/// A sender that may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted(usize);

/// The largest body before decompression, in bytes. Most bodies have some hundred kilobytes.
pub const MOST_BODY: usize = 16 << 20;

/// Samples of times further in the future than this, in milliseconds, are refused: one wrong clock would
/// otherwise be the newest sample of all questions.
const FUTURE_MS: i64 = 600_000;

/// Takes remote write.
pub struct Receiver {
    senders: Vec<Arc<Known>>,
    unauthorised: AtomicU64,
    retention_ms: i64,
    own: Labels,
    limits: Limits,
}

/// A sender and what it has sent.
struct Known {
    sender: Sender,
    state: Mutex<State>,
    figures: Figures,
}

impl From<Sender> for Known {
    fn from(sender: Sender) -> Self {
        let state = State {
            seen: Seen::new(sender.series),
            tokens: BURST_SECONDS * f64::from(sender.samples_per_second),
            filled: Elapsed(Duration::ZERO),
        };
        Self { sender, state: Mutex::new(state), figures: Figures::default() }
    }
}

struct State {
    seen: Seen,
    /// Samples that may come now; below zero after a request that was larger than all of it.
    tokens: f64,
    filled: Elapsed,
}

impl Receiver {
    /// A receiver for these senders; samples older than `retention_ms` are refused, and series with all the labels
    /// that this Squirrel's `own` series have: nobody else may tell of it.
    pub fn new(senders: Vec<Sender>, retention_ms: i64, own: Labels) -> Self {
        let senders = senders.into_iter().map(|sender| Arc::new(sender.into())).collect();
        Self { senders, unauthorised: AtomicU64::default(), retention_ms, own, limits: Limits::default() }
    }

    /// A receiver for other senders. One that is marked goes on: its series are known, and its figures go on counting,
    /// if this one has a sender of its name.
    #[must_use]
    pub fn followed_by(&self, senders: Vec<(Sender, bool)>) -> Self {
        let known = |name: &str| self.senders.iter().find(|known| known.sender.name == name).map(Arc::clone);
        let senders = senders.into_iter().map(|(sender, goes_on)| {
            known(&sender.name).filter(|_| goes_on).unwrap_or_else(|| Arc::new(sender.into()))
        });
        Self {
            senders: senders.collect(),
            unauthorised: AtomicU64::new(self.unauthorised.load(Ordering::Relaxed)),
            retention_ms: self.retention_ms,
            own: self.own.clone(),
            limits: self.limits,
        }
    }

    /// Adds the figures of all senders to a batch; [`METRICS`] declares them.
    pub fn rows(&self, out: &mut Batch) {
        for known in &self.senders {
            let Known { sender, state, figures } = &**known;
            let series = state.lock().unwrap_or_else(PoisonError::into_inner).seen.len();
            figures.rows(&sender.name, series, out);
        }
        metrics::unauthorised(self.unauthorised.load(Ordering::Relaxed), out);
    }

    /// Who sends, by the `Authorization` header.
    ///
    /// # Errors
    /// 401, as it is to be answered.
    pub fn admit(&self, authorization: Option<&[u8]>) -> Result<Admitted, Reply> {
        let mut found = None;
        // All are compared, so that the time does not tell which was nearest.
        for (place, known) in self.senders.iter().enumerate() {
            if authorization.is_some_and(|given| fits(&known.sender.credential, given)) {
                found = Some(Admitted(place));
            }
        }
        found.ok_or_else(|| {
            self.unauthorised.fetch_add(1, Ordering::Relaxed);
            Reply::new(401, "no sender has these credentials: see [[receive]] in the configuration of this Squirrel")
                .with("WWW-Authenticate", "Bearer, Basic realm=\"remote write\"")
        })
    }

    /// The version of a body, by its headers.
    ///
    /// # Errors
    /// 415, as it is to be answered.
    pub fn version(content_type: &str, content_encoding: &str) -> Result<Version, Reply> {
        if !content_encoding.eq_ignore_ascii_case(CONTENT_ENCODING) {
            return Err(Reply::new(415, "bodies are compressed with snappy: send Content-Encoding: snappy"));
        }
        Version::of_content_type(content_type).ok_or_else(|| {
            Reply::new(
                415,
                "bodies are remote write 1.0 (application/x-protobuf) or 2.0 \
                 (application/x-protobuf;proto=io.prometheus.write.v2.Request)",
            )
        })
    }

    /// Reads a body, keeps what may be kept, and says what became of it.
    pub fn take(
        &self,
        Admitted(place): Admitted,
        version: Version,
        body: &[u8],
        now: Timestamp,
        elapsed: Elapsed,
        store: &Keep<'_>,
    ) -> Reply {
        let Some(known) = self.senders.get(place) else {
            return Reply::new(500, "this sender is not known");
        };
        let Known { sender, state, figures } = &**known;
        let received = match remote_write::decode(version, body, &self.limits) {
            Ok(received) => received,
            Err(error) => {
                figures.request(Outcome::Malformed);
                let status = if matches!(error, DecodeError::TooLarge { .. }) { 413 } else { 400 };
                return written(Reply::new(status, error.to_string()), version, 0);
            }
        };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seconds) = state.owes(received.samples(), sender.samples_per_second, elapsed) {
            figures.request(Outcome::Throttled);
            let text = format!("more than {} samples a second", sender.samples_per_second);
            return written(Reply::new(429, text).with("Retry-After", seconds.to_string()), version, 0);
        }
        let mut kept = self.choose(&mut state.seen, received, now, elapsed);
        // Held while the store writes: two requests of one sender keep their order.
        let stored = if kept.samples.is_empty() { Stored::Kept { refused: 0 } } else { store(&kept.samples) };
        drop(state);
        let Stored::Kept { refused } = stored else {
            figures.request(Outcome::Unavailable);
            let text = "the store cannot write at present; nothing of this request is kept for sure";
            return written(Reply::new(503, text).with("Retry-After", "5"), version, 0);
        };
        kept.count(Reason::Old, refused);
        let samples = kept.samples.len().saturating_sub(refused);
        figures.samples(samples);
        kept.refused.iter().for_each(|(reason, count)| figures.refused(*reason, *count));
        figures.order(kept.late, kept.again);
        let reply = if kept.refused.is_empty() {
            figures.request(Outcome::Taken);
            Reply::new(204, "")
        } else {
            figures.request(Outcome::Partly);
            Reply::new(400, kept.sentence(samples, sender.series))
        };
        written(reply, version, samples)
    }

    fn is_own(&self, labels: &Labels) -> bool {
        !self.own.is_empty() && self.own.iter().all(|(name, value)| labels.get(name) == Some(value))
    }

    fn choose(&self, seen: &mut Seen, received: Received, now: Timestamp, elapsed: Elapsed) -> Kept {
        let mut kept = Kept::default();
        kept.count(Reason::Invalid, received.refused.samples);
        kept.invalid = received.refused.reason;
        kept.count(Reason::Histogram, received.histograms);
        let (oldest, newest) = (now.plus_ms(-self.retention_ms), now.plus_ms(FUTURE_MS));
        for series in received.series {
            if self.is_own(&series.labels) {
                kept.count(Reason::Own, series.samples.len());
                continue;
            }
            let Some(place) = seen.place(&series.labels, elapsed) else {
                kept.count(Reason::Series, series.samples.len());
                continue;
            };
            for sample in series.samples {
                if sample.at > newest {
                    kept.count(Reason::Future, 1);
                } else if sample.at < oldest {
                    kept.count(Reason::Old, 1);
                } else {
                    match seen.order(place, sample.at) {
                        std::cmp::Ordering::Less => kept.late += 1,
                        std::cmp::Ordering::Equal => kept.again += 1,
                        std::cmp::Ordering::Greater => {}
                    }
                    kept.samples.push((series.labels.clone(), sample.at, sample.value));
                }
            }
        }
        kept
    }
}

/// What is kept of a request, and what is not.
#[derive(Default)]
struct Kept {
    samples: Vec<(Labels, Timestamp, f64)>,
    refused: Vec<(Reason, usize)>,
    invalid: &'static str,
    /// Kept, though later ones of the series came before.
    late: usize,
    /// Kept, though the series had one of this time.
    again: usize,
}

impl Kept {
    fn count(&mut self, reason: Reason, count: usize) {
        match self.refused.iter_mut().find(|(known, _)| *known == reason) {
            _ if count == 0 => {}
            Some((_, known)) => *known += count,
            None => self.refused.push((reason, count)),
        }
    }

    fn sentence(&self, samples: usize, series: usize) -> String {
        let reasons: Vec<String> = self
            .refused
            .iter()
            .map(|(reason, count)| match reason {
                Reason::Series => format!("{count} of series beyond the {series} of this sender"),
                Reason::Old => format!("{count} older than samples are kept here"),
                Reason::Future => format!("{count} more than 10 minutes in the future (is a clock wrong?)"),
                Reason::Own => format!(
                    "{count} with the job and instance of this Squirrel, which tells of itself (two hosts of one name?)"
                ),
                Reason::Histogram => format!("{count} native histograms, which are not kept"),
                Reason::Invalid => format!("{count} because {}", self.invalid),
            })
            .collect();
        format!("kept {samples} samples; refused {}", reasons.join(", "))
    }
}

/// A sender of 2.0 is told how much was kept.
fn written(mut reply: Reply, version: Version, samples: usize) -> Reply {
    if version == Version::V2 {
        for (name, count) in WRITTEN_HEADERS.into_iter().zip([samples, 0, 0]) {
            reply.headers.push((name, count.to_string()));
        }
    }
    reply
}

/// As many seconds' samples may come at once.
const BURST_SECONDS: f64 = 10.0;

impl State {
    /// Takes samples off what may come now; else in how many seconds to come again.
    fn owes(&mut self, samples: usize, per_second: u32, elapsed: Elapsed) -> Option<u64> {
        let (rate, full) = (f64::from(per_second.max(1)), BURST_SECONDS * f64::from(per_second.max(1)));
        let passed = elapsed.0.saturating_sub(self.filled.0).as_secs_f64();
        self.tokens = (self.tokens + passed * rate).min(full);
        self.filled = elapsed;
        let wanted = samples as f64;
        // One that is larger than all that may come at once is taken when nothing else came.
        if wanted <= self.tokens || self.tokens >= full {
            self.tokens -= wanted;
            return None;
        }
        Some(((wanted.min(full) - self.tokens) / rate).ceil().max(1.0) as u64)
    }
}

/// Whether a header shows a credential.
fn fits(credential: &Credential, given: &[u8]) -> bool {
    let Some(space) = given.iter().position(|octet| *octet == b' ') else { return false };
    let (scheme, rest) = given.split_at(space);
    let rest = rest.trim_ascii();
    match credential {
        Credential::Bearer(token) => scheme.eq_ignore_ascii_case(b"bearer") && same(token.expose().as_bytes(), rest),
        Credential::Basic { user, password } => {
            let pair = format!("{user}:{}", password.expose());
            scheme.eq_ignore_ascii_case(b"basic") && same(squirrel_outbound::base64(pair.as_bytes()).as_bytes(), rest)
        }
    }
}

/// Compares without telling by its time where the first difference is.
fn same(own: &[u8], given: &[u8]) -> bool {
    let mut differs = own.len() ^ given.len();
    for (place, octet) in given.iter().enumerate() {
        differs |= usize::from(octet ^ own.get(place).copied().unwrap_or(0));
    }
    differs == 0
}

#[cfg(test)]
mod tests;
