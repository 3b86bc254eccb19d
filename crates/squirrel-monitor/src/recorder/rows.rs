//! What is kept of one message type and of one error type.

use std::sync::{Arc, OnceLock};

use crate::HistogramSnapshot;
use crate::counter::Sharded;
use crate::histogram::Histogram;

/// What is kept of one message type. Each part is made when it is first needed.
#[derive(Default)]
pub(crate) struct MessageRow {
    /// Messages and bytes.
    pub(crate) received: Lazy<Arc<Sharded<2>>>,
    pub(crate) sent: Lazy<Arc<Sharded<2>>>,
    pub(crate) latency: Lazy<Arc<Histogram>>,
    /// Failures that were told, and those that inspection found.
    pub(crate) failed: Lazy<Arc<Sharded<2>>>,
}

/// What is kept of one error type.
#[derive(Default)]
pub(crate) struct ErrorRow {
    pub(super) count: Lazy<Arc<Sharded<1>>>,
}

impl ErrorRow {
    pub(crate) fn add(&self) {
        self.count.get().add([1]);
    }

    pub(crate) fn count(&self) -> u64 {
        let [count] = self.count.sums();
        count
    }
}

/// A value that is made when it is first needed.
pub(crate) struct Lazy<T>(OnceLock<T>);

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<const WIDTH: usize> Lazy<Arc<Sharded<WIDTH>>> {
    #[inline]
    pub(crate) fn get(&self) -> &Arc<Sharded<WIDTH>> {
        self.0.get_or_init(|| Arc::new(Sharded::new()))
    }

    pub(super) fn sums(&self) -> [u64; WIDTH] {
        self.0.get().map_or([0; WIDTH], |counter| counter.sums())
    }
}

impl Lazy<Arc<Histogram>> {
    #[inline]
    pub(crate) fn get(&self) -> &Arc<Histogram> {
        self.0.get_or_init(|| Arc::new(Histogram::new()))
    }

    pub(super) fn snapshot(&self) -> HistogramSnapshot {
        self.0.get().map(|histogram| histogram.snapshot()).unwrap_or_default()
    }
}
