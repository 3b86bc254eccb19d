//! Packets that are counted in the kernel: whose interfaces, and what is new in the ledger's rows, whose figures run
//! from its opening.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use squirrel_sys::{Kernel, PacketLedger, SysError};
use squirrel_wire::packets::{Class, Direction, PacketRecord};

use crate::books::{Frames, PacketClass, PacketCount};
use crate::picture::PartStatus;

/// An interface that exists, and whether each of its frames is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowedInterface {
    /// Its index.
    pub index: u32,
    /// Its name, as it may be shown.
    pub name: String,
    /// Why its frames are not counted; `None` when they are.
    pub missing: Option<String>,
}

/// Gives the source of packet counts of a network namespace, by its inode number and the kernel that answers there;
/// `None` for one whose packets are not to be counted. For
/// [`Accountant::set_packets`](crate::Accountant::set_packets).
pub type CountPackets = Box<dyn FnMut(u64, &Arc<dyn Kernel>) -> Option<Box<dyn PacketSource>> + Send>;

/// Counts the frames of the interfaces of one network namespace.
pub trait PacketSource: Send {
    /// Begins to count the interfaces that came, lets go of those that went, and gives all that are there now. Called
    /// at the begin of each step.
    ///
    /// # Errors
    /// When the interfaces cannot be listed; those counted so far go on.
    fn follow(&mut self) -> Result<Vec<FollowedInterface>, SysError>;

    /// The rows of all that are counted.
    fn ledger(&mut self) -> &mut dyn PacketLedger;
}

/// A source of packet counts, and what it said last.
pub(crate) struct ByPackets {
    source: Box<dyn PacketSource>,
    reader: PacketReader,
    interfaces: Vec<FollowedInterface>,
    failure: Option<String>,
    begun: bool,
}

impl ByPackets {
    pub(crate) fn new(source: Box<dyn PacketSource>) -> Self {
        let (reader, interfaces) = (PacketReader::default(), Vec::new());
        Self { source, reader, interfaces, failure: None, begun: false }
    }

    /// What was counted since the last reading, and whether it is all of it. The first reading gives nothing, and so
    /// does the one after a failure: what the interfaces' own counters say was told apart without it. To be called just
    /// before these are read: what passes between the two readings is unexplained until the next step.
    pub(crate) fn read(&mut self) -> (Vec<PacketCount>, bool) {
        let followed = self.source.follow().map(|interfaces| self.interfaces = interfaces);
        let counts = self.reader.read(self.source.ledger());
        let failure = followed.as_ref().err().or(counts.as_ref().err());
        self.failure = failure.map(ToString::to_string);
        let begun = std::mem::replace(&mut self.begun, self.failure.is_none());
        let whole = begun && self.begun;
        (if whole { counts.unwrap_or_default() } else { Vec::new() }, whole)
    }

    /// The indexes of the interfaces whose every frame is counted.
    pub(crate) fn watched(&self) -> impl Iterator<Item = u32> {
        let counted = self.interfaces.iter().filter(|interface| interface.missing.is_none());
        counted.map(|interface| interface.index)
    }

    /// Whether any interface is counted and the last reading worked.
    pub(crate) fn works(&self) -> bool {
        self.failure.is_none() && self.watched().next().is_some()
    }

    /// Interfaces that are not counted, and all that there are.
    pub(crate) fn missing(&self) -> (usize, usize) {
        let missing = self.interfaces.iter().filter(|interface| interface.missing.is_some()).count();
        (missing, self.interfaces.len())
    }

    /// What is counted and what is not; `of` names the namespace behind each interface.
    pub(crate) fn parts(&self, of: &str) -> Vec<PartStatus> {
        let mut parts = vec![PartStatus { part: format!("packets{of}"), missing: self.failure.clone() }];
        parts.extend(self.interfaces.iter().map(|interface| PartStatus {
            part: format!("packets of {}{of}", interface.name),
            missing: interface.missing.clone(),
        }));
        parts
    }
}

/// What tells one row from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    namespace: u32,
    interface: u32,
    receive: bool,
    class: Class,
    cookie: u64,
    ethertype: u16,
    protocol: u8,
    source: Option<(IpAddr, u16)>,
    destination: Option<(IpAddr, u16)>,
}

/// Remembers each row's figures, as many as the ledger has rows.
#[derive(Debug, Default)]
pub(crate) struct PacketReader {
    last: HashMap<Key, (Frames, bool)>,
}

impl PacketReader {
    /// What is new since the last reading; what a row has when it is first met is new. A row that comes twice counts
    /// once.
    ///
    /// # Errors
    /// The call of the ledger that failed; what was read before it is not lost, and comes with the next reading.
    pub(crate) fn read(&mut self, ledger: &mut dyn PacketLedger) -> Result<Vec<PacketCount>, SysError> {
        let mut read: HashMap<Key, (PacketRecord, Frames)> = HashMap::new();
        ledger.each(&mut |record| {
            let now = frames(&record);
            let entry = read.entry(key(&record)).or_insert((record, now));
            if now.packets > entry.1.packets {
                *entry = (record, now);
            }
        })?;
        // A row that the ledger gave up may come again with smaller figures, so those of absent ones are forgotten; but
        // only after a second pass, since one may be passed over while the table changes.
        self.last.retain(|key, (_, missed)| !std::mem::replace(missed, true) || read.contains_key(key));
        let mut counts = Vec::new();
        for (key, (record, now)) in read {
            let before = self.last.insert(key, (now, false)).map_or_else(Frames::default, |(before, _)| before);
            let new = grown(now, before);
            if new.packets > 0 || new.wire_packets > 0 {
                counts.push(count(&record, new));
            }
        }
        Ok(counts)
    }
}

fn key(record: &PacketRecord) -> Key {
    Key {
        namespace: record.namespace,
        interface: record.interface,
        receive: record.direction == Direction::Receive,
        class: record.class,
        cookie: record.cookie,
        ethertype: record.ethertype,
        protocol: record.protocol,
        source: record.source.map(|address| (address, record.source_port)),
        destination: record.destination.map(|address| (address, record.destination_port)),
    }
}

fn frames(record: &PacketRecord) -> Frames {
    Frames {
        packets: record.frames,
        bytes: record.bytes,
        wire_packets: record.wire_frames,
        wire_bytes: record.wire_bytes,
    }
}

/// What a row grew by. One that has become smaller has begun anew.
fn grown(now: Frames, before: Frames) -> Frames {
    if now.packets < before.packets {
        return now;
    }
    Frames {
        packets: now.packets - before.packets,
        bytes: now.bytes.saturating_sub(before.bytes),
        wire_packets: now.wire_packets.saturating_sub(before.wire_packets),
        wire_bytes: now.wire_bytes.saturating_sub(before.wire_bytes),
    }
}

fn count(record: &PacketRecord, new: Frames) -> PacketCount {
    let (receive, transmit) = match record.direction {
        Direction::Receive => (new, Frames::default()),
        Direction::Transmit => (Frames::default(), new),
    };
    PacketCount {
        interface: record.interface,
        class: match record.class {
            Class::Socket => PacketClass::Socket,
            // What was not addressed to this host passes by.
            Class::Forwarded | Class::OtherHost => PacketClass::Forwarded,
            Class::Kernel => PacketClass::Kernel,
            Class::Crowded => PacketClass::Untold,
        },
        cookie: record.cookie,
        protocol: record.protocol,
        source: record.source,
        destination: record.destination,
        receive,
        transmit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Rows(Vec<PacketRecord>);

    impl PacketLedger for Rows {
        fn each(&mut self, each: &mut dyn FnMut(PacketRecord)) -> Result<(), SysError> {
            self.0.iter().copied().for_each(each);
            Ok(())
        }
    }

    fn row(direction: Direction, class: Class, frames: u64) -> PacketRecord {
        PacketRecord {
            namespace: 5,
            interface: 2,
            direction,
            class,
            cookie: 9,
            ethertype: 0x0800,
            protocol: 6,
            source: "10.0.0.1".parse().ok(),
            source_port: 80,
            destination: "10.0.0.2".parse().ok(),
            destination_port: 4000,
            frames,
            bytes: frames * 100,
            wire_frames: frames * 2,
            wire_bytes: frames * 150,
        }
    }

    #[test]
    fn what_is_new_is_counted_once_however_often_a_row_comes() {
        let mut reader = PacketReader::default();
        let mut rows = Rows(vec![row(Direction::Transmit, Class::Socket, 3); 2]);
        let counts = reader.read(&mut rows).unwrap();
        assert_eq!(counts.len(), 1);
        let frames = Frames { packets: 3, bytes: 300, wire_packets: 6, wire_bytes: 450 };
        assert_eq!((counts[0].transmit, counts[0].receive), (frames, Frames::default()));
        assert_eq!(counts[0].destination, "10.0.0.2".parse().ok());
        assert!(reader.read(&mut rows).unwrap().is_empty());
        rows.0[0].frames = 4;
        assert_eq!(reader.read(&mut rows).unwrap()[0].transmit.packets, 1);
    }

    #[test]
    fn a_row_that_is_passed_over_once_is_not_counted_again_and_one_that_begins_anew_is() {
        let mut reader = PacketReader::default();
        let mut rows = Rows(vec![row(Direction::Receive, Class::Kernel, 3)]);
        reader.read(&mut rows).unwrap();
        let kept = std::mem::take(&mut rows.0);
        reader.read(&mut rows).unwrap();
        rows.0 = kept;
        assert!(reader.read(&mut rows).unwrap().is_empty());
        rows.0[0].frames = 1;
        let counts = reader.read(&mut rows).unwrap();
        assert_eq!((counts[0].receive.packets, counts[0].class), (1, PacketClass::Kernel));
        rows.0.clear();
        (0..3).for_each(|_| assert!(reader.read(&mut rows).unwrap().is_empty()));
        assert!(reader.last.is_empty());
    }
}
