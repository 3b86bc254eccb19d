//! The instances of applications that are known, and room for new ones.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use squirrel_api::applications::ApplicationRefusal;
use squirrel_model::{Elapsed, Labels, Timestamp};

use super::bucket::Bucket;
use super::instance::Instance;
use super::limits::ApplicationLimits;

/// An instance that was not heard for so long gives its place to a new one when all places are taken, whatever interval
/// it told: forged ones must not keep others out by being heard of once.
const UNHEARD: Duration = Duration::from_secs(30);

/// Who is known, and what of them is on its way to the store.
pub(super) struct Known {
    /// By application and instance.
    pub(super) instances: BTreeMap<(String, String), Instance>,
    /// What is still to be kept of instances that gave their place to others.
    pub(super) left: Vec<(Labels, Timestamp, f64)>,
    pub(super) refusals: VecDeque<ApplicationRefusal>,
    pub(super) reports: Bucket,
    pub(super) new_series: Bucket,
}

impl Known {
    /// Nobody yet.
    pub(super) fn new(limits: &ApplicationLimits) -> Self {
        let a_second = f64::from(limits.reports_a_second.max(1));
        let series = limits.all_series as f64;
        Self {
            instances: BTreeMap::new(),
            left: Vec::new(),
            refusals: VecDeque::new(),
            reports: Bucket::new(2.0 * a_second, a_second),
            new_series: Bucket::new(series, series / 3600.0),
        }
    }

    /// Series of all instances together.
    pub(super) fn series(&self) -> usize {
        self.instances.values().map(Instance::series).sum()
    }

    /// Makes room for one instance more: that one goes which is silent longest, else the one that was not heard for
    /// longest, if that is long. False when all were heard lately.
    pub(super) fn make_room(&mut self, most: usize, now: Elapsed) -> bool {
        while self.instances.len() >= most.max(1) {
            let silent = self.instances.iter().filter_map(|(key, one)| Some((one.forgettable_since()?, key)));
            let unheard = || {
                let oldest = self.instances.iter().min_by_key(|(_, one)| one.heard_at())?;
                (now.0.saturating_sub(oldest.1.heard_at().0) >= UNHEARD).then_some(oldest.0)
            };
            let Some(key) = silent.min().map(|(_, key)| key).or_else(unheard) else { return false };
            let key = key.clone();
            if let Some(mut gone) = self.instances.remove(&key) {
                gone.leave(&mut self.left);
            }
        }
        true
    }
}
