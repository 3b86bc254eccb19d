//! What the store knows of applications when the daemon starts: those that reported to the daemon
//! before it. They go on when they report again; those that do not are ended.

use std::collections::btree_map::Entry;

use squirrel_model::{Elapsed, Matcher, Samples, Select, SelectError, TimeRange, Timestamp, is_stale};

use super::instance::Instance;
use super::{Applications, JOB};

/// How far back a question looks for a value (Prometheus' five minutes): what is older is ended anyway.
const LOOKBACK_MS: i64 = 300_000;

impl Applications {
    /// Learns from the store who reported before `at` and did not end. After a clean stop that is nobody.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn adopt(&self, select: &dyn Select, at: Timestamp, now: Elapsed) -> Result<(), SelectError> {
        // A clean stop marks the ends in the second after it, which a quick restart finds in the future.
        let range = TimeRange::new(at.plus_ms(-LOOKBACK_MS), at.plus_ms(LOOKBACK_MS));
        let mut samples = Samples::default();
        let mut known = self.known();
        for found in select.find(&[Matcher::equal("job", JOB)], range)? {
            select.read(&found, range, &mut samples)?;
            let (Some(&last), Some(&value)) = (samples.times.last(), samples.values.last()) else { continue };
            let (Some(application), Some(instance)) = (found.labels.get("application"), found.labels.get("instance"))
            else {
                continue;
            };
            if is_stale(value) {
                continue;
            }
            let room = known.instances.len() < self.limits.instances;
            let key = (application.to_owned(), instance.to_owned());
            match known.instances.entry(key) {
                Entry::Occupied(mut entry) => entry.get_mut().adopt(found.labels, Timestamp(last)),
                Entry::Vacant(entry) if room => {
                    entry.insert(Instance::of_old(Timestamp(last), now)).adopt(found.labels, Timestamp(last));
                }
                Entry::Vacant(_) => {}
            }
        }
        Ok(())
    }
}
