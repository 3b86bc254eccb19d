//! The ledger in a step: its rows are joined with the sockets that the dumps show.

use squirrel_wire::ledger::{SocketKind, SocketRecord};
use squirrel_wire::sock_diag::TcpState;

use super::Accountant;
use crate::connection::{Connection, flag, plain_ends};
use crate::picture::{Carrier, Traffic};
use crate::reading::sampled;
use crate::reasons::Reason;
use crate::slots::Slot;

impl Accountant {
    pub(super) fn read_ledger(&mut self, first: bool) {
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
    pub(super) fn share_owners(&mut self) {
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
}
