//! Opening a store, whatever state the last run left it in.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use squirrel_model::Timestamp;

use super::compact::is_left_over;
use super::replay::Replay;
use super::reserve::Reserve;
use super::resolve::Resolver;
use super::{Maintenance, Store, Writer, folder};
use crate::block::{Block, BlockFault, BlockMeta, SUFFIX, TIERS, covered_by_name};
use crate::dir::Dir;
use crate::error::StoreError;
use crate::format::VERSION;
use crate::options::StoreOptions;
use crate::report::OpenReport;
use crate::series::{Definition, Index, SeriesId, SeriesLog};
use crate::tier::series_of;
use crate::view::{Shared, View};
use crate::wal::{self, Limits, LogWriter, ReplayError};

impl Store {
    /// Opens the store in a folder; an empty folder becomes one.
    ///
    /// Damaged data never keeps a store from opening: what is lost is counted in the report, what
    /// is not damaged is there.
    ///
    /// # Errors
    /// When another program uses the folder, when it cannot be read or written, when it is something
    /// else than a store, when a newer version wrote it, or when an option makes no sense.
    pub fn open(dir: Arc<dyn Dir>, options: StoreOptions, now: Timestamp) -> Result<(Self, OpenReport), StoreError> {
        check(&options)?;
        let lock = dir.lock().map_err(|error| lock_error(dir.as_ref(), error))?;
        let mut opening = Opening { dir: dir.clone(), report: OpenReport::default(), shared: Shared::default() };
        folder::prepare(dir.as_ref(), &mut opening.report.notes)?;
        let (series_log, loaded) = SeriesLog::load(dir.clone())
            .map_err(|error| StoreError::io(dir.place(), "list", "the series files", error))?;
        if let Some((subject, version)) = &loaded.newer {
            return Err(newer(dir.as_ref(), subject.clone(), *version));
        }
        let (blocks, covered_seq) = opening.blocks(TIERS[0])?;
        // Coarse blocks are made of those of full resolution: they say nothing about the log.
        let [(minutes, by_minutes), (hours, by_hours)] = [opening.blocks(TIERS[1])?, opening.blocks(TIERS[2])?];
        let coarse = [minutes, hours];
        let durable: HashSet<SeriesId> = loaded.series.keys().copied().collect();
        let mut replay = Replay::new(&options, loaded, &blocks);
        for (tier, blocks) in [&blocks].into_iter().chain(&coarse).enumerate() {
            opening.fill_from_blocks(&mut replay, tier, blocks);
        }
        let replayed = replay.run(dir.as_ref(), covered_seq).map_err(|error| match error {
            ReplayError::Io(subject, error) => StoreError::io(dir.place(), "read", subject, error),
            ReplayError::Newer(subject, version) => newer(dir.as_ref(), subject, version),
        })?;
        let Opening { mut report, shared, .. } = opening;
        fill_report(&mut report, &replay, &replayed, &blocks, now);
        count_losses(&shared, &report);

        let limits = Limits {
            window_ms: options.block_ms,
            segment_ms: options.segment_ms,
            segment_bytes: options.segment_bytes,
        };
        // Where samples were deleted, coarse blocks may be all that remembers which numbers were given.
        let next_seq = replayed.next_seq.max(covered_seq).max(by_minutes).max(by_hours);
        let closed = replayed.segments;
        let mut log = LogWriter::new(dir.clone(), options.sync, limits, (replayed.next_number, next_seq), closed);
        // Blocks hold everything of these: the last run ended before it could delete them.
        let numbers = log.closed_numbers();
        let windows = replay.windows();
        if let Err(error) = log.remove_covered(&numbers, &windows) {
            report.notes.push(format!("a log segment that is no longer needed cannot be deleted: {error}"));
        }

        let series: Vec<Definition> = replay.series.iter().map(|(id, labels)| (*id, labels.clone())).collect();
        let pending = series.iter().filter(|(id, _)| !durable.contains(id)).cloned().collect();
        let writer = Writer {
            log,
            resolver: Resolver::default(),
            by_labels: series.iter().map(|(id, labels)| (labels.clone(), *id)).collect::<HashMap<_, _>>(),
            next_id: replay.next_id,
            pending,
            layout: replay.layout,
            last_tick: replay.last_tick,
            needs_cut: false,
            closed: false,
        };
        shared.change(|view| {
            *view = View {
                index: Index::new(series),
                blocks: Arc::new(blocks),
                coarse: coarse.map(Arc::new),
                parts: Arc::new(replay.parts.into_iter().map(Arc::new).collect()),
                rows: Vec::new(),
            };
        });
        let reserve = Reserve::open(dir.as_ref(), options.reserve_bytes);
        let maintenance = Maintenance { series_log, last_cut: None, left_alone: BTreeMap::new(), reserve };
        let store = Self {
            dir,
            options,
            shared: Arc::new(shared),
            maintenance: Mutex::new(maintenance),
            packing: Mutex::new(()),
            writer: Mutex::new(writer),
            lock,
        };
        store.measure_disk();
        report.notes.iter().for_each(|note| tracing::warn!("{note}"));
        Ok((store, report))
    }
}

fn check(options: &StoreOptions) -> Result<(), StoreError> {
    let wrong = |option, reason: &str| Err(StoreError::Option { option, reason: reason.to_owned() });
    if options.step_ms < 1 {
        return wrong("step_ms", "must be at least 1");
    }
    if options.block_ms < options.step_ms {
        return wrong("block_ms", "must be at least one step");
    }
    if options.retention_ms < options.block_ms {
        return wrong("retention_ms", "must be at least the length of one block (two hours unless changed)");
    }
    if options.grace_ms < 0 {
        return wrong("grace_ms", "must not be negative");
    }
    if options.segment_ms < 1 || options.segment_bytes < 1 {
        return wrong("segment_ms, segment_bytes", "must be at least 1");
    }
    Ok(())
}

fn lock_error(dir: &dyn Dir, error: io::Error) -> StoreError {
    if error.kind() != io::ErrorKind::WouldBlock {
        return StoreError::io(dir.place(), "lock", "the folder", error);
    }
    let holder = error.to_string();
    let holder = if holder.is_empty() { holder } else { format!(" (by {holder})") };
    StoreError::Locked { place: dir.place(), holder }
}

fn newer(dir: &dyn Dir, subject: String, version: u16) -> StoreError {
    StoreError::Newer { place: dir.place(), subject, version: u64::from(version), known: u64::from(VERSION) }
}

struct Opening {
    dir: Arc<dyn Dir>,
    report: OpenReport,
    shared: Shared,
}

impl Opening {
    /// Opens the blocks, sorted by window and age, and finds up to which frame blocks cover the log.
    fn blocks(&mut self, folder: &str) -> Result<(Vec<Arc<Block>>, u64), StoreError> {
        let entries = self
            .dir
            .list(folder)
            .map_err(|error| StoreError::io(self.dir.place(), "list", format!("the folder {folder}"), error))?;
        let (mut blocks, mut covered) = (Vec::new(), 0);
        for entry in entries {
            let path = format!("{folder}/{}", entry.name);
            if entry.name.starts_with("tmp-") {
                let _ = self.dir.remove(&path); // a crash interrupted its writing; the log has it all
                continue;
            }
            if !entry.name.ends_with(SUFFIX) {
                continue;
            }
            covered = covered.max(covered_by_name(&entry.name).unwrap_or(0));
            match Block::open(self.dir.as_ref(), &path, self.shared.ledger.clone()) {
                Ok(block) => {
                    if block.bruised {
                        self.report.notes.push(format!("{path}: a header or footer is damaged; nothing is lost by it"));
                    }
                    covered = covered.max(block.meta.covers_seq);
                    blocks.push(Arc::new(block));
                }
                Err(BlockFault::Newer(version)) => return Err(newer(self.dir.as_ref(), path, version)),
                Err(BlockFault::Damaged) => self.unusable(&path, "it is damaged"),
                Err(BlockFault::Io(error)) => self.unusable(&path, &error.to_string()),
            }
        }
        blocks.sort_by_key(|block: &Arc<Block>| (block.meta.start_ms, block.meta.covers_seq));
        let metas: Vec<BlockMeta> = blocks.iter().map(|block| block.meta).collect();
        blocks.retain(|block| {
            let left_over = metas.iter().any(|whole| is_left_over(&block.meta, whole));
            if left_over {
                // A crash came between the larger block and the end of its parts.
                let _ = self.dir.remove(&block.path);
            }
            !left_over
        });
        Ok((blocks, covered))
    }

    fn unusable(&mut self, path: &str, why: &str) {
        self.shared.ledger.blocks.fetch_add(1, Ordering::Relaxed);
        self.report.unusable_blocks += 1;
        self.report.notes.push(format!("the block {path} cannot be used: {why}; its file is left as it is"));
    }

    /// Takes from the blocks the labels that the series files lack, when they were damaged.
    fn fill_from_blocks(&mut self, replay: &mut Replay, tier: usize, blocks: &[Arc<Block>]) {
        let damaged = replay.series_bytes_lost > 0;
        let series = |id: SeriesId| if tier == 0 { id } else { series_of(id) };
        for block in blocks {
            let max_id = series(SeriesId(block.meta.max_id)).0;
            if !damaged && max_id < replay.next_id {
                continue;
            }
            match block.definitions() {
                Ok(definitions) => {
                    replay.define(definitions.into_iter().map(|(id, labels)| (series(id), labels)).collect());
                }
                Err(error) => self.report.notes.push(format!("{}: its labels cannot be read: {error}", block.path)),
            }
            replay.next_id = replay.next_id.max(max_id.saturating_add(1));
        }
    }
}

fn fill_report(
    report: &mut OpenReport,
    replay: &Replay,
    replayed: &wal::Replayed,
    blocks: &[Arc<Block>],
    now: Timestamp,
) {
    const FUTURE_MS: i64 = 3_600_000;
    report.series = replay.series.len();
    report.blocks = blocks.len();
    report.block_samples = blocks.iter().map(|block| block.meta.samples).sum();
    report.log_samples = replay.samples;
    report.log_frames = replayed.frames;
    report.log_bytes = replayed.segments.iter().map(|segment| segment.bytes).sum();
    report.newest = replay.newest.map(Timestamp);
    report.torn_bytes = replayed.damage.tail_bytes;
    report.damaged_log_bytes = replayed.damage.bytes;
    report.lost_frames = replayed.damage.frames;
    report.damaged_series_bytes = replay.series_bytes_lost;
    report.nameless_samples = replay.nameless;
    report.notes.extend(replayed.damage.notes.iter().cloned());
    if replayed.damage.frames > 0 {
        report.notes.push(format!("{} ticks are missing from the log", replayed.damage.frames));
    }
    if replay.series_bytes_lost > 0 {
        report.notes.push(format!(
            "{} bytes of the series files are damaged; their series come from the log and the blocks",
            replay.series_bytes_lost
        ));
    }
    if replay.nameless > 0 {
        report.notes.push(format!("{} samples belong to series whose labels are lost", replay.nameless));
    }
    if replay.newest.is_some_and(|newest| newest > now.plus_ms(FUTURE_MS).millis()) {
        report.notes.push("the newest sample is more than an hour in the future: the clock was or is wrong".to_owned());
    }
}

fn count_losses(shared: &Shared, report: &OpenReport) {
    let lost = report.torn_bytes + report.damaged_log_bytes;
    shared.counters.recovered_bytes_lost.store(lost, Ordering::Relaxed);
    shared.counters.recovered_frames_lost.store(report.lost_frames, Ordering::Relaxed);
}
