//! The starter as the daemon sees it: while it lives nothing is said of it. When it has ended, the keeper goes on, but
//! nobody can start another one, nor the process that counts packets.

use squirrel_model::{Batch, Kind, Metric, Unit};

static UP: Metric = Metric::new(
    "squirrel_starter_up",
    Kind::Gauge,
    Unit::None,
    "1 while the process is there that can start the keeper again, 0 when it has ended.",
)
.why("Without it a keeper that dies is not replaced, and packets cannot be counted: only a restart of Squirrel helps.")
.check(&["Restart squirrel.", "The log of squirrel says how it ended; the kernel's log, whether memory ran out."]);

/// What is said of the starter, for the catalogue.
pub(super) static METRICS: &[&Metric] = &[&UP];

/// What it costs that there is none, and what helps.
const COST: &str =
    "a keeper that dies cannot be started again, and the counting of packets cannot begin: restart squirrel";

/// Whether there is a starter.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    /// What was said when it was seen to have ended.
    ended: Option<String>,
}

impl Watched {
    /// Whether its end is still to be noticed.
    pub(super) fn is_up(&self) -> bool {
        self.ended.is_none()
    }

    /// It ended as told. Gives the sentence for the log.
    pub(super) fn ended(&mut self, how: &str) -> &str {
        self.ended.insert(format!("the process that starts the keeper has ended ({how}): {COST}"))
    }

    /// What is wrong.
    pub(super) fn failure(&self) -> Option<String> {
        self.ended.clone()
    }

    /// Adds the rows of [`METRICS`].
    pub(super) fn rows(&self, out: &mut Batch) {
        out.put_plain(&UP, if self.is_up() { 1.0 } else { 0.0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_end_is_told_with_the_cost_and_what_helps() {
        let mut watched = Watched::default();
        let up = |watched: &Watched| {
            let mut batch = Batch::default();
            watched.rows(&mut batch);
            batch.rows[0].value
        };
        assert_eq!((up(&watched), watched.failure()), (1.0, None));
        let said = watched.ended("signal: 9 (SIGKILL)").to_owned();
        assert!(said.contains("SIGKILL") && said.contains("restart squirrel"), "{said}");
        assert_eq!((up(&watched), watched.failure()), (0.0, Some(said)));
    }
}
