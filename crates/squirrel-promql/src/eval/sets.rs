//! `and`, `or` and `unless`: operations on which series are there, never on their values.

use super::Evaluator;
use super::bitmap::Bitmap;
use super::column::{Series, merge_equal};
use super::matching::groups;
use crate::EvalError;
use crate::ast::{Binary, BinaryOp};

/// Steps at which any of these series is there.
fn any_present(series: &[Series], indexes: &[usize], count: usize) -> Bitmap {
    let mut out = Bitmap::clear(count);
    for one in indexes.iter().filter_map(|i| series.get(*i)) {
        out.add(&one.column.present);
    }
    out
}

impl Evaluator<'_> {
    pub(super) fn set_operation(
        &mut self,
        binary: &Binary,
        mut left: Vec<Series>,
        mut right: Vec<Series>,
        count: usize,
    ) -> Result<Vec<Series>, EvalError> {
        self.work((left.len() + right.len()).saturating_mul(count / 64 + 1))?;
        for group in groups(&left, &right, &binary.matching) {
            if binary.op == BinaryOp::Or {
                let there = any_present(&left, &group.left, count);
                for i in group.right {
                    if let Some(one) = right.get_mut(i) {
                        one.column.present.remove(&there);
                    }
                }
                continue;
            }
            let there = any_present(&right, &group.right, count);
            for i in group.left {
                let Some(one) = left.get_mut(i) else { continue };
                if binary.op == BinaryOp::And {
                    one.column.present.keep(&there);
                } else {
                    one.column.present.remove(&there);
                }
            }
        }
        if binary.op == BinaryOp::Or {
            left.append(&mut right);
        }
        left.retain(|one| !one.column.present.is_empty());
        merge_equal(left)
    }
}
