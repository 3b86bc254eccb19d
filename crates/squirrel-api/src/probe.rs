//! What probes print: `squirrel ping --json` and `squirrel path --json`.

mod path;

use std::borrow::Cow;
use std::net::IpAddr;

use crate::live::shape::twin;
pub use path::{PathAddress, PathChange, PathDocument, PathEvent, PathHop, PathLabel, PathWay};

twin! {
    /// How it stands with all targets: `squirrel ping --json`, and each line of `--json-lines` but for answers.
    PingDocument {
        /// The version of this document's form: squirrel.ping/1.
        schema: Cow<'static, str>,
        /// When it began, in seconds since 1970.
        time: f64,
        /// How long it took, in seconds.
        seconds: f64,
        /// Whether it was ended before all had been asked.
        interrupted: bool,
        /// Answers that were to no question of this run: late ones of others, cut or made up.
        strange: u64,
        /// The targets, in the order in which they were named.
        targets: Vec<PingTarget>,
    }
}

twin! {
    /// One target.
    PingTarget {
        /// As it was named.
        target: String,
        /// Its address; null when the name has none.
        address: Option<IpAddr>,
        /// Why it was not asked at all; null otherwise.
        error: Option<String>,
        /// Questions that left this host.
        sent: u64,
        /// Questions that were answered in time.
        received: u64,
        /// Lost questions as a share of those whose outcome is known, 0 to 1; null before there is one.
        loss_ratio: Option<f64>,
        /// Answers to questions that had been answered.
        duplicates: u64,
        /// Answers that came after the question had been given up; it stays lost.
        late: u64,
        /// Answers that came after the answer to a later question.
        reordered: u64,
        /// Questions that this host could not send.
        not_sent: u64,
        /// Lost questions for which a host on the way sent an error.
        refused: Vec<PingRefusal>,
        /// Round-trip times of all answers, in microseconds; null without an answer.
        rtt_us: Option<PingTimes>,
        /// Jitter as RFC 3550 smooths it, in microseconds.
        jitter_us: Option<f64>,
        /// Mean change from one answer to the next, in microseconds.
        delay_variation_us: Option<f64>,
        /// What this program would have added, had the kernel not stamped: median, in microseconds.
        local_delay_us: Option<f64>,
        /// Whose clock timed the answers: kernel or user.
        clock: Cow<'static, str>,
        /// Time to live with which the last answer came.
        ttl: Option<u8>,
        /// The last questions alone.
        window: PingWindow,
    }
}

twin! {
    /// What hosts on the way said, and how often.
    PingRefusal {
        /// Such as host_unreachable.
        reason: Cow<'static, str>,
        /// How often.
        count: u64,
    }
}

twin! {
    /// Round-trip times in microseconds.
    PingTimes {
        /// The shortest.
        min: f64,
        /// The time that half of all do not exceed.
        p50: f64,
        /// The time that 95 of a hundred do not exceed.
        p95: f64,
        /// The time that 99 of a hundred do not exceed.
        p99: f64,
        /// The longest.
        max: f64,
        /// The mean.
        mean: f64,
        /// The standard deviation.
        stddev: f64,
    }
}

twin! {
    /// The last questions to a target whose outcome is known.
    PingWindow {
        /// How many.
        questions: u64,
        /// Lost ones as a share, 0 to 1.
        loss_ratio: Option<f64>,
        /// Round-trip times of those that were answered.
        rtt_us: Option<PingTimes>,
        /// Jitter as RFC 3550 smooths it, in microseconds.
        jitter_us: Option<f64>,
        /// Mean change from one answer to the next, in microseconds.
        delay_variation_us: Option<f64>,
        /// Those that were answered more than once.
        duplicates: u64,
        /// Those whose answer came after the answer to a later question.
        reordered: u64,
    }
}

twin! {
    /// What became of one question: a line of `squirrel ping --json-lines`.
    PingEvent {
        /// The version of this document's form: squirrel.ping.event/1.
        schema: Cow<'static, str>,
        /// Seconds since the beginning.
        seconds: f64,
        /// As it was named.
        target: String,
        /// Its address.
        address: Option<IpAddr>,
        /// Which question, counted from 0.
        question: u32,
        /// answer, lost, duplicate, late, refused or not_sent.
        event: Cow<'static, str>,
        /// The round-trip time in microseconds, of an answer or a late one.
        rtt_us: Option<f64>,
        /// Time to live with which the answer came.
        ttl: Option<u8>,
        /// Whose clock timed it: kernel or user.
        clock: Option<Cow<'static, str>>,
        /// The host on the way that refused it.
        by: Option<IpAddr>,
        /// Why it was refused or not sent.
        reason: Option<String>,
    }
}
