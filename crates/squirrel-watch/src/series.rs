//! From results to samples: whose they are, and the end of series that a result no longer has.

use std::collections::HashSet;

use squirrel_api::probes::ProbeMinute;
use squirrel_check::Finding;
use squirrel_model::{Labels, NAME_LABEL, Timestamp, stale_marker};

use crate::Target;
use crate::minute::PERCENTILES;

/// A sample with the time and the labels that it is kept with.
pub type Sample = (Labels, Timestamp, f64);

/// Series of one run at most. What a plugin tells has no other bound.
pub(crate) const MOST_SERIES: usize = 1_000;

/// The labels of all series of a target.
#[derive(Clone, Debug)]
pub(crate) struct Naming(Labels);

impl Naming {
    pub(crate) fn of(target: &Target) -> Self {
        let mut builder = target.labels.to_builder();
        builder.set("job", target.job.clone());
        builder.set("instance", target.instance.clone());
        // What the configuration was checked for; without a name for it nothing could be kept at all.
        Self(builder.build().unwrap_or_default())
    }

    /// The labels of a series. Its own labels stand above those of the configuration.
    pub(crate) fn series(&self, name: &str, own: &[(&str, &str)]) -> Labels {
        let mut builder = self.0.to_builder();
        builder.set(NAME_LABEL, name.to_owned());
        for (label, value) in own.iter().filter(|(label, _)| !["job", "instance"].contains(label)) {
            builder.set((*label).to_owned(), (*value).to_owned());
        }
        builder.build().unwrap_or_default()
    }

    /// The numbers of a check; how many were too many stands beside.
    pub(crate) fn of_finding(&self, finding: &Finding) -> (Vec<(Labels, f64)>, usize) {
        let rows = &finding.batch.rows;
        let kept = rows.iter().take(MOST_SERIES).map(|row| {
            let own: Vec<_> = row.labels.iter().collect();
            (self.series(&row.metric.name, &own), row.value)
        });
        (kept.collect(), rows.len().saturating_sub(MOST_SERIES))
    }

    /// The numbers of a minute.
    pub(crate) fn of_minute(&self, minute: &ProbeMinute) -> Vec<(Labels, f64)> {
        let mut rows = vec![(self.series("squirrel_probe_loss_ratio", &[]), minute.loss)];
        for ((label, _), (_, seconds)) in PERCENTILES.iter().zip(&minute.round_trip) {
            rows.push((self.series("squirrel_probe_round_trip_seconds", &[("percentile", label)]), *seconds));
        }
        let one = |name, value: Option<f64>| value.map(|value| (self.series(name, &[]), value));
        rows.extend(one("squirrel_probe_jitter_seconds", minute.jitter));
        rows.extend(one("squirrel_probe_mos_score", minute.mos));
        rows
    }

    /// What is always there: what it is, and what is expected of it.
    pub(crate) fn of_target(&self, target: &Target) -> Vec<(Labels, f64)> {
        let own = [("kind", target.kind()), ("group", target.group.as_deref().unwrap_or_default())];
        let mut rows = vec![(self.series("squirrel_probe_info", &own), 1.0)];
        rows.extend(target.objective.map(|objective| (self.series("squirrel_probe_objective_ratio", &[]), objective)));
        rows
    }
}

/// The series of the last result: what a new one lacks ends with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live(Vec<Labels>);

impl Live {
    /// Takes a result's rows: adds their samples, and the end of the series that it lacks.
    pub(crate) fn publish(&mut self, at: Timestamp, rows: Vec<(Labels, f64)>, out: &mut Vec<Sample>) {
        let same = self.0.len() == rows.len() && self.0.iter().zip(&rows).all(|(old, (new, _))| old == new);
        if !same {
            let there: HashSet<&Labels> = rows.iter().map(|(labels, _)| labels).collect();
            out.extend(self.0.iter().filter(|old| !there.contains(old)).map(|old| (old.clone(), at, stale_marker())));
            self.0 = rows.iter().map(|(labels, _)| labels.clone()).collect();
        }
        out.extend(rows.into_iter().map(|(labels, value)| (labels, at, value)));
    }

    /// Ends all of them.
    pub(crate) fn end(&mut self, at: Timestamp, out: &mut Vec<Sample>) {
        out.extend(self.0.drain(..).map(|labels| (labels, at, stale_marker())));
    }
}
