//! Appending samples with times and labels of their own, in any order.

use std::sync::Arc;

use squirrel_model::{Labels, Timestamp};

use super::Store;
use super::append::LATEST_MS;
use super::resolve::Ids;
use crate::error::StoreError;
use crate::head::{LooseRow, Row};
use crate::metrics::add;
use crate::report::AppendReport;
use crate::series::SeriesId;
use crate::view::hold;

impl Store {
    /// Appends samples with times of their own, as another monitor delivers them. Labels are kept
    /// as they are. Of two samples of a series with one time the later given one counts, also when
    /// the other was stored before. Samples that retention would delete at once are refused, as are
    /// times that cannot be.
    ///
    /// These series take no part in ticks: none of them ends because a tick lacks it.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn append_samples(
        &self,
        now: Timestamp,
        samples: &[(Labels, Timestamp, f64)],
    ) -> Result<AppendReport, StoreError> {
        let oldest = now.plus_ms(-self.options.retention_ms).millis().max(0);
        self.append_since(oldest, now, samples)
    }

    /// The same for samples that are not before `oldest`.
    pub(super) fn append_since(
        &self,
        oldest: i64,
        now: Timestamp,
        samples: &[(Labels, Timestamp, f64)],
    ) -> Result<AppendReport, StoreError> {
        let mut guard = hold(&self.writer);
        let writer = &mut *guard;
        if writer.closed {
            return Err(StoreError::Closed);
        }
        let mut report = AppendReport { at: now, ..AppendReport::default() };
        let mut new = Vec::new();
        let mut ids = Ids { by_labels: &mut writer.by_labels, next_id: &mut writer.next_id };
        let mut kept: Vec<(SeriesId, i64, f64)> = Vec::with_capacity(samples.len());
        for (labels, time, value) in samples {
            if labels.is_empty() || !(oldest..=LATEST_MS).contains(&time.millis()) {
                report.refused += 1;
            } else {
                kept.push((ids.id(labels.clone(), &mut new), time.millis(), *value));
            }
        }
        add(&self.shared.counters.out_of_order, report.refused);
        let given = kept.len();
        // Stable, and then from the back: of equals the last one stays.
        kept.sort_by_key(|(id, time, _)| (*id, *time));
        kept.reverse();
        kept.dedup_by_key(|(id, time, _)| (*id, *time));
        kept.reverse();
        report.duplicates = given - kept.len();
        (report.samples, report.new_series) = (kept.len(), new.len());
        if kept.is_empty() {
            report.logged = true;
            return Ok(report);
        }
        let row = Row::Loose(Arc::new(LooseRow::new(writer.log.take_seq(), kept)));
        let clock = writer.last_tick.unwrap_or_else(|| now.millis());
        self.keep(writer, row, &new, clock, &mut report);
        drop(guard);
        self.pack_if_late();
        Ok(report)
    }
}
