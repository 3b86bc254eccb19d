//! What holds alerts back: silences, planned work, worse alerts, parents that are down, quiet hours, flapping.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use squirrel_model::{Labels, Timestamp};

use crate::Matchers;
use crate::plan::Plan;
use crate::record::Record;
use crate::silences::Silences;

/// One thing that holds an alert back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Suppression {
    /// A silence.
    Silence {
        /// Its id.
        id: String,
    },
    /// Planned work.
    Maintenance {
        /// Its name.
        name: String,
    },
    /// A worse alert fires.
    Inhibition {
        /// The number of that alert.
        by: u64,
    },
    /// What it lies behind is down, or came back only now.
    Dependency {
        /// The number of the parent's alert.
        by: u64,
    },
    /// It comes and goes.
    Flapping,
    /// It can wait until the morning.
    QuietHours,
}

impl Suppression {
    /// What it is, in a few words.
    pub fn text(&self) -> String {
        match self {
            Self::Silence { id } => format!("silence {id}"),
            Self::Maintenance { name } => format!("maintenance {name}"),
            Self::Inhibition { by } => format!("inhibited by alert {by:016x}"),
            Self::Dependency { by } => format!("behind alert {by:016x}"),
            Self::Flapping => "flapping".to_owned(),
            Self::QuietHours => "quiet hours".to_owned(),
        }
    }
}

/// A pair of conditions with the labels that must be equal: inhibition and dependency alike.
struct Edge<'a> {
    source: &'a Matchers,
    target: &'a Matchers,
    equal: &'a [String],
    /// How long the source holds back after it ended.
    settle_ms: i64,
    dependency: bool,
}

/// Says of each record what holds it back at this moment.
pub(crate) fn judge(plan: &Plan, records: &mut BTreeMap<u64, Record>, silences: &Silences, at: Timestamp, now_ms: i64) {
    let held_by_alerts = by_alerts(plan, records, now_ms);
    let quiet = plan.quiet.as_ref().filter(|quiet| quiet.hours.current(at).is_some());
    let windows: Vec<_> = plan.windows.iter().filter(|window| window.when.current(at).is_some()).collect();
    for (number, record) in records.iter_mut() {
        if record.silences.0 != Some(silences.revision) {
            record.silences = (Some(silences.revision), silences.fitting(&record.labels));
        }
        let mut held = Vec::new();
        if record.flap.flapping {
            held.push(Suppression::Flapping);
        }
        held.extend(held_by_alerts.get(number).cloned());
        let active = record.silences.1.iter().filter(|id| silences.is_active(id, at));
        held.extend(active.map(|id| Suppression::Silence { id: id.clone() }));
        let working = windows.iter().filter(|window| window.matchers.matches(&record.labels));
        held.extend(working.map(|window| Suppression::Maintenance { name: window.name.clone() }));
        if quiet.is_some_and(|quiet| !quiet.lets_through(&record.labels)) {
            held.push(Suppression::QuietHours);
        }
        record.held = held;
    }
}

/// Which alerts are held back by another alert, and by which.
///
/// As in Alertmanager, whether the source is told itself does not matter, and an alert that fits both sides is not
/// held back by one that fits both. Unlike there, alerts that hold each other back in a circle are not all silent:
/// the oldest of the circle is told.
fn by_alerts(plan: &Plan, records: &BTreeMap<u64, Record>, now_ms: i64) -> BTreeMap<u64, Suppression> {
    let inhibit = plan.inhibit.iter().map(|rule| Edge {
        source: &rule.source,
        target: &rule.target,
        equal: &rule.equal,
        settle_ms: 0,
        dependency: false,
    });
    let depend = plan.dependencies.iter().map(|rule| Edge {
        source: &rule.parent,
        target: &rule.child,
        equal: &rule.equal,
        settle_ms: rule.settle.0,
        dependency: true,
    });
    let mut held = BTreeMap::new();
    for edge in inhibit.chain(depend) {
        edge.judge(records, now_ms, &mut held);
    }
    release_circles(records, &mut held);
    held
}

/// The older of two alerts, so that the choice stays the same while others come and go.
fn age(record: &Record) -> (Timestamp, u64) {
    (record.starts_at, record.facts.fingerprint)
}

impl Edge<'_> {
    fn holds(&self, record: &Record, now_ms: i64) -> bool {
        record.is_trouble() || (record.ends_at.is_some() && now_ms - record.ended_ms < self.settle_ms)
    }

    fn key<'l>(&self, labels: &'l Labels) -> Vec<&'l str> {
        self.equal.iter().map(|name| labels.get(name).unwrap_or_default()).collect()
    }

    fn judge(&self, records: &BTreeMap<u64, Record>, now_ms: i64, held: &mut BTreeMap<u64, Suppression>) {
        // The oldest source of each key: any, and one that is no target itself.
        let mut any: HashMap<Vec<&str>, &Record> = HashMap::new();
        let mut one_sided: HashMap<Vec<&str>, &Record> = HashMap::new();
        let sources =
            records.values().filter(|record| self.source.matches(&record.labels) && self.holds(record, now_ms));
        for record in sources {
            let key = self.key(&record.labels);
            let keep_oldest = |map: &mut HashMap<_, _>, key| {
                let kept: &mut &Record = map.entry(key).or_insert(record);
                if age(record) < age(kept) {
                    *kept = record;
                }
            };
            if !self.target.matches(&record.labels) {
                keep_oldest(&mut one_sided, key.clone());
            }
            keep_oldest(&mut any, key);
        }
        if any.is_empty() {
            return;
        }
        for (number, record) in records.iter().filter(|(number, _)| !held.contains_key(number)).collect::<Vec<_>>() {
            if !self.target.matches(&record.labels) {
                continue;
            }
            let two_sided = self.source.matches(&record.labels);
            let found = if two_sided { &one_sided } else { &any }.get(&self.key(&record.labels));
            if let Some(source) = found {
                let by = source.facts.fingerprint;
                let why = if self.dependency { Suppression::Dependency { by } } else { Suppression::Inhibition { by } };
                held.insert(*number, why);
            }
        }
    }
}

fn holder(why: &Suppression) -> Option<u64> {
    match why {
        Suppression::Inhibition { by } | Suppression::Dependency { by } => Some(*by),
        _ => None,
    }
}

/// Frees the oldest alert of each circle. Each alert has one holder, so that circles do not touch.
fn release_circles(records: &BTreeMap<u64, Record>, held: &mut BTreeMap<u64, Suppression>) {
    // The walk on which an alert was met first.
    let mut met: HashMap<u64, usize> = HashMap::new();
    let mut free = Vec::new();
    for (walk, start) in held.keys().copied().enumerate() {
        let mut place = start;
        while !met.contains_key(&place) {
            met.insert(place, walk);
            match held.get(&place).and_then(holder) {
                Some(next) => place = next,
                None => break,
            }
        }
        // Back on its own way: a circle goes through here.
        if met.get(&place) == Some(&walk) && held.contains_key(&place) {
            let mut circle = vec![place];
            while let Some(next) =
                circle.last().and_then(|last| held.get(last)).and_then(holder).filter(|next| *next != place)
            {
                circle.push(next);
            }
            free.extend(circle.into_iter().min_by_key(|number| records.get(number).map(age)));
        }
    }
    for number in free {
        held.remove(&number);
    }
}
