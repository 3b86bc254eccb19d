//! What the queue is told and asked, and what it answers.

use std::sync::Arc;

use squirrel_model::Timestamp;
use squirrel_notify::Notification;

use crate::render::Circumstances;

/// What happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that a receiver took.
    pub delivered: u64,
    /// Attempts that failed and are tried again.
    pub failed: u64,
    /// Messages that nobody took in time.
    pub given_up: u64,
    /// Messages that a newer one, or another channel, stood in for.
    pub replaced: u64,
    /// Messages that the queue had no room for.
    pub lost: u64,
    /// Times that the journal could not be written.
    pub unwritten: u64,
}

/// What became of a message that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It will be delivered.
    Queued,
    /// It waits already, or was the last that was delivered.
    Known,
    /// The channel is not told when all is over.
    NotWanted,
    /// There is no such channel.
    NoSuchChannel,
}

/// A message to deliver now.
#[derive(Clone, Debug)]
pub struct Work {
    /// By which [`super::Queue::done`] knows it.
    pub ticket: Ticket,
    /// The message.
    pub notification: Arc<Notification>,
    /// What the channel's text must say beside it.
    pub(crate) circumstances: Circumstances,
}

/// One message at one channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    /// The channel's name.
    pub channel: String,
    pub(super) number: u64,
    pub(super) group: String,
}

/// What to do next.
#[derive(Debug)]
pub enum Next {
    /// Deliver this.
    Work(Box<Work>),
    /// Nothing before this moment, or before something happens.
    Wait(Option<Timestamp>),
}

/// How far behind a channel is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// The channel's name.
    pub channel: String,
    /// Messages that wait or are under way.
    pub waiting: usize,
    /// Since when every attempt fails.
    pub failing_since_ms: Option<i64>,
}
