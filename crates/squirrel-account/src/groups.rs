//! Sums by process name, unit, container and user, which become series.
//!
//! Their number is bounded. What comes beyond is summed in one row whose process is `(other)`, and counted. A row whose
//! processes are all gone gives its place to a new one after a while; its counter ends then, and nothing of it is moved,
//! so that no other counter jumps.
//!
//! A process chooses its name, and may choose a new one each moment. So nobody gets more than a third of the rows: what
//! a user, a container or the slice of a login has beyond it is summed in an `(other)` of its own, and the names of
//! everybody else stay.

use std::collections::HashMap;
use std::time::Duration;

use squirrel_model::{Batch, Labels};

use crate::metrics;
use crate::picture::{ProcessSummary, Traffic};
use crate::slots::{Slot, Slots};

/// The row of everything beyond the bound.
const OTHER: &str = "(other)";
/// One part in so many of the rows is the most that one owner gets.
const SHARES: usize = 3;

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
    /// Who made up its name, as [`owner`] tells them apart.
    owner: String,
    /// Whether it is the sum of what its owner has beyond its share.
    rest: bool,
    /// Whether it is of this step. A counter that is born with its first value hides that value from everybody who
    /// asks for increases: so the first row is zero, and the bytes come with the next.
    new: bool,
}

impl Group {
    fn shown(&self) -> Traffic {
        if self.new { Traffic::default() } else { self.bytes }
    }
}

/// Rows of one owner.
#[derive(Debug)]
struct Share {
    rows: usize,
    /// The sum of what is beyond.
    rest: Slot,
}

/// The rows.
#[derive(Debug)]
pub(crate) struct Groups {
    rows: Slots<Group>,
    owners: HashMap<String, Share>,
    by_key: HashMap<Key, Slot>,
    limit: usize,
    other_labels: Labels,
    other: Traffic,
    other_open: u64,
    /// How many processes had no row of their own in this step: they were summed with those of their owner, or with all
    /// others.
    beyond: usize,
    /// How many of them were summed with all others.
    others: usize,
}

impl Groups {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            rows: Slots::default(),
            owners: HashMap::new(),
            by_key: HashMap::new(),
            limit,
            other_labels: Labels::new([("process", OTHER)]).unwrap_or_default(),
            other: Traffic::default(),
            other_open: 0,
            beyond: 0,
            others: 0,
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
        let owner = owner(summary);
        let (rows, rest) = self.owners.get(&owner).map_or((0, Slot::NONE), |share| (share.rows, share.rest));
        if rest.is_some() && rows + 1 >= self.share() {
            return rest;
        }
        if self.rows.len() >= self.limit {
            return Slot::NONE;
        }
        // The last one of its share stands for all that are still to come.
        if rows + 1 < self.share() || self.share() < 2 {
            return self.insert(key, owner, false, now);
        }
        let key = Key { process: OTHER.to_owned(), unit: String::new(), ..key };
        if let Some(shared) = self.by_key.get(&key).copied() {
            // Two owners may have one user, such as two logins: the sum of both is one row.
            self.owners.entry(owner).or_insert(Share { rows, rest: shared }).rest = shared;
            self.rows.get_mut(shared).into_iter().for_each(|group| group.rest = true);
            return shared;
        }
        self.insert(key, owner, true, now)
    }

    /// Most rows of one owner.
    fn share(&self) -> usize {
        self.limit / SHARES
    }

    fn insert(&mut self, key: Key, owner: String, rest: bool, now: Duration) -> Slot {
        let pairs = [
            ("process", key.process.as_str()),
            ("unit", &key.unit),
            ("container", &key.container),
            ("user", &key.user),
        ];
        // Only a text of a megabyte is refused.
        let Ok(labels) = Labels::new(pairs) else { return Slot::NONE };
        let by_key = key.clone();
        let bytes = Traffic::default();
        let group = Group { key, labels, bytes, open: 0, active: now, owner: owner.clone(), rest, new: true };
        let slot = self.rows.insert(group);
        self.by_key.insert(by_key, slot);
        let share = self.owners.entry(owner).or_insert(Share { rows: 0, rest: Slot::NONE });
        share.rows += 1;
        if rest {
            share.rest = slot;
        }
        slot
    }

    /// Whether a process of this row should be asked for again in the next step: there may be room by then.
    pub(crate) fn is_beyond(&self, slot: Slot) -> bool {
        self.rows.get(slot).is_none_or(|group| group.rest)
    }

    /// Forgets how many connections are open, before a step counts them anew.
    pub(crate) fn begin_step(&mut self) {
        (self.other_open, self.beyond, self.others) = (0, 0, 0);
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
            self.beyond += usize::from(group.rest);
        } else {
            self.other = self.other.plus(bytes);
            self.other_open += u64::from(open);
            self.beyond += 1;
            self.others += 1;
        }
    }

    /// Gives up rows that nobody used for so long, where there is no room for new ones: of everybody when all rows are
    /// taken, else of those who have their share. Answers whether any went.
    pub(crate) fn make_room(&mut self, now: Duration, keep: Duration) -> bool {
        if self.beyond == 0 {
            return false;
        }
        let (full, share) = (self.rows.len() >= self.limit, self.share());
        let crowded = |owner: &str| full || self.owners.get(owner).is_some_and(|owner| owner.rows >= share);
        let quiet = self.rows.iter().filter(|(_, group)| now.saturating_sub(group.active) >= keep);
        let quiet: Vec<Slot> = quiet.filter(|(_, group)| crowded(&group.owner)).map(|(slot, _)| slot).collect();
        for slot in &quiet {
            let Some(group) = self.rows.remove(*slot) else { continue };
            self.by_key.remove(&group.key);
            if let Some(owner) = self.owners.get_mut(&group.owner) {
                owner.rows -= 1;
            }
            self.owners.values_mut().filter(|owner| owner.rest == *slot).for_each(|owner| owner.rest = Slot::NONE);
        }
        self.owners.retain(|_, owner| owner.rows > 0 || owner.rest.is_some());
        !quiet.is_empty()
    }

    pub(crate) fn emit(&self, out: &mut Batch) {
        for (_, group) in self.rows.iter() {
            out.put(&metrics::RECEIVE, &group.labels, group.shown().receive as f64);
        }
        let other = self.others > 0 || !self.other.is_zero();
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

/// Who makes up the names of a process: its container, its login with all that runs in it, else its user. A user may
/// have thousands of numbers by `subuid(5)`; the slice of the login is one.
fn owner(summary: &ProcessSummary) -> String {
    if let Some(container) = &summary.container {
        return format!("container {}", container.id);
    }
    let cgroup = summary.cgroup.as_deref().unwrap_or_default();
    let slice = cgroup.strip_prefix("/user.slice/").and_then(|rest| rest.split('/').next());
    slice.map_or_else(|| format!("user {}", summary.user), |slice| format!("slice {slice}"))
}
