//! From the rows of a batch to places in a tick.
//!
//! Collectors bring the same rows in the same order tick after tick. So the way of each row is
//! remembered: as long as nothing changed, a row costs two comparisons of pointers.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use squirrel_model::{Batch, Labels, LabelsError, MetricRef, NAME_LABEL, Row};

use crate::head::Layout;
use crate::series::{Definition, SeriesId};

/// Place of a row that does not count: a later row names the same series, or its labels cannot be
/// kept.
const NOWHERE: u32 = u32::MAX;

/// What a row is told from others by.
#[derive(Clone, Debug)]
struct RowKey {
    metric: MetricRef,
    labels: Labels,
}

impl RowKey {
    fn of(row: &Row) -> Self {
        Self { metric: row.metric.clone(), labels: row.labels.clone() }
    }

    fn is(&self, row: &Row) -> bool {
        (self.metric.same(&row.metric) || self.metric.name == row.metric.name)
            && (self.labels.same_allocation(&row.labels) || self.labels == row.labels)
    }
}

impl PartialEq for RowKey {
    fn eq(&self, other: &Self) -> bool {
        (self.metric.same(&other.metric) || self.metric.name == other.metric.name) && self.labels == other.labels
    }
}

impl Eq for RowKey {}

impl Hash for RowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.metric.name.hash(state);
        self.labels.hash(state);
    }
}

/// Remembers the way of each row of the last batch.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    rows: Vec<RowKey>,
    places: Vec<u32>,
    layout: Arc<Layout>,
    duplicates: usize,
    refused: usize,
    /// Rows met lately, so that a changed order does not cost making labels anew.
    known: HashMap<RowKey, SeriesId>,
}

/// A batch as a tick.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) layout: Arc<Layout>,
    pub(super) values: Vec<f64>,
    pub(super) duplicates: usize,
    pub(super) refused: usize,
    /// Series met for the first time.
    pub(super) new: Vec<Definition>,
}

/// Where series get their ids.
pub(super) struct Ids<'a> {
    pub(super) by_labels: &'a mut HashMap<Labels, SeriesId>,
    pub(super) next_id: &'a mut u64,
}

impl Ids<'_> {
    /// The id of a label set; a new one is also added to `new`.
    pub(super) fn id(&mut self, labels: Labels, new: &mut Vec<Definition>) -> SeriesId {
        if let Some(id) = self.by_labels.get(&labels) {
            return *id;
        }
        let id = SeriesId(*self.next_id);
        *self.next_id += 1;
        self.by_labels.insert(labels.clone(), id);
        new.push((id, labels));
        id
    }
}

impl Resolver {
    /// Finds the series of each row, and puts the values in their order.
    pub(super) fn resolve(&mut self, batch: &Batch, target: &Labels, mut ids: Ids<'_>) -> Resolved {
        let same =
            self.rows.len() == batch.rows.len() && self.rows.iter().zip(&batch.rows).all(|(key, row)| key.is(row));
        let mut new = Vec::new();
        if !same {
            self.learn(batch, target, &mut ids, &mut new);
        }
        let mut values = vec![0.0; self.layout.ids.len()];
        for (row, place) in batch.rows.iter().zip(&self.places) {
            if let Some(value) = values.get_mut(*place as usize) {
                *value = row.value;
            }
        }
        Resolved { layout: self.layout.clone(), values, duplicates: self.duplicates, refused: self.refused, new }
    }

    fn learn(&mut self, batch: &Batch, target: &Labels, ids: &mut Ids<'_>, new: &mut Vec<Definition>) {
        self.rows = batch.rows.iter().map(RowKey::of).collect();
        if self.known.len() > 2 * batch.rows.len() + 1024 {
            self.known.clear();
        }
        let found: Vec<Option<SeriesId>> = self
            .rows
            .iter()
            .map(|key| {
                if let Some(id) = self.known.get(key) {
                    return Some(*id);
                }
                let labels = series_labels(key, target).ok()?;
                let id = ids.id(labels, new);
                self.known.insert(key.clone(), id);
                Some(id)
            })
            .collect();
        let mut order: Vec<SeriesId> = found.iter().flatten().copied().collect();
        let kept = order.len();
        order.sort_unstable();
        order.dedup();
        self.refused = found.len() - kept;
        self.duplicates = kept - order.len();
        // From the back, so that of two rows of a series the last one gets the place.
        let mut taken = vec![false; order.len()];
        self.places = vec![NOWHERE; found.len()];
        for (place, id) in self.places.iter_mut().zip(&found).rev() {
            let Some(at) = id.and_then(|id| order.binary_search(&id).ok()) else { continue };
            if let Some(taken) = taken.get_mut(at)
                && !std::mem::replace(taken, true)
            {
                *place = at as u32;
            }
        }
        if self.layout.ids != order {
            self.layout = Arc::new(Layout { ids: order });
        }
    }

    /// Forgets rows of series that are gone.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.rows.clear();
        self.places.clear();
    }
}

/// The labels of a row's series: its own, the metric's name, and the target's. Where row and target
/// name the same label, the row's becomes `exported_…`, as in a scrape.
fn series_labels(key: &RowKey, target: &Labels) -> Result<Labels, LabelsError> {
    let mut builder = key.labels.to_builder();
    for (name, value) in target.iter() {
        if let Some(own) = key.labels.get(name) {
            builder.set(format!("exported_{name}"), own);
        }
        builder.set(name, value);
    }
    builder.set(NAME_LABEL, key.metric.name.as_ref());
    builder.build()
}
