//! The tree of routes: made flat, with what each takes from those around it, and walked for an alert.

use squirrel_model::{Labels, is_label_name};

use super::Plan;
use super::check::{Check, MAX_ENTRIES};
use crate::Matchers;
use crate::calendar::Span;
use crate::settings::{Grouping, Route};

/// How deep routes lie in routes.
const MAX_DEPTH: usize = 16;
/// Most alerts that may be asked for in one message.
const MAX_ALERTS_IN_MESSAGE: usize = 1_000;
/// Alertmanager's word for "group by every label".
const EVERY_LABEL: &str = "...";

/// By which labels a route groups.
#[derive(Clone, Debug)]
enum GroupBy {
    All,
    Labels(Vec<String>),
}

/// A route with everything it takes from those around it.
#[derive(Clone, Debug)]
pub(crate) struct PlannedRoute {
    matchers: Matchers,
    go_on: bool,
    children: Vec<usize>,
    group_by: GroupBy,
    /// Its place in the tree, as Alertmanager writes it in the keys of groups.
    pub(crate) key: String,
    pub(crate) channels: Vec<String>,
    pub(crate) wait_ms: i64,
    pub(crate) interval_ms: i64,
    pub(crate) repeat_ms: i64,
}

impl PlannedRoute {
    /// The labels that make an alert's group.
    pub(crate) fn group_labels(&self, labels: &Labels) -> Labels {
        match &self.group_by {
            GroupBy::All => labels.clone(),
            GroupBy::Labels(names) => labels.filter(|name| names.iter().any(|one| one == name)),
        }
    }

    /// The keys of the groups that an alert may be in: its own, and the one for what comes when there are too many.
    pub(crate) fn group_keys(&self, labels: &Labels) -> [String; 2] {
        [self.group_labels(labels), Labels::empty()].map(|labels| self.group_key(&labels))
    }

    /// The key of the group with these labels.
    pub(crate) fn group_key(&self, labels: &Labels) -> String {
        let labels = if labels.is_empty() { "{}".to_owned() } else { labels.to_string() };
        format!("{}:{labels}", self.key)
    }
}

impl Plan {
    /// Which routes take an alert, as Alertmanager walks its tree.
    pub(crate) fn routes_of(&self, labels: &Labels) -> Vec<usize> {
        let mut out = Vec::new();
        self.walk(0, labels, &mut out);
        out
    }

    fn walk(&self, place: usize, labels: &Labels, out: &mut Vec<usize>) -> bool {
        let Some(route) = self.routes.get(place).filter(|route| route.matchers.matches(labels)) else { return false };
        let before = out.len();
        for child in &route.children {
            let taken = self.walk(*child, labels, out);
            if taken && self.routes.get(*child).is_none_or(|child| !child.go_on) {
                break;
            }
        }
        if out.len() == before {
            out.push(place);
        }
        true
    }
}

impl Check<'_> {
    pub(super) fn grouping(&mut self, grouping: &Grouping) {
        self.group_by("[grouping]", "by", &grouping.by);
        self.intervals("[grouping]", grouping.interval.0, grouping.repeat.0, ["interval", "repeat"]);
        if !(1..=MAX_ALERTS_IN_MESSAGE).contains(&grouping.max_alerts) {
            self.fault(
                "[grouping]",
                &format!("max_alerts is 1 to {MAX_ALERTS_IN_MESSAGE}, not {}", grouping.max_alerts),
            );
        }
    }

    fn intervals(&mut self, place: &str, interval: i64, repeat: i64, names: [&str; 2]) {
        let [interval_name, repeat_name] = names;
        if interval < 1_000 {
            self.fault(
                place,
                &format!("{interval_name} is at least 1s, so that a group that changes all the time is no flood"),
            );
        }
        if repeat < 60_000 {
            self.fault(place, &format!("{repeat_name} is at least 1m, so that nobody is told the same all the time"));
        }
    }

    fn group_by(&mut self, place: &str, key: &str, names: &[String]) -> GroupBy {
        if names == [EVERY_LABEL] {
            return GroupBy::All;
        }
        for name in names.iter().filter(|name| !is_label_name(name)) {
            let text = format!("{key}: {name:?} is no label's name; [\"{EVERY_LABEL}\"] alone groups by all labels");
            self.fault(place, &text);
        }
        GroupBy::Labels(names.to_vec())
    }

    /// The routes as a list, of which the first is around all others.
    pub(super) fn routes(&mut self, grouping: &Grouping, routes: &[Route]) -> Vec<PlannedRoute> {
        let root = PlannedRoute {
            matchers: Matchers::default(),
            go_on: false,
            children: Vec::new(),
            group_by: if grouping.by == [EVERY_LABEL] { GroupBy::All } else { GroupBy::Labels(grouping.by.clone()) },
            key: "{}".to_owned(),
            channels: self.channels.to_vec(),
            wait_ms: grouping.wait.0,
            interval_ms: grouping.interval.0,
            repeat_ms: grouping.repeat.0,
        };
        let mut out = vec![root];
        self.below(0, "[[route]]", routes, 1, &mut out);
        out
    }

    fn below(&mut self, parent: usize, place: &str, routes: &[Route], depth: usize, out: &mut Vec<PlannedRoute>) {
        if depth > MAX_DEPTH && !routes.is_empty() {
            self.fault(place, &format!("routes lie more than {MAX_DEPTH} deep"));
            return;
        }
        for (number, route) in routes.iter().enumerate() {
            if out.len() > MAX_ENTRIES {
                self.fault(place, &format!("more than {MAX_ENTRIES} routes"));
                return;
            }
            let place = format!("{place} number {}", number + 1);
            let Some(around) = out.get(parent).cloned() else { return };
            let planned = self.route(&place, route, &around, out);
            let own = out.len();
            out.push(planned);
            if let Some(parent) = out.get_mut(parent) {
                parent.children.push(own);
            }
            self.below(own, &format!("{place} [[route]]"), &route.routes, depth + 1, out);
        }
    }

    fn route(&mut self, place: &str, route: &Route, around: &PlannedRoute, others: &[PlannedRoute]) -> PlannedRoute {
        self.known(place, route.channels.as_deref().unwrap_or_default());
        let group_by = match &route.group_by {
            Some(names) => self.group_by(place, "group_by", names),
            None => around.group_by.clone(),
        };
        let own = |written: Option<Span>, otherwise: i64| written.map_or(otherwise, |span| span.0);
        let interval_ms = own(route.group_interval, around.interval_ms);
        let repeat_ms = own(route.repeat_interval, around.repeat_ms);
        self.intervals(place, interval_ms, repeat_ms, ["group_interval", "repeat_interval"]);
        let mut key = format!("{}/{{{}}}", around.key, route.matchers.joined());
        // Two routes with the same conditions are still two.
        let same = others.iter().filter(|other| other.key == key || other.key.starts_with(&format!("{key}#"))).count();
        if same > 0 {
            key = format!("{key}#{}", same + 1);
        }
        PlannedRoute {
            matchers: route.matchers.clone(),
            go_on: route.go_on,
            children: Vec::new(),
            group_by,
            key,
            channels: route.channels.clone().unwrap_or_else(|| around.channels.clone()),
            wait_ms: own(route.group_wait, around.wait_ms),
            interval_ms,
            repeat_ms,
        }
    }
}
