//! The forms that a function's implementation takes.

use super::column::{Operand, Steps};
use super::dates::DateFn;
use super::over_time::WindowFn;
use super::window::SweepFn;
use super::{Evaluator, dates};
use crate::EvalError;
use crate::ast::{Call, Expr};

/// Computes a call with everything at hand.
pub(crate) type CallFn = fn(&mut Evaluator<'_>, &Expr, &Call, Steps) -> Result<Operand, EvalError>;

/// What computes a function.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body {
    /// One number of each sample to another.
    Map(fn(f64) -> f64),
    /// The samples of one window to one number, window by window.
    Window(WindowFn),
    /// All windows of a series in one sweep, where neighbours share work.
    Sweep(SweepFn),
    /// A part of a date.
    Date(DateFn),
    /// Anything else.
    Call(CallFn),
}

impl Evaluator<'_> {
    pub(super) fn call(&mut self, expr: &Expr, call: &Call, steps: Steps) -> Result<Operand, EvalError> {
        match call.function.body {
            Body::Map(f) => {
                let mut series = self.numbers_arg(call, 0, steps)?;
                for one in &mut series {
                    one.column.map(f);
                    one.drop_name = true;
                }
                Ok(Operand::Vector(series))
            }
            Body::Window(f) => self.over_windows(call, steps, |track, out| track.each_window(out, f)),
            Body::Sweep(f) => self.over_windows(call, steps, f),
            Body::Date(f) => dates::date(self, call, steps, f),
            Body::Call(f) => f(self, expr, call, steps),
        }
    }
}
