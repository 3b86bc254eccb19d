//! Probes that the daemon sends on a schedule: `GET /api/probes`, one of them, and a run by hand. Times are seconds since
//! the epoch, spans are seconds, shares are 0 to 1.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::live::shape::{twin, words};
use crate::probe::PathDocument;

pub mod fields;
mod page;
mod words;

pub use page::{
    Availability, ErrorBudget, GroupStates, ProbeDetail, ProbeRecord, ProbeRow, ProbeStates, ProbesPage, Span,
};
pub use words::{share_text, span_text};

/// The version of [`ProbesPage`] and [`ProbeDetail`].
pub const PROBES_SCHEMA: &str = "squirrel.probes/1";

/// How it stands with a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeState {
    /// It does not do what it should.
    Down,
    /// It does not answer, and neither does one that it lies behind: nothing is said of itself.
    Unreachable,
    /// Nothing is known yet.
    #[default]
    Unknown,
    /// It does what it should.
    Up,
}

words!(ProbeState: "down", "unreachable", "unknown", "up");

impl ProbeState {
    /// All states, the worst first.
    pub const ALL: [Self; 4] = [Self::Down, Self::Unreachable, Self::Unknown, Self::Up];

    /// The state's word, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Unreachable => "unreachable",
            Self::Unknown => "unknown",
            Self::Up => "up",
        }
    }

    /// The state of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

twin! {
    /// A target that is probed on a schedule, as of its last probes.
    Probe {
        /// Name of the configuration's table; label `job` of its series.
        job: String,
        /// The target as the configuration names it; label `instance` of its series.
        instance: String,
        /// ping, path, http, tcp, dns, ntp or plugin.
        kind: String,
        /// The module of the modules file, where the configuration names one.
        module: Option<String>,
        /// The version of IP that it is asked by, 4 or 6, where the configuration says one.
        ip: Option<u8>,
        /// What it belongs to, by the configuration's word.
        group: Option<String>,
        /// Instances that it lies behind.
        parents: Vec<String>,
        /// From one probe to the next.
        interval: f64,
        /// How it stands.
        state: ProbeState,
        /// Since when.
        since: Option<f64>,
        /// When the last probe ended.
        at: Option<f64>,
        /// How long the last probe took; the round trip of a ping.
        seconds: Option<f64>,
        /// The address that was asked last.
        address: Option<IpAddr>,
        /// Why the last probe failed.
        why: Option<String>,
        /// Figures of the last whole minute, of pings and paths.
        minute: Option<ProbeMinute>,
        /// The share of time that it should be up.
        objective: Option<f64>,
        /// The span that this is judged over.
        window: Option<f64>,
    }
}

twin! {
    /// A minute of pings.
    ProbeMinute {
        /// Questions whose outcome is known.
        sent: u64,
        /// Lost ones as a share.
        loss: f64,
        /// Round trips: `[percentile, seconds]` for 0, 5, 25, 50, 75, 95, 99 and 100; empty without an answer.
        round_trip: Vec<(f64, f64)>,
        /// Jitter as RFC 3550 smooths it.
        jitter: Option<f64>,
        /// What a call would sound like, from 1 (impossible) to 4.5, by ITU-T G.107.
        mos: Option<f64>,
    }
}

twin! {
    /// The last path to a target and how it came to be so.
    ProbedPath {
        /// The last whole trace; none before the first.
        document: Option<PathDocument>,
        /// Changes of the path, the newest first.
        changes: Vec<PathChanged>,
        /// Changes that were forgotten, since only so many are kept.
        forgotten: u64,
    }
}

twin! {
    /// The path became another.
    PathChanged {
        /// When the first trace ended that shows it.
        at: f64,
        /// Who answered at each place before, the nearest first; null where nobody did.
        from: Vec<Option<IpAddr>>,
        /// Who answers now.
        to: Vec<Option<IpAddr>>,
    }
}

/// What to probe once: the body of `POST /api/probes/run`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeRun {
    /// A scheduled probe by job and instance.
    pub job: String,
    /// See `job`.
    pub instance: String,
}

twin! {
    /// What it brought.
    ProbeRan {
        /// Whether everything was as it should be.
        success: bool,
        /// How long it took.
        seconds: f64,
        /// What happened, in order; the last line of a failure says why.
        log: Vec<String>,
        /// Its numbers: name with labels as in Prometheus' text, and value.
        samples: Vec<(String, f64)>,
        /// The path, when one was traced.
        path: Option<PathDocument>,
    }
}
