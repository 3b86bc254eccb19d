//! The settings made ready for use: checked, names resolved, the tree of routes flat.

use jiff::tz::TimeZone;
use squirrel_model::{Labels, TimeRange, Timestamp, is_label_name};

use crate::calendar::{Weekly, moment, zone};
use crate::settings::{Dependency, Escalation, Flapping, Grouping, Inhibit, Maintenance, QuietHours, Route, Settings};
use crate::{Matchers, Texts, severity_of};

/// Most routes, and most entries of each other list.
const MAX_ENTRIES: usize = 500;
/// How deep routes lie in routes.
const MAX_DEPTH: usize = 16;
/// Most alerts that may be asked for in one message.
const MAX_ALERTS_IN_MESSAGE: usize = 1_000;
/// Alertmanager's word for "group by every label".
const EVERY_LABEL: &str = "...";

/// What is wrong with the settings: each fault with the table it stands in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct SettingsError(
    /// One sentence each.
    pub Vec<String>,
);

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

/// When planned work takes place.
#[derive(Clone, Debug)]
pub(crate) enum When {
    Weekly(Weekly),
    Once(TimeRange),
}

impl When {
    /// The span that holds `at`.
    pub(crate) fn current(&self, at: Timestamp) -> Option<TimeRange> {
        match self {
            Self::Weekly(weekly) => weekly.current(at),
            Self::Once(range) => Some(*range).filter(|range| range.start <= at && at < range.end),
        }
    }

    /// The next moment after `at` when a span begins or ends.
    pub(crate) fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Weekly(weekly) => weekly.next_change(at),
            Self::Once(range) => [range.start, range.end].into_iter().filter(|moment| *moment > at).min(),
        }
    }
}

/// Planned work.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) name: String,
    pub(crate) matchers: Matchers,
    pub(crate) when: When,
}

/// Hours in which little is told.
#[derive(Clone, Debug)]
pub(crate) struct Quiet {
    pub(crate) hours: Weekly,
    through: Vec<String>,
}

impl Quiet {
    /// Whether an alert is told at any hour.
    pub(crate) fn lets_through(&self, labels: &Labels) -> bool {
        let severity = severity_of(labels);
        self.through.iter().any(|word| word.eq_ignore_ascii_case(severity))
    }
}

/// The settings ready for use.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The first is around all others.
    pub(crate) routes: Vec<PlannedRoute>,
    pub(crate) inhibit: Vec<Inhibit>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) windows: Vec<Window>,
    pub(crate) quiet: Option<Quiet>,
    pub(crate) escalations: Vec<Escalation>,
    pub(crate) flapping: Flapping,
    pub(crate) max_alerts: usize,
    pub(crate) external_url: String,
    pub(crate) channels: Vec<String>,
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

impl Settings {
    /// Whether everything fits together, with the channels that there are.
    ///
    /// # Errors
    /// All that is wrong, a sentence each.
    pub fn check(&self, channels: &[String]) -> Result<(), SettingsError> {
        self.plan(channels).map(drop)
    }

    pub(crate) fn plan(&self, channels: &[String]) -> Result<Plan, SettingsError> {
        let mut check = Check { channels, faults: Vec::new() };
        check.lengths(self);
        check.grouping(&self.grouping);
        let routes = check.routes(&self.grouping, &self.routes);
        for (number, rule) in self.inhibit.iter().enumerate() {
            let place = format!("[[inhibit]] number {}", number + 1);
            check.pair(&place, ("source", &rule.source), ("target", &rule.target), &rule.equal);
        }
        for (number, one) in self.dependencies.iter().enumerate() {
            let place = format!("[[dependency]] number {}", number + 1);
            check.pair(&place, ("parent", &one.parent), ("child", &one.child), &one.equal);
        }
        let windows =
            self.maintenance.iter().enumerate().filter_map(|(n, window)| check.window(n + 1, window)).collect();
        let quiet = self.quiet_hours.as_ref().and_then(|hours| check.quiet(hours));
        for (number, one) in self.escalations.iter().enumerate() {
            check.escalation(&format!("[[escalation]] number {}", number + 1), one);
        }
        check.flapping(&self.flapping);
        if !check.faults.is_empty() {
            return Err(SettingsError(check.faults));
        }
        Ok(Plan {
            routes,
            inhibit: self.inhibit.clone(),
            dependencies: self.dependencies.clone(),
            windows,
            quiet,
            escalations: self.escalations.clone(),
            flapping: self.flapping.clone(),
            max_alerts: self.grouping.max_alerts,
            external_url: self.external_url.clone(),
            channels: channels.to_vec(),
        })
    }
}

struct Check<'a> {
    channels: &'a [String],
    faults: Vec<String>,
}

impl Check<'_> {
    fn fault(&mut self, place: &str, text: &str) {
        self.faults.push(format!("{place}: {text}"));
    }

    fn lengths(&mut self, settings: &Settings) {
        for (name, length) in [
            ("inhibit", settings.inhibit.len()),
            ("dependency", settings.dependencies.len()),
            ("maintenance", settings.maintenance.len()),
            ("escalation", settings.escalations.len()),
        ] {
            if length > MAX_ENTRIES {
                self.fault(&format!("[[{name}]]"), &format!("{length} entries are too many: at most {MAX_ENTRIES}"));
            }
        }
    }

    fn grouping(&mut self, grouping: &Grouping) {
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

    fn known(&mut self, place: &str, names: &[String]) {
        for name in names.iter().filter(|name| !self.channels.contains(name)).cloned().collect::<Vec<_>>() {
            let there = if self.channels.is_empty() {
                "none is configured: write a [[notify.…]] table".to_owned()
            } else {
                format!("there are {}", self.channels.join(", "))
            };
            self.fault(place, &format!("no channel is called {name:?}; {there}"));
        }
    }

    fn routes(&mut self, grouping: &Grouping, routes: &[Route]) -> Vec<PlannedRoute> {
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
        let own = |written: Option<crate::calendar::Span>, otherwise: i64| written.map_or(otherwise, |span| span.0);
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

    fn pair(&mut self, place: &str, first: (&str, &Matchers), second: (&str, &Matchers), equal: &[String]) {
        for (name, matchers) in [first, second] {
            if matchers.is_empty() {
                self.fault(
                    place,
                    &format!("{name} has no condition: say which alerts, such as ['alertname=\"GatewayDown\"']"),
                );
            }
        }
        for name in equal.iter().filter(|name| !is_label_name(name)) {
            self.fault(place, &format!("equal: {name:?} is no label's name"));
        }
    }

    fn zone(&mut self, place: &str, name: &str) -> Option<TimeZone> {
        zone(name).map_err(|reason| self.fault(place, &reason)).ok()
    }

    fn window(&mut self, number: usize, window: &Maintenance) -> Option<Window> {
        let name = if window.name.is_empty() { format!("maintenance {number}") } else { window.name.clone() };
        let place = format!("[[maintenance]] {name:?}");
        let when = match (window.from, window.to, &window.start, &window.end) {
            (Some(from), Some(to), None, None) => {
                let zone = self.zone(&place, window.time_zone.as_deref().unwrap_or("UTC"))?;
                When::Weekly(Weekly { days: window.days, from, to, zone })
            }
            (None, None, Some(start), Some(end)) => match (moment(start), moment(end)) {
                (Ok(start), Ok(end)) if start < end => When::Once(TimeRange { start, end }),
                (Ok(_), Ok(_)) => {
                    self.fault(&place, "end is not after start");
                    return None;
                }
                (start, end) => {
                    for reason in [start.err(), end.err()].into_iter().flatten() {
                        self.fault(&place, &reason);
                    }
                    return None;
                }
            },
            _ => {
                self.fault(
                    &place,
                    "write either from and to (times of day, each week) or start and end (moments, once)",
                );
                return None;
            }
        };
        Some(Window { name, matchers: window.matchers.clone(), when })
    }

    fn quiet(&mut self, hours: &QuietHours) -> Option<Quiet> {
        let zone = self.zone("[quiet_hours]", &hours.time_zone)?;
        let weekly = Weekly { days: hours.days, from: hours.from, to: hours.to, zone };
        Some(Quiet { hours: weekly, through: hours.through.clone() })
    }

    fn escalation(&mut self, place: &str, escalation: &Escalation) {
        if escalation.steps.is_empty() {
            self.fault(place, "has no step: write [[escalation.step]] with after and channels");
        }
        if escalation.steps.len() > 20 {
            self.fault(place, "has more than 20 steps");
        }
        for step in &escalation.steps {
            self.known(place, &step.channels);
        }
        if !escalation.steps.iter().map(|step| step.after).is_sorted_by(|a, b| a < b) {
            self.fault(place, "each step's after is longer than that of the step before");
        }
    }

    fn flapping(&mut self, flapping: &Flapping) {
        if !(1 <= flapping.low && flapping.low < flapping.high && flapping.high <= 100) {
            let text = format!("low is below high, both 1 to 100 per cent, not {} and {}", flapping.low, flapping.high);
            self.fault("[flapping]", &text);
        }
    }
}

/// Label sets as plain texts.
pub(crate) fn texts(labels: &Labels) -> Texts {
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let settings: Settings = toml::from_str(text).expect("good TOML");
        settings.check(&["mail".to_owned(), "pager".to_owned()]).err().map(|error| error.0).unwrap_or_default()
    }

    #[test]
    fn everything_can_be_written_and_nothing_has_to_be() {
        assert_eq!(faults(""), [""; 0]);
        let all = r#"
            [grouping]
            by = ["alertname", "site"]
            wait = "30s"
            interval = "5m"
            repeat = "4h"
            max_alerts = 20
            [[route]]
            match = ['team="net"', 'severity=~"critical|error"']
            channels = ["pager"]
            continue = true
            group_by = ["..."]
            group_wait = "0s"
            group_interval = "1m"
            repeat_interval = "1h"
            [[route.route]]
            match = ["site=lab"]
            channels = []
            [[inhibit]]
            source = ["severity=critical"]
            target = ["severity=warning"]
            equal = ["instance"]
            [[dependency]]
            parent = ["alertname=GatewayDown"]
            child = ["job=ping"]
            equal = ["site"]
            settle = "1m"
            [[maintenance]]
            name = "updates"
            match = ["site=lab"]
            days = ["sat", "mon-wed"]
            from = "22:00"
            to = "02:00"
            time_zone = "Europe/Berlin"
            [[maintenance]]
            start = "2026-12-01T22:00:00+01:00"
            end = "2026-12-02T02:00:00+01:00"
            [quiet_hours]
            from = "22:00"
            to = "07:00"
            days = ["mon-fri"]
            time_zone = "America/New_York"
            through = ["critical", "error"]
            [[escalation]]
            match = ["severity=critical"]
            [[escalation.step]]
            after = "15m"
            channels = ["pager"]
            [[escalation.step]]
            after = "1h"
            channels = ["mail", "pager"]
            [flapping]
            enabled = true
            high = 40
            low = 20
        "#;
        assert_eq!(faults(all), [""; 0]);
    }

    #[test]
    fn each_fault_is_said_with_its_place_and_what_to_write() {
        for (text, place, hint) in [
            ("[[route]]\nchannels = [\"phone\"]", "[[route]] number 1", "there are mail, pager"),
            (
                "[[route]]\n[[route.route]]\ngroup_by = [\"a-b\"]",
                "[[route]] number 1 [[route]] number 1",
                "no label's name",
            ),
            ("[grouping]\nby = [\"...\", \"a\"]", "[grouping]", "alone groups by all labels"),
            ("[grouping]\ninterval = \"0s\"", "[grouping]", "at least 1s"),
            ("[grouping]\nrepeat = \"1s\"", "[grouping]", "at least 1m"),
            ("[grouping]\nmax_alerts = 0", "[grouping]", "1 to 1000"),
            ("[[inhibit]]\nsource = []\ntarget = [\"a=b\"]", "[[inhibit]] number 1", "source has no condition"),
            ("[[dependency]]\nparent = [\"a=b\"]\nchild = []", "[[dependency]] number 1", "child has no condition"),
            ("[[maintenance]]\nfrom = \"01:00\"", "[[maintenance]] \"maintenance 1\"", "either from and to"),
            (
                "[[maintenance]]\nstart = \"2026-01-02T00:00:00Z\"\nend = \"2026-01-01T00:00:00Z\"",
                "maintenance 1",
                "not after",
            ),
            ("[[maintenance]]\nstart = \"now\"\nend = \"later\"", "maintenance 1", "RFC"),
            ("[quiet_hours]\nfrom = \"22:00\"\nto = \"07:00\"\ntime_zone = \"CEST\"", "[quiet_hours]", "no time zone"),
            ("[[escalation]]", "[[escalation]] number 1", "has no step"),
            (
                "[[escalation]]\nstep = [{after = \"1h\", channels = []}, {after = \"1h\", channels = []}]",
                "number 1",
                "longer",
            ),
            ("[flapping]\nhigh = 20", "[flapping]", "low is below high"),
        ] {
            let found = faults(text);
            let hint = if hint == "RFC" { "with its offset" } else { hint };
            assert!(found.iter().any(|fault| fault.contains(place) && fault.contains(hint)), "{text}: {found:?}");
        }
    }

    #[test]
    fn what_toml_cannot_mean_is_said_in_words_and_with_its_line() {
        for (text, hint) in [
            ("[[route]]\nmatch = ['severity']", "write name="),
            ("[grouping]\nwait = \"soon\"", "write a number and a unit"),
            ("[quiet_hours]\nfrom = \"7\"\nto = \"8\"", "\"22:00\""),
            ("[[route]]\nchanels = []", "chanels"),
        ] {
            let said = toml::from_str::<Settings>(text).expect_err(text).to_string();
            assert!(said.contains(hint) && said.contains("line 2"), "{said}");
        }
    }

    #[test]
    fn routes_with_the_same_conditions_are_two() {
        let settings: Settings =
            toml::from_str("[[route]]\nmatch = [\"a=b\"]\ncontinue = true\n[[route]]\nmatch = [\"a=b\"]")
                .expect("good TOML");
        let plan = settings.plan(&["mail".to_owned()]).expect("good settings");
        let keys: Vec<_> = plan.routes.iter().map(|route| route.key.as_str()).collect();
        assert_eq!(keys, ["{}", "{}/{a=\"b\"}", "{}/{a=\"b\"}#2"]);
    }
}
