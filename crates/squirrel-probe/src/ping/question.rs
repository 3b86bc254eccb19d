//! What is asked of targets, and what comes of it.

use std::net::IpAddr;
use std::time::Duration;

use squirrel_model::Elapsed;
use squirrel_wire::icmp::ErrorKind;

/// What to ask, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Questions to each target; none for as many as the time allows.
    pub count: Option<u32>,
    /// Time between two questions to one target.
    pub interval: Duration,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// How long questions are asked; none for until the count is reached or somebody says stop.
    pub duration: Option<Duration>,
    /// How many of the last questions the recent figures tell of.
    pub window: usize,
    /// Whether the first questions are spread over the interval, so that many targets are not asked at once.
    pub spread: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            count: None,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(2),
            duration: None,
            window: 100,
            spread: true,
        }
    }
}

/// One question: the `number`th to a target, both counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// Which target.
    pub target: u32,
    /// Which question to it.
    pub number: u32,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask, and tell with [`super::Ping::sent`] or [`super::Ping::not_sent`].
    Send(Question),
    /// Nothing before this moment, unless something comes.
    Wait(Elapsed),
    /// All was asked, and answered or waited for.
    Done,
}

/// Whose clock measured a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// The kernel's, at the device: without the delays of this program.
    Kernel,
    /// This program's.
    User,
}

/// An answer as it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When this program saw it.
    pub at: Elapsed,
    /// When the kernel took it from the device, in nanoseconds of the wall clock.
    pub stamp_ns: Option<u64>,
    /// Time to live with which it came.
    pub ttl: Option<u8>,
    /// TOS or traffic class with which it came.
    pub tos: Option<u8>,
    /// Length of the ICMP message.
    pub len: usize,
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// It was answered in time.
    Answer {
        /// Which.
        question: Question,
        /// After how long.
        time: Duration,
        /// By whose clock.
        clock: Clock,
        /// The answer.
        arrival: Arrival,
    },
    /// It was answered once more.
    Duplicate(Question),
    /// It was answered after it had been given up.
    Late(Question, Duration),
    /// No answer came in time.
    Lost(Question),
    /// A host on the way sent an error.
    Refused {
        /// Which.
        question: Question,
        /// The host.
        by: Option<IpAddr>,
        /// What it said.
        kind: ErrorKind,
        /// The largest packet of the next link, when that was the reason.
        mtu: Option<u32>,
    },
    /// This host could not send it.
    NotSent(Question, String),
}
