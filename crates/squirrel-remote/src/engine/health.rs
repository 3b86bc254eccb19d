//! Whether the other engine answers, by the last question that was asked of it.

use std::sync::{Mutex, PoisonError};

use squirrel_model::{Batch, Kind, Metric, Unit};
use squirrel_outbound::Destination;
use squirrel_promql::EngineError;
use squirrel_promql::engine::Trouble;

static UP: Metric = Metric::new(
    "squirrel_query_engine_up",
    Kind::Gauge,
    Unit::None,
    "1 while the other engine answered the last question in PromQL, 0 when it could not be asked.",
)
.why("Without it queries, charts of the past and rules of files have no answer. It is asked every 15 seconds at least.")
.check(&["Read the log of squirrel: it says why.", "Look at url and access under [store] in the configuration."]);

static FAILURES: Metric = Metric::new(
    "squirrel_query_engine_failures_total",
    Kind::Counter,
    Unit::None,
    "Questions that the other engine could not be asked, or did not take.",
)
.why("Each is a query, a chart or a rule that had no answer.")
.check(&["Look at squirrel_query_engine_up.", "Read the log of squirrel: it says why."]);

/// What is said of another engine.
pub static METRICS: &[&Metric] = &[&UP, &FAILURES];

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// By the last question; none before the first.
    answers: Option<bool>,
    failures: u64,
}

/// Shared by all who ask.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<State>);

impl Health {
    /// Takes note of what became of a question. A change is told in the log.
    pub(super) fn note<T>(&self, to: &Destination, outcome: &Result<T, EngineError>) {
        let refused = match outcome {
            // Nobody waited: nothing is known by that.
            Err(error) if error.trouble == Trouble::Stopped => return,
            Err(error) if error.trouble == Trouble::Unavailable => Some(error),
            _ => None,
        };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures += u64::from(refused.is_some());
        let before = state.answers.replace(refused.is_none());
        drop(state);
        match (before, refused) {
            (Some(true) | None, Some(error)) => tracing::error!("PromQL has no answer: {error}"),
            (Some(false), None) => tracing::info!("{to} answers PromQL again"),
            _ => {}
        }
    }

    /// Adds the rows of [`METRICS`].
    pub(super) fn rows(&self, out: &mut Batch) {
        let state = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answers) = state.answers {
            out.put_plain(&UP, if answers { 1.0 } else { 0.0 });
        }
        out.put_plain(&FAILURES, state.failures as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_question_counts_and_one_that_nobody_waited_for_tells_nothing() {
        let (health, to) = (Health::default(), Destination::parse("http://127.0.0.1:9").unwrap());
        let rows = || {
            let mut batch = Batch::default();
            health.rows(&mut batch);
            batch.rows.iter().map(|row| row.value).collect::<Vec<_>>()
        };
        let failed = |trouble| Err::<(), _>(EngineError::new(trouble, "no".to_owned()));
        health.note(&to, &failed(Trouble::Stopped));
        assert_eq!(rows(), [0.0], "nothing is known yet");
        for (outcome, expected) in [
            (failed(Trouble::Unavailable), [0.0, 1.0]),
            (failed(Trouble::Stopped), [0.0, 1.0]),
            // It refused a question, and so it answers.
            (failed(Trouble::BadData), [1.0, 1.0]),
            (failed(Trouble::Unavailable), [0.0, 2.0]),
            (Ok(()), [1.0, 2.0]),
        ] {
            health.note(&to, &outcome);
            assert_eq!(rows(), expected, "{outcome:?}");
        }
    }
}
