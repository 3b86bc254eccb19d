//! Booking in a step: each new byte goes to its process, its host and its interface, or to nobody with the reason.

use std::collections::HashMap;

use super::Accountant;
use crate::connection::{Connection, flag};
use crate::picture::{Carrier, Source};
use crate::processes::Process;
use crate::reasons::Reason;
use crate::slots::Slot;

impl Accountant {
    /// Gives each new byte to its process, its host, its interface, or to nobody with the reason.
    pub(super) fn book(&mut self) {
        let factor = u64::from(self.load.sampling);
        let sampled = if factor > 1 { Source::Sampled } else { Source::Exact };
        let ledger = self.ledger.is_some();
        let denied = !self.owners.denied.is_empty();
        let listeners = self.listeners();
        for (_, row) in self.table.iter_mut() {
            if row.is(flag::BOOKED) {
                continue;
            }
            if !row.is_open() {
                infer_from_listener(row, &listeners);
            }
            row.settle(ledger, &mut self.settled);
            let source = if row.is(flag::INFERRED) { Source::Sampled } else { sampled };
            for (slot, bytes) in &self.settled.booked {
                if let Some(process) = self.processes.get_mut(*slot) {
                    process.bytes = process.bytes.plus(bytes.times(factor));
                    process.source = process.source.max(source);
                }
            }
            let new = self.settled.new;
            if row.carrier.travels() {
                self.hosts.add(row.remote().ip(), new.times(factor), source, self.now);
                if let Some(Some(namespace)) = self.namespaces.get_mut(usize::from(row.namespace)) {
                    let travelled = row.travelled(new);
                    namespace.links.estimate(row, travelled, factor);
                }
            }
            if row.is_open() {
                let process = self.processes.get_mut(row.owner.process);
                if let Some(process) = process.filter(|_| !row.is_booked_elsewhere()) {
                    process.open += factor as u32;
                    process.has_uncounted |= row.is(flag::UNKNOWN_BYTES);
                }
            } else {
                self.unattributed.add(reason(row, denied), row.unbooked().times(factor));
                row.set(flag::BOOKED);
            }
        }
        self.hosts.prune(self.options.hosts);
        self.group();
    }

    /// Sums the processes by what their series are told apart by.
    fn group(&mut self) {
        let idle = |process: &Process| process.open == 0 && process.bytes == process.before;
        for (_, process) in self.processes.iter_mut().filter(|(_, process)| !idle(process)) {
            if self.groups.is_beyond(process.group) {
                process.group = self.groups.of(&process.summary, self.now);
            }
            self.groups.add(process.group, process.bytes.minus(process.before), process.open, self.now);
        }
        if self.groups.make_room(self.now, self.options.keep_process) {
            // Places may be given to others now.
            for (_, process) in self.processes.iter_mut() {
                if idle(process) {
                    process.group = Slot::NONE;
                }
            }
        }
    }

    /// The owners of listeners by namespace and port, if some connection that ended is nobody's, or nobody knows who
    /// opened it. None where several listen on the same port.
    fn listeners(&self) -> HashMap<(u16, u16), Option<Slot>> {
        let mut listeners = HashMap::new();
        let unclear = |row: &Connection| !row.owner.process.is_some() || row.tcp.accepted.is_none();
        if !self.ended.iter().any(|slot| self.table.get(*slot).is_some_and(unclear)) {
            return listeners;
        }
        for (_, row) in self.table.iter().filter(|(_, row)| row.is_listener() && row.is_open()) {
            let owner = Some(row.owner.process).filter(|owner| owner.is_some());
            listeners
                .entry((row.namespace, row.local().port()))
                .and_modify(|known: &mut Option<Slot>| *known = known.filter(|known| Some(*known) == owner))
                .or_insert(owner);
        }
        listeners
    }
}

/// A connection that ended before it could be looked at, and on whose port somebody listens, was accepted there. If it
/// has no owner and one process alone listens, it was that process, or a child of it: the best that can be said, and
/// marked as inferred.
fn infer_from_listener(row: &mut Connection, listeners: &HashMap<(u16, u16), Option<Slot>>) {
    if row.carrier != Carrier::Tcp {
        return;
    }
    let Some(listener) = listeners.get(&(row.namespace, row.local().port())) else { return };
    row.tcp.accepted = row.tcp.accepted.or(Some(true));
    if let Some(owner) = listener.filter(|_| !row.owner.process.is_some()) {
        row.set_owner(owner);
        row.set(flag::INFERRED);
    }
}

/// Why the bytes of a connection are nobody's.
pub(super) fn reason(row: &Connection, denied: bool) -> Reason {
    if row.is(flag::SEARCHED) && denied {
        Reason::NotPermitted
    } else if row.inode == 0 && row.is_open() {
        Reason::NoProcess
    } else if row.is_open() || row.is(flag::SEARCHED) {
        Reason::NotFound
    } else {
        Reason::OwnerGone
    }
}
