//! The documents that tell of a path.

use std::borrow::Cow;
use std::time::Duration;

use squirrel_api::probe::{PathAddress, PathChange, PathDocument, PathEvent, PathHop, PathLabel, PingRefusal};
use squirrel_probe::Trace;
use squirrel_probe::path::verdict::{Judgement, Outcome, Verdict, judge};
use squirrel_probe::path::{Address, Change, Event, Probe, Said};
use squirrel_sys::probe_socket::Carrier;

use super::Run;
use crate::ping::show::{clock_word, ms, times, us};

/// What asks, in a word.
pub(super) fn protocol(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Ping | Carrier::RawIcmp => "icmp",
        Carrier::Udp => "udp",
        Carrier::RawTcp | Carrier::Connect => "tcp",
    }
}

impl Run<'_> {
    pub(super) fn document(&self, trace: &Trace) -> PathDocument {
        let report = trace.report();
        let judgement = judge(&report);
        let (outcome, at_ttl, sentence) = sentence(&judgement, report.flows.len());
        let hops = report.hops.iter().map(|hop| PathHop {
            ttl: hop.ttl,
            addresses: hop.addresses.iter().map(|one| self.address(hop.ttl, one, &judgement)).collect(),
        });
        PathDocument {
            schema: Cow::Borrowed("squirrel.path/1"),
            time: self.began.seconds(),
            seconds: self.steady.elapsed().0.as_secs_f64(),
            interrupted: false,
            target: self.target.clone(),
            address: Some(self.address),
            protocol: Cow::Borrowed(self.protocol),
            rounds: report.rounds,
            reached: report.distance.is_some(),
            outcome: Cow::Borrowed(outcome),
            verdict: sentence,
            at_ttl,
            hops: hops.collect(),
            changes: report.changes.iter().map(change).collect(),
            changed: report.changed,
            strange: report.strange,
        }
    }

    fn address(&self, ttl: u8, one: &Address, judgement: &Judgement) -> PathAddress {
        let verdict = judgement.verdicts.get(&(ttl, one.address)).copied().filter(|_| one.current);
        let system = one.address.and_then(|address| self.as_numbers.of(address));
        PathAddress {
            address: one.address,
            as_number: system.map(|(number, _)| number),
            as_name: system.map(|(_, name)| name.to_owned()),
            sent: one.sent(),
            received: one.received,
            loss_ratio: one.loss_ratio(),
            recent_loss_ratio: one.recent_loss_ratio(),
            rtt_us: times(&one.times),
            jitter_us: one.times.jitter().map(us),
            duplicates: one.duplicates,
            late: one.late,
            verdict: Cow::Borrowed(verdict.map_or(if one.current { "good" } else { "former" }, Verdict::word)),
            note: note(one, verdict, self.sent_tos()),
            flows: one.flows.iter().map(|flow| u32::from(*flow)).collect(),
            current: one.current,
            alternates: one.alternates,
            mpls: one
                .labels
                .iter()
                .map(|label| PathLabel { label: label.label, traffic_class: label.traffic_class, ttl: label.ttl })
                .collect(),
            tos: one.tos,
            mtu: one.mtu,
            refused: one
                .refused
                .iter()
                .map(|(kind, count)| PingRefusal { reason: Cow::Borrowed(kind.words().0), count: *count })
                .collect(),
            since_seconds: one.since.0.as_secs_f64(),
        }
    }

    fn sent_tos(&self) -> u8 {
        let class = self.args.dscp.as_deref().and_then(|text| crate::ping::dscp(text).ok());
        class.map_or(0, |class| class << 2)
    }

    pub(super) fn event(&self, event: &Event) -> PathEvent {
        let mut document = PathEvent {
            schema: Cow::Borrowed("squirrel.path.event/1"),
            seconds: self.steady.elapsed().0.as_secs_f64(),
            ..PathEvent::default()
        };
        let mut of = |probe: &Probe, word: &'static str| {
            document.event = Cow::Borrowed(word);
            document.round = Some(probe.round);
            document.flow = probe.flow.into();
            document.ttl = probe.ttl;
        };
        match event {
            Event::Answer { probe, by, said, time, clock } => {
                of(probe, "answer");
                document.address = Some(*by);
                document.rtt_us = Some(us(*time));
                document.clock = Some(Cow::Borrowed(clock_word(*clock)));
                document.reason = Some(said_word(*said).to_owned());
            }
            Event::Lost(probe) => of(probe, "lost"),
            Event::Duplicate(probe) => of(probe, "duplicate"),
            Event::Late(probe, by, after) => {
                of(probe, "late");
                document.address = Some(*by);
                document.rtt_us = Some(us(*after));
            }
            Event::NotSent(probe, why) => {
                of(probe, "not_sent");
                document.reason = Some(why.clone());
            }
            Event::Changed(change) => {
                document.event = Cow::Borrowed("changed");
                document.seconds = change.at.0.as_secs_f64();
                document.flow = change.flow.into();
                document.ttl = change.ttl;
                document.address = Some(change.to);
                document.from = change.from;
            }
        }
        document
    }
}

pub(super) fn change(change: &Change) -> PathChange {
    PathChange {
        seconds: change.at.0.as_secs_f64(),
        flow: change.flow.into(),
        ttl: change.ttl,
        from: change.from,
        to: Some(change.to),
    }
}

fn said_word(said: Said) -> &'static str {
    match said {
        Said::Passing => "passing",
        Said::Reached => "reached",
        Said::Refused(kind) => kind.words().0,
    }
}

/// What is to be said of an address, for people.
pub(super) fn note(one: &Address, verdict: Option<Verdict>, sent_tos: u8) -> String {
    let mut notes = Vec::new();
    match verdict {
        _ if !one.current => notes.push("passed no more".to_owned()),
        Some(Verdict::Good) | None => {}
        Some(verdict) => notes.push(verdict.to_string()),
    }
    notes.extend(one.refused.keys().map(|kind| format!("says: {}", kind.words().1)));
    if one.alternates {
        notes.push("one of several, by packet".to_owned());
    }
    if let Some(tos) = one.tos.filter(|tos| *tos != sent_tos) {
        notes.push(format!("class {} became {}", sent_tos >> 2, tos >> 2));
    }
    notes.extend(one.mtu.map(|mtu| format!("next link takes {mtu} octets")));
    if !one.labels.is_empty() {
        let labels: Vec<String> = one.labels.iter().map(|label| label.label.to_string()).collect();
        notes.push(format!("MPLS {}", labels.join(" ")));
    }
    let counted = [(one.duplicates, "twice"), (one.late, "late")];
    notes.extend(counted.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    notes.join(", ")
}

/// The word, the place and the sentence of a judgement.
pub(super) fn sentence(judgement: &Judgement, flows: usize) -> (&'static str, Option<u8>, String) {
    let percent = |loss: f64| format!("{:.1} %", loss * 100.0);
    let some = if flows > 1 && usize::from(judgement.flows) < flows {
        format!(" ({} of {flows} flows)", judgement.flows)
    } else {
        String::new()
    };
    let rise = judgement.rise.map_or_else(String::new, |(ttl, by, whole)| {
        let (by, whole): (Duration, Duration) = (by, whole);
        format!(" Of {} ms {} ms arise at hop {ttl}.", ms(whole), ms(by))
    });
    match &judgement.outcome {
        Outcome::Good => ("good", None, format!("The target answers, and nothing is lost on the way.{rise}")),
        Outcome::Nobody => ("nobody", None, "Nobody answers, not even the first hop.".to_owned()),
        Outcome::Unclear { loss } => {
            ("unclear", None, format!("{} is lost, too little to tell where: ask longer.{rise}", percent(*loss)))
        }
        Outcome::Loss { loss, ttl, by, at_target: false } => (
            "loss",
            Some(*ttl),
            format!("The loss of {} is real and begins at hop {ttl}, {by}{some}.{rise}", percent(*loss)),
        ),
        Outcome::Loss { loss, ttl, by, at_target: true } => (
            "loss",
            Some(*ttl),
            format!(
                "The loss of {} is at the target, {by}, alone{some}: on its link, in it, or it limits its answers.{rise}",
                percent(*loss)
            ),
        ),
        Outcome::TargetSilent { ttl, by } => (
            "target_silent",
            Some(*ttl),
            format!("The target does not answer; hop {ttl}, {by}, is the last that does{some}."),
        ),
        Outcome::Refused { ttl, by, kind } => {
            ("refused", Some(*ttl), format!("Hop {ttl}, {by}, passes nothing on{some}: {}.", kind.words().1))
        }
        Outcome::Loop { ttl, by } => {
            ("loop", Some(*ttl), format!("Packets go round from hop {ttl}, {by}, on until their time is over{some}."))
        }
    }
}
