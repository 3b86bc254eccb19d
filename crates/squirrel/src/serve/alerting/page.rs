//! What people see of alerts: the notifier's views and the queue's record, as plain data.

use squirrel_alert::Compared;
use squirrel_api::alerts::{
    AlertsPage, ShownAcknowledgement, ShownAlert, ShownChannel, ShownDelivery, ShownEvent, ShownGroup, ShownSilence,
};
use squirrel_channels::{Backlog, Delivery};
use squirrel_model::Timestamp;
use squirrel_notify::{AlertView, GroupView, HistoryEntry, SilenceView, Suppression};
use squirrel_promql::{ParseOptions, parse};

use super::desk::Desk;
use super::hold;

/// Most alerts, events and deliveries of one page.
const ALERTS: usize = 1_000;
const EVENTS: usize = 200;

/// Everything at this moment.
pub(super) fn page(desk: &Desk, at: Timestamp, problems: Vec<String>) -> AlertsPage {
    let (views, silences, history) = {
        let notifier = hold(&desk.notifier);
        let history: Vec<ShownEvent> = notifier.history().rev().take(EVENTS).map(event).collect();
        (notifier.views(at), notifier.silences(at), history)
    };
    let channels = desk.channels();
    let (deliveries, backlog) = match channels {
        None => (Vec::new(), Vec::new()),
        Some(channels) => desk.runtime.block_on(async {
            let status = channels.status().await;
            (channels.deliveries().await, status.map(|status| status.backlog).unwrap_or_default())
        }),
    };
    AlertsPage {
        schema: 1,
        time: at.seconds(),
        alerts_left_out: views.alerts.len().saturating_sub(ALERTS),
        alerts: views.alerts.iter().take(ALERTS).map(alert).collect(),
        groups: views.groups.iter().map(group).collect(),
        silences: silences.iter().map(silence).collect(),
        history,
        deliveries: deliveries.iter().take(EVENTS).map(delivery).collect(),
        channels: desk.known().into_iter().map(|one| channel(one.name, one.kind, &backlog)).collect(),
        problems,
        quiet_until: views.quiet_until.map(Timestamp::seconds),
    }
}

fn seconds(ms: i64) -> f64 {
    Timestamp(ms).seconds()
}

fn number(fingerprint: u64) -> String {
    format!("{fingerprint:016x}")
}

fn alert(view: &AlertView) -> ShownAlert {
    let one = &view.alert;
    let value_query = parse(&one.expr, &ParseOptions::default())
        .ok()
        .and_then(|expr| Compared::of(&expr).map(|compared| compared.value.to_string()));
    let (mut silenced_by, mut inhibited_by, mut muted_by) = (Vec::new(), Vec::new(), Vec::new());
    for held in &view.suppressed {
        match held {
            Suppression::Silence { id } => silenced_by.push(id.clone()),
            Suppression::Inhibition { by } | Suppression::Dependency { by } => inhibited_by.push(number(*by)),
            Suppression::Maintenance { name } => muted_by.push(name.clone()),
            Suppression::Flapping | Suppression::QuietHours => muted_by.push(held.text()),
        }
    }
    ShownAlert {
        fingerprint: number(one.fingerprint),
        state: view.state.word().to_owned(),
        labels: one.labels.clone(),
        annotations: one.annotations.clone(),
        severity_rank: view.severity_rank,
        value: Some(one.value).filter(|value| value.is_finite()),
        threshold: one.threshold.filter(|value| value.is_finite()),
        query: one.expr.clone(),
        value_query,
        source: view.source.clone(),
        starts_at: seconds(one.starts_at_ms),
        ends_at: one.ends_at_ms.map(seconds),
        generator_url: one.generator_url.clone(),
        held: view.suppressed.iter().map(Suppression::text).collect(),
        silenced_by,
        inhibited_by,
        muted_by,
        acknowledgement: view.acknowledgement.as_ref().map(|said| ShownAcknowledgement {
            who: said.who.clone(),
            comment: said.comment.clone(),
            at: said.at.seconds(),
            until: said.until.map(Timestamp::seconds),
        }),
        flapping_percent: view.flapping_percent,
        told: view.told.clone(),
        receivers: view.receivers.clone(),
        escalates_at: view.escalates_at.map(Timestamp::seconds),
    }
}

fn group(view: &GroupView) -> ShownGroup {
    ShownGroup {
        key: view.key.clone(),
        labels: view.labels.clone(),
        members: view.members.iter().map(|member| number(*member)).collect(),
        channels: view.channels.iter().map(|(name, _)| name.clone()).collect(),
    }
}

fn silence(view: &SilenceView) -> ShownSilence {
    let one = &view.silence;
    ShownSilence {
        id: one.id.clone(),
        state: view.state.word().to_owned(),
        matchers: one.matchers.texts(),
        starts_at: one.starts_at.seconds(),
        ends_at: one.ends_at.seconds(),
        updated_at: one.updated_at.seconds(),
        author: one.author.clone(),
        comment: one.comment.clone(),
        takes: view.takes,
    }
}

fn event(entry: &HistoryEntry) -> ShownEvent {
    ShownEvent {
        at: seconds(entry.at_ms),
        event: word(&entry.event),
        fingerprint: entry.fingerprint.map(number),
        subject: entry.subject.clone(),
        detail: entry.detail.clone(),
    }
}

pub(super) fn delivery(one: &Delivery) -> ShownDelivery {
    ShownDelivery {
        channel: one.channel.clone(),
        group: one.group.clone(),
        reason: word(&one.reason),
        state: word(&one.state),
        attempts: one.attempts,
        accepted_at: seconds(one.accepted_ms),
        at: seconds(one.at_ms),
        answer: one.answer.clone(),
        instead_of: one.instead_of.clone(),
    }
}

fn channel(name: String, kind: &str, backlog: &[Backlog]) -> ShownChannel {
    let behind = backlog.iter().find(|one| one.channel == name);
    ShownChannel {
        kind: kind.to_owned(),
        waiting: behind.map_or(0, |one| one.waiting),
        failing: behind.is_some_and(|one| one.failing_since_ms.is_some()),
        name,
    }
}

/// The word of one of a few states, as their own JSON has it.
fn word<T: serde::Serialize>(state: &T) -> String {
    serde_json::to_value(state).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
