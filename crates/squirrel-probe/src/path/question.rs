//! What is asked along a path, and what comes of it.

use std::net::IpAddr;
use std::time::Duration;

use squirrel_model::Elapsed;
use squirrel_wire::icmp::{ErrorKind, MplsLabel};

use super::report::Change;
use crate::ping::{Arrival, Clock};

/// What to ask, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Rounds; none for as many as the time allows.
    pub rounds: Option<u32>,
    /// Time between the beginnings of two rounds.
    pub interval: Duration,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// How long rounds begin; none for until their number is reached or somebody says stop.
    pub duration: Option<Duration>,
    /// The nearest hop that is asked, from 1 on.
    pub first_ttl: u8,
    /// The farthest hop that is asked.
    pub max_ttl: u8,
    /// Flows, each of which may take a way of its own.
    pub flows: u16,
    /// How many of the last questions the recent figures tell of.
    pub window: usize,
    /// TOS or traffic class with which questions are sent, for the judgement of who changes it.
    pub tos: u8,
    /// Whether a flow has one question under way at most: what carries it cannot tell two apart. Who is silent then
    /// holds up the rest of its round.
    pub one_at_a_time: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            rounds: None,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(2),
            duration: None,
            first_ttl: 1,
            max_ttl: 30,
            flows: 1,
            window: 100,
            tos: 0,
            one_at_a_time: false,
        }
    }
}

/// One question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Probe {
    /// Counted from 0 over the whole run.
    pub number: u32,
    /// The round, counted from 0.
    pub round: u32,
    /// The flow, counted from 0.
    pub flow: u16,
    /// Time to live or hop limit with which it is sent.
    pub ttl: u8,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask, and tell with [`super::Trace::sent`] or [`super::Trace::not_sent`].
    Send(Probe),
    /// Nothing before this moment, unless something comes.
    Wait(Elapsed),
    /// All was asked, and answered or waited for.
    Done,
}

/// What an answer says of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Said {
    /// A host on the way: the time to live ran out there.
    Passing,
    /// The target itself.
    Reached,
    /// A host on the way that does not pass it on, and why.
    Refused(ErrorKind),
}

impl Said {
    /// What an error means that this host sent.
    pub fn of(kind: ErrorKind, by: IpAddr, target: IpAddr) -> Self {
        match kind {
            ErrorKind::TimeExceeded => Self::Passing,
            _ if by == target => Self::Reached,
            kind => Self::Refused(kind),
        }
    }
}

/// An answer as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Who sent it.
    pub by: IpAddr,
    /// What it says.
    pub said: Said,
    /// When and how it came.
    pub arrival: Arrival,
    /// Labels of MPLS with which the question arrived there, outermost first.
    pub labels: Vec<MplsLabel>,
    /// TOS or traffic class with which the question arrived there, if it is known.
    pub tos: Option<u8>,
    /// The largest packet of the next link, if that was the reason.
    pub mtu: Option<u32>,
}

/// What became of a question, or of the path.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// It was answered in time.
    Answer {
        /// Which.
        probe: Probe,
        /// By whom.
        by: IpAddr,
        /// What it says.
        said: Said,
        /// After how long.
        time: Duration,
        /// By whose clock.
        clock: Clock,
    },
    /// It was answered once more.
    Duplicate(Probe),
    /// It was answered after it had been given up.
    Late(Probe, IpAddr, Duration),
    /// No answer came in time.
    Lost(Probe),
    /// This host could not send it.
    NotSent(Probe, String),
    /// Another host answers at a place of the path.
    Changed(Change),
}
