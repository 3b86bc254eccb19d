//! A group of rules while the daemon evaluates it, and what is said of it.

use std::sync::Arc;

use squirrel_alert::{Compared, Group, Health, Rule, RuleFile};
use squirrel_model::{Timestamp, Untrusted};
use squirrel_notify::RuleFacts;

use super::metrics::GroupFigures;
use super::schedule::Slot;
use super::shown::{GroupView, RuleText};

/// Failures that one evaluation may write into the log; the API has them all.
const LOGGED: usize = 5;

/// A group that is evaluated.
pub(super) struct Running {
    pub(super) group: Group,
    /// The file's version that it is of.
    pub(super) source: Arc<RuleFile>,
    pub(super) slot: Slot,
    pub(super) texts: Vec<Arc<RuleText>>,
    pub(super) facts: Vec<Arc<RuleFacts>>,
    pub(super) figures: GroupFigures,
    /// Since when it is as it is.
    pub(super) since: Timestamp,
    /// Evaluated for the first time after the start of the program: what was before must be taken up.
    pub(super) fresh: bool,
}

/// What whoever is told of a rule's alerts wants to know of the rule.
pub(super) fn facts(rule: &Rule, source: &str, interval_ms: i64) -> Arc<RuleFacts> {
    Arc::new(RuleFacts {
        expr: rule.expr.to_string(),
        threshold: Compared::of(&rule.expr).map(|compared| compared.limit),
        source: source.to_owned(),
        interval_ms,
    })
}

/// What others see of it.
pub(super) fn view(running: &Running) -> Arc<GroupView> {
    Arc::new(GroupView::of(&running.group, &running.texts, running.slot.interval_ms(), running.since))
}

pub(super) fn is_bad(health: &Health) -> bool {
    matches!(health, Health::Bad(_))
}

/// Writes into the log which rules began to fail, and which do no longer.
pub(super) fn say(group: &Group, was_bad: &[bool]) {
    let mut failed = 0;
    for (status, was_bad) in group.rules().iter().zip(was_bad) {
        let name = Untrusted(&status.rule.name);
        match &status.health {
            Health::Bad(reason) if !was_bad => {
                failed += 1;
                if failed <= LOGGED {
                    tracing::warn!("rule {name} of {} cannot be evaluated: {}", group.name, Untrusted(reason));
                }
            }
            Health::Ok if *was_bad => tracing::info!("rule {name} of {} is evaluated again", group.name),
            _ => {}
        }
    }
    if failed > LOGGED {
        tracing::warn!("and {} more rules of {}: /api/v1/rules has them all", failed - LOGGED, group.name);
    }
}
