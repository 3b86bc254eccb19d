//! What `squirrel path` prints.

use std::borrow::Cow;
use std::net::IpAddr;

use super::{PingRefusal, PingTimes};
use crate::live::shape::twin;

twin! {
    /// How it stands with the path to a target: `squirrel path --json`, and the last line of `--json-lines`.
    PathDocument {
        /// The version of this document's form: squirrel.path/1.
        schema: Cow<'static, str>,
        /// When it began, in seconds since 1970.
        time: f64,
        /// How long it took, in seconds.
        seconds: f64,
        /// Whether it was ended before all had been asked.
        interrupted: bool,
        /// The target, as it was named.
        target: String,
        /// Its address.
        address: Option<IpAddr>,
        /// What asked: icmp, udp or tcp.
        protocol: Cow<'static, str>,
        /// Rounds that began.
        rounds: u32,
        /// Whether the target answered.
        reached: bool,
        /// What is to be said of the path, in a word: good, nobody, unclear, loss, target_silent, refused or loop.
        outcome: Cow<'static, str>,
        /// The same in a sentence.
        verdict: String,
        /// The place that it is about.
        at_ttl: Option<u8>,
        /// Octets of the largest packet that comes to the target whole, or as far as anybody answers; null when that
        /// was not searched.
        path_mtu: Option<u16>,
        /// TOS or traffic class with which questions were sent.
        sent_tos: u8,
        /// The places, the nearest first.
        hops: Vec<PathHop>,
        /// The ways that flows take now, the one of the most flows first.
        ways: Vec<PathWay>,
        /// Changes of the path: the first thousand.
        changes: Vec<PathChange>,
        /// How many there were.
        changed: u64,
        /// Answers that were to no question of this run: late ones of others, cut or made up.
        strange: u64,
    }
}

twin! {
    /// A place of a path.
    PathHop {
        /// How many hosts away: time to live or hop limit of the questions.
        ttl: u8,
        /// Octets of the largest packet that comes as far whole; null when nobody answers, or that was not searched.
        path_mtu: Option<u16>,
        /// Whether larger ones vanish on the way here without a word.
        black_hole: bool,
        /// Who answers there, those of now first.
        addresses: Vec<PathAddress>,
    }
}

twin! {
    /// A way that some flows take.
    PathWay {
        /// The flows.
        flows: Vec<u32>,
        /// The hosts, the nearest first; null for one that nobody knows.
        hosts: Vec<Option<IpAddr>>,
    }
}

twin! {
    /// A host at a place of a path, from when it was first seen there.
    PathAddress {
        /// The host; null for questions at a place where nobody ever answered.
        address: Option<IpAddr>,
        /// Its name by /etc/hosts or DNS, which its owner writes; null when there is none, or none came in time.
        name: Option<String>,
        /// Number of the autonomous system that it belongs to, by the file that was given.
        as_number: Option<u32>,
        /// Name of that.
        as_name: Option<String>,
        /// Questions whose outcome is known.
        sent: u64,
        /// Questions that were answered in time.
        received: u64,
        /// Lost questions as a share, 0 to 1; null before an outcome is known.
        loss_ratio: Option<f64>,
        /// The same of the last questions alone.
        recent_loss_ratio: Option<f64>,
        /// Round-trip times in microseconds; null without an answer.
        rtt_us: Option<PingTimes>,
        /// Jitter as RFC 3550 smooths it, in microseconds.
        jitter_us: Option<f64>,
        /// Answers to questions that had been answered.
        duplicates: u64,
        /// Answers that came after the question had been given up; it stays lost.
        late: u64,
        /// What is to be said of it, in a word: good, silent, slow_to_answer, remarks_dscp, latency_rises,
        /// limits_answers, unclear, loss_goes_on, loss_begins, refuses, or former for one that is passed no more.
        verdict: Cow<'static, str>,
        /// The same in words for people.
        note: String,
        /// The flows that it was seen in.
        flows: Vec<u32>,
        /// Whether a flow leads through it now.
        current: bool,
        /// Whether it shares its place with others, one for each packet of a flow.
        alternates: bool,
        /// Labels of MPLS with which questions arrived, outermost first.
        mpls: Vec<PathLabel>,
        /// TOS or traffic class with which questions arrived; known to raw sockets only.
        tos: Option<u8>,
        /// The largest packet of its next link, as it said.
        mtu: Option<u32>,
        /// Why it passed questions on no more, and how often.
        refused: Vec<PingRefusal>,
        /// When it was first seen here, in seconds from the beginning.
        since_seconds: f64,
    }
}

twin! {
    /// A label of MPLS (RFC 4950).
    PathLabel {
        /// The label.
        label: u32,
        /// Traffic class.
        traffic_class: u8,
        /// Time to live.
        ttl: u8,
    }
}

twin! {
    /// Another host answers at a place of a path.
    PathChange {
        /// When its first answer came, in seconds from the beginning.
        seconds: f64,
        /// The flow.
        flow: u32,
        /// The place.
        ttl: u8,
        /// Who answered before.
        from: Option<IpAddr>,
        /// Who answers now.
        to: Option<IpAddr>,
    }
}

twin! {
    /// What became of one question: a line of `squirrel path --json-lines`.
    PathEvent {
        /// The version of this document's form: squirrel.path.event/1.
        schema: Cow<'static, str>,
        /// Seconds since the beginning.
        seconds: f64,
        /// answer, lost, duplicate, late, not_sent or changed.
        event: Cow<'static, str>,
        /// The round, counted from 0; null for a change.
        round: Option<u32>,
        /// The flow, counted from 0.
        flow: u32,
        /// The place.
        ttl: u8,
        /// Who answered.
        address: Option<IpAddr>,
        /// Who answered before, of a change.
        from: Option<IpAddr>,
        /// The round-trip time in microseconds, of an answer or a late one.
        rtt_us: Option<f64>,
        /// Whose clock timed it: kernel or user.
        clock: Option<Cow<'static, str>>,
        /// What it said: passing, reached or a reason such as prohibited; or why it was not sent.
        reason: Option<String>,
    }
}
