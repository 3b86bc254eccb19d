//! Namespaces in a step: which there are, and the sockets and interfaces of each.

use super::{Accountant, MAX_NAMESPACES, Namespace};
use crate::packets::ByPackets;
use crate::reading::{Intake, Met, Reading};

/// Steps between two looks for namespaces.
const FIND_EVERY: u64 = 5;
/// Steps between two readings of the counters of protocols of other namespaces.
const PROTOCOLS_EVERY: u64 = 5;

impl Accountant {
    pub(super) fn find_namespaces(&mut self) {
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

    pub(super) fn read_namespace(&mut self, place: usize) {
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
            let read = reading.all(&*namespace.kernel);
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
    pub(super) fn read_interfaces(&mut self, place: usize, first: bool) {
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
}
