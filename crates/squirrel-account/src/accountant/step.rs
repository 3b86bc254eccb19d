//! One step: read everything once, and book what is new.

use std::time::Duration;

use squirrel_model::{Elapsed, Timestamp};

use super::Accountant;
use crate::connection::flag;
use crate::reading::{decide_fins, sampled};
use crate::slots::Slot;

/// A socket that is missing from so many dumps in a row without an announcement is gone: one may be passed over while
/// the kernel's table changes.
const MISSED_ENOUGH: u8 = 2;

impl Accountant {
    /// Reads the sources and books what came since the last step. `now` is a clock that never jumps, `wall` the time
    /// of day for what people see.
    pub fn step(&mut self, now: Elapsed, wall: Timestamp) {
        self.begin(now.0, wall);
        self.find_namespaces();
        let first = self.steps == 1;
        for place in 0..self.namespaces.len() {
            self.read_namespace(place);
        }
        self.read_ledger(first);
        for place in 0..self.namespaces.len() {
            self.read_interfaces(place, false);
        }
        self.close_missing();
        decide_fins(&mut self.table, &self.ended);
        if let Err(error) = self.owners.list(&*self.host) {
            self.owners_failure = Some(error.to_string());
        } else {
            self.owners_failure = None;
            let (budget, all) = (self.options.descriptors, self.ledger.is_none());
            self.owners.search(&*self.host, &mut self.table, &mut self.processes, now.0, budget, all);
            self.share_owners();
            self.processes.mark_ended(&self.owners.pids, wall, now.0);
            self.processes.check_some(&*self.host, wall, now.0, self.steps);
        }
        self.book();
        self.fade();
        self.adapt();
    }

    /// Follows more or fewer connections from the next dump on.
    fn adapt(&mut self) {
        let sockets = self.namespaces.iter().flatten().map(|namespace| namespace.sockets).sum();
        let before = self.load.sampling;
        if !self.load.adapt(sockets) {
            return;
        }
        let sampling = self.load.sampling;
        if sampling > before {
            // What is no longer followed is let go; its bytes stay where they were booked.
            let goes = self.table.iter().filter(|(_, row)| row.is_open() && !sampled(row.cookie, sampling));
            let goes: Vec<Slot> = goes.map(|(slot, _)| slot).collect();
            self.pruned += goes.len() as u64;
            for slot in goes {
                self.table.remove(slot);
            }
        } else {
            // Those that are followed again have counted before, and that was estimated.
            for namespace in self.namespaces.iter_mut().flatten() {
                namespace.baseline = true;
            }
        }
    }

    fn begin(&mut self, now: Duration, wall: Timestamp) {
        self.drawn = None;
        self.span = if self.steps == 0 { Duration::ZERO } else { now.saturating_sub(self.now) };
        (self.now, self.wall) = (now, wall);
        self.processes.now = now;
        self.began.get_or_insert(wall);
        self.steps += 1;
        self.ended.clear();
        self.hosts.begin_step();
        for (_, process) in self.processes.iter_mut() {
            process.before = process.bytes;
            process.open = 0;
        }
        self.groups.begin_step();
        self.namespaces.iter_mut().flatten().for_each(|namespace| namespace.links.begin_step());
        for (_, row) in self.table.iter_mut() {
            row.before = row.bytes;
        }
    }

    /// Ends the sockets that neither dump nor ledger shows any more.
    fn close_missing(&mut self) {
        let clock = |place: u16| match self.namespaces.get(usize::from(place)) {
            Some(Some(namespace)) => Some(namespace.dumps),
            Some(None) => None,
            // Only the ledger tells of namespaces that are not watched.
            None => Some(self.steps as u8),
        };
        let gone = self.table.iter().filter(|(_, row)| {
            row.is_open() && clock(row.namespace).is_none_or(|now| now.wrapping_sub(row.seen) >= MISSED_ENOUGH)
        });
        let gone: Vec<Slot> = gone.map(|(slot, _)| slot).collect();
        for slot in gone {
            self.table.close(slot, self.wall.0);
            self.ended.push(slot);
        }
    }

    /// Lets go of what ended long ago, and of the oldest beyond the bound.
    fn fade(&mut self) {
        let keep = i64::try_from(self.options.keep_connection.as_millis()).unwrap_or(i64::MAX);
        let mut closed: Vec<(i64, Slot)> = self
            .table
            .iter()
            .filter(|(_, row)| !row.is_open() && row.is(flag::BOOKED))
            .map(|(slot, row)| (row.closed, slot))
            .collect();
        let beyond = closed.len().saturating_sub(self.options.ended_connections);
        closed.sort_unstable();
        for (at, (closed, slot)) in closed.into_iter().enumerate() {
            let faded = self.wall.0.saturating_sub(closed) >= keep;
            if faded || at < beyond {
                self.pruned += u64::from(!faded);
                self.table.remove(slot);
            }
        }
        self.table.shrink();
        if self.steps.is_multiple_of(10) || self.processes.len() > self.options.processes {
            let mut used: Vec<Slot> = Vec::new();
            for (_, row) in self.table.iter() {
                used.push(row.owner.process);
                used.extend(row.others.iter().map(|share| share.process));
            }
            used.sort_unstable();
            used.dedup();
            let in_use = |slot: Slot| used.binary_search(&slot).is_ok();
            self.processes.fade(self.now, self.options.keep_process, self.options.processes, &in_use);
        }
    }
}
