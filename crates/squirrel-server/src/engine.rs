//! PromQL as the server uses it: errors in the API's kinds, values as the API's JSON.

use squirrel_api::envelope::Notes;
use squirrel_api::{ApiError, ErrorType, result};
use squirrel_model::{Labels, Matcher, Samples, Select, Timestamp};
use squirrel_promql::engine::{Moments, Terms, Trouble};
use squirrel_promql::{Engine, EngineError, EvalOptions, Expr, ParseOptions, Query, Value};

use crate::gate::Stop;
use crate::parts::Limits;

/// An expression that was understood.
pub(crate) struct Parsed(Query);

impl Parsed {
    /// The checked tree.
    pub(crate) fn expr(&self) -> &Expr {
        self.0.expr()
    }
}

/// At which moments to evaluate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Steps {
    /// At one moment.
    At(Timestamp),
    /// From `start` to `end`, both included.
    Range { start: Timestamp, end: Timestamp, step_ms: i64 },
}

/// A value and what is to be said beside it.
pub(crate) struct Answer {
    value: Value,
    at: Timestamp,
    pub(crate) notes: Notes,
    /// Samples that were touched on the way.
    pub(crate) touched: u64,
}

/// Reads an expression.
///
/// # Errors
/// `bad_data` with the place in the text.
pub(crate) fn parse(text: &str) -> Result<Parsed, ApiError> {
    Query::parse(text, &ParseOptions::default()).map(Parsed).map_err(|error| ApiError::bad_data(error.to_string()))
}

/// Reads a series selector, as it stands in `match[]`.
///
/// # Errors
/// `bad_data` with the place in the text.
pub(crate) fn selector(text: &str) -> Result<Vec<Matcher>, ApiError> {
    squirrel_promql::parse_selector(text).map_err(|error| ApiError::bad_data(error.to_string()))
}

/// Asks the engine, until `stop` says otherwise.
///
/// # Errors
/// What the data, the limits or the engine refuse; `timeout` or `canceled` when it was stopped.
pub(crate) fn ask(
    Parsed(query): &Parsed,
    engine: &dyn Engine,
    steps: Steps,
    lookback_ms: Option<i64>,
    stop: &Stop,
) -> Result<Answer, ApiError> {
    let asked = || stop.asked();
    let terms = Terms { time: stop.left(), lookback_ms, stop: &asked };
    let (at, answer) = match steps {
        Steps::At(at) => (at, engine.instant(query, at, &terms)),
        Steps::Range { start, end, step_ms } => (start, engine.range(query, Moments { start, end, step_ms }, &terms)),
    };
    answered(answer, at, stop)
}

/// Evaluates over samples that are kept here, whatever engine answers other questions.
///
/// # Errors
/// As [`ask`].
pub(crate) fn evaluate(
    Parsed(query): &Parsed,
    select: &dyn Select,
    at: Timestamp,
    stop: &Stop,
) -> Result<Answer, ApiError> {
    // Whatever others may ask: its expressions are Squirrel's own.
    let options = EvalOptions::default();
    let answer = squirrel_promql::evaluate_instant(query.expr(), select, at, &options, &|| stop.asked());
    answered(answer.map_err(EngineError::from), at, stop)
}

fn answered(
    answer: Result<squirrel_promql::Answer, EngineError>,
    at: Timestamp,
    stop: &Stop,
) -> Result<Answer, ApiError> {
    let answer = answer.map_err(|error| refused(error, stop))?;
    let notes = Notes { warnings: answer.warnings, infos: answer.infos };
    Ok(Answer { value: answer.value, at, notes, touched: answer.samples })
}

/// What a query may cost.
pub(crate) fn options(limits: &Limits) -> EvalOptions {
    EvalOptions {
        max_samples: limits.query_samples,
        max_memory_bytes: limits.query_memory_bytes,
        // Prometheus' limit is on the range divided by the step, which allows one point more.
        max_points_per_series: limits.query_points + 1,
        ..EvalOptions::default()
    }
}

/// An engine's error in the API's kinds.
pub(crate) fn refused(error: EngineError, stop: &Stop) -> ApiError {
    let kind = match error.trouble {
        Trouble::Stopped => return stop.error(),
        Trouble::BadData => ErrorType::BadData,
        Trouble::Unavailable => ErrorType::Unavailable,
        Trouble::Internal => ErrorType::Internal,
        _ => ErrorType::Execution,
    };
    ApiError::new(kind, error.message)
}

impl Answer {
    /// The samples of an instant vector; none for another type.
    pub(crate) fn into_samples(self) -> Vec<squirrel_promql::InstantSample> {
        match self.value {
            Value::Vector(samples) => samples,
            _ => Vec::new(),
        }
    }

    /// The series of a range; none for another type.
    pub(crate) fn into_series(self) -> Vec<(Labels, Samples)> {
        match self.value {
            Value::Matrix(series) => series,
            _ => Vec::new(),
        }
    }

    /// Keeps the first `limit` series, and says whether there were more.
    pub(crate) fn truncate(&mut self, limit: usize) -> bool {
        let before = match &mut self.value {
            Value::Vector(series) => {
                let before = series.len();
                series.truncate(limit);
                before
            }
            Value::Matrix(series) => {
                let before = series.len();
                series.truncate(limit);
                before
            }
            Value::Scalar(..) | Value::String(_) => 0,
        };
        before > limit
    }

    /// Samples of all series together.
    pub(crate) fn samples(&self) -> usize {
        match &self.value {
            Value::Vector(samples) => samples.len(),
            Value::Matrix(series) => series.iter().map(|(_, samples)| samples.times.len()).sum(),
            Value::Scalar(..) | Value::String(_) => 1,
        }
    }

    /// Writes `{"resultType":…,"result":…}`.
    pub(crate) fn write(&self, out: &mut String) {
        match &self.value {
            Value::Scalar(at, value) => result::write_scalar(out, *at, *value),
            Value::String(text) => result::write_text(out, self.at, text),
            Value::Vector(samples) => {
                result::write_vector(out, samples.iter().map(|one| (&one.labels, one.time, one.value)));
            }
            Value::Matrix(series) => result::write_matrix(
                out,
                series.iter().map(|(labels, samples)| {
                    let times = samples.times.iter().map(|ms| Timestamp(*ms));
                    (labels, times.zip(samples.values.iter().copied()))
                }),
            ),
        }
    }
}
