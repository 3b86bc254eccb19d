//! The ledger of sockets: reading what the programs noted. How it is opened stands in `ledger/open.rs`.

mod open;

use std::collections::HashSet;

use aya::maps::{HashMap, MapData, MapError, PerCpuArray, RingBuf};
use aya::programs::links::FdLink;
use squirrel_sys::bpf::MapIterator;
use squirrel_sys::{Missed, ProcessNote, SocketLedger, SysError};
use squirrel_wire::ledger::{PERSON_LEN, Person, RECORD_LEN, SocketKind, SocketRecord};

pub use self::open::Options;
use crate::rows::Rows;

type Row = [u8; RECORD_LEN];

/// A cookie and a thread group id.
type Further = [u64; 2];

/// The ledger that the kernel keeps while this lives. Dropping it takes all programs out again.
pub struct Ledger {
    ends: RingBuf<MapData>,
    others: HashMap<MapData, Further, Row>,
    missed: PerCpuArray<MapData, u64>,
    people: HashMap<MapData, u32, [u8; PERSON_LEN]>,
    /// Whether calls of multipath sockets are counted.
    multipath: bool,
    told: [u64; 3],
    living: Option<MapIterator>,
    /// Cookies of `others` that the last pass over the living did not meet.
    absent: HashSet<u64>,
    /// Cookies of `others` whose socket is gone without a word: its end was lost in the ring.
    orphans: HashSet<u64>,
    outcomes: Vec<(String, Option<String>)>,
    rows: Rows<RECORD_LEN>,
    _links: Vec<FdLink>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("parts", &self.outcomes).finish_non_exhaustive()
    }
}

/// Indices of the map `missed`.
const MISSED_ENDS: u32 = 0;
const MISSED_TRANSMIT_BYTES: u32 = 1;
const MISSED_RECEIVE_BYTES: u32 = 2;

impl Ledger {
    /// A row as it is told. Without the tracepoints of calls nothing counts those of multipath sockets: their paths are
    /// connections like all others then.
    fn row(multipath: bool, octets: &[u8]) -> Option<SocketRecord> {
        let record = SocketRecord::parse(octets).ok()?;
        if multipath {
            return Some(record);
        }
        (record.kind != SocketKind::Multipath).then_some(SocketRecord { path_of: None, ..record })
    }

    /// What a counter of `missed` grew by since it was told last.
    fn grown(&mut self, index: u32) -> Result<u64, SysError> {
        let values = self.missed.get(&index, 0).map_err(|error| failed("missed", error))?;
        let now: u64 = values.iter().copied().fold(0, u64::wrapping_add);
        let Some(told) = self.told.get_mut(index as usize) else { return Ok(0) };
        Ok(now.wrapping_sub(std::mem::replace(told, now)))
    }

    /// Hands over the rows of further processes whose socket is among `cookies`, and forgets them.
    fn take_further(&mut self, cookies: &HashSet<u64>, each: &mut dyn FnMut(SocketRecord)) -> Result<(), SysError> {
        let mut gone = Vec::new();
        for entry in &self.others {
            let (key, row) = entry.map_err(|error| failed("others", error))?;
            if cookies.contains(&key[0]) {
                gone.push(key);
                if let Some(record) = Self::row(self.multipath, &row) {
                    each(record);
                }
            }
        }
        for key in gone {
            match self.others.remove(&key) {
                Ok(()) | Err(MapError::KeyNotFound) => {}
                Err(error) => return Err(failed("others", error)),
            }
        }
        Ok(())
    }
}

/// Hands over the rows of one pass, and answers the cookies of shared sockets among them.
fn pass(
    iterator: &MapIterator,
    rows: &mut Rows<RECORD_LEN>,
    multipath: bool,
    each: &mut dyn FnMut(SocketRecord),
) -> Result<HashSet<u64>, SysError> {
    let mut shared = HashSet::new();
    let take = |row: &[u8]| {
        if let Some(record) = Ledger::row(multipath, row) {
            if record.shared {
                shared.insert(record.cookie);
            }
            each(record);
        }
    };
    rows.read(&mut iterator.pass()?, take)
        .map_err(|source| SysError::new("read", "a pass over the living sockets", source))?;
    Ok(shared)
}

/// A map that cannot be read.
fn failed(map: &str, error: MapError) -> SysError {
    match error {
        MapError::SyscallError(call) => SysError::new(call.call, format!("map {map}"), call.io_error),
        other => SysError::new("bpf", format!("map {map}"), std::io::Error::other(other)),
    }
}

impl SocketLedger for Ledger {
    fn ended(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<u64, SysError> {
        let mut shared = std::mem::take(&mut self.orphans);
        while let Some(row) = self.ends.next() {
            if let Some(record) = Self::row(self.multipath, &row) {
                if record.shared {
                    shared.insert(record.cookie);
                }
                each(record);
            }
        }
        if !shared.is_empty() {
            self.take_further(&shared, each)?;
        }
        self.grown(MISSED_ENDS)
    }

    fn living(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<(), SysError> {
        let Some(iterator) = &self.living else { return Ok(()) };
        let shared = pass(iterator, &mut self.rows, self.multipath, each)?;
        let mut absent = HashSet::new();
        for entry in &self.others {
            let (key, row) = entry.map_err(|error| failed("others", error))?;
            let Some(record) = Self::row(self.multipath, &row) else { continue };
            let lives = shared.contains(&key[0]);
            if !lives && self.absent.contains(&key[0]) {
                self.orphans.insert(key[0]);
                continue;
            }
            if !lives {
                absent.insert(key[0]);
            }
            // Nothing else tells of a packet socket that was opened and closed between two passes.
            if lives || record.kind == SocketKind::Packet {
                each(record);
            }
        }
        self.absent = absent;
        Ok(())
    }

    fn process(&mut self, tgid: u32, started_ns: u64) -> Result<Option<ProcessNote>, SysError> {
        let octets = match self.people.get(&tgid, 0) {
            Ok(octets) => octets,
            Err(MapError::KeyNotFound) => return Ok(None),
            Err(error) => return Err(failed("people", error)),
        };
        let person = Person::parse(&octets).ok().filter(|person| person.started_ns == started_ns);
        Ok(person.map(|person| ProcessNote { parent: person.parent, command: person.command.to_vec() }))
    }

    fn missed(&mut self) -> Result<Missed, SysError> {
        let transmit_bytes = self.grown(MISSED_TRANSMIT_BYTES)?;
        Ok(Missed { transmit_bytes, receive_bytes: self.grown(MISSED_RECEIVE_BYTES)? })
    }

    fn parts(&self) -> Vec<(String, Option<String>)> {
        self.outcomes.clone()
    }
}
