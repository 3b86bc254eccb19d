//! The store's own figures, declared as any other metric.

use std::sync::atomic::{AtomicU64, Ordering};

use squirrel_model::{Batch, Kind, Metric, Unit};

/// Counted since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) samples: AtomicU64,
    pub(crate) series_created: AtomicU64,
    pub(crate) append_failures: AtomicU64,
    pub(crate) unlogged_rows: AtomicU64,
    pub(crate) out_of_order: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) clock_steps: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) sync_nanos: AtomicU64,
    pub(crate) log_bytes: AtomicU64,
    pub(crate) maintenance_failures: AtomicU64,
    pub(crate) blocks_written: AtomicU64,
    pub(crate) blocks_compacted: AtomicU64,
    pub(crate) blocks_deleted: AtomicU64,
    /// Found when the store was opened.
    pub(crate) recovered_bytes_lost: AtomicU64,
    pub(crate) recovered_frames_lost: AtomicU64,
    /// Refreshed by maintenance.
    pub(crate) disk_bytes: AtomicU64,
}

pub(crate) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Ordering::Relaxed);
}

static SERIES: Metric = Metric::new(
    "squirrel_store_series",
    Kind::Gauge,
    Unit::None,
    "Series that the store knows, with those that ended.",
)
.why("Memory and the size of the index grow with it; a steep rise means that labels take ever new values.")
.check(&["count by (__name__) ({__name__=~\".+\"})", "interfaces that come and go (containers)"]);
static ACTIVE: Metric =
    Metric::new("squirrel_store_active_series", Kind::Gauge, Unit::None, "Series that had a sample in the last tick.")
        .why("A sudden fall means that a collector lost its source.")
        .check(&["the faults of the last collection"]);
static SAMPLES: Metric =
    Metric::new("squirrel_store_samples_total", Kind::Counter, Unit::None, "Samples appended since the start.")
        .why("Its rate is what a second of monitoring brings; a gap in it is a gap in every chart.")
        .check(&["squirrel_store_active_series", "the faults of the last collection"]);
static CREATED: Metric = Metric::new(
    "squirrel_store_series_created_total",
    Kind::Counter,
    Unit::None,
    "Series met for the first time since the start.",
)
.why("A rate that does not fall to zero means that some label takes ever new values.")
.check(&["topk(10, count by (__name__) ({__name__=~\".+\"}))"]);
static HEAD_BYTES: Metric =
    Metric::new("squirrel_store_head_bytes", Kind::Gauge, Unit::Bytes, "Memory of samples that are in no block yet.")
        .why("Grows for two hours and falls when a block is written; if it does not fall, blocks cannot be written.")
        .check(&["squirrel_store_maintenance_failures_total", "free space of the data folder"]);
static BLOCKS: Metric = Metric::new("squirrel_store_blocks", Kind::Gauge, Unit::None, "Blocks on disk.")
    .why("One comes every two hours, and the oldest go when they are older than the retention.")
    .check(&["squirrel_store_maintenance_failures_total", "retention under [store] in the configuration"]);
static DISK: Metric =
    Metric::new("squirrel_store_disk_bytes", Kind::Gauge, Unit::Bytes, "Size of all files of the store.")
        .why("What the history costs; grows until the retention is reached, then stays.")
        .check(&[
            "retention under [store] in the configuration",
            "squirrel_store_series for labels that take ever new values",
        ]);
static WAL: Metric = Metric::new("squirrel_store_wal_bytes", Kind::Gauge, Unit::Bytes, "Size of the write-ahead log.")
    .why("What a start after a crash has to read; falls with every block.")
    .check(&["squirrel_store_maintenance_failures_total"]);
static LOG_BYTES: Metric = Metric::new(
    "squirrel_store_wal_written_bytes_total",
    Kind::Counter,
    Unit::Bytes,
    "Bytes written to the log since the start.",
)
.why("The wear on flash memory.")
.check(&["the sync policy in [store]", "squirrel_store_active_series"]);
static BYTES_LOST: Metric = Metric::new(
    "squirrel_store_recovered_bytes_lost_total",
    Kind::Counter,
    Unit::Bytes,
    "Bytes of the log that could not be used when the store was opened.",
)
.why("A crash in the middle of a write leaves a few; many mean a disk that does not keep what it acknowledged.")
.check(&["the log of the start", "dmesg", "SMART data of the disk"]);
static FRAMES_LOST: Metric = Metric::new(
    "squirrel_store_recovered_frames_lost_total",
    Kind::Counter,
    Unit::None,
    "Ticks missing from the log when the store was opened, as their numbers tell.",
)
.why("Each is a second that is missing from every chart.")
.check(&["the log of the start", "dmesg"]);
static CORRUPT_CHUNKS: Metric = Metric::new(
    "squirrel_store_corrupt_chunks_total",
    Kind::Counter,
    Unit::None,
    "Damaged chunks, tables and blocks met since the start, each counted once.",
)
.why("The disk gave back something else than was written: ten minutes of a series are missing for each chunk.")
.check(&["the log names block and place", "dmesg", "SMART data of the disk", "memory test"])
.labels(&["kind"]);
static FAILURES: Metric = Metric::new(
    "squirrel_store_append_failures_total",
    Kind::Counter,
    Unit::None,
    "Ticks that the log could not take at once. They are kept in memory and written when it can.",
)
.why("Until it can, the end of the program would lose them.")
.check(&["free space of the data folder", "dmesg"]);
static UNLOGGED: Metric = Metric::new(
    "squirrel_store_unlogged_rows_total",
    Kind::Counter,
    Unit::None,
    "Ticks that waited for the disk so long that they can only go to the next block.",
)
.why("The end of the program before that block would lose them.")
.check(&["free space of the data folder"]);
static DEGRADED: Metric =
    Metric::new("squirrel_store_degraded", Kind::Gauge, Unit::None, "1 while the store cannot write to its log.")
        .why("Collection and alerts go on, but the history is only in memory.")
        .check(&["free space of the data folder", "dmesg", "whether the file system became read-only"]);
static OUT_OF_ORDER: Metric = Metric::new(
    "squirrel_store_out_of_order_total",
    Kind::Counter,
    Unit::None,
    "Samples dropped because their time was not after that of the tick before.",
)
.why("The clock was set back by some seconds, or two ticks fell into one second.")
.check(&["chronyc tracking", "timedatectl"]);
static DUPLICATES: Metric = Metric::new(
    "squirrel_store_duplicate_rows_total",
    Kind::Counter,
    Unit::None,
    "Rows that named a series a second time within a tick; the last one counts.",
)
.why("Two collectors bring the same series, or two devices have the same labels.")
.check(&["the log of squirrel", "count by (__name__) ({__name__=~\".+\"}) for the name that grows"]);
static CLOCK_STEPS: Metric = Metric::new(
    "squirrel_store_clock_steps_back_total",
    Kind::Counter,
    Unit::None,
    "Times that the clock was set back by a minute or more; the time until then is covered twice.",
)
.why("Where two records overlap, charts show the later one.")
.check(&["chronyc tracking", "timedatectl", "the hypervisor's clock"]);
static SYNCS: Metric =
    Metric::new("squirrel_store_syncs_total", Kind::Counter, Unit::None, "Syncs of the log since the start.")
        .why("With squirrel_store_sync_seconds_total: how long the disk takes to make a tick durable.")
        .check(&["the sync policy in [store]"]);
static SYNC_SECONDS: Metric = Metric::new(
    "squirrel_store_sync_seconds_total",
    Kind::Counter,
    Unit::Seconds,
    "Time spent appending to the log and syncing it.",
)
.why("Divided by squirrel_store_syncs_total it is the disk's latency; above a second the store falls behind.")
.check(&["iostat -x 1", "the sync policy in [store]"]);
static MAINTENANCE: Metric = Metric::new(
    "squirrel_store_maintenance_failures_total",
    Kind::Counter,
    Unit::None,
    "Steps of maintenance that failed and will be tried again.",
)
.why("While blocks cannot be written, log and memory grow.")
.check(&["free space of the data folder", "the log names the step"]);
static WRITTEN: Metric =
    Metric::new("squirrel_store_blocks_written_total", Kind::Counter, Unit::None, "Blocks written since the start.")
        .why("One in two hours, plus one for each window that late samples touched.")
        .check(&["squirrel_store_maintenance_failures_total when it stands still for hours"]);
static COMPACTED: Metric = Metric::new(
    "squirrel_store_blocks_compacted_total",
    Kind::Counter,
    Unit::None,
    "Blocks that were put together to one for each day, since the start.",
)
.why("Twelve a day; if it stands still while squirrel_store_blocks grows, a block is damaged or the disk is full.")
.check(&["squirrel_store_maintenance_failures_total", "squirrel_store_corrupt_chunks_total"]);
static DELETED: Metric = Metric::new(
    "squirrel_store_blocks_deleted_total",
    Kind::Counter,
    Unit::None,
    "Blocks deleted since the start because of their age.",
)
.why("History older than the retention goes a block at a time.")
.check(&["retention under [store] in the configuration"]);

/// The declarations of everything that [`crate::Store::metrics`] brings.
pub static METRICS: &[&Metric] = &[
    &SERIES,
    &ACTIVE,
    &SAMPLES,
    &CREATED,
    &HEAD_BYTES,
    &BLOCKS,
    &DISK,
    &WAL,
    &LOG_BYTES,
    &BYTES_LOST,
    &FRAMES_LOST,
    &CORRUPT_CHUNKS,
    &FAILURES,
    &UNLOGGED,
    &DEGRADED,
    &OUT_OF_ORDER,
    &DUPLICATES,
    &CLOCK_STEPS,
    &SYNCS,
    &SYNC_SECONDS,
    &MAINTENANCE,
    &WRITTEN,
    &COMPACTED,
    &DELETED,
];

/// What is not counted but looked up.
pub(crate) struct Gauges {
    pub(crate) series: usize,
    pub(crate) active: usize,
    pub(crate) head_bytes: usize,
    pub(crate) blocks: usize,
    pub(crate) wal_bytes: u64,
    pub(crate) degraded: bool,
}

/// Puts the store's figures into a batch.
pub(crate) fn put(out: &mut Batch, gauges: &Gauges, counters: &Counters, ledger: &crate::block::Ledger) {
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
    for (metric, value) in [
        (&SERIES, gauges.series as f64),
        (&ACTIVE, gauges.active as f64),
        (&HEAD_BYTES, gauges.head_bytes as f64),
        (&BLOCKS, gauges.blocks as f64),
        (&WAL, gauges.wal_bytes as f64),
        (&DEGRADED, f64::from(u8::from(gauges.degraded))),
        (&SAMPLES, count(&counters.samples)),
        (&CREATED, count(&counters.series_created)),
        (&DISK, count(&counters.disk_bytes)),
        (&LOG_BYTES, count(&counters.log_bytes)),
        (&BYTES_LOST, count(&counters.recovered_bytes_lost)),
        (&FRAMES_LOST, count(&counters.recovered_frames_lost)),
        (&FAILURES, count(&counters.append_failures)),
        (&UNLOGGED, count(&counters.unlogged_rows)),
        (&OUT_OF_ORDER, count(&counters.out_of_order)),
        (&DUPLICATES, count(&counters.duplicates)),
        (&CLOCK_STEPS, count(&counters.clock_steps)),
        (&SYNCS, count(&counters.syncs)),
        // Whole microseconds: an f64 with full precision would cost the store six times the space.
        (&SYNC_SECONDS, (count(&counters.sync_nanos) / 1e3).round() / 1e6),
        (&MAINTENANCE, count(&counters.maintenance_failures)),
        (&WRITTEN, count(&counters.blocks_written)),
        (&COMPACTED, count(&counters.blocks_compacted)),
        (&DELETED, count(&counters.blocks_deleted)),
    ] {
        out.put_plain(metric, value);
    }
    for (kind, counter) in [("chunk", &ledger.chunks), ("table", &ledger.pages), ("block", &ledger.blocks)] {
        if let Ok(labels) = squirrel_model::Labels::new([("kind", kind)]) {
            out.put(&CORRUPT_CHUNKS, &labels, count(counter));
        }
    }
}
