//! Appending: once a second, and never slower than it must be.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use squirrel_model::{Batch, Timestamp};

use super::resolve::{Ids, Resolved};
use super::{PACK_ROWS_LATE, Store, Writer};
use crate::error::StoreError;
use crate::head::{Layout, Row, TickRow};
use crate::metrics::add;
use crate::report::{AppendReport, Dropped};
use crate::series::{Definition, Index, SeriesId};
use crate::view::hold;
use crate::wal::{Logged, Names};

/// Last moment of the year 9999.
pub(super) const LATEST_MS: i64 = 253_402_300_799_999;
/// A clock set back by less than this is waited for; by more, and the time is covered twice.
const WAIT_FOR_CLOCK_MS: i64 = 60_000;

/// What to say when the folder was taken away.
const GONE: &str = "the folder is no longer there, it was removed, renamed or replaced while in use: \
                    put it back, or restart squirrel for a new record";

impl Store {
    /// Appends what one reading brought, under the tick that `at` falls into.
    ///
    /// When it returns with `logged`, the end of this program does not lose the samples; with
    /// `synced`, neither does a loss of power. A disk that fails is no error: the samples are kept in
    /// memory, [`AppendReport::problem`] says why, and they are written when the disk can be
    /// written again.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn append(&self, at: Timestamp, batch: &Batch) -> Result<AppendReport, StoreError> {
        let mut guard = hold(&self.writer);
        let writer = &mut *guard;
        if writer.closed {
            return Err(StoreError::Closed);
        }
        let tick = at.floor_to(self.options.step_ms);
        let mut report = AppendReport { at: tick, ..AppendReport::default() };
        if let Some(why) = self.judge_time(writer, tick.millis()) {
            report.dropped = Some(why);
            add(&self.shared.counters.out_of_order, batch.rows.len());
            return Ok(report);
        }
        let ids = Ids { by_labels: &mut writer.by_labels, next_id: &mut writer.next_id };
        let resolved = writer.resolver.resolve(batch, &self.options.target, ids);
        let Resolved { layout, values, duplicates, refused, new } = resolved;
        let ended = missing(&writer.layout, &layout);
        report.samples = values.len() + ended.len();
        (report.new_series, report.ended_series) = (new.len(), ended.len());
        (report.duplicates, report.refused) = (duplicates, refused);
        writer.last_tick = Some(tick.millis());
        writer.layout = layout.clone();
        if report.samples == 0 {
            report.logged = true;
            return Ok(report);
        }
        let row = TickRow { seq: writer.log.take_seq(), time_ms: tick.millis(), layout, values, ended };
        self.keep(writer, Row::Tick(Arc::new(row)), &new, tick.millis(), &mut report);
        drop(guard);
        self.pack_if_late();
        Ok(report)
    }

    /// Whether a tick can be kept under its time, and if not, why.
    fn judge_time(&self, writer: &Writer, tick: i64) -> Option<Dropped> {
        if !(0..=LATEST_MS).contains(&tick) {
            return Some(Dropped::ClockUnusable);
        }
        let last = writer.last_tick?;
        if tick == last {
            // An end may be written over: a quick restart finds the markers of the stop in its second.
            let ended = writer.layout.ids.is_empty();
            return (!ended).then_some(Dropped::SameTick);
        }
        if tick > last {
            return None;
        }
        if last - tick < WAIT_FOR_CLOCK_MS {
            return Some(Dropped::ClockBehind);
        }
        add(&self.shared.counters.clock_steps, 1);
        tracing::warn!(
            seconds = (last - tick) / 1000,
            "the clock was set back; the time until then is covered twice, and the later record counts"
        );
        None
    }

    /// Logs a row and shows it to readers.
    pub(super) fn keep(
        &self,
        writer: &mut Writer,
        row: Row,
        new: &[Definition],
        now_ms: i64,
        report: &mut AppendReport,
    ) {
        let counters = &self.shared.counters;
        let mut index = None;
        if !new.is_empty() {
            let mut grown = self.shared.view().index.clone();
            grown.add(new);
            index = Some(grown);
            writer.pending.extend_from_slice(new);
            add(&counters.series_created, new.len());
        }
        let result = match &index {
            Some(index) => self.log(writer, row.clone(), new, index, now_ms),
            None => self.log(writer, row.clone(), new, &self.shared.view().index, now_ms),
        };
        match result {
            Ok(logged) => {
                (report.logged, report.synced, report.bytes) = (true, logged.synced, logged.bytes);
                self.shared.set_degraded(None);
            }
            Err(error) => {
                add(&counters.append_failures, 1);
                let problem = format!(
                    "the log in {} cannot be written: {error}; samples are kept in memory until it can",
                    self.dir.place()
                );
                self.shared.set_degraded(Some(problem.clone()));
                report.problem = Some(problem);
            }
        }
        add(&counters.duplicates, report.duplicates);
        add(&counters.samples, row.len());
        self.shared.change(|view| {
            if let Some(index) = index {
                view.index = index;
            }
            view.rows.push(row);
        });
    }

    fn log(&self, writer: &mut Writer, row: Row, new: &[Definition], index: &Index, now: i64) -> io::Result<Logged> {
        let counters = &self.shared.counters;
        let before = self.options.stopwatch.now();
        let result = writer.log.append(row, now, Names { new, undurable: &writer.pending, index });
        let took = self.options.stopwatch.now().saturating_sub(before);
        counters.sync_nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        let dropped = writer.log.take_dropped();
        if dropped > 0 {
            counters.unlogged_rows.fetch_add(dropped, Ordering::Relaxed);
            writer.needs_cut = true;
        }
        // Asked after the writing: open files of a folder that is gone take everything.
        if result.is_ok() && !self.lock.holds() {
            return Err(io::Error::new(io::ErrorKind::NotFound, GONE));
        }
        if let Ok(logged) = &result {
            counters.log_bytes.fetch_add(logged.bytes, Ordering::Relaxed);
            add(&counters.syncs, usize::from(logged.synced));
        }
        result
    }

    /// Writes a row in which every series of the last tick ends.
    pub(super) fn end_all(&self, writer: &mut Writer, now: Timestamp) -> io::Result<()> {
        let ended = std::mem::take(&mut writer.layout).ids.clone();
        if !ended.is_empty() {
            let tick = now.floor_to(self.options.step_ms).millis();
            // A marker must come after the last value, or it would not end the series.
            let after = writer.last_tick.map_or(tick, |last| tick.max(last.saturating_add(self.options.step_ms)));
            let time_ms = after.clamp(0, LATEST_MS);
            let row =
                TickRow { seq: writer.log.take_seq(), time_ms, layout: Arc::default(), values: Vec::new(), ended };
            let mut report = AppendReport::default();
            self.keep(writer, Row::Tick(Arc::new(row)), &[], time_ms, &mut report);
            writer.last_tick = Some(time_ms);
            if let Some(problem) = report.problem {
                return Err(io::Error::other(problem));
            }
        }
        writer.log.sync_now()
    }

    /// Packs rows here when maintenance does not come by.
    pub(super) fn pack_if_late(&self) {
        if self.shared.view().rows.len() >= PACK_ROWS_LATE
            && let Ok(_packing) = self.packing.try_lock()
        {
            self.pack_rows(PACK_ROWS_LATE);
        }
    }
}

/// The series of `before` that `now` lacks.
fn missing(before: &Arc<Layout>, now: &Arc<Layout>) -> Vec<SeriesId> {
    if Arc::ptr_eq(before, now) {
        return Vec::new();
    }
    before.ids.iter().copied().filter(|id| now.ids.binary_search(id).is_err()).collect()
}
