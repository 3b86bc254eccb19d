//! Runs of samples of one series, put together in the order of time. Of two samples with the same
//! time the later written one is kept.

use squirrel_model::{Samples, TimeRange};

/// Adds a run, itself strictly rising, that was written after everything in `out`.
pub(crate) fn append_run(out: &mut Samples, run: &Samples) {
    let Some(&first) = run.times.first() else { return };
    if out.times.last().is_none_or(|last| *last < first) {
        out.times.extend_from_slice(&run.times);
        out.values.extend_from_slice(&run.values);
        return;
    }
    // Only what is not earlier than the run has to move.
    let from = out.times.partition_point(|time| *time < first);
    let old = Samples { times: out.times.split_off(from), values: out.values.split_off(from) };
    let mut before = old.times.iter().zip(&old.values).peekable();
    for (&time, &value) in run.times.iter().zip(&run.values) {
        while let Some((&t, &v)) = before.next_if(|(t, _)| **t < time) {
            out.push(t, v);
        }
        before.next_if(|(t, _)| **t == time);
        out.push(time, value);
    }
    for (&t, &v) in before {
        out.push(t, v);
    }
}

/// Sorts samples in the order in which they were written by time; the later written one wins.
pub(crate) fn sort_written(samples: &mut Samples) {
    let mut pairs: Vec<(i64, f64)> = samples.times.iter().copied().zip(samples.values.iter().copied()).collect();
    pairs.sort_by_key(|(time, _)| *time); // stable
    samples.clear();
    for (time, value) in pairs {
        if samples.times.last() == Some(&time) {
            samples.values.pop();
            samples.values.push(value);
        } else {
            samples.push(time, value);
        }
    }
}

/// Drops what lies outside the range.
pub(crate) fn cut_to(samples: &mut Samples, range: TimeRange) {
    let to = samples.times.partition_point(|time| *time <= range.end.millis());
    samples.times.truncate(to);
    samples.values.truncate(to);
    let from = samples.times.partition_point(|time| *time < range.start.millis());
    if from > 0 {
        samples.times.drain(..from);
        samples.values.drain(..from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        #[test]
        fn runs_merge_like_a_map_in_which_the_later_wins(runs in prop::collection::vec(prop::collection::btree_set(0i64..40, 0..15), 0..6)) {
            let (mut want, mut merged, mut written) = (BTreeMap::new(), Samples::default(), Samples::default());
            for (i, times) in runs.iter().map(|times: &BTreeSet<i64>| times).enumerate() {
                let run = Samples { times: times.iter().copied().collect(), values: vec![i as f64; times.len()] };
                append_run(&mut merged, &run);
                for time in times {
                    want.insert(*time, i as f64);
                    written.push(*time, i as f64);
                }
            }
            sort_written(&mut written);
            let want = Samples { times: want.keys().copied().collect(), values: want.values().copied().collect() };
            prop_assert_eq!(&merged, &want);
            prop_assert_eq!(&written, &want);
        }
    }
}
