//! From one group to the one that takes its place: after a reload of the rules, and after a start of the program.

use std::collections::{HashMap, VecDeque};

use squirrel_model::{Select, SelectError, Timestamp, stale_marker};

use super::{Group, NewSample, RuleStatus};
use crate::{Alert, Rule};

/// What makes a rule the same rule in another version of its file: its name and its labels, as Prometheus has it.
type Identity = (String, Vec<(String, String)>);

fn identity(rule: &Rule) -> Identity {
    (rule.name.clone(), rule.labels.iter().map(|(name, value)| (name.clone(), value.text().to_owned())).collect())
}

impl Group {
    /// Takes over what the group had before its file was read again: alerts of rules that are still there go on as if
    /// nothing had happened. The series of rules that are gone end with the next evaluation, and their alerts, as
    /// far as they were pending or firing, are the answer.
    pub fn take_over(&mut self, old: Self) -> Vec<Alert> {
        (self.restored, self.last_evaluation, self.took) = (old.restored, old.last_evaluation, old.took);
        self.ended.extend(old.ended);
        let mut left: HashMap<Identity, VecDeque<RuleStatus>> = HashMap::new();
        for status in old.rules {
            left.entry(identity(&status.rule)).or_default().push_back(status);
        }
        for status in &mut self.rules {
            let Some(old) = left.get_mut(&identity(&status.rule)).and_then(VecDeque::pop_front) else { continue };
            if status.rule.alert.is_some() == old.rule.alert.is_some() {
                let rule = status.rule.clone();
                *status = RuleStatus { rule, ..old };
            } else {
                self.ended.extend(old.returned);
            }
        }
        let mut gone = Vec::new();
        for status in left.into_values().flatten() {
            gone.extend(status.active_alerts().cloned());
            self.ended.extend(status.returned);
        }
        gone
    }

    /// What is to be appended when the group is gone, so that none of its series seems to go on.
    pub fn farewell(&self, time: Timestamp) -> Vec<NewSample> {
        let returned = self.rules.iter().flat_map(|status| &status.returned);
        let ended = self.ended.iter().chain(returned);
        ended.map(|labels| NewSample { labels: labels.clone(), time, value: stale_marker() }).collect()
    }

    /// Gives alerts the past back that they had before the program ended: what was pending has waited already, and
    /// what fired fires on, or is over if its condition does not hold any more. Called once, after the first
    /// evaluation.
    ///
    /// # Errors
    /// A store that cannot be read: the alerts then begin anew.
    pub fn restore(&mut self, store: &dyn Select, at: Timestamp) -> Result<(), SelectError> {
        self.restored = true;
        for status in &mut self.rules {
            if let Some(parts) = &status.rule.alert {
                status.alerts.restore(&status.rule.name, parts.for_ms, store, at)?;
                status.alerts.resume(&status.rule, parts.keep_firing_for_ms, store, at)?;
            }
        }
        Ok(())
    }
}
