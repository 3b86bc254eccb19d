//! What is new in the rows of a packet ledger, whose figures run from its opening.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use squirrel_sys::{PacketLedger, SysError};
use squirrel_wire::packets::{Class, Direction, PacketRecord};

use crate::books::{Frames, PacketClass, PacketCount};

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
pub struct PacketReader {
    last: HashMap<Key, (Frames, bool)>,
}

impl PacketReader {
    /// A reader that has read nothing: what a row has when it is first met is new. A ledger that was opened before the
    /// accountant began is read once beforehand.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is new since the last reading, for [`Accountant::packets`](crate::Accountant::packets). A row that comes
    /// twice counts once.
    ///
    /// # Errors
    /// The call of the ledger that failed; what was read before it is not lost, and comes with the next reading.
    pub fn read(&mut self, ledger: &mut dyn PacketLedger) -> Result<Vec<PacketCount>, SysError> {
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
    let source = record.source.map(|address| SocketAddr::new(address, record.source_port));
    let destination = record.destination.map(|address| SocketAddr::new(address, record.destination_port));
    let received = record.direction == Direction::Receive;
    // This side is where a received frame goes and where a sent one comes from.
    let (local, remote) = if received { (destination, source) } else { (source, destination) };
    let (receive, transmit) = if received { (new, Frames::default()) } else { (Frames::default(), new) };
    PacketCount {
        namespace: u64::from(record.namespace),
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
        local,
        remote,
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
        let mut reader = PacketReader::new();
        let mut rows = Rows(vec![row(Direction::Transmit, Class::Socket, 3); 2]);
        let counts = reader.read(&mut rows).unwrap();
        assert_eq!(counts.len(), 1);
        let frames = Frames { packets: 3, bytes: 300, wire_packets: 6, wire_bytes: 450 };
        assert_eq!((counts[0].transmit, counts[0].receive), (frames, Frames::default()));
        assert_eq!(counts[0].local, "10.0.0.1:80".parse().ok());
        assert!(reader.read(&mut rows).unwrap().is_empty());
        rows.0[0].frames = 4;
        assert_eq!(reader.read(&mut rows).unwrap()[0].transmit.packets, 1);
    }

    #[test]
    fn a_row_that_is_passed_over_once_is_not_counted_again_and_one_that_begins_anew_is() {
        let mut reader = PacketReader::new();
        let mut rows = Rows(vec![row(Direction::Receive, Class::Kernel, 3)]);
        reader.read(&mut rows).unwrap();
        let kept = std::mem::take(&mut rows.0);
        reader.read(&mut rows).unwrap();
        rows.0 = kept;
        assert!(reader.read(&mut rows).unwrap().is_empty());
        rows.0[0].frames = 1;
        let counts = reader.read(&mut rows).unwrap();
        assert_eq!((counts[0].receive.packets, counts[0].remote), (1, "10.0.0.1:80".parse().ok()));
        rows.0.clear();
        (0..3).for_each(|_| assert!(reader.read(&mut rows).unwrap().is_empty()));
        assert!(reader.last.is_empty());
    }
}
