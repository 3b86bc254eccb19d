//! What checks of services print: `squirrel check --json`.

use std::borrow::Cow;

use crate::live::shape::twin;

twin! {
    /// How it stands with all targets: `squirrel check --json`.
    CheckDocument {
        /// The version of this document's form: squirrel.check/1.
        schema: Cow<'static, str>,
        /// When it began, in seconds since 1970.
        time: f64,
        /// How long it took, in seconds.
        seconds: f64,
        /// Whether it was ended before all targets had been looked at.
        interrupted: bool,
        /// The targets that were looked at, in the order in which they were named.
        targets: Vec<CheckTarget>,
    }
}

twin! {
    /// One target.
    CheckTarget {
        /// As it was named.
        target: String,
        /// What was looked at: http, tcp, tls, icmp, dns, ntp, smtp or plugin; of a module its prober.
        kind: Cow<'static, str>,
        /// The module, where one was named.
        module: Option<String>,
        /// Whether everything was as it should be.
        success: bool,
        /// How long it took.
        seconds: f64,
        /// Why it failed; null otherwise.
        reason: Option<String>,
        /// Its phases in their order, those that took no time left out.
        phases: Vec<CheckPhase>,
        /// Its numbers, as a Prometheus would scrape them.
        samples: Vec<CheckSample>,
        /// What happened, in order.
        log: Vec<String>,
    }
}

twin! {
    /// One phase.
    CheckPhase {
        /// Such as resolve, connect, tls, processing, transfer.
        phase: String,
        /// How long it took.
        seconds: f64,
    }
}

twin! {
    /// One number.
    CheckSample {
        /// Name and labels, as in Prometheus' text.
        series: String,
        /// The number.
        value: f64,
    }
}
