//! What templates of a channel see: the names of Alertmanager's templates.

use std::collections::BTreeMap;

use squirrel_alert::TemplateTree;
use squirrel_notify::{Notification, NotifiedAlert, Reason, Texts};

use super::rfc3339;
use super::words::group_name;

/// Which fields a template has, as the manual prints them.
pub fn template_help() -> &'static str {
    "Templates are those of rule files, with all their functions but for queries, and see what Alertmanager's see:\n\
     .Status (firing or resolved), .Reason, .Receiver, .GroupKey, .GroupName, .ExternalURL, .TruncatedAlerts,\n\
     .GroupLabels, .CommonLabels, .CommonAnnotations (such as .CommonLabels.severity; .SortedPairs, .Names, .Values),\n\
     .Alerts, .Alerts.Firing, .Alerts.Resolved, and of each alert .Status, .Labels, .Annotations, .StartsAt, .EndsAt,\n\
     .GeneratorURL, .Fingerprint, .Value, .Threshold, .AcknowledgedBy, .Expr."
}

/// A message as a template walks through it.
pub(crate) fn tree(notification: &Notification) -> TemplateTree {
    let text = |text: &str| TemplateTree::Text(text.to_owned());
    let fields = [
        ("Status", text(if notification.reason == Reason::Resolved { "resolved" } else { "firing" })),
        ("Reason", text(&format!("{:?}", notification.reason).to_lowercase())),
        ("Receiver", text(&notification.channel)),
        ("GroupKey", text(&notification.group_key)),
        ("GroupName", TemplateTree::Text(group_name(notification))),
        ("GroupLabels", labels(&notification.group_labels)),
        ("CommonLabels", labels(&notification.common_labels)),
        ("CommonAnnotations", labels(&notification.common_annotations)),
        ("ExternalURL", text(&notification.external_url)),
        ("TruncatedAlerts", TemplateTree::Integer(notification.more as i64)),
        ("Alerts", TemplateTree::List(notification.alerts.iter().map(alert).collect())),
    ];
    map(fields)
}

fn alert(alert: &NotifiedAlert) -> TemplateTree {
    let text = |text: &str| TemplateTree::Text(text.to_owned());
    map([
        ("Status", text(if alert.firing { "firing" } else { "resolved" })),
        ("Labels", labels(&alert.labels)),
        ("Annotations", labels(&alert.annotations)),
        ("StartsAt", TemplateTree::Text(rfc3339(alert.starts_at_ms))),
        ("EndsAt", TemplateTree::Text(alert.ends_at_ms.map(rfc3339).unwrap_or_default())),
        ("GeneratorURL", text(&alert.generator_url)),
        ("Fingerprint", TemplateTree::Text(format!("{:016x}", alert.fingerprint))),
        ("Value", TemplateTree::Number(alert.value)),
        ("Threshold", alert.threshold.map_or_else(|| text(""), TemplateTree::Number)),
        ("AcknowledgedBy", text(alert.acknowledged_by.as_deref().unwrap_or_default())),
        ("Expr", text(&alert.expr)),
    ])
}

fn labels(texts: &Texts) -> TemplateTree {
    TemplateTree::Texts(texts.clone())
}

fn map<const N: usize>(fields: [(&str, TemplateTree); N]) -> TemplateTree {
    TemplateTree::Fields(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<BTreeMap<_, _>>())
}
