//! Who may send: by which credential, and how much.

use std::sync::Mutex;
use std::time::Duration;

use squirrel_model::Elapsed;
use squirrel_outbound::Secret;

use super::metrics::Figures;
use super::seen::Seen;

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

/// A sender and what it has sent.
pub(super) struct Known {
    pub(super) sender: Sender,
    pub(super) state: Mutex<State>,
    pub(super) figures: Figures,
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

pub(super) struct State {
    pub(super) seen: Seen,
    /// Samples that may come now; below zero after a request that was larger than all of it.
    tokens: f64,
    filled: Elapsed,
}

/// As many seconds' samples may come at once.
const BURST_SECONDS: f64 = 10.0;

impl State {
    /// Takes samples off what may come now; else in how many seconds to come again.
    pub(super) fn owes(&mut self, samples: usize, per_second: u32, elapsed: Elapsed) -> Option<u64> {
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
pub(super) fn fits(credential: &Credential, given: &[u8]) -> bool {
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
