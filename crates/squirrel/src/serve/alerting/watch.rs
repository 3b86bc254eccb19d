//! What the verdict is told of rules: what fires, what is wrong with files, and rules that are not evaluated.

use std::sync::Arc;

use squirrel_alert::{AlertState, Health};
use squirrel_api::Level;
use squirrel_model::{Timestamp, duration_text};
use squirrel_notify::severity_rank;
use squirrel_server::Watch;

use super::shown::{GroupView, RuleView};

/// Beside three intervals, how late a group may be before it is said.
const GRACE_MS: i64 = 5_000;
/// Most characters of what went wrong with a rule, in a sentence.
const MOST_WORDS: usize = 300;

/// Adds what the groups show at this moment.
pub(super) fn look(views: &[Arc<GroupView>], now: Timestamp, watch: &mut Watch) {
    for rule in views.iter().flat_map(|view| &view.rules) {
        for alert in rule.active().filter(|alert| alert.state == AlertState::Firing) {
            watch.firing += 1;
            watch.worst = watch.worst.max(level(severity_rank(&alert.labels)));
            if watch.names.len() < Watch::NAMES && !watch.names.contains(&rule.text.name) {
                watch.names.push(rule.text.name.clone());
            }
        }
    }
    watch.not_evaluated.extend(failing(views));
    watch.not_evaluated.extend(late(views, now));
}

/// What an alert of this rank means for the verdict; information means nothing.
fn level(rank: u8) -> Option<Level> {
    match rank {
        0 | 1 => None,
        2 => Some(Level::Warning),
        _ => Some(Level::Bad),
    }
}

/// Rules that fail: whatever happens, they tell nobody.
fn failing(views: &[Arc<GroupView>]) -> Option<String> {
    fn reason(rule: &RuleView) -> Option<&str> {
        match &rule.health {
            Health::Bad(reason) => Some(reason),
            _ => None,
        }
    }
    let mut bad = views.iter().flat_map(|view| &view.rules).filter_map(|rule| Some((rule, reason(rule)?)));
    let (first, why) = bad.next()?;
    let why: String = why.chars().take(MOST_WORDS).collect();
    let name = &first.text.name;
    Some(match bad.count() {
        0 => format!("rule {name} fails: {why}"),
        more => format!("{} rules fail, such as {name}: {why}", more + 1),
    })
}

/// Groups whose turn does not come.
fn late(views: &[Arc<GroupView>], now: Timestamp) -> Option<String> {
    let waits = |view: &GroupView| now.millis().saturating_sub(view.seen.millis());
    let late = |view: &&Arc<GroupView>| waits(view) > view.interval_ms.saturating_mul(3).saturating_add(GRACE_MS);
    let all: Vec<_> = views.iter().filter(late).collect();
    let worst = all.iter().max_by_key(|view| waits(view))?;
    let (name, file) = (&worst.name, &worst.file);
    let (seconds, interval) = (waits(worst) / 1000 * 1000, duration_text(worst.interval_ms));
    let waited = duration_text(seconds);
    Some(match all.len() {
        1 => format!("group {name} of {file} was not evaluated for {waited}, though its interval is {interval}"),
        many => format!("{many} groups are late; {name} of {file} was not evaluated for {waited}"),
    })
}

#[cfg(test)]
mod tests {
    use squirrel_alert::{Group, RuleFile, Surroundings};
    use squirrel_model::{Elapsed, Labels};
    use squirrel_promql::EvalOptions;
    use squirrel_testkit::MemorySelect;

    use super::super::shown::RuleText;
    use super::*;

    const RULES: &str =
        "groups: [{name: g, interval: 10s, rules: [{alert: A, expr: up + on() up}, {record: r, expr: up}]}]";

    /// A group as it looks after an evaluation at 100 s.
    fn view() -> Arc<GroupView> {
        let spec = RuleFile::parse("f.yml", RULES).expect("good rules").groups.remove(0);
        let texts: Vec<_> = spec.rules.iter().map(|rule| Arc::new(RuleText::of(rule))).collect();
        let mut group = Group::new("f.yml", spec);
        let up = |host| Labels::new([("__name__", "up"), ("instance", host)]).expect("labels");
        let store = MemorySelect::at(100_000, [(up("a"), 1.0), (up("b"), 1.0)]);
        let around = Surroundings {
            external_labels: &Labels::empty(),
            external_url: "",
            options: &EvalOptions::default(),
            query_offset_ms: 0,
            stop: &|| false,
            elapsed: &Elapsed::default,
        };
        group.evaluate(&store, Timestamp(100_000), &around);
        Arc::new(GroupView::of(&group, &texts, 10_000, Timestamp(0)))
    }

    #[test]
    fn a_rule_that_fails_and_a_group_whose_turn_does_not_come_are_told() {
        let told = |at| {
            let mut watch = Watch::default();
            look(&[view()], Timestamp(at), &mut watch);
            watch.not_evaluated
        };
        let soon = told(130_000);
        assert_eq!(soon.len(), 1, "three intervals are none too many: {soon:?}");
        assert!(soon[0].starts_with("rule A fails: ") && soon[0].contains("many"), "{soon:?}");
        let late = told(145_000);
        assert_eq!(late[1], "group g of f.yml was not evaluated for 45s, though its interval is 10s");
    }
}
