//! This crate's evaluator over frozen views of samples that are kept here.

use std::collections::BTreeSet;
use std::sync::Arc;

use squirrel_model::{Labels, Matcher, Select, SelectError, TimeRange, Timestamp};

use super::{Engine, EngineError, Listed, Lookup, Moments, Query, Terms, Trouble};
use crate::{Answer, EvalError, EvalOptions, evaluate_instant, evaluate_range};

/// The warning that Prometheus gives when a limit cut an answer.
const TRUNCATED: &str = "results truncated due to limit";

/// Series between two questions whether to stop.
const STOP_EVERY: usize = 4096;

/// The evaluator, and what gives it the samples of this moment. Each question sees a view of its own.
pub struct Embedded {
    view: Box<dyn Fn() -> Arc<dyn Select> + Send + Sync>,
    options: EvalOptions,
}

impl Embedded {
    /// An engine over what `view` gives, within the limits of `options`.
    pub fn new(view: impl Fn() -> Arc<dyn Select> + Send + Sync + 'static, options: EvalOptions) -> Self {
        Self { view: Box::new(view), options }
    }

    fn options(&self, terms: &Terms<'_>) -> EvalOptions {
        let lookback_ms = terms.lookback_ms.unwrap_or(self.options.lookback_ms);
        EvalOptions { lookback_ms, ..self.options.clone() }
    }

    /// What all sets find together.
    fn gather<T: Ord>(
        &self,
        lookup: Lookup<'_>,
        terms: &Terms<'_>,
        ask: impl Fn(&dyn Select, &[Matcher], TimeRange) -> Result<Vec<T>, SelectError>,
    ) -> Result<Listed<T>, EngineError> {
        let view = (self.view)();
        let everything = [Vec::new()];
        let sets = if lookup.sets.is_empty() { &everything } else { lookup.sets };
        let mut all = BTreeSet::new();
        for set in sets {
            for items in ask(view.as_ref(), set, lookup.range).map_err(EvalError::from)?.into_iter().enumerate() {
                let (i, item) = items;
                if i.is_multiple_of(STOP_EVERY) && (terms.stop)() {
                    return Err(EvalError::Stopped.into());
                }
                all.insert(item);
            }
        }
        let most = lookup.limit.unwrap_or(usize::MAX);
        let warnings = if all.len() > most { vec![TRUNCATED.to_owned()] } else { Vec::new() };
        Ok(Listed { items: all.into_iter().take(most).collect(), warnings })
    }
}

impl From<EvalError> for EngineError {
    fn from(error: EvalError) -> Self {
        let trouble = match &error {
            EvalError::BadData(_) => Trouble::BadData,
            EvalError::Execution(_)
            | EvalError::HistogramContent { .. }
            | EvalError::TooManySamples { .. }
            | EvalError::TooMuchMemory { .. } => Trouble::Execution,
            EvalError::Stopped => Trouble::Stopped,
            EvalError::Store(_) => Trouble::Internal,
        };
        Self::new(trouble, error.to_string())
    }
}

impl Engine for Embedded {
    fn instant(&self, query: &Query, at: Timestamp, terms: &Terms<'_>) -> Result<Answer, EngineError> {
        Ok(evaluate_instant(query.expr(), (self.view)().as_ref(), at, &self.options(terms), terms.stop)?)
    }

    fn range(&self, query: &Query, moments: Moments, terms: &Terms<'_>) -> Result<Answer, EngineError> {
        let (view, options) = ((self.view)(), self.options(terms));
        let Moments { start, end, step_ms } = moments;
        Ok(evaluate_range(query.expr(), view.as_ref(), start, end, step_ms, &options, terms.stop)?)
    }

    fn series(&self, lookup: Lookup<'_>, terms: &Terms<'_>) -> Result<Listed<Labels>, EngineError> {
        self.gather(lookup, terms, |view, set, range| {
            Ok(view.find(set, range)?.into_iter().map(|found| found.labels).collect())
        })
    }

    fn label_names(&self, lookup: Lookup<'_>, terms: &Terms<'_>) -> Result<Listed<String>, EngineError> {
        self.gather(lookup, terms, |view, set, range| view.label_names(set, range))
    }

    fn label_values(&self, label: &str, lookup: Lookup<'_>, terms: &Terms<'_>) -> Result<Listed<String>, EngineError> {
        self.gather(lookup, terms, |view, set, range| view.label_values(label, set, range))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use squirrel_model::stale_marker;
    use squirrel_testkit::MemorySelect;

    use super::*;
    use crate::{ParseOptions, Value, parse_selector};

    fn engine() -> Embedded {
        let up = |job: &str| Labels::new([("__name__", "up"), ("job", job)]).unwrap();
        let mut store = MemorySelect::at(60_000, [(up("a"), 1.0), (up("b"), 0.0)]);
        store.put(&up("a"), 61_000, stale_marker());
        let store: Arc<dyn Select> = Arc::new(store);
        Embedded::new(move || Arc::clone(&store), EvalOptions::default())
    }

    fn terms(stop: &dyn Fn() -> bool) -> Terms<'_> {
        Terms { time: Duration::from_secs(1), lookback_ms: None, stop }
    }

    fn query(text: &str) -> Query {
        Query::parse(text, &ParseOptions::default()).unwrap()
    }

    #[test]
    fn a_question_is_answered_from_the_view() {
        let answer = engine().instant(&query("sum(up)"), Timestamp(60_500), &terms(&|| false)).unwrap();
        let Value::Vector(samples) = answer.value else { panic!("a vector") };
        assert_eq!(samples.iter().map(|one| one.value).collect::<Vec<_>>(), [1.0]);
        let late = Terms { lookback_ms: Some(1_000), ..terms(&|| false) };
        let answer = engine().instant(&query("up"), Timestamp(90_000), &late).unwrap();
        assert_eq!(answer.value, Value::Vector(Vec::new()));
        let moments = Moments { start: Timestamp(60_000), end: Timestamp(61_000), step_ms: 1_000 };
        let Value::Matrix(rows) = engine().range(&query("up"), moments, &terms(&|| false)).unwrap().value else {
            panic!("a matrix")
        };
        assert_eq!(rows.iter().map(|(_, samples)| samples.len()).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn sets_are_joined_and_a_limit_that_cuts_is_told() {
        let sets = [r#"up{job="a"}"#, r#"up{job=~"a|b"}"#].map(|text| parse_selector(text).unwrap());
        let lookup = Lookup { sets: &sets, range: TimeRange::ALL, limit: None };
        let listed = engine().label_values("job", lookup, &terms(&|| false)).unwrap();
        assert_eq!((listed.items, listed.warnings.len()), (vec!["a".to_owned(), "b".to_owned()], 0));
        let listed = engine().series(Lookup { limit: Some(1), ..lookup }, &terms(&|| false)).unwrap();
        assert_eq!((listed.items.len(), listed.warnings), (1, vec![TRUNCATED.to_owned()]));
        let all = Lookup { sets: &[], range: TimeRange::ALL, limit: None };
        assert_eq!(engine().label_names(all, &terms(&|| false)).unwrap().items, ["__name__", "job"]);
        assert_eq!(lookup.selectors().collect::<Vec<_>>(), [r#"up{job="a"}"#, r#"up{job=~"a|b"}"#]);
    }

    #[test]
    fn what_is_stopped_says_so() {
        let lookup = Lookup { sets: &[], range: TimeRange::ALL, limit: None };
        assert_eq!(engine().series(lookup, &terms(&|| true)).unwrap_err().trouble, Trouble::Stopped);
        let wrong = Moments { start: Timestamp(1), end: Timestamp(0), step_ms: 1 };
        assert_eq!(engine().range(&query("up"), wrong, &terms(&|| false)).unwrap_err().trouble, Trouble::BadData);
    }
}
