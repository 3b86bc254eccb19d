//! A reduced rate: of each step the last sample, and the greatest value if it is wanted.

use squirrel_model::{Samples, is_stale};

/// The last sample of each step, under its own time, and for each the greatest value of its step. Steps begin
/// at multiples of `step_ms`. A stale marker that is not the last is passed over.
pub(super) fn thin(samples: &Samples, step_ms: i64) -> (Samples, Samples) {
    let (mut last, mut greatest) = (Samples::default(), Samples::default());
    let step_of = |time: i64| time.div_euclid(step_ms.max(1));
    let mut step = None;
    for (&time, &value) in samples.times.iter().zip(&samples.values) {
        if step != Some(step_of(time)) {
            step = Some(step_of(time));
            last.push(time, value);
            greatest.push(time, value);
            continue;
        }
        if let (Some(time_of), Some(of)) = (last.times.last_mut(), last.values.last_mut()) {
            (*time_of, *of) = (time, value);
        }
        if let (Some(time_of), Some(of)) = (greatest.times.last_mut(), greatest.values.last_mut()) {
            *time_of = time;
            // NaN is less than every number here, and a marker less than NaN.
            if is_stale(*of) || (!is_stale(value) && (of.is_nan() || value > *of)) {
                *of = value;
            }
        }
    }
    // A series that ended has ended under both names.
    for (value, of) in last.values.iter().zip(&mut greatest.values) {
        if is_stale(*value) {
            *of = *value;
        }
    }
    (last, greatest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use squirrel_model::stale_marker;

    #[test]
    fn each_step_has_its_last_and_its_greatest() {
        let times = vec![9_000, 10_000, 11_000, 19_000, 20_000, 29_000, 31_000, 32_000];
        let values = vec![1.0, 5.0, 9.0, 2.0, 3.0, stale_marker(), stale_marker(), 4.0];
        let (last, greatest) = thin(&Samples { times, values }, 10_000);
        assert_eq!(last.times, [9_000, 19_000, 29_000, 32_000]);
        assert_eq!(greatest.times, last.times);
        assert_eq!((last.values[..2].to_vec(), last.values[3]), (vec![1.0, 2.0], 4.0));
        assert_eq!((greatest.values[..2].to_vec(), greatest.values[3]), (vec![1.0, 9.0], 4.0));
        assert!(is_stale(last.values[2]) && is_stale(greatest.values[2]), "the end is told");
    }

    #[test]
    fn numbers_win_over_none() {
        let samples = Samples { times: vec![0, 1, 2], values: vec![f64::NAN, -5.0, f64::NAN] };
        let (last, greatest) = thin(&samples, 10);
        assert!(last.values[0].is_nan() && !is_stale(last.values[0]));
        assert_eq!(greatest.values, [-5.0]);
    }
}
