//! Targets on a page: how each stands, and what the record says of it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Probe, ProbeState, ProbedPath};
use crate::Level;
use crate::live::shape::{Definitions, Shape, twin};

twin! {
    /// Targets that are probed on a schedule: `GET /api/probes` and `squirrel probes --json`.
    ProbesPage {
        /// The version of this document's form: squirrel.probes/1.
        schema: Cow<'static, str>,
        /// When it was made, in seconds since 1970.
        time: f64,
        /// How bad it is, of all targets.
        level: Level,
        /// How all targets stand, in a sentence.
        sentence: String,
        /// How many stand how, of all targets.
        states: ProbeStates,
        /// The same by group, in the order of the configuration.
        groups: Vec<GroupStates>,
        /// Targets that there are.
        total: usize,
        /// Targets that the question chose.
        matched: usize,
        /// Targets that were passed over.
        offset: usize,
        /// Most targets to give.
        limit: usize,
        /// What they are ordered by: state (the worst first, then the order of the configuration) or a field.
        sort: Cow<'static, str>,
        /// Which end is first: asc or desc.
        order: Cow<'static, str>,
        /// The span of the heartbeats, when they were asked for.
        history: Option<Span>,
        /// What the record could not tell, in sentences.
        notes: Vec<String>,
        /// The targets.
        probes: Vec<ProbeRow>,
    }
}

twin! {
    /// A span of the record in equal parts.
    Span {
        /// 1h, 1d, 7d or 30d.
        name: Cow<'static, str>,
        /// When its first part begins, in seconds since 1970.
        from: f64,
        /// Length of a part, in seconds.
        bucket: f64,
        /// How many parts it has; the last one is not over yet.
        buckets: usize,
    }
}

twin! {
    /// How many targets stand how.
    ProbeStates {
        /// They do not do what they should.
        down: usize,
        /// What they lie behind is down.
        unreachable: usize,
        /// Nothing is known yet.
        unknown: usize,
        /// They do what they should.
        up: usize,
    }
}

twin! {
    /// How many targets of a group stand how.
    GroupStates {
        /// Its name; null for targets of no group.
        group: Option<String>,
        /// How they stand.
        states: ProbeStates,
    }
}

twin! {
    /// The share of probes that were answered as they should be, 0 to 1; null where nothing is known.
    Availability {
        /// Over the last day.
        day: Option<f64>,
        /// Over the last week.
        week: Option<f64>,
        /// Over the last 30 days.
        month: Option<f64>,
    }
}

twin! {
    /// What is left of the failures that an objective allows.
    ErrorBudget {
        /// The share of probes that were answered over the objective's window.
        available: Option<f64>,
        /// The part of the budget that is left: 1 for all of it, below 0 when more was spent than there was. Null
        /// where nothing is known, and where the objective allows no failure and there was one.
        left: Option<f64>,
        /// How fast it was spent in the last hour: 1 spends all of it in exactly the window.
        burn_hour: Option<f64>,
        /// The same over the last six hours.
        burn_six_hours: Option<f64>,
    }
}

twin! {
    /// What the record says of a target.
    ProbeRecord {
        /// When the first certificate of its chain expires, in seconds since 1970.
        certificate_expires: Option<f64>,
        /// The share of answered probes in each part of the span, the oldest first; null where nothing is known. Empty
        /// when no span was asked for.
        heartbeat: Vec<Option<f64>>,
        /// How available it was, when a span was asked for.
        availability: Option<Availability>,
        /// How its objective does, when it has one and a span was asked for.
        budget: Option<ErrorBudget>,
    }
}

/// A target and what the record says of it: in JSON one object with the members of both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeRow {
    /// How it stands.
    #[serde(flatten)]
    pub probe: Probe,
    /// What the record says of it.
    #[serde(flatten)]
    pub record: ProbeRecord,
}

impl Shape for ProbeRow {
    fn shape(place: &str, definitions: &mut Definitions) -> Value {
        let parts = [Probe::shape(place, definitions), ProbeRecord::shape(place, definitions)];
        serde_json::json!({ "allOf": parts })
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        // A vector takes everything, and numbers and texts can always be written.
        let _ = serde_json::to_writer(out, self);
    }
}

twin! {
    /// One target: `GET /api/probes/one` and `squirrel probes show --json`.
    ProbeDetail {
        /// The version of this document's form: squirrel.probes/1.
        schema: Cow<'static, str>,
        /// When it was made, in seconds since 1970.
        time: f64,
        /// How bad it is.
        level: Level,
        /// How it stands, in a sentence.
        sentence: String,
        /// The span of the heartbeat, when it was asked for.
        history: Option<Span>,
        /// What the record could not tell, in sentences.
        notes: Vec<String>,
        /// The target.
        probe: ProbeRow,
        /// What happened in its last probe, in order; empty where it is not kept.
        last_words: Vec<String>,
        /// The path to it, where it is traced.
        path: Option<ProbedPath>,
    }
}

impl ProbeStates {
    /// Counts one more.
    pub fn count(&mut self, state: ProbeState) {
        *match state {
            ProbeState::Down => &mut self.down,
            ProbeState::Unreachable => &mut self.unreachable,
            ProbeState::Unknown => &mut self.unknown,
            ProbeState::Up => &mut self.up,
        } += 1;
    }
}
