//! One step: read everything once, and book what is new.

use std::collections::HashMap;
use std::time::Duration;

use squirrel_model::{Elapsed, Timestamp};
use squirrel_wire::ledger::{SocketKind, SocketRecord};
use squirrel_wire::sock_diag::TcpState;

use super::{Accountant, MAX_NAMESPACES, Namespace};
use crate::connection::{Connection, flag, plain_ends};
use crate::packets::ByPackets;
use crate::picture::{Carrier, Source, Traffic};
use crate::processes::Process;
use crate::reading::{Intake, Met, Reading, decide_fins, sampled};
use crate::reasons::Reason;
use crate::slots::Slot;

/// Steps between two looks for namespaces.
const FIND_EVERY: u64 = 5;
/// Steps between two readings of the counters of protocols of other namespaces.
const PROTOCOLS_EVERY: u64 = 5;
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
        let ledger = self.ledger_works();
        let Some(Some(namespace)) = self.namespaces.get_mut(place) else { return };
        namespace.look_up(&*self.host, &mut self.processes, &mut self.buffer);
        // The first time before the sockets, then after them: so nothing is attributed that has not been counted.
        if !namespace.links.was_read() {
            self.read_interfaces(place, true);
        }
        let Some(Some(namespace)) = self.namespaces.get_mut(place) else { return };
        let intake = Intake {
            namespace: place as u16,
            wall: self.wall.0,
            baseline: namespace.baseline,
            sampling: self.load.sampling,
            limit: self.options.connections,
            ledger,
            dump: namespace.dumps.wrapping_add(1),
        };
        let mut reading = Reading {
            table: &mut self.table,
            algorithms: &mut self.algorithms,
            intake,
            met: Met::default(),
            ended: &mut self.ended,
            half_open: None,
        };
        if let Some(ended) = &mut namespace.ended {
            match reading.ends(&mut **ended) {
                Ok(lost) => self.lost += lost,
                Err(error) => namespace.failure = Some(error.to_string()),
            }
        }
        if (self.steps - 1).is_multiple_of(u64::from(self.load.period())) || namespace.baseline {
            if namespace.half_open.is_due(self.steps) {
                namespace.half_open.clear();
                reading.half_open = Some(&mut namespace.half_open);
            }
            let read = reading.tcp(&*namespace.kernel).and_then(|()| reading.udp(&*namespace.kernel));
            namespace.failure = read.as_ref().err().map(ToString::to_string);
            if intake.baseline
                && let Some(ended) = &mut namespace.ended
            {
                // What ended before the dump could show it counted before the accountant began. One whose end the
                // kernel announces still later, which takes it some milliseconds, is taken for new all the same.
                self.lost += reading.ends(&mut **ended).unwrap_or(0);
            }
            if read.is_ok() {
                namespace.dumps = intake.dump;
                namespace.sockets = reading.met.sockets;
                // Sockets that found no room have counted before they are followed, if they ever are.
                namespace.baseline = reading.met.refused > 0;
            }
        }
        self.malformed += reading.met.malformed as u64;
        self.pruned += reading.met.refused;
    }

    /// Reads the counters of a namespace's interfaces and protocols, `first` or again.
    fn read_interfaces(&mut self, place: usize, first: bool) {
        let Some(Some(namespace)) = self.namespaces.get_mut(place) else { return };
        if !first && std::mem::take(&mut namespace.new) {
            return;
        }
        namespace.new = first;
        if first || place == 0 || self.steps.is_multiple_of(PROTOCOLS_EVERY) {
            namespace.read_protocols(&*self.host, place == 0, &mut self.buffer);
        }
        if let Some(count) = &mut self.count_packets
            && namespace.packets.is_none()
        {
            namespace.packets = count(namespace.inode, &namespace.kernel).map(ByPackets::new);
        }
        let Some(packets) = &mut namespace.packets else {
            namespace.links.set_watched(std::iter::empty());
            return namespace.links.read(&*namespace.kernel);
        };
        let (counts, whole) = packets.read();
        // Before their own first reading nothing of the interfaces was told apart without it.
        let all = whole || packets.works() && !namespace.links.was_read();
        namespace.links.set_watched(packets.watched().filter(|_| all));
        namespace.links.read(&*namespace.kernel);
        for count in &counts {
            namespace.links.count(count);
            if let Some((peer, bytes)) = count.datagrams(namespace.links.link_header(count.interface))
                && let Some(row) = self.table.find(count.cookie).and_then(|slot| self.table.get(slot))
                && row.remote().ip().is_unspecified()
            {
                self.hosts.add_peer(peer, bytes, self.now);
            }
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

    fn read_ledger(&mut self, first: bool) {
        let Some(mut ledger) = self.ledger.take() else { return };
        let generation = ledger.generation();
        let anew = self.ledger_generation.is_some_and(|last| last != generation);
        if anew {
            self.table.iter_mut().for_each(|(_, row)| row.begin_ledger_anew());
        }
        // What a new ledger tells of sockets that are older than it was counted before.
        let living = ledger.living(&mut |record| self.record(&record, false, first || anew && record.older));
        let ended = ledger.ended(&mut |record| self.record(&record, true, first || anew && record.older));
        if living.is_ok() && ended.is_ok() {
            self.ledger_generation = Some(generation);
        }
        self.join_paths();
        self.processes.complete(&mut |process, started| ledger.process(process, started).ok().flatten());
        let missed = ledger.missed();
        let failure = living.as_ref().err().or(ended.as_ref().err()).or(missed.as_ref().err());
        self.ledger_failure = failure.map(ToString::to_string);
        self.lost += ended.unwrap_or(0);
        if let Ok(missed) = missed {
            // TCP's are found again in the kernel's counters of the connection; what is left is UDP's.
            self.unattributed.add(Reason::NoMemory, Traffic::new(missed.receive_bytes, missed.transmit_bytes));
        }
        self.ledger = Some(ledger);
    }

    fn record(&mut self, record: &SocketRecord, ended: bool, first: bool) {
        if !sampled(record.cookie, self.load.sampling) {
            return;
        }
        // What ended before the first dump began is not this accountant's business.
        if first && ended && self.table.find(record.cookie).is_none() {
            return;
        }
        let Some(slot) = self.table.find(record.cookie).or_else(|| self.add_recorded(record)) else { return };
        // Who makes a path is often the kernel itself.
        let named = record.tgid != 0 && record.path_of.is_none();
        let process = named.then(|| self.processes.of_record(&*self.host, record));
        let Some(row) = self.table.get_mut(slot) else { return };
        let dump = match self.namespaces.get(usize::from(row.namespace)) {
            Some(Some(namespace)) => namespace.dumps,
            _ => self.steps as u8,
        };
        let is_listed = std::mem::replace(&mut row.seen, dump) == dump;
        if let Some(whole) = record.path_of {
            row.path_of = whole;
            self.paths.push(slot);
        }
        if row.carrier == Carrier::Udp {
            // A call is taken for a datagram.
            let calls = |calls: u64| u32::try_from(calls).unwrap_or(u32::MAX);
            row.tcp.segments_in = row.tcp.segments_in.max(calls(record.receive_calls));
            row.tcp.segments_out = row.tcp.segments_out.max(calls(record.transmit_calls));
            if first && !row.is(flag::LEDGER) {
                row.tcp.skip();
            }
        }
        if let Some(process) = process {
            let counted = Traffic::new(record.receive_bytes, record.transmit_bytes);
            row.count(process, counted, !record.further, first);
            row.clear(flag::UNKNOWN_BYTES);
        }
        // Also of the living: a socket that both sides have closed is in no dump, while its program still holds it.
        if let Some(tcp) = record.tcp.filter(|_| ended || !is_listed) {
            row.take_ledger_counters(&tcp);
        }
        if !ended {
            return;
        }
        row.state = TcpState::CLOSE;
        if row.is_open() {
            self.table.close(slot, self.wall.0);
            self.ended.push(slot);
        }
    }

    /// Gives the paths of multipath sockets, whose bytes are that socket's, to its owner. A path whose socket is not
    /// known is a connection like others.
    fn join_paths(&mut self) {
        for slot in std::mem::take(&mut self.paths) {
            let Some(path) = self.table.get(slot).map(|row| row.path_of) else { continue };
            let whole = self.table.find(path).and_then(|whole| self.table.get(whole)).map(|whole| whole.owner.process);
            let Some(row) = self.table.get_mut(slot) else { continue };
            let Some(owner) = whole else {
                row.clear(flag::PATH);
                continue;
            };
            row.set(flag::PATH);
            if owner.is_some() {
                row.set_owner(owner);
            }
        }
    }

    /// All paths of a multipath socket have its inode, by which one of them was found.
    fn share_owners(&mut self) {
        let alone = |row: &Connection| row.is(flag::PATH) && row.inode != 0 && !row.owner.process.is_some();
        let alone: Vec<(Slot, u32)> =
            self.table.iter().filter(|(_, row)| alone(row)).map(|(slot, row)| (slot, row.inode)).collect();
        for (slot, inode) in alone {
            let found = self.table.by_inode(inode).and_then(|found| self.table.get(found));
            let owner = found.map_or(Slot::NONE, |found| found.owner.process);
            if let Some(row) = self.table.get_mut(slot).filter(|_| owner.is_some()) {
                row.set_owner(owner);
            }
        }
    }

    fn add_recorded(&mut self, record: &SocketRecord) -> Option<Slot> {
        if self.table.open() >= self.options.connections {
            self.pruned += 1;
            return None;
        }
        let inode = u64::from(record.namespace);
        let place = self.namespaces.iter().position(|slot| slot.as_ref().is_some_and(|known| known.inode == inode));
        let carrier = match record.kind {
            SocketKind::Tcp => Carrier::Tcp,
            SocketKind::Multipath => Carrier::Mptcp,
            SocketKind::Udp => Carrier::Udp,
            SocketKind::Ping => Carrier::Icmp,
            SocketKind::Raw => Carrier::Raw,
            SocketKind::Packet => Carrier::Packet,
            SocketKind::Other => Carrier::Other,
        };
        let (local, remote) = plain_ends((record.local, record.local_port), (record.remote, record.remote_port));
        let place = place.and_then(|place| u16::try_from(place).ok()).unwrap_or(u16::MAX);
        let mut row = Connection::new(record.cookie, place, carrier, local, remote, self.wall.0);
        row.state = TcpState(record.state);
        row.uid = record.uid;
        Some(self.table.add(row))
    }

    /// Gives each new byte to its process, its host, its interface, or to nobody with the reason.
    fn book(&mut self) {
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
