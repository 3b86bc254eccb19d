//! Sums by process name, unit, container and user, which become series.
//!
//! Their number is bounded. What comes beyond is summed in one row whose process is `(other)`, and counted. A row whose
//! processes are all gone gives its place to a new one after a while; its counter ends then, and nothing of it is moved,
//! so that no other counter jumps.

use std::collections::HashMap;
use std::time::Duration;

use squirrel_model::{Batch, Labels};

use crate::metrics;
use crate::picture::{ProcessSummary, Traffic};
use crate::slots::{Slot, Slots};

/// The row of everything beyond the bound.
const OTHER: &str = "(other)";

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    process: String,
    unit: String,
    container: String,
    user: String,
}

#[derive(Debug)]
struct Group {
    key: Key,
    labels: Labels,
    bytes: Traffic,
    open: u64,
    active: Duration,
    /// Whether it is of this step. A counter that is born with its first value hides that value from everybody who
    /// asks for increases: so the first row is zero, and the bytes come with the next.
    new: bool,
}

impl Group {
    fn shown(&self) -> Traffic {
        if self.new { Traffic::default() } else { self.bytes }
    }
}

/// The rows.
#[derive(Debug)]
pub(crate) struct Groups {
    rows: Slots<Group>,
    by_key: HashMap<Key, Slot>,
    limit: usize,
    other_labels: Labels,
    other: Traffic,
    other_open: u64,
    /// How many processes were counted as others in this step.
    beyond: usize,
}

impl Groups {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            rows: Slots::default(),
            by_key: HashMap::new(),
            limit,
            other_labels: Labels::new([("process", OTHER)]).unwrap_or_default(),
            other: Traffic::default(),
            other_open: 0,
            beyond: 0,
        }
    }

    /// The row of a process; none when it is beyond the bound.
    pub(crate) fn of(&mut self, summary: &ProcessSummary, now: Duration) -> Slot {
        let key = Key {
            process: summary.name.clone(),
            unit: summary.unit.clone().unwrap_or_default(),
            container: summary.container.as_ref().map(|container| container.name.clone()).unwrap_or_default(),
            user: summary.user.clone(),
        };
        if let Some(slot) = self.by_key.get(&key) {
            return *slot;
        }
        if self.rows.len() >= self.limit {
            return Slot::NONE;
        }
        let pairs = [
            ("process", key.process.as_str()),
            ("unit", &key.unit),
            ("container", &key.container),
            ("user", &key.user),
        ];
        // Only a text of a megabyte is refused.
        let Ok(labels) = Labels::new(pairs) else { return Slot::NONE };
        let group = Group { key: key.clone(), labels, bytes: Traffic::default(), open: 0, active: now, new: true };
        let slot = self.rows.insert(group);
        self.by_key.insert(key, slot);
        slot
    }

    /// Forgets how many connections are open, before a step counts them anew.
    pub(crate) fn begin_step(&mut self) {
        (self.other_open, self.beyond) = (0, 0);
        for (_, group) in self.rows.iter_mut() {
            group.open = 0;
            group.new = false;
        }
    }

    /// Adds what a process of this row moved in this step, and its open connections.
    pub(crate) fn add(&mut self, slot: Slot, bytes: Traffic, open: u32, now: Duration) {
        if let Some(group) = self.rows.get_mut(slot) {
            group.bytes = group.bytes.plus(bytes);
            group.open += u64::from(open);
            if open > 0 || !bytes.is_zero() {
                group.active = now;
            }
        } else {
            self.other = self.other.plus(bytes);
            self.other_open += u64::from(open);
            self.beyond += 1;
        }
    }

    /// Gives up rows that nobody used for so long, when there is no room for new ones. Answers whether any went.
    pub(crate) fn make_room(&mut self, now: Duration, keep: Duration) -> bool {
        if self.rows.len() < self.limit || self.beyond == 0 {
            return false;
        }
        let quiet = self.rows.iter().filter(|(_, group)| now.saturating_sub(group.active) >= keep);
        let quiet: Vec<Slot> = quiet.map(|(slot, _)| slot).collect();
        for slot in &quiet {
            if let Some(group) = self.rows.remove(*slot) {
                self.by_key.remove(&group.key);
            }
        }
        !quiet.is_empty()
    }

    pub(crate) fn emit(&self, out: &mut Batch) {
        for (_, group) in self.rows.iter() {
            out.put(&metrics::RECEIVE, &group.labels, group.shown().receive as f64);
        }
        let other = self.beyond > 0 || !self.other.is_zero();
        if other {
            out.put(&metrics::RECEIVE, &self.other_labels, self.other.receive as f64);
        }
        for (_, group) in self.rows.iter() {
            out.put(&metrics::TRANSMIT, &group.labels, group.shown().transmit as f64);
        }
        if other {
            out.put(&metrics::TRANSMIT, &self.other_labels, self.other.transmit as f64);
        }
        for (_, group) in self.rows.iter() {
            out.put(&metrics::CONNECTIONS, &group.labels, group.open as f64);
        }
        if other {
            out.put(&metrics::CONNECTIONS, &self.other_labels, self.other_open as f64);
        }
        out.put_plain(&metrics::BEYOND, self.beyond as f64);
    }
}
