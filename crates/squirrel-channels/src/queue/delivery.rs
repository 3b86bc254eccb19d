//! The record of deliveries: what became of the newest messages.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use squirrel_notify::Reason;

/// Messages whose end is remembered.
pub(super) const REMEMBERED: usize = 1000;
/// Longest answer that is kept, in characters.
pub(super) const ANSWER: usize = 500;

/// What became of one message at one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The queue's own number; a message and its copy at the fallback channel share it.
    pub number: u64,
    /// The message's number ([`squirrel_notify::Notification::id`]).
    pub id: u64,
    /// The channel.
    pub channel: String,
    /// The group it tells of.
    pub group: String,
    /// Why it was sent.
    pub reason: Reason,
    /// Where it stands.
    pub state: State,
    /// Attempts so far.
    pub attempts: u32,
    /// When it was handed in, in milliseconds since the epoch.
    pub accepted_ms: i64,
    /// When it came to its end, or is tried next.
    pub at_ms: i64,
    /// What the other side said, or why it was not sent: bounded, and harmless to show.
    pub answer: Option<String>,
    /// The channel that it was meant for.
    pub instead_of: Option<String>,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits, or is under way.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// A newer message, or another channel, stood in for it.
    Replaced,
    /// Nobody took it in time.
    GivenUp,
    /// The queue had no room for it.
    Lost,
}

/// The newest ends.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    all: VecDeque<Delivery>,
}

impl Deliveries {
    pub(super) fn push(&mut self, delivery: Delivery) {
        self.all.push_back(delivery);
        while self.all.len() > REMEMBERED {
            self.all.pop_front();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Delivery> {
        self.all.iter()
    }
}

/// An answer of the other side, as it is kept.
pub(super) fn kept_answer(text: &str) -> String {
    crate::render::one_line(text, ANSWER)
}
