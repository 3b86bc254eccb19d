//! `limit_ratio`: a share of the series, always the same ones.

use squirrel_model::Labels;

use super::Evaluator;
use super::bitmap::Bitmap;
use super::column::{Numbers, Series, Steps};
use crate::number::number_text;
use crate::{EvalError, Span};

impl Evaluator<'_> {
    /// Keeps the series whose place between 0 and 1 is below the ratio; with a negative ratio those at or above
    /// `1 + ratio`, so that `r` and `r - 1` keep complements.
    ///
    /// Grouping changes nothing: whether a series stays depends on nothing but its labels. Prometheus picks by a
    /// hash of its own that differs between its builds; ours is fixed, so that a query keeps its sample for good.
    pub(super) fn share(
        &mut self,
        ratio: &Numbers,
        place: Span,
        series: Vec<Series>,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let ratios: Vec<f64> = (0..steps.count).map(|i| ratio.at(i)).collect();
        if ratios.iter().any(|r| r.is_nan()) {
            return Err(EvalError::execution("limit_ratio: the ratio is NaN"));
        }
        if let Some(r) = ratios.iter().find(|r| !(-1.0..=1.0).contains(*r)) {
            let capped = number_text(r.clamp(-1.0, 1.0));
            let text = format!("ratio value should be between -1 and 1, got {}, capping to {capped}", number_text(*r));
            self.notes.warn(place, &text);
        }
        let kept = |mut one: Series| {
            let at = position(&one.labels);
            let mut bits = Bitmap::clear(steps.count);
            for (i, ratio) in ratios.iter().enumerate() {
                let r = ratio.clamp(-1.0, 1.0);
                if if r >= 0.0 { at < r } else { at >= 1.0 + r } {
                    bits.set(i);
                }
            }
            one.column.present.keep(&bits);
            (!one.column.present.is_empty()).then_some(one)
        };
        Ok(series.into_iter().filter_map(kept).collect())
    }
}

/// Where between 0 (included) and 1 (excluded) a series stands: FNV-1a of its labels, mixed by the last step of
/// MurmurHash3 since FNV leaves the upper bits of short texts alike.
fn position(labels: &Labels) -> f64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut feed = |text: &str| {
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for (name, value) in labels.iter() {
        feed(name);
        feed(value);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    // 53 bits, so that the quotient is exact and below one.
    ((hash ^ (hash >> 33)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_spread_evenly_and_never_change() {
        let labels = |i: usize| Labels::new([("__name__", "up"), ("instance", &i.to_string())]).expect("labels");
        for ratio in [0.1, 0.5, 0.9] {
            let below = (0..10_000).filter(|i| position(&labels(*i)) < ratio).count() as f64 / 10_000.0;
            assert!((below - ratio).abs() < 0.02, "{below} of {ratio}");
        }
        assert_eq!(position(&labels(0)).to_string(), "0.42528132242857086");
    }
}
