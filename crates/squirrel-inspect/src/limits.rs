//! What an inspector may use.

use std::time::Duration;

/// Bounds of one inspector's memory and patience. The defaults suit one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests awaiting an answer, in each direction; the oldest is forgotten for a new one, and
    /// counted in [`Counts::evicted`](crate::Counts::evicted). Zero means that no answer is matched.
    pub max_pending: usize,
    /// How long a request may stay unanswered before it is reported and forgotten.
    pub answer_within: Duration,
    /// Names of methods, and of tools, that are told apart; later ones are [`OTHER`](crate::OTHER).
    pub max_labels: usize,
    /// Octets of a message that are looked at. The rest is counted but not read.
    pub max_message: u64,
    /// Levels of nesting in JSON before it is reported.
    pub max_depth: u32,
    /// Octets of a head of HTTP.
    pub max_head: usize,
}

impl Limits {
    /// Octets of a name of a method or tool; a longer one is [`OTHER`](crate::OTHER).
    pub const MAX_NAME: usize = 64;
    /// Octets of an identifier; a longer one is never matched.
    pub const MAX_ID: usize = 128;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pending: 1_024,
            answer_within: Duration::from_secs(5 * 60),
            max_labels: 256,
            max_message: 64 << 20,
            max_depth: 64,
            max_head: 64 << 10,
        }
    }
}
