//! Remote write in: who may send, how much, and what is kept of it.
//!
//! Nothing here listens. The server hands over a request's credentials before its body is read
//! ([`Receiver::admit`]), and then the body ([`Receiver::take`]); what is kept goes to the store by a function
//! that the program gives.

mod kept;
mod metrics;
mod seen;
mod sender;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use squirrel_exchange::remote_write::{self, CONTENT_ENCODING, Received, Version, WRITTEN_HEADERS};
use squirrel_exchange::{DecodeError, Limits};
use squirrel_model::{Batch, Elapsed, Labels, Timestamp};

use kept::Kept;
pub use metrics::METRICS;
use metrics::{Outcome, Reason};
use seen::Seen;
pub use sender::{Credential, Sender};
use sender::{Known, fits};

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

/// A sender of 2.0 is told how much was kept.
fn written(mut reply: Reply, version: Version, samples: usize) -> Reply {
    if version == Version::V2 {
        for (name, count) in WRITTEN_HEADERS.into_iter().zip([samples, 0, 0]) {
            reply.headers.push((name, count.to_string()));
        }
    }
    reply
}

#[cfg(test)]
mod tests;
