//! The body of Alertmanager's `POST /api/v2/alerts`.
//! <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>

use std::time::Duration;

use serde_json::{Value, json};
use squirrel_model::Timestamp;
use squirrel_notify::{Notification, NotifiedAlert};

use super::rfc3339;

/// How many times an alert may fail to be told again before it ends by itself there: as Prometheus does it.
const MISSED: u64 = 4;

/// All alerts of a message. What fires is told to end a few resends from now, so that alerts of a Squirrel that is gone
/// end by themselves.
pub(crate) fn alertmanager_body(notification: &Notification, resend: Duration, at: Timestamp) -> Value {
    let ahead = i64::try_from(resend.as_millis() as u64 * MISSED).unwrap_or(i64::MAX);
    let alerts = notification.alerts.iter().map(|alert| one(alert, rfc3339(at.0.saturating_add(ahead)), at));
    Value::Array(alerts.collect())
}

fn one(alert: &NotifiedAlert, until: String, at: Timestamp) -> Value {
    let end = if alert.firing { until } else { rfc3339(alert.ends_at_ms.unwrap_or(at.0)) };
    // A label without a value is no label there, and makes the whole request invalid.
    let labels: serde_json::Map<String, Value> = alert
        .labels
        .iter()
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect();
    json!({
        "labels": labels,
        "annotations": alert.annotations,
        "startsAt": rfc3339(alert.starts_at_ms),
        "endsAt": end,
        "generatorURL": alert.generator_url,
    })
}
