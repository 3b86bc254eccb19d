//! What is probed: one target of a probe, as the configuration means it.

use std::sync::Arc;
use std::time::Duration;

use squirrel_check::{IpVersion, Module};
use squirrel_model::Labels;

/// Targets of all probes together at most.
pub const MOST_TARGETS: usize = 10_000;
/// Targets among them whose path is traced at most: each trace takes some seconds, and so many run at one time.
pub const MOST_PATHS: usize = 500;

/// One target of a probe.
#[derive(Debug)]
pub struct Target {
    /// Name of the probe; label `job`.
    pub job: String,
    /// The target as it was written; label `instance`.
    pub instance: String,
    /// What is done.
    pub work: Work,
    /// The version of IP that it is asked by; none for any that its name has, and for what a check's module prefers.
    pub ip: Option<IpVersion>,
    /// From one run to the next.
    pub interval: Duration,
    /// The name of the module that says how, if it is one of a modules file.
    pub module: Option<String>,
    /// What it belongs to.
    pub group: Option<String>,
    /// Instances that it lies behind.
    pub parents: Vec<String>,
    /// The share of time that it should be up, 0 to 1.
    pub objective: Option<f64>,
    /// The span that this is judged over.
    pub window: Duration,
    /// Labels that all its series get.
    pub labels: Labels,
}

/// What is done to a target.
#[derive(Clone, Debug)]
pub enum Work {
    /// It is sent one echo of ICMP each interval.
    Ping {
        /// How long the answer is waited for.
        timeout: Duration,
    },
    /// The path to it is traced.
    Path {
        /// Questions to each place of the path, one a second.
        packets: u32,
        /// How long each answer is waited for.
        timeout: Duration,
    },
    /// A service is checked.
    Check(Arc<Module>),
}

impl Target {
    /// Its kind, in a word: ping, path, http, tcp, dns, ntp, plugin.
    pub fn kind(&self) -> &'static str {
        match &self.work {
            Work::Ping { .. } => "ping",
            Work::Path { .. } => "path",
            Work::Check(module) => module.prober.word(),
        }
    }

    /// Failures in a row that are an outage: one lost echo is a loss and no outage, everything else tries more than
    /// once by itself.
    pub(crate) fn patience(&self) -> u32 {
        if self.is_ping() { 3 } else { 1 }
    }

    pub(crate) fn is_ping(&self) -> bool {
        matches!(self.work, Work::Ping { .. })
    }

    /// Whether nothing about when it runs, and by which IP, is different.
    pub(crate) fn runs_like(&self, other: &Self) -> bool {
        let same_work = match (&self.work, &other.work) {
            (Work::Ping { timeout: one }, Work::Ping { timeout: other }) => one == other,
            (Work::Path { .. }, Work::Path { .. }) | (Work::Check(_), Work::Check(_)) => true,
            _ => false,
        };
        same_work && self.interval == other.interval && self.ip == other.ip
    }
}
