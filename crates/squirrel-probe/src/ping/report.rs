//! The figures of one target.

use std::collections::BTreeMap;
use std::time::Duration;

use squirrel_wire::icmp::ErrorKind;

use super::Clock;
use crate::Spread;

/// How it stands with a target.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Questions that the kernel took.
    pub sent: u64,
    /// Questions that were answered in time.
    pub received: u64,
    /// Questions that were not: their time ran out, or a host on the way refused them.
    pub lost: u64,
    /// Questions that the kernel did not take.
    pub not_sent: u64,
    /// Answers to questions that had been answered.
    pub duplicates: u64,
    /// Answers to questions that had been given up. They stay lost.
    pub late: u64,
    /// Answers that came after the answer to a later question.
    pub reordered: u64,
    /// Lost questions for which a host on the way sent an error, by what it said.
    pub refused: BTreeMap<ErrorKind, u64>,
    /// Answers that this program's clock timed, the kernel's stamps having been missing or of two clocks.
    pub timed_by_user: u64,
    /// Round-trip times.
    pub times: Spread,
    /// By how much this program saw answers later than the kernel, and sent earlier: what it would have added.
    pub local_delay: Spread,
    /// Time to live of the last answer.
    pub ttl: Option<u8>,
    /// The last questions alone.
    pub window: Window,
}

/// The last questions to a target whose outcome is known.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// How many.
    pub questions: u64,
    /// Round-trip times of those that were answered.
    pub times: Spread,
    /// Those that were answered more than once.
    pub duplicates: u64,
    /// Those whose answer came after the answer to a later question.
    pub reordered: u64,
    /// What became of each, in the order in which that was known: the time of an answer, or none for a loss.
    pub outcomes: Vec<Option<Duration>>,
}

impl Report {
    /// Lost questions as a share of those whose outcome is known; none before there is one.
    pub fn loss_ratio(&self) -> Option<f64> {
        ratio(self.lost, self.lost + self.received)
    }

    /// Whose clock timed the answers: the kernel's if it missed a tenth of them at most. It may always miss the first
    /// of a run, since it switches its stamps on when it is asked to.
    pub fn clock(&self) -> Clock {
        let by_kernel = self.received - self.timed_by_user;
        if by_kernel > 0 && self.timed_by_user <= (self.received / 10).max(1) { Clock::Kernel } else { Clock::User }
    }
}

impl Window {
    /// Lost questions as a share; none before there is one.
    pub fn loss_ratio(&self) -> Option<f64> {
        ratio(self.questions - self.times.count(), self.questions)
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
