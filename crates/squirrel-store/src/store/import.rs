//! Taking over samples of another origin, however old.

use squirrel_model::{Labels, Timestamp};

use super::Store;
use crate::error::StoreError;
use crate::report::{AppendReport, MaintainReport};
use crate::view::hold;

impl Store {
    /// Appends samples as [`Store::append_samples`] does, those among them that retention would not keep at full
    /// resolution: [`Store::finish_import`] makes minutes and hours of them, which are kept for longer.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn import(&self, now: Timestamp, samples: &[(Labels, Timestamp, f64)]) -> Result<AppendReport, StoreError> {
        self.append_since(0, now, samples)
    }

    /// Writes everything in memory as blocks, and the minutes and hours of all blocks that have none yet. Afterwards
    /// the log is empty, and everything imported would outlast a loss of power if there are no problems.
    ///
    /// Call it after every few million samples: until then all of them are in memory.
    pub fn finish_import(&self) -> MaintainReport {
        let mut maintenance = hold(&self.maintenance);
        let mut report = MaintainReport::default();
        self.cut_all(&mut maintenance, &mut report);
        let mut before = usize::MAX;
        while report.problems.is_empty() && before != report.blocks_summed_up {
            before = report.blocks_summed_up;
            self.summarise(&mut report);
        }
        self.measure_disk();
        report
    }
}
