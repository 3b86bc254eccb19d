//! The document of a path that the daemon traced.

use std::borrow::Cow;

use squirrel_api::probe::{PathDocument, PathHop};
use squirrel_probe::path::verdict::judge;
use squirrel_watch::Traced;

use super::document::{change, host, protocol, ways};
use super::notes::sentence;

/// What a trace found, `target` being what the configuration calls it.
pub(crate) fn document(traced: &Traced, target: &str) -> PathDocument {
    let report = &traced.report;
    let judgement = judge(report);
    let (outcome, at_ttl, verdict) = sentence(&judgement, report.flows.len());
    let hops = report.hops.iter().map(|hop| PathHop {
        ttl: hop.ttl,
        addresses: hop.addresses.iter().map(|one| host(hop.ttl, one, report, &judgement)).collect(),
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
