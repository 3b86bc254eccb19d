//! What has to be done now and then, beside the appends: packing, blocks, retention, the series
//! files. It never holds a lock that an append needs while it waits for the disk.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use squirrel_model::Timestamp;

use super::retention::{beyond_size, expired};
use super::summarise::series_in;
use super::{MERGE_PARTS, Maintenance, PACK_ROWS, Store};
use crate::block::{Block, BlockMeta, TIERS};
use crate::head::{Part, merge_parts};
use crate::metrics::add;
use crate::report::MaintainReport;
use crate::series::{self, Definition, SeriesId};
use crate::view::{View, hold};
use crate::wal;

/// Recent series that are folded into the large index at once.
const FOLD_RECENT: usize = 256;

impl Store {
    /// Does what is due: call it every few seconds, from another thread than the appends.
    ///
    /// Nothing that fails here is lost: it stays where it was and is tried again with the next call.
    pub fn maintain(&self, now: Timestamp) -> MaintainReport {
        let mut guard = hold(&self.maintenance);
        let maintenance = &mut *guard;
        let mut report = MaintainReport::default();
        {
            let _packing = hold(&self.packing);
            self.pack_rows(PACK_ROWS);
            self.merge_small_parts();
        }
        self.write_definitions(maintenance, &mut report);
        self.cut_blocks(maintenance, &mut report);
        self.summarise(&mut report);
        self.compact(maintenance, &mut report);
        self.delete_expired(maintenance, now, &mut report);
        self.fold_index();
        self.fold_series_files(maintenance, &mut report);
        if self.shared.degraded().is_none() && report.problems.is_empty() {
            maintenance.reserve.refill(self.dir.as_ref());
        }
        self.measure_disk();
        add(&self.shared.counters.maintenance_failures, report.problems.len());
        report.problems.iter().for_each(|problem| tracing::warn!("{problem}"));
        report
    }

    /// Puts one larger part in the place of several small ones of a window.
    fn merge_small_parts(&self) {
        let view = self.shared.view();
        let mut windows: Vec<i64> = view.parts.iter().filter(|part| part.level == 0).map(|p| p.window_ms).collect();
        windows.sort_unstable();
        windows.dedup();
        for window in windows {
            let small: Vec<Arc<Part>> =
                view.parts.iter().filter(|part| part.level == 0 && part.window_ms == window).cloned().collect();
            if small.len() < MERGE_PARTS {
                continue;
            }
            let Some(merged) = merge_parts(&small) else { continue };
            self.replace_parts(&small, Some(Arc::new(merged)));
        }
    }

    /// Takes parts out of the view, and puts another one where the last of them was.
    pub(super) fn replace_parts(&self, gone: &[Arc<Part>], merged: Option<Arc<Part>>) {
        self.shared.change(|view| drop_parts(view, gone, merged));
    }

    /// Writes the labels of new series to the series files.
    pub(super) fn write_definitions(&self, maintenance: &mut Maintenance, report: &mut MaintainReport) {
        let (pending, next_id) = {
            let writer = hold(&self.writer);
            (writer.pending.clone(), writer.next_id)
        };
        if pending.is_empty() {
            return;
        }
        match maintenance.series_log.define(&pending, next_id) {
            Ok(()) => {
                hold(&self.writer).pending.drain(..pending.len());
            }
            Err(error) => report.problems.push(format!("the series files cannot be written: {error}")),
        }
    }

    fn delete_expired(&self, maintenance: &mut Maintenance, now: Timestamp, report: &mut MaintainReport) {
        let view = self.shared.view();
        let rows = view.rows.iter().filter_map(|row| row.span().map(|(_, last)| last));
        let head_max = view.parts.iter().map(|part| part.max_ms).chain(rows).max();
        let full = (self.options.retention_ms, self.options.retention_bytes);
        let [minutes, hours] = self.options.coarse.map(|limit| (limit.retention_ms, limit.retention_bytes));
        for (tier, (retention_ms, retention_bytes)) in [full, minutes, hours].into_iter().enumerate() {
            let blocks = view.tier(tier);
            let metas: Vec<BlockMeta> = blocks.iter().map(|block| block.meta).collect();
            let sizes: Vec<(BlockMeta, u64)> = blocks.iter().map(|block| (block.meta, block.len)).collect();
            let mut places = expired(&metas, head_max, now.millis(), retention_ms);
            places.extend(beyond_size(&sizes, retention_bytes));
            places.sort_unstable();
            places.dedup();
            let gone: Vec<Arc<Block>> = places.into_iter().filter_map(|at| blocks.get(at).cloned()).collect();
            self.delete_blocks(tier, &gone, report);
        }
        if report.blocks_deleted == 0 {
            return;
        }
        add(&self.shared.counters.blocks_deleted, report.blocks_deleted);
        match self.retire_series(maintenance) {
            Ok(n) => report.series_retired = n,
            Err(error) => report.problems.push(format!("ended series cannot be taken out: {error}")),
        }
    }

    fn delete_blocks(&self, tier: usize, gone: &[Arc<Block>], report: &mut MaintainReport) {
        if gone.is_empty() {
            return;
        }
        self.shared.change(|view| {
            Arc::make_mut(view.tier_mut(tier)).retain(|block| !gone.iter().any(|other| Arc::ptr_eq(block, other)));
        });
        for block in gone {
            // Readers that hold the block go on reading it: an open file outlives its name.
            match self.dir.remove(&block.path) {
                Ok(()) => report.blocks_deleted += 1,
                Err(error) => report.problems.push(format!("the old block {} cannot be deleted: {error}", block.path)),
            }
        }
    }

    /// Forgets the series that no block and nothing in memory has samples of.
    pub(super) fn retire_series(&self, maintenance: &mut Maintenance) -> io::Result<usize> {
        let view = self.shared.view();
        let mut living: HashSet<SeriesId> = HashSet::new();
        for block in view.blocks.iter() {
            if !block.each_id(|id| {
                living.insert(id);
            })? {
                return Ok(0); // a damaged table: who is in it is not known
            }
        }
        for blocks in &view.coarse {
            let whole = series_in(blocks, |id| {
                living.insert(id);
            })?;
            if !whole {
                return Ok(0);
            }
        }
        // The writer is held from here on, so that no series comes back to life in between.
        let mut writer = hold(&self.writer);
        let view = self.shared.view();
        living.extend(head_ids(&view));
        living.extend(&writer.layout.ids);
        let gone: Vec<Definition> = view.index.iter().filter(|(id, _)| !living.contains(id)).cloned().collect();
        if gone.is_empty() {
            return Ok(0);
        }
        for (_, labels) in &gone {
            writer.by_labels.remove(labels);
        }
        writer.pending.retain(|(id, _)| living.contains(id));
        writer.resolver.forget();
        let next_id = writer.next_id;
        let index = view.index.folded(|id| living.contains(&id));
        self.shared.change(|view| view.index = index);
        drop(writer);
        let ids: Vec<SeriesId> = gone.iter().map(|(id, _)| *id).collect();
        maintenance.series_log.retire(&ids, next_id)?;
        Ok(ids.len())
    }

    fn fold_index(&self) {
        let older = self.shared.view().index.clone();
        if older.recent_len() < FOLD_RECENT.max(older.len() / 8) {
            return;
        }
        let mut folded = older.folded(|_| true);
        let _writer = hold(&self.writer);
        self.shared.change(|view| {
            folded.add(&view.index.since(&older));
            view.index = folded;
        });
    }

    fn fold_series_files(&self, maintenance: &mut Maintenance, report: &mut MaintainReport) {
        if !maintenance.series_log.wants_fold() {
            return;
        }
        let (index, next_id) = {
            let writer = hold(&self.writer);
            (self.shared.view().index.clone(), writer.next_id)
        };
        let living: Vec<Definition> = index.iter().cloned().collect();
        if let Err(error) = maintenance.series_log.fold(&living, next_id) {
            report.problems.push(format!("the series files cannot be folded into one: {error}"));
        }
    }

    pub(super) fn measure_disk(&self) {
        let folders = ["", wal::FOLDER, series::FOLDER].into_iter().chain(TIERS);
        let entries = folders.filter_map(|folder| self.dir.list(folder).ok()).flatten();
        let bytes = entries.map(|entry| entry.len).sum();
        self.shared.counters.disk_bytes.store(bytes, Ordering::Relaxed);
    }
}

pub(super) fn drop_parts(view: &mut View, gone: &[Arc<Part>], merged: Option<Arc<Part>>) {
    let is_gone = |part: &Arc<Part>| gone.iter().any(|other| Arc::ptr_eq(part, other));
    let parts = Arc::make_mut(&mut view.parts);
    let after = parts.iter().rposition(is_gone).map_or(parts.len(), |at| at + 1);
    if let Some(merged) = merged {
        parts.insert(after, merged);
    }
    parts.retain(|part| !is_gone(part));
}

/// Every id that has samples in memory.
fn head_ids(view: &View) -> HashSet<SeriesId> {
    let mut ids = HashSet::new();
    for row in &view.rows {
        row.each_in(squirrel_model::TimeRange::ALL, |id| {
            ids.insert(id);
        });
    }
    view.parts.iter().for_each(|part| ids.extend(part.ids.iter()));
    ids
}
