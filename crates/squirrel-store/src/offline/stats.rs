//! Measuring a store: what takes how much of the disk.

use std::collections::{BTreeMap, HashMap};

use squirrel_model::{Labels, TimeRange, Timestamp};

use super::{freeze, open};
use crate::block::Block;
use crate::dir::Dir;
use crate::error::StoreError;
use crate::series::{SeriesId, log::FOLDER as SERIES};
use crate::store::RESERVE;
use crate::tier::{STEPS, series_of};
use crate::wal;

/// The blocks of one resolution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TierStats {
    /// Milliseconds from one sample to the next; 0 for samples as they came.
    pub step_ms: i64,
    /// Blocks.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Samples in them; of a coarse copy its figures, up to six for each step.
    pub samples: u64,
    /// Series that have samples in them.
    pub series: u64,
    /// The first and last time that they have samples of.
    pub span: Option<TimeRange>,
}

impl TierStats {
    /// Bytes for one sample, labels and tables among them.
    pub fn bytes_per_sample(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.bytes as f64 / self.samples as f64)
    }
}

/// What the series of one metric take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricShare {
    /// The metric's name.
    pub name: String,
    /// Its series.
    pub series: u64,
    /// Bytes of its samples in blocks of all resolutions, without labels and tables.
    pub bytes: u64,
}

/// What a store holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreStats {
    /// Bytes of all files, without the reserve.
    pub bytes: u64,
    /// Bytes of the file that is given up when the disk is full.
    pub reserve_bytes: u64,
    /// Bytes of the log.
    pub log_bytes: u64,
    /// Bytes of the series files.
    pub series_bytes: u64,
    /// Samples in the log that are in no block yet.
    pub log_samples: u64,
    /// Series that are known.
    pub series: u64,
    /// Full resolution, minutes, hours.
    pub tiers: [TierStats; 3],
    /// The newest sample.
    pub newest: Option<Timestamp>,
    /// All metrics, those with most bytes first.
    pub metrics: Vec<MetricShare>,
    /// Whether something could not be read, so that the figures are too low.
    pub incomplete: bool,
}

/// Measures a store and changes nothing. It needs no lock.
///
/// # Errors
/// When the folder is no store, or one of a newer version, or cannot be read at all.
pub fn stats(dir: &dyn Dir, now: Timestamp) -> Result<StoreStats, StoreError> {
    let frozen = freeze(dir)?;
    let mut stats = StoreStats::default();
    for (path, len) in frozen.files() {
        stats.bytes += len;
        match path.split_once('/') {
            Some((wal::FOLDER, _)) => stats.log_bytes += len,
            Some((SERIES, _)) => stats.series_bytes += len,
            _ => {}
        }
    }
    let top = frozen.list("").unwrap_or_default();
    stats.reserve_bytes = top.iter().filter(|entry| entry.name == RESERVE).map(|entry| entry.len).sum();
    let (store, report) = open(frozen, now)?;
    stats.log_samples = report.log_samples;
    stats.newest = report.newest;
    stats.incomplete = report.lost_anything();
    let view = store.view();
    let mut bytes_of: HashMap<SeriesId, u64> = HashMap::new();
    for (tier, figures) in stats.tiers.iter_mut().enumerate() {
        let blocks = view.tier(tier);
        let ids = measure(tier, blocks, figures, &mut bytes_of, &mut stats.incomplete);
        figures.series = ids;
    }
    stats.series = view.index.iter().count() as u64;
    let mut metrics: BTreeMap<&str, MetricShare> = BTreeMap::new();
    for (id, labels) in view.index.iter() {
        let share = metrics.entry(Labels::metric_name(labels)).or_default();
        share.series += 1;
        share.bytes += bytes_of.get(id).copied().unwrap_or(0);
    }
    stats.metrics = metrics.into_iter().map(|(name, share)| MetricShare { name: name.to_owned(), ..share }).collect();
    stats.metrics.sort_by(|a, b| b.bytes.cmp(&a.bytes).then(b.series.cmp(&a.series)).then(a.name.cmp(&b.name)));
    Ok(stats)
}

/// Adds up the blocks of a tier; answers how many series are in them.
fn measure(
    tier: usize,
    blocks: &[std::sync::Arc<Block>],
    figures: &mut TierStats,
    bytes_of: &mut HashMap<SeriesId, u64>,
    incomplete: &mut bool,
) -> u64 {
    figures.step_ms = tier.checked_sub(1).and_then(|coarse| STEPS.get(coarse)).copied().unwrap_or(0);
    let mut ids = std::collections::HashSet::new();
    let mut span: Option<(i64, i64)> = None;
    for block in blocks {
        figures.blocks += 1;
        figures.bytes += block.len;
        figures.samples += block.meta.samples;
        let (first, last) = span.unwrap_or((i64::MAX, i64::MIN));
        span = Some((first.min(block.meta.min_ms), last.max(block.meta.max_ms)));
        let read = block.each_size(|id, bytes| {
            let id = if tier == 0 { id } else { series_of(id) };
            ids.insert(id);
            *bytes_of.entry(id).or_default() += bytes;
        });
        *incomplete |= !read.unwrap_or(false);
    }
    figures.span = span.map(|(first, last)| TimeRange::new(Timestamp(first), Timestamp(last)));
    ids.len() as u64
}
