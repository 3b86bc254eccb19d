//! What readers see: an immutable view, replaced as a whole by each append.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use squirrel_model::Select;

use crate::block::{Block, Ledger};
use crate::head::{Part, Row};
use crate::metrics::Counters;
use crate::select::Snapshot;
use crate::series::Index;

/// Everything that can be asked for at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) index: Index,
    /// By start of their window, then by age.
    pub(crate) blocks: Arc<Vec<Arc<Block>>>,
    /// Of minutes and of hours, in the same order.
    pub(crate) coarse: [Arc<Vec<Arc<Block>>>; 2],
    /// In the order in which they were made.
    pub(crate) parts: Arc<Vec<Arc<Part>>>,
    /// Not packed yet, in the order in which they came.
    pub(crate) rows: Vec<Row>,
}

impl View {
    /// The blocks of a tier; 0 is full resolution.
    pub(crate) fn tier(&self, tier: usize) -> &Arc<Vec<Arc<Block>>> {
        tier.checked_sub(1).and_then(|coarse| self.coarse.get(coarse)).unwrap_or(&self.blocks)
    }

    /// The same, to be changed.
    pub(crate) fn tier_mut(&mut self, tier: usize) -> &mut Arc<Vec<Arc<Block>>> {
        match tier.checked_sub(1).and_then(|coarse| self.coarse.get_mut(coarse)) {
            Some(blocks) => blocks,
            None => &mut self.blocks,
        }
    }
}

/// What the store and its readers share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    view: Mutex<Arc<View>>,
    pub(crate) counters: Counters,
    pub(crate) ledger: Arc<Ledger>,
    degraded: Mutex<Option<String>>,
}

/// A lock whose holder panicked is still good here: values are replaced as a whole.
pub(crate) fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// The view of this moment.
    pub(crate) fn view(&self) -> Arc<View> {
        hold(&self.view).clone()
    }

    /// Replaces the view by a changed one. The lock is held for the change only: `change` must not
    /// do more than put references together.
    pub(crate) fn change(&self, change: impl FnOnce(&mut View)) {
        let mut view = hold(&self.view);
        change(Arc::make_mut(&mut view));
    }

    pub(crate) fn degraded(&self) -> Option<String> {
        hold(&self.degraded).clone()
    }

    pub(crate) fn set_degraded(&self, problem: Option<String>) {
        let mut degraded = hold(&self.degraded);
        match (&*degraded, &problem) {
            (None, Some(problem)) => tracing::error!(problem, "the store cannot write; samples are kept in memory"),
            (Some(_), None) => tracing::info!("the store writes again"),
            _ => {}
        }
        *degraded = problem;
    }
}

/// Gives out frozen views of a store. Cheap to clone, and independent of the writer.
#[derive(Clone, Debug)]
pub struct StoreReader {
    pub(crate) shared: Arc<Shared>,
}

impl StoreReader {
    /// What is stored at this moment; it does not change while it is held. Taking it costs one
    /// reference, however much is stored.
    pub fn snapshot(&self) -> Arc<dyn Select> {
        Arc::new(Snapshot { view: self.shared.view() })
    }
}
