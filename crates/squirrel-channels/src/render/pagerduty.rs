//! PagerDuty's Events API v2: one incident for each group. <https://developer.pagerduty.com/docs/events-api-v2/overview/>

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use squirrel_notify::{Notification, Reason};

use super::escape::{as_it_is, characters, escaped_within};
use super::facts::Severity;
use super::rfc3339;
use super::words::Words;

/// Longest summary, in characters.
const SUMMARY: usize = 1024;
/// Alerts whose words are sent along.
const DETAILS: usize = 20;

/// The event: `trigger` while something fires, `acknowledge` when somebody took care of all that fires, `resolve` when
/// all is over.
pub(crate) fn pagerduty_body(notification: &Notification, words: &Words, routing_key: &str) -> Value {
    let mut firing = notification.alerts.iter().filter(|alert| alert.firing).peekable();
    let action = if firing.peek().is_none() && notification.reason != Reason::Test {
        "resolve"
    } else if notification.more == 0 && firing.all(|alert| alert.acknowledged_by.is_some()) {
        if notification.reason == Reason::Test { "trigger" } else { "acknowledge" }
    } else {
        "trigger"
    };
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": dedup_key(notification),
    });
    if action != "trigger" {
        return event;
    }
    let severity = match words.severity {
        Severity::Good | Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    };
    let label = |name: &str| notification.common_labels.get(name).map(|text| super::escape::one_line(text, 255));
    let starts = notification.alerts.iter().filter(|alert| alert.firing).map(|alert| alert.starts_at_ms).min();
    let details: Vec<String> = words.alerts.iter().take(DETAILS).map(super::words::AlertWords::plain).collect();
    event["payload"] = json!({
        "summary": escaped_within(&words.title, SUMMARY, characters, as_it_is),
        "source": label("instance").or_else(|| label("host")).unwrap_or_else(|| "squirrel".to_owned()),
        "severity": severity,
        "timestamp": rfc3339(starts.unwrap_or(notification.at_ms)),
        "component": label("device").or_else(|| label("job")),
        "group": super::words::group_name(notification),
        "class": label("alertname"),
        "custom_details": {
            "text": words.custom.as_ref().map(|_| words.plain()),
            "notes": words.notes,
            "alerts": details,
            "more": words.more,
        },
    });
    event["client"] = "Squirrel".into();
    if let Some(url) = &words.url {
        event["client_url"] = url.as_str().into();
    }
    event
}

/// What makes events one incident: the group's key, which may be too long itself.
fn dedup_key(notification: &Notification) -> String {
    super::hex(digest(&SHA256, notification.group_key.as_bytes()).as_ref())
}
