//! The documents that tell of a path.

use std::borrow::Cow;

use squirrel_api::probe::{PathAddress, PathChange, PathDocument, PathEvent, PathHop, PathLabel, PathWay, PingRefusal};
use squirrel_probe::Trace;
use squirrel_probe::path::verdict::{Judgement, Verdict, judge};
use squirrel_probe::path::{Address, Change, Event, Probe, Report, Said};
use squirrel_sys::probe_socket::Carrier;

use super::Run;
use super::names::HopNames;
use super::notes::{note, of_class, of_sizes, sentence};
use crate::ping::show::{clock_word, times, us};

/// What asks, in a word.
pub(super) fn protocol(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Ping | Carrier::RawIcmp => "icmp",
        Carrier::Udp => "udp",
        Carrier::RawTcp | Carrier::Connect => "tcp",
    }
}

impl Run<'_> {
    pub(super) fn document(&self, trace: &Trace, names: &HopNames) -> PathDocument {
        let report = trace.report();
        let judgement = judge(&report);
        let (outcome, at_ttl, sentence) = sentence(&judgement, report.flows.len());
        let sentences = [sentence, of_class(&report, &judgement, self.args), of_sizes(&self.sizes)];
        let hops = report.hops.iter().map(|hop| {
            let size = self.sizes.iter().find(|size| size.ttl == hop.ttl);
            let address = |one: &Address| PathAddress {
                name: one.address.and_then(|address| names.name(address)).map(str::to_owned),
                ..self.address(hop.ttl, one, &report, &judgement)
            };
            PathHop {
                ttl: hop.ttl,
                path_mtu: size.and_then(|size| size.octets),
                black_hole: size.is_some_and(|size| size.silent),
                addresses: hop.addresses.iter().map(address).collect(),
            }
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
            verdict: sentences.into_iter().filter(|one| !one.is_empty()).collect::<Vec<_>>().join(" "),
            at_ttl,
            path_mtu: self.sizes.iter().rev().find_map(|size| size.octets),
            sent_tos: report.sent_tos,
            hops: hops.collect(),
            ways: ways(&report),
            changes: report.changes.iter().map(change).collect(),
            changed: report.changed,
            strange: report.strange,
        }
    }

    fn address(&self, ttl: u8, one: &Address, report: &Report, judgement: &Judgement) -> PathAddress {
        let system = one.address.and_then(|address| self.as_numbers.of(address));
        PathAddress {
            as_number: system.map(|(number, _)| number),
            as_name: system.map(|(_, name)| name.to_owned()),
            ..host(ttl, one, report, judgement)
        }
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

/// What was seen of a host at its place; its names are not known here.
pub(super) fn host(ttl: u8, one: &Address, report: &Report, judgement: &Judgement) -> PathAddress {
    let verdict = judgement.verdicts.get(&(ttl, one.address)).copied().filter(|_| one.current);
    PathAddress {
        address: one.address,
        name: None,
        as_number: None,
        as_name: None,
        sent: one.sent(),
        received: one.received,
        loss_ratio: one.loss_ratio(),
        recent_loss_ratio: one.recent_loss_ratio(),
        rtt_us: times(&one.times),
        jitter_us: one.times.jitter().map(us),
        duplicates: one.duplicates,
        late: one.late,
        verdict: Cow::Borrowed(verdict.map_or(if one.current { "good" } else { "former" }, Verdict::word)),
        note: note(one, verdict, report.sent_tos),
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

/// The ways that flows take now, each once.
pub(super) fn ways(report: &Report) -> Vec<PathWay> {
    let mut ways: Vec<PathWay> = Vec::new();
    for (flow, chain) in (0..).zip(&report.flows) {
        let hosts: Vec<_> = chain.iter().map(|one| one.address).collect();
        match ways.iter_mut().find(|way| way.hosts == hosts) {
            Some(way) => way.flows.push(flow),
            None => ways.push(PathWay { flows: vec![flow], hosts }),
        }
    }
    ways.sort_by_key(|way| std::cmp::Reverse(way.flows.len()));
    ways
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
