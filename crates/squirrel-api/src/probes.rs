//! Probes that the daemon sends on a schedule: `GET /api/probes`, one of them, and a run by hand. Times are seconds since
//! the epoch, spans are seconds, shares are 0 to 1.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::probe::PathDocument;

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

/// A target that is probed on a schedule, as of its last probes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Name of the configuration's table; label `job` of its series.
    pub job: String,
    /// The target as the configuration names it; label `instance` of its series.
    pub instance: String,
    /// ping, path, http, tcp, dns, ntp or plugin.
    pub kind: String,
    /// The module of the modules file, where the configuration names one.
    pub module: Option<String>,
    /// What it belongs to, by the configuration's word.
    pub group: Option<String>,
    /// Instances that it lies behind.
    pub parents: Vec<String>,
    /// From one probe to the next.
    pub interval: f64,
    /// How it stands.
    pub state: ProbeState,
    /// Since when.
    pub since: Option<f64>,
    /// When the last probe ended.
    pub at: Option<f64>,
    /// How long the last probe took; the round trip of a ping.
    pub seconds: Option<f64>,
    /// The address that was asked last.
    pub address: Option<IpAddr>,
    /// Why the last probe failed.
    pub why: Option<String>,
    /// Figures of the last whole minute, of pings and paths.
    pub minute: Option<ProbeMinute>,
    /// The share of time that it should be up.
    pub objective: Option<f64>,
    /// The span that this is judged over.
    pub window: Option<f64>,
}

/// A minute of pings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeMinute {
    /// Questions whose outcome is known.
    pub sent: u64,
    /// Lost ones as a share.
    pub loss: f64,
    /// Round trips: `[percentile, seconds]` for 0, 5, 25, 50, 75, 95, 99 and 100; empty without an answer.
    pub round_trip: Vec<(f64, f64)>,
    /// Jitter as RFC 3550 smooths it.
    pub jitter: Option<f64>,
    /// What a call would sound like, from 1 (impossible) to 4.5, by ITU-T G.107.
    pub mos: Option<f64>,
}

/// The last path to a target and how it came to be so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbedPath {
    /// The last whole trace; none before the first.
    pub document: Option<PathDocument>,
    /// Changes of the path, the newest first.
    pub changes: Vec<PathChanged>,
    /// Changes that were forgotten, since only so many are kept.
    pub forgotten: u64,
}

/// The path became another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PathChanged {
    /// When the first trace ended that shows it.
    pub at: f64,
    /// Who answered at each place before, the nearest first; null where nobody did.
    pub from: Vec<Option<IpAddr>>,
    /// Who answers now.
    pub to: Vec<Option<IpAddr>>,
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

/// What it brought.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeRan {
    /// Whether everything was as it should be.
    pub success: bool,
    /// How long it took.
    pub seconds: f64,
    /// What happened, in order; the last line of a failure says why.
    pub log: Vec<String>,
    /// Its numbers: name with labels as in Prometheus' text, and value.
    pub samples: Vec<(String, f64)>,
    /// The path, when one was traced.
    pub path: Option<PathDocument>,
}
