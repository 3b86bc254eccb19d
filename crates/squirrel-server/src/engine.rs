//! PromQL as the server uses it: errors in the API's kinds, values as the API's JSON.

use squirrel_api::envelope::Notes;
use squirrel_api::{ApiError, ErrorType, result};
use squirrel_model::{Matcher, Select, Timestamp};
use squirrel_promql::{EvalError, EvalOptions, Expr, ParseOptions, Value};

use crate::gate::Stop;

/// An expression that was understood.
pub(crate) struct Parsed(Expr);

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
}

/// Reads an expression.
///
/// # Errors
/// `bad_data` with the place in the text.
pub(crate) fn parse(text: &str) -> Result<Parsed, ApiError> {
    squirrel_promql::parse(text, &ParseOptions::default())
        .map(Parsed)
        .map_err(|error| ApiError::bad_data(error.to_string()))
}

/// Reads a series selector, as it stands in `match[]`.
///
/// # Errors
/// `bad_data` with the place in the text.
pub(crate) fn selector(text: &str) -> Result<Vec<Matcher>, ApiError> {
    squirrel_promql::parse_selector(text).map_err(|error| ApiError::bad_data(error.to_string()))
}

/// Evaluates, until `stop` says otherwise.
///
/// # Errors
/// What the data, the limits or the store refuse; `timeout` or `canceled` when it was stopped.
pub(crate) fn evaluate(
    Parsed(expr): &Parsed,
    select: &dyn Select,
    steps: Steps,
    lookback_ms: Option<i64>,
    stop: &Stop,
) -> Result<Answer, ApiError> {
    let options = options(lookback_ms);
    let asked = || stop.asked();
    let (at, answer) = match steps {
        Steps::At(at) => (at, squirrel_promql::evaluate_instant(expr, select, at, &options, &asked)),
        Steps::Range { start, end, step_ms } => {
            (start, squirrel_promql::evaluate_range(expr, select, start, end, step_ms, &options, &asked))
        }
    };
    match answer {
        Ok(answer) => {
            let notes = Notes { warnings: answer.warnings, infos: answer.infos };
            Ok(Answer { value: answer.value, at, notes })
        }
        Err(EvalError::Stopped) => Err(stop.error()),
        Err(error) => Err(ApiError::new(kind(&error), error.to_string())),
    }
}

/// Prometheus' limit is on the range divided by the step, which allows one point more.
fn options(lookback_ms: Option<i64>) -> EvalOptions {
    let usual = EvalOptions::default();
    EvalOptions { lookback_ms: lookback_ms.unwrap_or(usual.lookback_ms), max_points_per_series: 11_001, ..usual }
}

fn kind(error: &EvalError) -> ErrorType {
    match error {
        EvalError::BadData(_) => ErrorType::BadData,
        EvalError::Store(_) => ErrorType::Internal,
        _ => ErrorType::Execution,
    }
}

impl Answer {
    /// The samples of an instant vector; none for another type.
    pub(crate) fn into_samples(self) -> Vec<squirrel_promql::InstantSample> {
        match self.value {
            Value::Vector(samples) => samples,
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
