//! Operators between two operands.

use super::Evaluator;
use super::column::{Numbers, Operand, Series, Steps};
use super::opaque;
use super::shaping::zip;
use crate::EvalError;
use crate::ast::{Binary, BinaryOp};

/// The value of an arithmetic operator. Comparisons yield 0 or 1.
pub(super) fn compute(op: BinaryOp, a: f64, b: f64) -> f64 {
    match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide => a / b,
        BinaryOp::Modulo => a % b,
        BinaryOp::Power => a.powf(b),
        BinaryOp::Atan2 => a.atan2(b),
        _ => f64::from(u8::from(holds(op, a, b))),
    }
}

/// Whether a comparison holds.
pub(super) fn holds(op: BinaryOp, a: f64, b: f64) -> bool {
    match op {
        BinaryOp::Equal => a == b,
        BinaryOp::NotEqual => a != b,
        BinaryOp::Less => a < b,
        BinaryOp::LessEqual => a <= b,
        BinaryOp::Greater => a > b,
        BinaryOp::GreaterEqual => a >= b,
        _ => true,
    }
}

impl Evaluator<'_> {
    pub(super) fn binary(&mut self, binary: &Binary, steps: Steps) -> Result<Operand, EvalError> {
        let left = self.eval(&binary.left, steps)?;
        let right = self.eval(&binary.right, steps)?;
        let count = steps.count;
        match (left, right) {
            (Operand::Scalar(a), Operand::Scalar(b)) => {
                Ok(Operand::Scalar(zip(&a, &b, count, |a, b| compute(binary.op, a, b))))
            }
            (Operand::Vector(series), Operand::Scalar(numbers)) => {
                self.with_scalar(binary, series, &numbers, count, false)
            }
            (Operand::Scalar(numbers), Operand::Vector(series)) => {
                self.with_scalar(binary, series, &numbers, count, true)
            }
            (Operand::Vector(a), Operand::Vector(b)) if binary.op.is_set() => {
                Ok(Operand::Vector(self.set_operation(binary, a, b, count)?))
            }
            (Operand::Vector(a), Operand::Vector(b)) => Ok(Operand::Vector(self.joined(binary, &a, &b, count)?)),
            _ => Err(EvalError::execution(format!("{:?} does not work on strings", binary.op.sign()))),
        }
    }

    /// A vector and a number; `scalar_left` tells which stands where. A comparison keeps the
    /// vector's values, whichever side it is on.
    fn with_scalar(
        &mut self,
        binary: &Binary,
        mut series: Vec<Series>,
        numbers: &Numbers,
        count: usize,
        scalar_left: bool,
    ) -> Result<Operand, EvalError> {
        self.work(series.len().saturating_mul(count))?;
        let filter = binary.op.is_comparison() && !binary.returns_bool;
        for one in &mut series {
            one.drop_name |= !filter;
            if one.column.has_histogram() && opaque::with_scalar(binary, scalar_left, &mut one.column) {
                self.note_incompatible(binary);
            }
            for i in 0..count {
                let (value, number) = (one.column.at(i), numbers.at(i));
                let (a, b) = if scalar_left { (number, value) } else { (value, number) };
                if !filter {
                    if let Some(slot) = one.column.values.get_mut(i) {
                        *slot = compute(binary.op, a, b);
                    }
                } else if !holds(binary.op, a, b) {
                    one.column.present.unset(i);
                }
            }
        }
        series.retain(|one| !one.column.present.is_empty());
        Ok(Operand::Vector(series))
    }
}
