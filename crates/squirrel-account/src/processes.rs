//! The processes that were met, by number and start time.

use std::sync::Arc;
use std::time::Duration;

use squirrel_model::Timestamp;
use squirrel_sys::{Kernel, ProcessNote};
use squirrel_wire::ledger::SocketRecord;

use crate::containers::ContainerNames;
use crate::hash::NumberMap;
use crate::identity::{self, Place, Users};
use crate::picture::{ProcessRow, ProcessSummary, Source, Traffic};
use crate::slots::{Slot, Slots};

/// Nanoseconds of a clock tick: `USER_HZ` is 100 on every architecture that Linux runs on today.
const TICK_NS: u64 = 10_000_000;
/// Control groups that are remembered by their number.
const MAX_GROUPS: usize = 10_000;

/// One process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) summary: Arc<ProcessSummary>,
    pub(crate) bytes: Traffic,
    pub(crate) before: Traffic,
    /// Open connections.
    pub(crate) open: u32,
    /// When it was found to have ended: wall clock, and the clock that never jumps.
    pub(crate) ended: Option<(Timestamp, Duration)>,
    pub(crate) source: Source,
    /// Whether it had a socket whose bytes cannot be known.
    pub(crate) has_uncounted: bool,
    /// The place of its series.
    pub(crate) group: Slot,
}

impl Process {
    /// How its bytes are known. What is only a part of them is not exact, and a zero may mean nothing.
    fn known(&self) -> Source {
        match (self.has_uncounted, self.bytes.is_zero()) {
            (true, true) => Source::Unavailable,
            (true, false) => self.source.max(Source::Sampled),
            (false, _) => self.source,
        }
    }
}

/// All of them.
pub(crate) struct Processes {
    rows: Slots<Process>,
    by_identity: NumberMap<(u32, u64), Slot>,
    /// The one of each number that started last.
    by_pid: NumberMap<u32, Slot>,
    users: Users,
    pub(crate) containers: ContainerNames,
    /// As of this step.
    pub(crate) now: Duration,
    /// What is known of control groups by their number, which the ledger gives: a process that is gone before it could
    /// be read is placed by it.
    places: NumberMap<u64, Place>,
    buffer: Vec<u8>,
    /// Processes that `/proc` did not tell all of, with the time of their start in nanoseconds: the ledger may.
    incomplete: Vec<(Slot, u64)>,
    /// Processes that were dropped to keep the bound.
    pub(crate) pruned: u64,
}

impl Processes {
    pub(crate) fn new(users: Users, containers: ContainerNames) -> Self {
        Self {
            rows: Slots::default(),
            by_identity: NumberMap::default(),
            by_pid: NumberMap::default(),
            users,
            containers,
            now: Duration::ZERO,
            places: NumberMap::default(),
            buffer: Vec::new(),
            incomplete: Vec::new(),
            pruned: 0,
        }
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&Process> {
        self.rows.get(slot)
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut Process> {
        self.rows.get_mut(slot)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Slot, &mut Process)> {
        self.rows.iter_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &Process)> {
        self.rows.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The process that had the number and started then, if it was met.
    fn known(&self, pid: u32, started: u64) -> Option<Slot> {
        self.by_identity.get(&(pid, started)).copied()
    }

    /// The process that has the number now, read from `/proc` unless it is known. `None` when it is gone.
    pub(crate) fn meet(&mut self, kernel: &dyn Kernel, pid: u32) -> Option<Slot> {
        let started = identity::stat(kernel, pid, &mut self.buffer)?.started;
        if let Some(known) = self.known(pid, started) {
            return Some(known);
        }
        let summary = identity::read(kernel, pid, &mut self.users, &mut self.buffer)?;
        Some(self.add(summary))
    }

    /// The process that a record of the ledger names; read from `/proc` when it still lives, else as the ledger has it.
    pub(crate) fn of_record(&mut self, kernel: &dyn Kernel, record: &SocketRecord) -> Slot {
        let started = record.started_ns / TICK_NS;
        if let Some(known) = self.known(record.tgid, started) {
            if !self.places.contains_key(&record.cgroup)
                && let Some(summary) = self.rows.get(known).map(|process| Arc::clone(&process.summary))
            {
                self.remember_place(record.cgroup, &summary);
            }
            return known;
        }
        let read = identity::read(kernel, record.tgid, &mut self.users, &mut self.buffer);
        // Another process may have the number by now: the start time tells.
        let summary = match read.filter(|summary| summary.started == started) {
            Some(summary) => {
                self.remember_place(record.cgroup, &summary);
                summary
            }
            None => self.as_recorded(record, started),
        };
        // One that has just ended still stands there for a while, without its arguments.
        let is_complete = summary.command.is_some();
        let slot = self.add(summary);
        if !is_complete {
            self.incomplete.push((slot, record.started_ns));
        }
        slot
    }

    /// Asks `note` for what is missing of processes that were met in this step.
    pub(crate) fn complete(&mut self, note: &mut dyn FnMut(u32, u64) -> Option<ProcessNote>) {
        for (slot, started) in std::mem::take(&mut self.incomplete) {
            let Some(process) = self.rows.get_mut(slot) else { continue };
            let Some(note) = note(process.summary.pid, started) else { continue };
            let summary = Arc::make_mut(&mut process.summary);
            summary.command = identity::command_line(&note.command);
            summary.parent.get_or_insert(note.parent);
        }
    }

    fn remember_place(&mut self, cgroup: u64, summary: &ProcessSummary) {
        // One that was never read from `/proc` says nothing about its group.
        if cgroup != 0 && summary.cgroup.is_some() && self.places.len() < MAX_GROUPS {
            self.places.entry(cgroup).or_insert_with(|| Place {
                path: summary.cgroup.clone(),
                unit: summary.unit.clone(),
                container: summary.container.clone(),
            });
        }
    }

    fn as_recorded(&mut self, record: &SocketRecord, started: u64) -> ProcessSummary {
        let place = self.places.get(&record.cgroup).cloned().unwrap_or_default();
        let name = record.comm.split(|octet| *octet == 0).next().unwrap_or_default();
        ProcessSummary {
            pid: record.tgid,
            started,
            name: String::from_utf8_lossy(name).into_owned(),
            command: None,
            uid: record.uid,
            user: self.users.name(record.uid),
            unit: place.unit,
            cgroup: place.path,
            container: place.container,
            parent: None,
        }
    }

    fn add(&mut self, mut summary: ProcessSummary) -> Slot {
        if let Some(container) = &mut summary.container {
            self.containers.name(container, self.now);
        }
        let (pid, started) = (summary.pid, summary.started);
        let slot = self.rows.insert(Process {
            summary: Arc::new(summary),
            bytes: Traffic::default(),
            before: Traffic::default(),
            open: 0,
            ended: None,
            source: Source::Exact,
            has_uncounted: false,
            group: Slot::NONE,
        });
        self.by_identity.insert((pid, started), slot);
        let latest = self.by_pid.get(&pid).and_then(|slot| self.rows.get(*slot));
        if latest.is_none_or(|latest| latest.summary.started < started) {
            self.by_pid.insert(pid, slot);
        }
        slot
    }

    /// Marks those that are not among the living numbers (sorted) as ended, and those whose number belongs to a later
    /// process now.
    pub(crate) fn mark_ended(&mut self, living: &[u32], wall: Timestamp, now: Duration) {
        for (slot, process) in self.rows.iter_mut().filter(|(_, process)| process.ended.is_none()) {
            let pid = process.summary.pid;
            let succeeded = self.by_pid.get(&pid).is_some_and(|current| *current != slot);
            if succeeded || living.binary_search(&pid).is_err() {
                process.ended = Some((wall, now));
            }
        }
    }

    /// Looks whether a few of those that are taken for living still are what they were, and marks the others.
    pub(crate) fn check_some(&mut self, kernel: &dyn Kernel, wall: Timestamp, now: Duration, step: u64) {
        /// Looked at in each step.
        const SOME: usize = 32;
        let living = self.rows.iter().filter(|(_, process)| process.ended.is_none()).map(|(slot, _)| slot);
        let living: Vec<Slot> = living.collect();
        let first = (step as usize).wrapping_mul(SOME).checked_rem(living.len()).unwrap_or(0);
        for slot in living.iter().cycle().skip(first).take(SOME.min(living.len())) {
            let Some(process) = self.rows.get_mut(*slot) else { continue };
            let stat = identity::stat(kernel, process.summary.pid, &mut self.buffer);
            if stat.is_none_or(|stat| stat.started != process.summary.started) {
                process.ended = Some((wall, now));
            }
        }
    }

    /// Drops those that ended longer ago than `keep` and have no connection in the tables (`in_use`), and the longest
    /// ended ones beyond `limit`.
    pub(crate) fn fade(&mut self, now: Duration, keep: Duration, limit: usize, in_use: &dyn Fn(Slot) -> bool) {
        let mut ended: Vec<(Duration, Slot)> =
            self.rows.iter().filter_map(|(slot, process)| Some((process.ended?.1, slot))).collect();
        ended.retain(|(_, slot)| !in_use(*slot));
        ended.sort_unstable();
        let mut beyond = self.rows.len().saturating_sub(limit);
        for (at, slot) in ended {
            let faded = now.saturating_sub(at) >= keep;
            if !faded && beyond == 0 {
                break;
            }
            self.pruned += u64::from(!faded);
            beyond = beyond.saturating_sub(1);
            let Some(process) = self.rows.remove(slot) else { continue };
            let (pid, started) = (process.summary.pid, process.summary.started);
            self.by_identity.remove(&(pid, started));
            if self.by_pid.get(&pid) == Some(&slot) {
                self.by_pid.remove(&pid);
            }
        }
        self.rows.shrink();
    }

    pub(crate) fn rows(&self, span: Duration) -> Vec<ProcessRow> {
        let shown = self.rows.iter().filter(|(_, process)| process.open > 0 || !process.bytes.is_zero());
        shown
            .map(|(_, process)| ProcessRow {
                process: Arc::clone(&process.summary),
                figures: process.bytes.figures(process.before, span),
                connections: process.open,
                ended: process.ended.map(|(at, _)| at),
                source: process.known(),
            })
            .collect()
    }
}
