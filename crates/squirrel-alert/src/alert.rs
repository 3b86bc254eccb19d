//! The alerts of one rule: from pending to firing to over.

mod resume;

use std::collections::BTreeMap;

use squirrel_model::{Labels, Matcher, NAME_LABEL, Samples, Select, SelectError, TimeRange, Timestamp, is_stale};

use crate::NewSample;

/// The label with the alert's name.
pub(crate) const ALERT_NAME: &str = "alertname";
/// How long an alert that is over is kept, so that everybody can be told: Prometheus' quarter hour.
const KEPT_MS: i64 = 15 * 60_000;
/// How long the program may have been away for waiting times to go on.
const OUTAGE_MS: i64 = 60 * 60_000;
/// How long an alert waits at least after a restart before it fires (Prometheus' `for` grace period).
const GRACE_MS: i64 = 10 * 60_000;

/// How far an alert has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertState {
    /// The condition does not hold (any more).
    Inactive,
    /// It holds, but not as long as the rule asks for.
    Pending,
    /// Somebody should know.
    Firing,
}

impl AlertState {
    /// As the API and the label `alertstate` write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// One alert: a rule's condition that holds for one set of labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The labels that make it this alert, `alertname` among them.
    pub labels: Labels,
    /// Texts for people, filled in.
    pub annotations: BTreeMap<String, String>,
    /// How far it has come.
    pub state: AlertState,
    /// The last value of the expression.
    pub value: f64,
    /// Since when the condition holds.
    pub active_at: Timestamp,
    /// Since when it fires.
    pub fired_at: Option<Timestamp>,
    /// Since when it is over.
    pub resolved_at: Option<Timestamp>,
    /// Since when it fires only because the rule keeps it firing.
    pub kept_since: Option<Timestamp>,
}

impl Alert {
    pub(crate) fn new(labels: Labels, annotations: BTreeMap<String, String>, value: f64, at: Timestamp) -> Self {
        Self {
            labels,
            annotations,
            state: AlertState::Pending,
            value,
            active_at: at,
            fired_at: None,
            resolved_at: None,
            kept_since: None,
        }
    }
}

/// The alerts of a rule by their labels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alerts(BTreeMap<Labels, Alert>);

impl Alerts {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Alert> {
        self.0.values()
    }

    /// Takes what the condition found at `at`, and moves every alert on.
    pub(crate) fn step(
        &mut self,
        mut found: BTreeMap<Labels, Alert>,
        at: Timestamp,
        for_ms: i64,
        keep_ms: i64,
        limit: Option<u64>,
    ) -> Result<(), String> {
        let mut active = 0u64;
        self.0.retain(|labels, alert| {
            let holds = match found.remove(labels) {
                // One that was over begins anew.
                Some(fresh) if alert.state == AlertState::Inactive => {
                    *alert = fresh;
                    true
                }
                Some(fresh) => {
                    alert.value = fresh.value;
                    alert.annotations = fresh.annotations;
                    alert.kept_since = None;
                    true
                }
                None => alert.state == AlertState::Firing && kept(alert, at, keep_ms),
            };
            if holds {
                active += 1;
                fire_if_due(alert, at, for_ms);
                return true;
            }
            let forgotten = match alert.resolved_at {
                _ if alert.state == AlertState::Pending => true,
                Some(since) => at.millis().saturating_sub(since.millis()) > KEPT_MS,
                None => false,
            };
            if alert.state == AlertState::Firing {
                alert.state = AlertState::Inactive;
                alert.resolved_at = Some(at);
            }
            !forgotten
        });
        for (labels, mut alert) in found {
            active += 1;
            fire_if_due(&mut alert, at, for_ms);
            self.0.insert(labels, alert);
        }
        match limit {
            Some(limit) if active > limit => {
                self.0.clear();
                Err(format!("{active} alerts are more than the limit of {limit}: none is kept"))
            }
            _ => Ok(()),
        }
    }

    /// `ALERTS` and `ALERTS_FOR_STATE` of the alerts that are pending or firing.
    pub(crate) fn samples(&self, time: Timestamp) -> Vec<NewSample> {
        let active = self.0.values().filter(|alert| alert.state != AlertState::Inactive);
        active
            .flat_map(|alert| {
                let named = |name: &str, state: Option<&str>| {
                    let mut builder = alert.labels.to_builder();
                    builder.set(NAME_LABEL, name);
                    if let Some(state) = state {
                        builder.set("alertstate", state);
                    }
                    // Names are fixed and values were taken before: this builds.
                    builder.build().unwrap_or_default()
                };
                let since = alert.active_at.millis().div_euclid(1000) as f64;
                [
                    NewSample { labels: named("ALERTS", Some(alert.state.word())), time, value: 1.0 },
                    NewSample { labels: named("ALERTS_FOR_STATE", None), time, value: since },
                ]
            })
            .collect()
    }

    /// Lets waiting go on where it stood when the program ended: the time in between does not count, and
    /// nothing fires sooner than the grace period after the start.
    pub(crate) fn restore(
        &mut self,
        name: &str,
        for_ms: i64,
        store: &dyn Select,
        at: Timestamp,
    ) -> Result<(), SelectError> {
        // A short wait simply begins anew.
        if for_ms < GRACE_MS || self.0.is_empty() {
            return Ok(());
        }
        let matchers = [Matcher::equal(NAME_LABEL, "ALERTS_FOR_STATE"), Matcher::equal(ALERT_NAME, name)];
        let range = TimeRange::new(at.plus_ms(-OUTAGE_MS), at);
        let mut samples = Samples::default();
        for series in store.find(&matchers, range)? {
            let Some(alert) = self.0.get_mut(&series.labels.without_name()) else { continue };
            store.read(&series, range, &mut samples)?;
            let (Some(down_ms), Some(value)) = (samples.times.last(), samples.values.last()) else { continue };
            if is_stale(*value) {
                continue;
            }
            let was_active = Timestamp((*value as i64).saturating_mul(1000));
            let remaining = for_ms.saturating_sub(down_ms.saturating_sub(was_active.millis()));
            alert.active_at = if remaining <= 0 {
                was_active
            } else if remaining < GRACE_MS {
                at.plus_ms(GRACE_MS - for_ms)
            } else {
                was_active.plus_ms(at.millis().saturating_sub(*down_ms))
            };
        }
        Ok(())
    }
}

fn fire_if_due(alert: &mut Alert, at: Timestamp, for_ms: i64) {
    if alert.state == AlertState::Pending && at.millis().saturating_sub(alert.active_at.millis()) >= for_ms {
        alert.state = AlertState::Firing;
        alert.fired_at = Some(at);
    }
}

/// Whether a firing alert whose condition holds no more is kept firing.
fn kept(alert: &mut Alert, at: Timestamp, keep_ms: i64) -> bool {
    if keep_ms <= 0 {
        return false;
    }
    let since = *alert.kept_since.get_or_insert(at);
    at.millis().saturating_sub(since.millis()) < keep_ms
}
