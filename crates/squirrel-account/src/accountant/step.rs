//! One step: read everything once, and book what is new.

use std::time::Duration;

use squirrel_model::{Elapsed, Timestamp};
use squirrel_wire::ledger::SocketRecord;
use squirrel_wire::sock_diag::{IPPROTO_UDP, TcpState};

use super::{Accountant, MAX_NAMESPACES, Namespace};
use crate::connection::{Connection, flag, plain_ends};
use crate::picture::{Carrier, Source, Traffic};
use crate::reading::{Intake, Met, Reading, decide_fins, sampled};
use crate::reasons::Reason;
use crate::slots::Slot;

/// Steps between two looks for namespaces.
const FIND_EVERY: u64 = 5;
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
        decide_fins(&mut self.table, &self.ended);
        if let Err(error) = self.owners.list(&*self.host) {
            self.owners_failure = Some(error.to_string());
        } else {
            self.owners_failure = None;
            let budget = self.options.descriptors;
            self.owners.search(&*self.host, &mut self.table, &mut self.processes, now.0, budget);
            self.processes.mark_ended(&self.owners.pids, wall, now.0);
            self.processes.check_some(&*self.host, wall, now.0, self.steps);
        }
        self.book();
        self.fade();
    }

    fn begin(&mut self, now: Duration, wall: Timestamp) {
        self.drawn = None;
        self.span = if self.steps == 0 { Duration::ZERO } else { now.saturating_sub(self.now) };
        (self.now, self.wall) = (now, wall);
        self.began.get_or_insert(wall);
        self.steps += 1;
        self.ended.clear();
        self.hosts.begin_step();
        for (_, process) in self.processes.iter_mut() {
            process.before = process.bytes;
            process.open = 0;
        }
        for (_, row) in self.table.iter_mut() {
            row.before = row.bytes;
            if row.is_open() {
                row.missed = row.missed.saturating_add(1);
            }
        }
    }

    fn find_namespaces(&mut self) {
        if !(self.steps - 1).is_multiple_of(FIND_EVERY) {
            return;
        }
        let Some(find) = &mut self.find else { return };
        let watched: Vec<u64> = self.namespaces.iter().flatten().map(|namespace| namespace.inode).collect();
        let found = find(&watched);
        self.namespaces_missing = found.missing;
        for (place, slot) in self.namespaces.iter_mut().enumerate() {
            let gone = slot.as_ref().is_some_and(|namespace| !found.present.contains(&namespace.inode));
            // The first one is the program's own.
            if gone && place > 0 {
                *slot = None;
                for (_, row) in self.table.iter_mut().filter(|(_, row)| usize::from(row.namespace) == place) {
                    row.missed = MISSED_ENOUGH;
                }
            }
        }
        for source in found.new {
            self.place(source.into());
        }
    }

    /// Gives a namespace its place. One is used again only when no row speaks of it any more.
    fn place(&mut self, namespace: Namespace) {
        let unused = |place: u16| !self.table.iter().any(|(_, row)| row.namespace == place);
        let free = self.namespaces.iter().enumerate().skip(1).find(|(at, slot)| slot.is_none() && unused(*at as u16));
        let place = free.map_or(self.namespaces.len(), |(place, _)| place);
        if let Some(free) = self.namespaces.get_mut(place) {
            *free = Some(namespace);
        } else if place < MAX_NAMESPACES {
            self.namespaces.push(Some(namespace));
        } else {
            self.namespaces_missing.push(format!("there are more than {MAX_NAMESPACES} network namespaces"));
        }
    }

    fn read_namespace(&mut self, place: usize) {
        let Some(Some(namespace)) = self.namespaces.get_mut(place) else { return };
        let intake = Intake {
            namespace: place as u16,
            wall: self.wall.0,
            baseline: !namespace.begun,
            sampling: self.sampling,
            limit: self.options.connections,
            ledger: self.ledger.is_some(),
        };
        let mut reading = Reading {
            table: &mut self.table,
            algorithms: &mut self.algorithms,
            intake,
            met: Met::default(),
            ended: &mut self.ended,
        };
        if let Some(ended) = &mut namespace.ended {
            match reading.ends(&mut **ended) {
                Ok(lost) => self.lost += lost,
                Err(error) => namespace.failure = Some(error.to_string()),
            }
        }
        let read = reading.tcp(&*namespace.kernel).and_then(|()| reading.udp(&*namespace.kernel));
        self.malformed += reading.met.malformed as u64;
        self.pruned += reading.met.refused;
        match read {
            Ok(()) => {
                namespace.begun = true;
                namespace.failure = None;
                self.close_missing(place);
            }
            Err(error) => namespace.failure = Some(error.to_string()),
        }
    }

    /// Ends the sockets of a namespace that its dump no longer shows.
    fn close_missing(&mut self, place: usize) {
        let gone = self
            .table
            .iter()
            .filter(|(_, row)| usize::from(row.namespace) == place && row.is_open() && row.missed >= MISSED_ENOUGH);
        let gone: Vec<Slot> = gone.map(|(slot, _)| slot).collect();
        for slot in gone {
            self.table.close(slot, self.wall.0);
            self.ended.push(slot);
        }
    }

    fn read_ledger(&mut self, first: bool) {
        let Some(mut ledger) = self.ledger.take() else { return };
        let living = ledger.living(&mut |record| self.record(&record, false, first));
        let ended = ledger.ended(&mut |record| self.record(&record, true, first));
        self.ledger_failure = living.as_ref().err().or(ended.as_ref().err()).map(ToString::to_string);
        self.lost += ended.unwrap_or(0);
        self.ledger = Some(ledger);
    }

    fn record(&mut self, record: &SocketRecord, ended: bool, first: bool) {
        if !sampled(record.cookie, self.sampling) {
            return;
        }
        // What ended before the first dump began is not this accountant's business.
        if first && ended && self.table.find(record.cookie).is_none() {
            return;
        }
        let Some(slot) = self.table.find(record.cookie).or_else(|| self.add_recorded(record)) else { return };
        let process = (record.tgid != 0).then(|| self.processes.of_record(&*self.host, record));
        let Some(row) = self.table.get_mut(slot) else { return };
        if let Some(process) = process {
            let counted = Traffic::new(record.receive_bytes, record.transmit_bytes);
            row.count(process, counted, record.tcp.is_some(), first);
            row.clear(flag::UNKNOWN_BYTES);
        }
        if !ended {
            return;
        }
        if let Some(tcp) = record.tcp {
            let sent = tcp.bytes_sent.saturating_sub(tcp.bytes_retransmitted);
            row.kernel = row.kernel.max(Traffic::new(tcp.bytes_received, sent));
            row.tcp.segments_out = row.tcp.segments_out.max(tcp.segments_out);
            row.tcp.segments_in = row.tcp.segments_in.max(tcp.segments_in);
            // The ledger's own count tells whether the last received byte is the FIN.
            let beyond = row.counted_by_kernel().receive.saturating_sub(row.counted_by_process().receive);
            if beyond > 0 && !row.is(flag::FIN) {
                row.set(flag::FIN);
            }
            row.fin_is_open = false;
        }
        row.state = TcpState::CLOSE;
        if row.is_open() {
            self.table.close(slot, self.wall.0);
            self.ended.push(slot);
        }
    }

    fn add_recorded(&mut self, record: &SocketRecord) -> Option<Slot> {
        if self.table.open() >= self.options.connections {
            self.pruned += 1;
            return None;
        }
        let inode = u64::from(record.namespace);
        let place = self.namespaces.iter().position(|slot| slot.as_ref().is_some_and(|known| known.inode == inode));
        let carrier = if record.protocol == IPPROTO_UDP { Carrier::Udp } else { Carrier::Tcp };
        let (local, remote) = plain_ends((record.local, record.local_port), (record.remote, record.remote_port));
        let place = place.and_then(|place| u16::try_from(place).ok()).unwrap_or(u16::MAX);
        let mut row = Connection::new(record.cookie, place, carrier, local, remote, self.wall.0);
        row.state = TcpState(record.state);
        row.uid = record.uid;
        Some(self.table.add(row))
    }

    /// Gives each new byte to its process, its host, or to nobody with the reason.
    fn book(&mut self) {
        let factor = u64::from(self.sampling);
        let sampled = if factor > 1 { Source::Sampled } else { Source::Exact };
        let ledger = self.ledger.is_some();
        let denied = self.owners.denied > 0;
        for (_, row) in self.table.iter_mut() {
            if row.is(flag::BOOKED) {
                continue;
            }
            row.settle(ledger, &mut self.settled);
            let source = if row.is(flag::INFERRED) { Source::Sampled } else { sampled };
            for (slot, bytes) in &self.settled.booked {
                if let Some(process) = self.processes.get_mut(*slot) {
                    process.bytes = process.bytes.plus(bytes.times(factor));
                    process.source = process.source.max(source);
                }
            }
            self.hosts.add(row.remote().ip(), self.settled.new.times(factor), source, self.now);
            if row.is_open() {
                if let Some(process) = self.processes.get_mut(row.owner.process) {
                    process.open += factor as u32;
                }
            } else {
                self.unattributed.add(reason(row, denied), row.unbooked().times(factor));
                row.set(flag::BOOKED);
            }
        }
        self.hosts.prune(self.options.hosts);
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
                used.extend(row.others.iter().flat_map(|others| others.iter()).map(|share| share.process));
            }
            used.sort_unstable();
            used.dedup();
            let in_use = |slot: Slot| used.binary_search(&slot).is_ok();
            self.processes.fade(self.now, self.options.keep_process, self.options.processes, &in_use);
        }
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
