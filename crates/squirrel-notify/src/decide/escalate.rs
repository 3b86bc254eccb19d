//! Escalation: what nobody took care of is told to the next persons.

use std::collections::BTreeMap;

use squirrel_model::Timestamp;

use crate::group::Draft;
use crate::notification::texts;
use crate::notifier::Notifier;
use crate::{Notification, Reason};

impl Notifier {
    /// Tells the next persons of alerts that nobody took care of.
    pub(super) fn escalate(&mut self, at: Timestamp, now_ms: i64, wake_ms: &mut i64, out: &mut Vec<Notification>) {
        let mut due: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
        let open = self.records.values().filter(|record| {
            record.is_firing()
                && record.is_free()
                && record.told_ms.is_some()
                && self.acknowledgement_of(record).is_none()
        });
        let open: Vec<u64> = open.map(|record| record.facts.fingerprint).collect();
        for number in open {
            let Some(record) = self.records.get_mut(&number) else { continue };
            let Some(escalation) = self.plan.escalations.iter().find(|one| one.matchers.matches(&record.labels)) else {
                continue;
            };
            let since = record.told_ms.unwrap_or(now_ms);
            // It is told in the thread of its first route.
            let routes =
                self.plan.routes_of(&record.labels).into_iter().filter_map(|place| self.plan.routes.get(place));
            let mut keys = routes.flat_map(|route| route.group_keys(&record.labels));
            let Some(key) = keys.find(|key| self.groups.contains_key(key)) else { continue };
            while let Some(step) = escalation.steps.get(record.steps) {
                let due_ms = since.saturating_add(step.after.0);
                if now_ms < due_ms {
                    *wake_ms = due_ms.min(*wake_ms);
                    break;
                }
                record.steps += 1;
                self.revision += 1;
                for channel in &step.channels {
                    due.entry((key.clone(), channel.clone())).or_default().push(number);
                }
            }
        }
        for ((key, channel), alerts) in due {
            let Some(mut group) = self.groups.remove(&key) else { continue };
            let mut line = group.lines.remove(&channel).unwrap_or_default();
            let draft = Draft { reason: Reason::Escalated, fresh: alerts.clone(), alerts };
            out.push(self.send(at, now_ms, (&key, &texts(&group.labels)), &channel, &mut line, &draft));
            group.lines.insert(channel, line);
            self.groups.insert(key, group);
        }
    }
}
