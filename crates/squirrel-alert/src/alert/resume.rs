//! Alerts that fired when the program ended.

use std::collections::BTreeMap;

use squirrel_model::{Labels, Matcher, NAME_LABEL, Samples, Select, SelectError, TimeRange, Timestamp, is_stale};

use super::{ALERT_NAME, Alert, AlertState, Alerts, OUTAGE_MS};
use crate::Rule;

/// The label with how far an alert has come.
const STATE: &str = "alertstate";

impl Alerts {
    /// Lets alerts that fired when the program ended fire on. One whose condition did not hold at the first
    /// evaluation after the start is over, so that whoever was told of it is told that too.
    pub(crate) fn resume(
        &mut self,
        rule: &Rule,
        keep_ms: i64,
        store: &dyn Select,
        at: Timestamp,
    ) -> Result<(), SelectError> {
        let range = TimeRange::new(at.plus_ms(-OUTAGE_MS), at);
        let named = |name: &str| [Matcher::equal(NAME_LABEL, name), Matcher::equal(ALERT_NAME, &*rule.name)];
        let mut fired = BTreeMap::new();
        let mut samples = Samples::default();
        let [name, alert] = named("ALERTS");
        for series in store.find(&[name, alert, Matcher::equal(STATE, AlertState::Firing.word())], range)? {
            store.read(&series, range, &mut samples)?;
            let ends = samples.values.iter().rposition(|value| is_stale(*value)).map_or(0, |at| at + 1);
            if let Some(since) = samples.times.get(ends)
                && let labels = series.labels.filter(|name| name != NAME_LABEL && name != STATE)
                && is_of(rule, &labels)
            {
                fired.insert(labels, Timestamp(*since));
            }
        }
        if fired.is_empty() {
            return Ok(());
        }
        let mut since_when: BTreeMap<Labels, Timestamp> = BTreeMap::new();
        for series in store.find(&named("ALERTS_FOR_STATE"), range)? {
            store.read(&series, range, &mut samples)?;
            if let Some(seconds) = samples.values.last().filter(|value| !is_stale(**value)) {
                since_when.insert(series.labels.without_name(), Timestamp::from_seconds(*seconds));
            }
        }
        for (labels, fired_at) in fired {
            let active_at = since_when.get(&labels).copied().unwrap_or(fired_at);
            let alert = self.0.entry(labels).or_insert_with_key(|labels| Alert {
                state: if keep_ms > 0 { AlertState::Firing } else { AlertState::Inactive },
                resolved_at: (keep_ms <= 0).then_some(at),
                kept_since: (keep_ms > 0).then_some(at),
                ..Alert::new(labels.clone(), BTreeMap::new(), f64::NAN, active_at)
            });
            if alert.state == AlertState::Pending {
                alert.state = AlertState::Firing;
            }
            (alert.active_at, alert.fired_at) = (active_at, Some(fired_at));
        }
        Ok(())
    }
}

/// Whether an alert can be one of this rule, where several rules share a name: labels that are no templates say it.
fn is_of(rule: &Rule, labels: &Labels) -> bool {
    let plain = rule.labels.iter().filter(|(_, value)| !value.text().contains("{{"));
    plain.into_iter().all(|(name, value)| labels.get(name).unwrap_or_default() == value.text())
}
