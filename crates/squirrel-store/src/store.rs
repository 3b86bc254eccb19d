//! The store: one writer, any number of readers, and maintenance beside them.
//!
//! Locks, always taken in this order: maintenance, packing, writer, and last the view, which is
//! held only to exchange references. An append waits for the disk under the writer's lock; blocks
//! are written under the maintenance lock alone.

mod append;
mod compact;
mod cut;
mod delete;
mod folder;
mod import;
mod known;
mod loose;
mod maintain;
mod open;
mod replay;
mod reserve;
mod resolve;
mod retention;
mod summarise;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use squirrel_model::{Batch, Labels, Timestamp};

use crate::dir::{Dir, Lock};
use crate::error::StoreError;
use crate::head::{Layout, Row};
use crate::metrics::{self, Gauges};
use crate::options::StoreOptions;
use crate::report::StoreReport;
use crate::series::{Definition, SeriesId, SeriesLog};
use crate::view::{Shared, StoreReader, View, hold};
use crate::wal::LogWriter;
pub(crate) use compact::is_left_over;
pub use delete::would_delete;
pub(crate) use folder::{MARKER, is_empty_folder, is_part_of_backup, is_store, marker_is_whole};
pub(crate) use reserve::FILE as RESERVE;
use reserve::Reserve;
use resolve::Resolver;

/// Series and samples on disk. All methods may be called from several threads.
#[derive(Debug)]
pub struct Store {
    dir: Arc<dyn Dir>,
    options: StoreOptions,
    shared: Arc<Shared>,
    maintenance: Mutex<Maintenance>,
    /// Held by whoever turns rows into parts, or parts into larger ones.
    packing: Mutex<()>,
    writer: Mutex<Writer>,
    lock: Box<dyn Lock>,
}

/// What an append needs.
#[derive(Debug)]
struct Writer {
    log: LogWriter,
    resolver: Resolver,
    by_labels: HashMap<Labels, SeriesId>,
    next_id: u64,
    /// Series that are not in the series files yet.
    pending: Vec<Definition>,
    /// Series of the last tick.
    layout: Arc<Layout>,
    last_tick: Option<i64>,
    /// Rows were given up by the log: only a block can make them outlast this program.
    needs_cut: bool,
    closed: bool,
}

/// What maintenance needs.
#[derive(Debug)]
struct Maintenance {
    series_log: SeriesLog,
    /// Time of the last tick when blocks were written last.
    last_cut: Option<i64>,
    /// Spans whose blocks cannot be put together, and how many there were when that was found.
    left_alone: BTreeMap<compact::Span, usize>,
    reserve: Reserve,
}

/// Ticks that become one part.
const PACK_ROWS: usize = 64;
/// Most ticks that become one part.
const PACK_ROWS_MAX: usize = 512;
/// Ticks after which an append packs by itself, should maintenance not come.
const PACK_ROWS_LATE: usize = 256;
/// Small parts that become a larger one.
const MERGE_PARTS: usize = 8;

impl Store {
    /// A giver of frozen views, for queries on other threads.
    pub fn reader(&self) -> StoreReader {
        StoreReader { shared: self.shared.clone() }
    }

    /// The labels that all series of ticks have.
    pub fn target(&self) -> &Labels {
        &self.options.target
    }

    /// All that can be asked for at this moment.
    pub(crate) fn view(&self) -> Arc<View> {
        self.shared.view()
    }

    /// The state of the store.
    pub fn report(&self) -> StoreReport {
        let (active_series, wal_bytes) = {
            let writer = hold(&self.writer);
            (writer.layout.ids.len(), writer.log.bytes())
        };
        let view = self.shared.view();
        StoreReport {
            series: view.index.len(),
            active_series,
            head_bytes: head_bytes(&view),
            blocks: view.blocks.len(),
            disk_bytes: self.shared.counters.disk_bytes.load(std::sync::atomic::Ordering::Relaxed),
            wal_bytes,
            degraded: self.shared.degraded(),
        }
    }

    /// Adds the store's own figures to a batch; [`crate::METRICS`] declares them.
    pub fn metrics(&self, out: &mut Batch) {
        let report = self.report();
        let gauges = Gauges {
            series: report.series,
            active: report.active_series,
            head_bytes: report.head_bytes,
            blocks: report.blocks,
            wal_bytes: report.wal_bytes,
            degraded: report.degraded.is_some(),
        };
        metrics::put(out, &gauges, &self.shared.counters, &self.shared.ledger);
    }

    /// Ends all series with a stale marker, as a scrape target that goes away would, and makes
    /// everything outlast a loss of power. Nothing can be appended afterwards.
    ///
    /// # Errors
    /// When the last rows could not be written: the text says why. The store is closed all the same.
    pub fn close(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut writer = hold(&self.writer);
        if writer.closed {
            return Ok(());
        }
        let ended = self.end_all(&mut writer, now);
        writer.closed = true;
        let failed = |error| StoreError::io(self.dir.place(), "write", "the end of the log", error);
        ended.and_then(|()| writer.log.close_segment()).map_err(failed)
    }

    /// Packs the oldest rows into a part, when there are at least `at_least`.
    fn pack_rows(&self, at_least: usize) {
        let view = self.shared.view();
        let whole = view.rows.len() / PACK_ROWS * PACK_ROWS;
        if view.rows.len() < at_least || whole == 0 {
            return;
        }
        self.pack_prefix(&view, whole.min(PACK_ROWS_MAX));
    }

    /// Packs the first `n` rows. The caller holds the packing lock: nobody else takes rows away.
    fn pack_prefix(&self, view: &View, n: usize) {
        let Some(rows) = view.rows.get(..n) else { return };
        let level = u8::from(n >= PACK_ROWS_MAX);
        let like = view.parts.last().map(AsRef::as_ref);
        let parts = packed(rows, self.options.block_ms, level, like);
        self.shared.change(|view| {
            view.rows.drain(..n.min(view.rows.len()));
            Arc::make_mut(&mut view.parts).extend(parts.into_iter().map(Arc::new));
        });
    }
}

/// Packs rows into parts of a level.
fn packed(rows: &[Row], window_ms: i64, level: u8, like: Option<&crate::head::Part>) -> Vec<crate::head::Part> {
    let mut parts = crate::head::pack(rows, window_ms, like);
    for part in &mut parts {
        part.level = level;
    }
    parts
}

fn head_bytes(view: &View) -> usize {
    let rows: usize = view.rows.iter().map(Row::heap_bytes).sum();
    rows + view.parts.iter().map(|part| part.heap_bytes()).sum::<usize>()
}

#[cfg(test)]
pub(crate) mod tests;
