//! The course of an alert's value, for the picture in a message.

use squirrel_alert::Compared;
use squirrel_model::{Labels, Timestamp};
use squirrel_notify::{Chart, Notification, NotifiedAlert, Reason};
use squirrel_promql::engine::{Moments, Terms};
use squirrel_promql::{Engine, ParseOptions, Query, Value, parse};

/// How far back a picture goes, and the distance of its points.
const SPAN_MS: i64 = 3_600_000;
const STEP_MS: i64 = 30_000;
/// Most lines of one picture.
const LINES: usize = 5;
/// Most pictures of one round: a storm of alerts is told without.
const PICTURES: usize = 16;

/// Adds a picture to each message that begins something, as far as there is time. `engine` is who answers a rule's
/// expression.
pub(super) fn add<'a>(
    messages: &mut [Notification],
    engine: &dyn Fn(&str) -> &'a dyn Engine,
    at: Timestamp,
    terms: &Terms<'_>,
) {
    let wanted = |message: &&mut Notification| {
        message.chart.is_none() && !matches!(message.reason, Reason::Resolved | Reason::Test | Reason::Flapping)
    };
    let mut drawn: Vec<(u64, Option<Chart>)> = Vec::new();
    for message in messages.iter_mut().filter(wanted) {
        let Some(alert) = message.alerts.iter().find(|alert| alert.firing) else { continue };
        // The same group goes to several channels.
        if let Some((_, chart)) = drawn.iter().find(|(number, _)| *number == alert.fingerprint) {
            message.chart.clone_from(chart);
        } else if drawn.len() < PICTURES && !(terms.stop)() {
            let chart = chart(alert, engine(&alert.expr), at, terms);
            drawn.push((alert.fingerprint, chart.clone()));
            message.chart = chart;
        }
    }
}

fn chart(alert: &NotifiedAlert, engine: &dyn Engine, at: Timestamp, terms: &Terms<'_>) -> Option<Chart> {
    let expr = parse(&alert.expr, &ParseOptions::default()).ok()?;
    let value = Compared::of(&expr).map_or(&expr, |compared| compared.value);
    let moments = Moments { start: at.plus_ms(-SPAN_MS), end: at, step_ms: STEP_MS };
    let answer = engine.range(&Query::from(value.clone()), moments, terms).ok()?;
    let Value::Matrix(mut series) = answer.value else { return None };
    // The alert's own line first; the others are there to compare with.
    series.sort_by_key(|(labels, _)| !is_of(labels, alert));
    let lines = series.into_iter().take(LINES).map(|(labels, samples)| {
        let points = samples.times.into_iter().zip(samples.values).collect();
        (name(&labels), points)
    });
    let lines: Vec<_> = lines.collect();
    (!lines.is_empty()).then(|| Chart { title: value.to_string(), lines, threshold: alert.threshold })
}

/// Whether a series has no label that the alert has otherwise.
fn is_of(labels: &Labels, alert: &NotifiedAlert) -> bool {
    labels.without_name().iter().all(|(name, value)| alert.labels.get(name).is_some_and(|own| own == value))
}

/// What tells a line from the others: its labels but for those that all series of this host have.
fn name(labels: &Labels) -> String {
    let own: Vec<String> = labels
        .iter()
        .filter(|(name, _)| !["__name__", "job"].contains(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    own.join(" ")
}
