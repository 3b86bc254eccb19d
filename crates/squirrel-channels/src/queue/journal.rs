//! The queue on disk: a file of lines, each a checksum and a record in JSON. A file begins with everything that is known
//! and goes on with what changes; when it has grown, a new one takes its place.

use std::fmt;
use std::io;
use std::sync::Arc;

use flate2::Crc;
use serde::{Deserialize, Serialize};
use squirrel_store::dir::{Append, Dir};

use super::delivery::Delivery;
use super::lane::{Entry, Told};

/// Files are called `deliveries-N.log`; the highest number is the one that counts.
const PREFIX: &str = "deliveries-";
const SUFFIX: &str = ".log";
/// Largest file that is read: more than twice what a full queue takes.
const MAX_FILE: u64 = 256 << 20;

/// A change.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    /// A message is in its lane.
    Put(StoredEntry),
    /// It was tried.
    Tried { channel: String, number: u64, attempts: u32, refusals: u32, not_before_ms: i64, answer: Option<String> },
    /// The fallback channel has a copy.
    HandedOver { channel: String, number: u64 },
    /// It is not in its lane any more.
    Gone { channel: String, number: u64, delivery: Option<Delivery> },
    /// What a receiver was told last.
    Told { channel: String, group: String, told: Told },
    /// How a message of before ended.
    Ended(Delivery),
}

/// A message as JSON can hold it: JSON has no infinity and no NaN, alerts' values have.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredEntry {
    entry: Entry,
    /// Alerts whose value is no finite number, and its text.
    odd: Vec<(usize, String)>,
}

impl StoredEntry {
    /// The message's place in the order of all.
    pub(super) fn number(&self) -> u64 {
        self.entry.number
    }

    pub(super) fn of(entry: &Entry) -> Self {
        let mut entry = entry.clone();
        let mut odd = Vec::new();
        let finite = entry.notification.alerts.iter().all(|alert| alert.value.is_finite());
        if !finite || entry.notification.chart.is_some() {
            let notification = Arc::make_mut(&mut entry.notification);
            for (i, alert) in notification.alerts.iter_mut().enumerate().filter(|(_, alert)| !alert.value.is_finite()) {
                odd.push((i, alert.value.to_string()));
                alert.value = 0.0;
            }
            for (_, points) in notification.chart.iter_mut().flat_map(|chart| &mut chart.lines) {
                points.retain(|(_, value)| value.is_finite());
            }
        }
        let mut stored = Self { entry, odd };
        stored.entry.bytes = serde_json::to_vec(&stored.entry).map_or(0, |json| json.len());
        stored
    }

    /// Its size.
    pub(super) fn len(&self) -> usize {
        self.entry.bytes
    }

    pub(super) fn entry(mut self) -> Entry {
        self.entry.bytes = serde_json::to_vec(&self.entry).map_or(0, |json| json.len());
        if !self.odd.is_empty() {
            let notification = Arc::make_mut(&mut self.entry.notification);
            for (i, text) in &self.odd {
                if let (Some(alert), Ok(value)) = (notification.alerts.get_mut(*i), text.parse()) {
                    alert.value = value;
                }
            }
        }
        self.entry
    }
}

/// Why the queue cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{place}: the queue of notifications cannot be {what}: {}", without_number(reason))]
pub struct QueueError {
    /// The folder.
    pub place: String,
    /// `read` or `written`.
    pub what: &'static str,
    /// What the disk says.
    pub reason: io::Error,
}

/// An error of the system without its number, which tells people nothing.
fn without_number(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// The file that is written.
pub(super) struct Journal {
    dir: Arc<dyn Dir>,
    file: Option<Box<dyn Append>>,
    number: u64,
    /// Octets of the file, and of its beginning that told everything.
    len: u64,
    whole_len: u64,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("number", &self.number).field("len", &self.len).finish_non_exhaustive()
    }
}

/// What a file held.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) records: Vec<Record>,
    /// Lines that were damaged.
    pub(super) damaged: usize,
}

impl Journal {
    /// Reads the newest file of a folder.
    pub(super) fn read(dir: &Arc<dyn Dir>) -> Result<(Self, Read), QueueError> {
        let failed = |reason| QueueError { place: dir.place(), what: "read", reason };
        let files = numbers(&**dir).map_err(failed)?;
        let newest = files.last().copied();
        let mut read = Read::default();
        if let Some((number, len)) = newest {
            if len > MAX_FILE {
                return Err(failed(io::Error::other(format!("{} has more than {MAX_FILE} octets", name(number)))));
            }
            let bytes = dir.read(&name(number)).map_err(failed)?;
            for line in bytes.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()) {
                match record(line) {
                    Some(record) => read.records.push(record),
                    None => read.damaged += 1,
                }
            }
        }
        let number = newest.map_or(0, |(number, _)| number);
        Ok((Self { dir: dir.clone(), file: None, number, len: 0, whole_len: 0 }, read))
    }

    /// Writes records behind the others. After an error nothing is believed of the file any more, and the next thing
    /// written must be [`Journal::begin`].
    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), QueueError> {
        let failed = |dir: &dyn Dir, reason| QueueError { place: dir.place(), what: "written", reason };
        let Some(mut file) = self.file.take() else {
            return Err(failed(&*self.dir, io::Error::other("no file is open")));
        };
        let bytes = lines(records.iter());
        file.write(&bytes).and_then(|()| file.sync()).map_err(|error| failed(&*self.dir, error))?;
        self.len += bytes.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    /// Begins a new file with everything; the old one goes when the new one is safe.
    pub(super) fn begin(&mut self, records: impl Iterator<Item = Record>) -> Result<(), QueueError> {
        let number = self.number + 1;
        self.file = None;
        let result = self.begin_file(number, &lines(records));
        result.map_err(|reason| QueueError { place: self.dir.place(), what: "written", reason })
    }

    fn begin_file(&mut self, number: u64, bytes: &[u8]) -> io::Result<()> {
        let temporary = "tmp-deliveries";
        let _ = self.dir.remove(temporary); // left behind by a crash
        let mut file = self.dir.create(temporary)?;
        file.write(bytes)?;
        file.sync()?;
        self.dir.rename(temporary, &name(number))?;
        // From here on a start would read the new file.
        self.number = number;
        self.dir.sync_folder("")?;
        for (old, _) in numbers(&*self.dir)?.into_iter().filter(|(old, _)| *old < number) {
            // What stays is removed the next time.
            let _ = self.dir.remove(&name(old));
        }
        self.len = bytes.len() as u64;
        self.whole_len = self.len;
        self.file = Some(file);
        Ok(())
    }

    /// Whether a new file should be begun: what changed is much more than what is.
    pub(super) fn has_grown(&self) -> bool {
        self.file.is_none() || self.len > (1 << 20) + 2 * self.whole_len
    }
}

fn name(number: u64) -> String {
    format!("{PREFIX}{number:08}{SUFFIX}")
}

/// Numbers and lengths of the folder's files, smallest number first.
fn numbers(dir: &dyn Dir) -> io::Result<Vec<(u64, u64)>> {
    let number = |name: &str| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok();
    let mut all: Vec<(u64, u64)> =
        dir.list("")?.iter().filter_map(|entry| Some((number(&entry.name)?, entry.len))).collect();
    all.sort_unstable();
    Ok(all)
}

fn lines(records: impl Iterator<Item = impl std::borrow::Borrow<Record>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        // Nothing in a record can fail to be JSON: its keys are texts, its numbers finite.
        let Ok(json) = serde_json::to_vec(record.borrow()) else { continue };
        bytes.extend_from_slice(format!("{:08x} ", checksum(&json)).as_bytes());
        bytes.extend_from_slice(&json);
        bytes.push(b'\n');
    }
    bytes
}

fn record(line: &[u8]) -> Option<Record> {
    let (sum, json) = line.split_at_checked(9)?;
    let sum = u32::from_str_radix(std::str::from_utf8(sum).ok()?.strip_suffix(' ')?, 16).ok()?;
    if sum != checksum(json) {
        return None;
    }
    serde_json::from_slice(json).ok()
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}
