//! Messages written from drafts.

use std::collections::{BTreeMap, BTreeSet};

use squirrel_model::Timestamp;

use crate::group::Draft;
use crate::notification::texts;
use crate::observed::Digest;
use crate::plan::Plan;
use crate::record::Record;
use crate::{Notification, Reason, Texts};

/// What a message is about.
pub(crate) struct Envelope<'a> {
    pub(crate) channel: &'a str,
    pub(crate) group_key: &'a str,
    pub(crate) group_labels: Texts,
    /// How many messages the channel had of the group.
    pub(crate) sequence: u64,
    pub(crate) at: Timestamp,
}

/// Writes a message: firing alerts first, among them those that are new, then the worst, then the oldest.
pub(crate) fn write(
    envelope: Envelope<'_>,
    draft: &Draft,
    plan: &Plan,
    records: &BTreeMap<u64, Record>,
    who: impl Fn(&Record) -> Option<String>,
) -> Notification {
    let fresh: BTreeSet<u64> = draft.fresh.iter().copied().collect();
    let mut alerts: Vec<&Record> = draft.alerts.iter().filter_map(|number| records.get(number)).collect();
    alerts.sort_by_cached_key(|record| {
        let facts = record.facts;
        let known = !fresh.contains(&facts.fingerprint);
        (!record.is_firing(), known, u8::MAX - facts.rank, record.starts_at, facts.fingerprint)
    });
    let common = |of: &dyn Fn(&Record) -> Texts| -> Texts {
        let mut all = alerts.iter().map(|record| of(record));
        let first = all.next().unwrap_or_default();
        all.fold(first, |mut common, one| {
            common.retain(|name, value| one.get(name) == Some(value));
            common
        })
    };
    Notification {
        id: id(&envelope, draft.reason, &alerts),
        channel: envelope.channel.to_owned(),
        group_key: envelope.group_key.to_owned(),
        reason: draft.reason,
        at_ms: envelope.at.millis(),
        common_labels: common(&|record| texts(&record.labels)),
        common_annotations: common(&|record| record.annotations.clone()),
        group_labels: envelope.group_labels,
        alerts: alerts
            .iter()
            .take(plan.max_alerts)
            .map(|record| record.notified(who(record), &plan.external_url))
            .collect(),
        more: alerts.len().saturating_sub(plan.max_alerts),
        external_url: plan.external_url.clone(),
        chart: None,
    }
}

/// The same message has the same number, also when it is decided again since the program ended before the decision
/// was written down; one that tells something else has another.
fn id(envelope: &Envelope<'_>, reason: Reason, alerts: &[&Record]) -> u64 {
    let mut digest = Digest::new();
    digest.add(envelope.channel.as_bytes()).add(envelope.group_key.as_bytes()).add(&[reason as u8]);
    digest.add(&envelope.sequence.to_be_bytes());
    for record in alerts {
        digest.add(&record.facts.fingerprint.to_be_bytes()).add(&[u8::from(record.is_firing())]);
        digest.add(&record.starts_at.millis().to_be_bytes());
    }
    digest.value()
}
