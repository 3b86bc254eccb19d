//! Judging a store: every byte of every file is read.

use std::collections::HashSet;
use std::sync::Arc;

use super::frozen::Frozen;
use super::{Progress, freeze};
use crate::block::{Block, BlockFault, BlockMeta, Ledger, SUFFIX, TIERS, covered_by_name};
use crate::dir::Dir;
use crate::error::StoreError;
use crate::format::VERSION;
use crate::head::Row;
use crate::options::StoreOptions;
use crate::series::{self, SeriesLog};
use crate::store::{MARKER, is_left_over, marker_is_whole};
use crate::wal::{self, ReplayError};

/// Most findings that are listed; the others are counted.
const MAX_FINDINGS: usize = 1000;

const LOST: &str = "The rest is used. To get this back, stop Squirrel and put the same file of a backup in its place; \
                    without a backup it is lost, and the file goes when its time is over";
const HARMLESS: &str =
    "Nothing is lost by it, and nothing has to be done; if it comes again, check the disk (dmesg, smartctl)";
const LOG: &str = "The next start goes on behind it; the seconds in it are lost unless a backup has them";

/// One thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, relative to the store's folder.
    pub file: String,
    /// Where in the file, in bytes, as far as there is one place.
    pub offset: Option<u64>,
    /// What is wrong.
    pub what: String,
    /// Whether samples are lost by it.
    pub loses_samples: bool,
    /// What to do.
    pub advice: &'static str,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Blocks, of all resolutions.
    pub blocks: u64,
    /// Samples that can be read from blocks: of full resolution, and figures of minutes and of hours.
    pub block_samples: [u64; 3],
    /// Samples that can be read from the log and are in no block yet.
    pub log_samples: u64,
    /// Bytes at the end of the log or of a series file that are no whole record: a write under way, or one that a
    /// crash interrupted. The next start cuts them; nothing that was acknowledged is in them.
    pub unfinished_bytes: u64,
    /// The damage.
    pub findings: Vec<Finding>,
    /// Damage beyond the first thousand places.
    pub more_findings: u64,
    /// What is worth knowing and no damage.
    pub notes: Vec<String>,
}

impl CheckReport {
    /// Whether everything is as it was written.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, file: &str, offset: Option<u64>, what: impl Into<String>, loses: bool, advice: &'static str) {
        if self.findings.len() >= MAX_FINDINGS {
            self.more_findings += 1;
            return;
        }
        let finding = Finding { file: file.to_owned(), offset, what: what.into(), loses_samples: loses, advice };
        self.findings.push(finding);
    }
}

/// Reads everything in a store and changes nothing. It needs no lock: a program may be writing to the store.
///
/// # Errors
/// When the folder is no store, or one of a newer version, or cannot be read at all.
pub fn check(dir: &dyn Dir, progress: &mut dyn FnMut(Progress)) -> Result<CheckReport, StoreError> {
    let frozen = Arc::new(freeze(dir)?);
    let mut report = CheckReport::default();
    (report.files, report.bytes) = frozen.files().fold((0, 0), |(n, bytes), (_, len)| (n + 1, bytes + len));
    let mut checking = Checking { frozen: &frozen, report, done: 0, progress };
    if !marker_is_whole(frozen.as_ref()) {
        checking.report.find(MARKER, None, "is missing or damaged", false, "The next start writes it anew");
    }
    let full = checking.tier(0)?;
    checking.tier(1)?;
    checking.tier(2)?;
    checking.series();
    checking.log(&full)?;
    Ok(checking.report)
}

struct Checking<'a> {
    frozen: &'a Frozen,
    report: CheckReport,
    done: u64,
    progress: &'a mut dyn FnMut(Progress),
}

impl Checking<'_> {
    fn step(&mut self, bytes: u64) {
        self.done += bytes;
        (self.progress)(Progress { done: self.done, total: self.report.bytes });
    }

    fn newer(&self, subject: &str, version: u16) -> StoreError {
        let (place, known) = (self.frozen.place(), u64::from(VERSION));
        StoreError::Newer { place, subject: subject.to_owned(), version: u64::from(version), known }
    }

    /// Files of a folder that belong there by their name, with their paths; the others are noted.
    fn files(&mut self, folder: &str, suffix: &str) -> Vec<(String, u64)> {
        let mut files = Vec::new();
        for entry in self.frozen.list(folder).unwrap_or_default() {
            let path = format!("{folder}/{}", entry.name);
            if entry.name.ends_with(suffix) && !entry.name.starts_with("tmp-") && !entry.is_folder {
                files.push((path, entry.len));
                continue;
            }
            self.step(entry.len);
            let why = if entry.name.starts_with("tmp-") {
                "is being written, or left over from a crash: the next start removes it"
            } else {
                "is no file of the store, and is not read"
            };
            self.report.notes.push(format!("{path} {why}"));
        }
        files
    }

    /// Judges the blocks of a tier; answers what they say of themselves.
    fn tier(&mut self, tier: usize) -> Result<Vec<(String, Option<BlockMeta>)>, StoreError> {
        let folder = TIERS.get(tier).copied().unwrap_or_default();
        let ledger = Arc::new(Ledger::default());
        let mut blocks = Vec::new();
        for (path, len) in self.files(folder, SUFFIX) {
            self.report.blocks += 1;
            let mut known = None;
            match Block::open(self.frozen, &path, ledger.clone()) {
                Ok(block) => {
                    known = Some(block.meta);
                    if usize::from(block.meta.tier) != tier {
                        self.report.find(&path, None, "belongs into another folder", false, HARMLESS);
                    }
                    match block.verify() {
                        Ok(verdict) => {
                            if let Some(samples) = self.report.block_samples.get_mut(tier) {
                                *samples += verdict.samples;
                            }
                            for fault in verdict.faults {
                                let advice = if fault.loses { LOST } else { HARMLESS };
                                self.report.find(&path, Some(fault.offset), fault.what, fault.loses, advice);
                            }
                        }
                        Err(error) => self.unreadable(&path, &error),
                    }
                }
                Err(BlockFault::Newer(version)) => return Err(self.newer(&path, version)),
                Err(BlockFault::Damaged) => {
                    let what = "both footers are damaged: none of its samples can be found";
                    self.report.find(&path, None, what, true, LOST);
                }
                Err(BlockFault::Io(error)) => self.unreadable(&path, &error),
            }
            self.step(len);
            blocks.push((path, known));
        }
        for (path, known) in &blocks {
            let whole = |(_, other): &(String, Option<BlockMeta>)| {
                known.zip(*other).is_some_and(|(part, whole)| is_left_over(&part, &whole))
            };
            if blocks.iter().any(whole) {
                self.report.notes.push(format!("{path} is in a larger block as well: the next start removes it"));
            }
        }
        Ok(blocks)
    }

    fn unreadable(&mut self, path: &str, error: &std::io::Error) {
        let what = format!("cannot be read: {error}");
        self.report.find(path, None, what, true, LOST);
    }

    fn series(&mut self) {
        let files = self.files(series::FOLDER, series::log::SUFFIX);
        let last = files.last().map(|(path, _)| path.clone());
        for (path, len) in files {
            let advice = "Its series are in the log and the blocks too, from which the next start takes them";
            match self.frozen.read(&path) {
                Ok(bytes) => match SeriesLog::first_damage(&bytes) {
                    Some((_, len, true)) if last.as_ref() == Some(&path) => self.report.unfinished_bytes += len,
                    Some((at, len, _)) => {
                        self.report.find(&path, Some(at), format!("{len} damaged bytes"), false, advice);
                    }
                    None => {}
                },
                Err(error) => self.report.find(&path, None, format!("cannot be read: {error}"), false, advice),
            }
            self.step(len);
        }
    }

    fn log(&mut self, blocks: &[(String, Option<BlockMeta>)]) -> Result<(), StoreError> {
        let bytes = self.files(wal::FOLDER, wal::SUFFIX).iter().map(|(_, len)| len).sum();
        let by_name = blocks.iter().filter_map(|(path, _)| covered_by_name(path.rsplit('/').next()?));
        let metas: Vec<BlockMeta> = blocks.iter().filter_map(|(_, meta)| *meta).collect();
        let covered_seq = by_name.chain(metas.iter().map(|meta| meta.covers_seq)).max().unwrap_or(0);
        let covered = |time: i64, seq: u64| {
            metas.iter().any(|meta| (meta.start_ms..meta.end_ms).contains(&time) && seq < meta.covers_seq)
        };
        let mut samples = 0;
        let mut seen: HashSet<u64> = HashSet::new();
        let window_ms = StoreOptions::new(squirrel_model::Labels::empty()).block_ms;
        let replayed = wal::replay(self.frozen, window_ms, covered_seq, |row, _| {
            // A segment may repeat what was not synced in the one before.
            let (seq, open) = match &row {
                Row::Tick(tick) => (tick.seq, if covered(tick.time_ms, tick.seq) { 0 } else { row.len() }),
                Row::Loose(row) => {
                    (row.seq, row.samples().iter().filter(|(_, time, _)| !covered(*time, row.seq)).count())
                }
            };
            if seen.insert(seq) {
                samples += open as u64;
            }
            open > 0
        });
        let replayed = replayed.map_err(|error| match error {
            ReplayError::Io(subject, error) => StoreError::io(self.frozen.place(), "read", subject, error),
            ReplayError::Newer(subject, version) => self.newer(&subject, version),
        })?;
        self.report.log_samples = samples;
        self.report.unfinished_bytes += replayed.damage.tail_bytes;
        for (file, offset, len) in &replayed.damage.places {
            self.report.find(file, Some(*offset), format!("{len} damaged bytes"), true, LOG);
        }
        if replayed.damage.frames > 0 {
            let what = format!("{} ticks of all series are missing or refer to one that is", replayed.damage.frames);
            self.report.find(wal::FOLDER, None, what, true, LOG);
        }
        self.step(bytes);
        Ok(())
    }
}
