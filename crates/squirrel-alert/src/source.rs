//! Who answers the expressions of a group's rules.

use std::time::Duration;

use squirrel_model::{Labels, Select, Timestamp};
use squirrel_promql::engine::{Engine, Query, Terms};
use squirrel_promql::{Expr, Value, evaluate_instant};

use crate::overlay::Overlay;
use crate::{NewSample, QueryAnswer, Surroundings};

/// Longest wait for one answer of another engine, Prometheus' limit of a query.
const LONGEST: Duration = Duration::from_mins(2);

/// Samples that are kept here, or another engine.
pub(crate) enum Source<'a> {
    /// A frozen store, and what the rules so far yielded.
    Samples(Overlay<'a>),
    /// Another engine, which has its own samples.
    Engine(&'a dyn Engine),
}

impl<'a> Source<'a> {
    pub(crate) fn samples(store: &'a dyn Select) -> Self {
        Self::Samples(Overlay::new(store))
    }

    /// Lets the rules that follow see what one yielded; another engine has to be brought it otherwise.
    pub(crate) fn add(&mut self, samples: &[NewSample]) {
        match self {
            Self::Samples(overlay) => overlay.add(samples),
            Self::Engine(_) => {}
        }
    }

    /// What an expression yields: labels and values.
    pub(crate) fn instant(&self, expr: &Expr, at: Timestamp, around: &Surroundings<'_>) -> QueryAnswer {
        let answer = match self {
            Self::Samples(overlay) => {
                evaluate_instant(expr, overlay, at, around.options, around.stop).map_err(|e| e.to_string())
            }
            // Once there is no time any more, the rest must not wait for a connection each.
            Self::Engine(_) if (around.stop)() => Err("there was no time left to ask".to_owned()),
            Self::Engine(engine) => {
                let terms = Terms { time: LONGEST, lookback_ms: None, stop: around.stop };
                engine.instant(&Query::from(expr.clone()), at, &terms).map_err(|e| e.to_string())
            }
        };
        match answer?.value {
            Value::Vector(samples) => Ok(samples.into_iter().map(|one| (one.labels, one.value)).collect()),
            Value::Scalar(_, value) => Ok(vec![(Labels::empty(), value)]),
            Value::String(_) | Value::Matrix(_) => {
                Err("the expression yields no number: a rule needs an instant vector or a scalar".to_owned())
            }
        }
    }
}
