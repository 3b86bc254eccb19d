//! What others see of a group: its state after the last evaluation, taken apart from the group that goes on.

use std::sync::Arc;
use std::time::Duration;

use squirrel_alert::{Alert, AlertState, Group, Health, Rule, RuleStatus};
use squirrel_api::rules::{AlertingRule, RecordingRule, RuleAlert, RuleGroup, Texts, exponential, moment};
use squirrel_model::Timestamp;

/// What does not change from evaluation to evaluation.
#[derive(Debug)]
pub(crate) struct RuleText {
    pub(crate) name: String,
    pub(crate) query: String,
    labels: Texts,
    /// Seconds of `for` and `keep_firing_for`, and the annotations; none for a recording rule.
    alert: Option<(f64, f64, Texts)>,
}

impl RuleText {
    pub(crate) fn of(rule: &Rule) -> Self {
        let texts = |from: &std::collections::BTreeMap<String, squirrel_alert::Template>| -> Texts {
            from.iter().map(|(name, value)| (name.clone(), value.text().to_owned())).collect()
        };
        let seconds = |ms: i64| ms as f64 / 1000.0;
        Self {
            name: rule.name.clone(),
            query: rule.expr.to_string(),
            labels: texts(&rule.labels),
            alert: rule
                .alert
                .as_ref()
                .map(|parts| (seconds(parts.for_ms), seconds(parts.keep_firing_for_ms), texts(&parts.annotations))),
        }
    }
}

/// A rule after an evaluation.
#[derive(Debug)]
pub(crate) struct RuleView {
    pub(crate) text: Arc<RuleText>,
    state: AlertState,
    pub(super) health: Health,
    took: Duration,
    last_evaluation: Option<Timestamp>,
    /// With those that ended within the last quarter of an hour.
    pub(crate) alerts: Vec<Alert>,
}

/// A group after an evaluation.
#[derive(Debug)]
pub(crate) struct GroupView {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(super) interval_ms: i64,
    limit: u64,
    took: Duration,
    last_evaluation: Option<Timestamp>,
    /// When it was evaluated last, or else came to be.
    pub(super) seen: Timestamp,
    pub(crate) rules: Vec<RuleView>,
}

impl GroupView {
    pub(crate) fn of(group: &Group, texts: &[Arc<RuleText>], interval_ms: i64, since: Timestamp) -> Self {
        let rule = |(status, text): (&RuleStatus, &Arc<RuleText>)| RuleView {
            text: Arc::clone(text),
            state: status.state(),
            health: status.health.clone(),
            took: status.took,
            last_evaluation: status.last_evaluation,
            alerts: status.alerts().cloned().collect(),
        };
        Self {
            file: group.file.clone(),
            name: group.name.clone(),
            interval_ms,
            limit: group.limit.unwrap_or(0),
            took: group.took,
            last_evaluation: group.last_evaluation,
            seen: group.last_evaluation.map_or(since, |last| last.max(since)),
            rules: group.rules().iter().zip(texts).map(rule).collect(),
        }
    }

    /// As Prometheus' API shows it.
    pub(crate) fn twin(&self) -> RuleGroup {
        RuleGroup {
            name: self.name.clone(),
            file: self.file.clone(),
            rules: self.rules.iter().map(RuleView::twin).collect(),
            interval: self.interval_ms as f64 / 1000.0,
            limit: self.limit,
            evaluation_time: self.took.as_secs_f64(),
            last_evaluation: moment(self.last_evaluation),
        }
    }
}

impl RuleView {
    /// Alerts that are pending or firing.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter().filter(|alert| alert.state != AlertState::Inactive)
    }

    fn twin(&self) -> squirrel_api::rules::Rule {
        use squirrel_api::rules::Rule as Twin;
        let (health, last_error) = match &self.health {
            Health::Unknown => ("unknown", ""),
            Health::Ok => ("ok", ""),
            Health::Bad(reason) => ("err", &**reason),
        };
        let (health, last_error) = (health.to_owned(), last_error.to_owned());
        let (evaluation_time, last_evaluation) = (self.took.as_secs_f64(), moment(self.last_evaluation));
        let text = &self.text;
        let (name, query, labels) = (text.name.clone(), text.query.clone(), text.labels.clone());
        match &text.alert {
            None => Twin::Recording(RecordingRule {
                name,
                query,
                labels,
                health,
                last_error,
                evaluation_time,
                last_evaluation,
            }),
            Some((duration, keep_firing_for, annotations)) => Twin::Alerting(AlertingRule {
                state: if self.last_evaluation.is_none() { "unknown" } else { self.state.word() }.to_owned(),
                name,
                query,
                duration: *duration,
                keep_firing_for: *keep_firing_for,
                labels,
                annotations: annotations.clone(),
                alerts: self.active().map(alert).collect(),
                health,
                last_error,
                evaluation_time,
                last_evaluation,
            }),
        }
    }
}

/// An alert as Prometheus' API shows it.
fn alert(alert: &Alert) -> RuleAlert {
    RuleAlert {
        labels: alert.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        annotations: alert.annotations.clone(),
        state: alert.state.word().to_owned(),
        active_at: moment(Some(alert.active_at)),
        keep_firing_since: alert.kept_since.map(|at| moment(Some(at))),
        value: exponential(alert.value),
    }
}
