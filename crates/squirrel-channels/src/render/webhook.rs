//! Alertmanager's version 4 body, key by key, so that receivers made for it work unchanged.
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>

use jiff::Timestamp;
use serde_json::{Value, json};
use squirrel_notify::{Notification, NotifiedAlert};

/// Go's zero time, by which Alertmanager says that an alert has not ended.
const NOT_ENDED: &str = "0001-01-01T00:00:00Z";

/// A moment by RFC 3339.
pub(crate) fn rfc3339(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| NOT_ENDED.to_owned(), |at| at.to_string())
}

/// The whole body.
pub(crate) fn webhook_value(notification: &Notification) -> Value {
    json!({
        "version": "4",
        "groupKey": notification.group_key,
        "truncatedAlerts": notification.more,
        "status": status(notification.alerts.iter().any(|alert| alert.firing)),
        "receiver": notification.channel,
        "groupLabels": notification.group_labels,
        "commonLabels": notification.common_labels,
        "commonAnnotations": notification.common_annotations,
        "externalURL": notification.external_url,
        "alerts": notification.alerts.iter().map(alert_value).collect::<Vec<_>>(),
    })
}

/// One alert of it.
pub(crate) fn alert_value(alert: &NotifiedAlert) -> Value {
    let end = alert.ends_at_ms.filter(|_| !alert.firing).map_or_else(|| NOT_ENDED.to_owned(), rfc3339);
    json!({
        "status": status(alert.firing),
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": rfc3339(alert.starts_at_ms),
        "endsAt": end,
        "generatorURL": alert.generator_url,
        "fingerprint": format!("{:016x}", alert.fingerprint),
    })
}

fn status(is_firing: bool) -> &'static str {
    if is_firing { "firing" } else { "resolved" }
}
