//! Checks that somebody asks for by `/probe`, as far as the server must know them.

use std::time::Duration;

use crate::probes::Reply;

/// What `/probe` is asked, as blackbox_exporter has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckQuery {
    /// What is to be looked at: a URL, `host:port` or a host.
    pub target: String,
    /// The module; none for the usual one.
    pub module: Option<String>,
    /// The name that the target goes by, where it is named by an address.
    pub hostname: Option<String>,
    /// Whether what happened is told in words, besides the metrics.
    pub debug: bool,
    /// How long the answer is waited for.
    pub limit: Option<Duration>,
}

/// Who carries such checks out.
pub trait Checks: Send + Sync {
    /// Carries one out: the metrics in Prometheus' text, and with `debug` what happened in words. That the target is not
    /// as it should be is an answer; there is none for a module that there is not, and when too many are under way.
    /// Ends when the module's time is over, or when the answer is no longer waited for.
    fn check(&self, query: CheckQuery) -> Reply<'_, String>;
}
