//! The document of a path that the daemon traced.

use std::borrow::Cow;

use squirrel_api::probe::{PathAddress, PathDocument, PathHop, PathLabel, PingRefusal};
use squirrel_probe::path::Address;
use squirrel_probe::path::verdict::{Judgement, Verdict, judge};
use squirrel_watch::Traced;

use super::document::{change, protocol, ways};
use super::notes::{note, sentence};
use crate::ping::show::{times, us};

/// What a trace found, `target` being what the configuration calls it.
pub(crate) fn document(traced: &Traced, target: &str) -> PathDocument {
    let report = &traced.report;
    let judgement = judge(report);
    let (outcome, at_ttl, verdict) = sentence(&judgement, report.flows.len());
    let hops = report.hops.iter().map(|hop| PathHop {
        ttl: hop.ttl,
        addresses: hop.addresses.iter().map(|one| address(hop.ttl, one, &judgement, report.sent_tos)).collect(),
        ..PathHop::default()
    });
    PathDocument {
        schema: Cow::Borrowed("squirrel.path/1"),
        time: traced.began.seconds(),
        seconds: traced.took.as_secs_f64(),
        target: target.to_owned(),
        address: Some(traced.address),
        protocol: Cow::Borrowed(protocol(traced.carrier)),
        rounds: report.rounds,
        reached: report.distance.is_some(),
        outcome: Cow::Borrowed(outcome),
        verdict,
        at_ttl,
        hops: hops.collect(),
        ways: ways(report),
        changes: report.changes.iter().map(change).collect(),
        changed: report.changed,
        strange: report.strange + traced.strange,
        ..PathDocument::default()
    }
}

fn address(ttl: u8, one: &Address, judgement: &Judgement, sent_tos: u8) -> PathAddress {
    let verdict = judgement.verdicts.get(&(ttl, one.address)).copied().filter(|_| one.current);
    let labels = one.labels.iter().map(|label| PathLabel {
        label: label.label,
        traffic_class: label.traffic_class,
        ttl: label.ttl,
    });
    let refused = one.refused.iter();
    PathAddress {
        address: one.address,
        sent: one.sent(),
        received: one.received,
        loss_ratio: one.loss_ratio(),
        recent_loss_ratio: one.recent_loss_ratio(),
        rtt_us: times(&one.times),
        jitter_us: one.times.jitter().map(us),
        duplicates: one.duplicates,
        late: one.late,
        verdict: Cow::Borrowed(verdict.map_or(if one.current { "good" } else { "former" }, Verdict::word)),
        note: note(one, verdict, sent_tos),
        flows: one.flows.iter().map(|flow| u32::from(*flow)).collect(),
        current: one.current,
        alternates: one.alternates,
        mpls: labels.collect(),
        tos: one.tos,
        mtu: one.mtu,
        refused: refused
            .map(|(kind, count)| PingRefusal { reason: Cow::Borrowed(kind.words().0), count: *count })
            .collect(),
        since_seconds: one.since.0.as_secs_f64(),
        ..PathAddress::default()
    }
}
