//! Coarse copies: what is kept of each minute and each hour when the seconds are gone.
//!
//! A tier's blocks are like any other, but hold six series for each one: its figures. So a figure's id is that of its
//! series, eight times, plus the figure's number.

use squirrel_model::{Figure, Samples, is_stale, stale_marker};

use crate::series::SeriesId;

/// Lengths of the steps of the coarse tiers, ms: a minute and an hour.
pub(crate) const STEPS: [i64; 2] = [60_000, 3_600_000];

/// How far before a window its counters are looked for, so that what they rose by at its beginning is known: a chunk
/// of seconds.
pub(crate) const BEFORE_MS: i64 = 600_000;

/// Ids that a series takes in a tier's block.
const SLOTS: u64 = 8;

/// The id of a figure of a series.
pub(crate) fn figure_id(id: SeriesId, figure: Figure) -> SeriesId {
    SeriesId(id.0.saturating_mul(SLOTS).saturating_add(number(figure)))
}

/// The series that a figure's id belongs to.
pub(crate) fn series_of(figure: SeriesId) -> SeriesId {
    SeriesId(figure.0 / SLOTS)
}

/// Which figure an id in a tier's block stands for.
pub(crate) fn figure_of(id: SeriesId) -> Option<Figure> {
    Figure::ALL.into_iter().find(|figure| number(*figure) == id.0 % SLOTS)
}

/// Part of the format: never changed.
fn number(figure: Figure) -> u64 {
    match figure {
        Figure::Last => 0,
        Figure::Min => 1,
        Figure::Max => 2,
        Figure::Sum => 3,
        Figure::Count => 4,
        Figure::Increase => 5,
    }
}

/// The figures of one series over steps, each column with the ends of the steps.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    columns: [Samples; 6],
}

impl Figures {
    pub(crate) fn of(&self, figure: Figure) -> &Samples {
        let [last, min, max, sum, count, increase] = &self.columns;
        match figure {
            Figure::Last => last,
            Figure::Min => min,
            Figure::Max => max,
            Figure::Sum => sum,
            Figure::Count => count,
            Figure::Increase => increase,
        }
    }

    /// Replaces all by the figures of the samples that are not before `from_ms`. Earlier ones only tell what a counter
    /// had reached.
    pub(crate) fn fill(&mut self, samples: &Samples, from_ms: i64, step_ms: i64) {
        self.columns.iter_mut().for_each(Samples::clear);
        let mut before: Option<f64> = None;
        let mut step: Option<Step> = None;
        for (&time, &value) in samples.times.iter().zip(&samples.values) {
            if time >= from_ms {
                let end = time.div_euclid(step_ms).saturating_add(1).saturating_mul(step_ms);
                if let Some(done) = step.take_if(|step| step.end_ms != end) {
                    self.push(&done);
                }
                step.get_or_insert_with(|| Step::new(end)).add(value, before);
            }
            before = (!is_stale(value)).then_some(value);
        }
        if let Some(done) = step {
            self.push(&done);
        }
    }

    fn push(&mut self, step: &Step) {
        let [last, min, max, sum, count, increase] = &mut self.columns;
        last.push(step.end_ms, step.last);
        if step.count > 0.0 {
            min.push(step.end_ms, step.min);
            max.push(step.end_ms, step.max);
            sum.push(step.end_ms, step.sum);
            count.push(step.end_ms, step.count);
            increase.push(step.end_ms, step.increase);
        }
    }
}

/// One step under way.
#[derive(Debug)]
struct Step {
    end_ms: i64,
    last: f64,
    min: f64,
    max: f64,
    sum: f64,
    count: f64,
    increase: f64,
}

impl Step {
    fn new(end_ms: i64) -> Self {
        Self { end_ms, last: stale_marker(), min: f64::NAN, max: f64::NAN, sum: 0.0, count: 0.0, increase: 0.0 }
    }

    fn add(&mut self, value: f64, before: Option<f64>) {
        self.last = value;
        if is_stale(value) {
            return;
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum += value;
        self.count += 1.0;
        if let Some(before) = before {
            // A counter that fell began again at zero.
            self.increase += if value < before { value } else { value - before };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn figures(samples: &[(i64, f64)], from_ms: i64, step_ms: i64) -> Figures {
        let samples =
            Samples { times: samples.iter().map(|s| s.0).collect(), values: samples.iter().map(|s| s.1).collect() };
        let mut figures = Figures::default();
        figures.fill(&samples, from_ms, step_ms);
        figures
    }

    fn pairs(samples: &Samples) -> Vec<(i64, f64)> {
        samples.times.iter().copied().zip(samples.values.iter().copied()).collect()
    }

    #[test]
    fn each_step_has_its_figures_under_its_end() {
        let all = [(58, 5.0), (60, 7.0), (119, 3.0), (120, 4.0), (300, 10.0)].map(|(t, v)| (t * 1000, v));
        let figures = figures(&all, 60_000, 60_000);
        let at = |figure| pairs(figures.of(figure));
        assert_eq!(at(Figure::Last), [(120_000, 3.0), (180_000, 4.0), (360_000, 10.0)]);
        assert_eq!(at(Figure::Min), [(120_000, 3.0), (180_000, 4.0), (360_000, 10.0)]);
        assert_eq!(at(Figure::Max), [(120_000, 7.0), (180_000, 4.0), (360_000, 10.0)]);
        assert_eq!(at(Figure::Sum), [(120_000, 10.0), (180_000, 4.0), (360_000, 10.0)]);
        assert_eq!(at(Figure::Count), [(120_000, 2.0), (180_000, 1.0), (360_000, 1.0)]);
        // 5 to 7, a reset to 3; 3 to 4; 4 to 10 over a gap.
        assert_eq!(at(Figure::Increase), [(120_000, 5.0), (180_000, 1.0), (360_000, 6.0)]);
    }

    #[test]
    fn a_series_that_ends_ends_here_too_and_rises_by_nothing_when_it_comes_back() {
        let all = [(1000, 5.0), (2000, stale_marker()), (61_000, stale_marker()), (130_000, 9.0)];
        let figures = figures(&all, 0, 60_000);
        let last = figures.of(Figure::Last);
        assert!(is_stale(last.values[0]) && is_stale(last.values[1]) && last.values[2] == 9.0);
        assert_eq!(pairs(figures.of(Figure::Count)), [(60_000, 1.0), (180_000, 1.0)]);
        assert_eq!(pairs(figures.of(Figure::Increase)), [(60_000, 0.0), (180_000, 0.0)]);
    }

    #[test]
    fn a_figures_id_leads_back_to_its_series() {
        let ids: std::collections::BTreeSet<SeriesId> =
            (0..9).flat_map(|id| Figure::ALL.map(|figure| figure_id(SeriesId(id), figure))).collect();
        assert_eq!(ids.len(), 54);
        assert!(Figure::ALL.iter().all(|figure| series_of(figure_id(SeriesId(8), *figure)) == SeriesId(8)));
    }

    proptest! {
        #[test]
        fn hours_from_minutes_and_from_seconds_agree(values in prop::collection::vec(0u32..1000, 1..400), start in 0i64..4000) {
            let samples: Vec<(i64, f64)> =
                values.iter().enumerate().map(|(i, v)| ((start + i as i64 * 30) * 1000, f64::from(*v))).collect();
            let (minutes, hours) = (figures(&samples, 0, 60_000), figures(&samples, 0, 3_600_000));
            for figure in [Figure::Sum, Figure::Count, Figure::Increase] {
                let total = |figures: &Figures| figures.of(figure).values.iter().sum::<f64>();
                prop_assert_eq!(total(&minutes), total(&hours));
            }
        }
    }
}
