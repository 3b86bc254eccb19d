//! What the record says of targets, asked in PromQL: one question for all of them, never one for each.

use std::collections::{BTreeMap, HashMap};

use squirrel_api::ApiError;
use squirrel_api::probes::{Availability, ErrorBudget, ProbeRow, Span};
use squirrel_model::exposition::escape_value;
use squirrel_model::{Labels, Timestamp};
use squirrel_promql::Engine;

use crate::engine::{self, Steps};
use crate::gate::Stop;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The spans of a heartbeat: name, seconds of a part, parts. Parts of ten steps of a coarse copy and more are answered
/// from it, so that a month costs no more than a day.
const SPANS: [(&str, i64, usize); 4] =
    [("1h", MINUTE, 60), ("1d", HOUR / 2, 48), ("7d", 3 * HOUR, 56), ("30d", 12 * HOUR, 60)];

/// Up to so many targets are named in a question; more are all asked about, which costs less than to compare names.
const NAMED: usize = 100;

/// How far back the newest certificate is looked for at least, in milliseconds: as samples of any other kind.
const LOOKBACK_MS: i64 = 300_000;

/// The span of this name that ends now.
///
/// # Errors
/// There is none of this name.
pub(crate) fn span(name: &str, now: Timestamp) -> Result<Span, ApiError> {
    let known = SPANS.iter().find(|(known, ..)| *known == name).ok_or_else(|| {
        let names = SPANS.map(|(name, ..)| name).join(", ");
        ApiError::invalid_parameter("history", format!("there is no history of {name:?}. There are: {names}"))
    })?;
    let (name, bucket, buckets) = *known;
    let end = aligned(now, bucket);
    Ok(Span {
        name: name.into(),
        from: (end.millis() / 1000 - bucket * buckets as i64) as f64,
        bucket: bucket as f64,
        buckets,
    })
}

/// Names of the spans, for the description of the API.
pub(crate) fn span_names() -> [&'static str; 4] {
    SPANS.map(|(name, ..)| name)
}

/// The end of the part that a moment lies in.
fn aligned(now: Timestamp, seconds: i64) -> Timestamp {
    let length = seconds * 1000;
    Timestamp((now.millis() + length - 1).div_euclid(length) * length)
}

/// Asks about some targets at a moment.
pub(crate) struct Record<'a> {
    pub(crate) engine: &'a dyn Engine,
    pub(crate) now: Timestamp,
    pub(crate) stop: &'a Stop,
}

impl Record<'_> {
    /// Fills in what is known of the rows; what cannot be asked is said in `notes`.
    pub(crate) fn fill(&self, rows: &mut [ProbeRow], history: Option<&Span>, notes: &mut Vec<String>) {
        if rows.is_empty() {
            return;
        }
        let scope = scope(rows);
        let mut note = |what: &str, error: ApiError| notes.push(format!("{what} cannot be told: {}", error.message));
        match self.certificates(rows, &scope) {
            Ok(found) => rows.iter_mut().zip(found).for_each(|(row, at)| row.record.certificate_expires = at),
            Err(error) => note("When certificates expire", error),
        }
        let Some(span) = history else { return };
        match self.heartbeats(rows, &scope, span) {
            Ok(found) => rows.iter_mut().zip(found).for_each(|(row, beats)| row.record.heartbeat = beats),
            Err(error) => note("The history", error),
        }
        if let Err(error) = self.shares(rows, &scope) {
            note("How available the targets were", error);
        }
    }

    fn certificates(&self, rows: &[ProbeRow], scope: &str) -> Result<Vec<Option<f64>>, ApiError> {
        let slowest = rows.iter().map(|row| row.probe.interval).fold(0.0, f64::max);
        let lookback = LOOKBACK_MS.max((slowest * 2_500.0) as i64);
        self.instant(rows, &format!("probe_ssl_earliest_cert_expiry{scope}"), self.now, Some(lookback))
    }

    fn instant(
        &self,
        rows: &[ProbeRow],
        expr: &str,
        at: Timestamp,
        lookback_ms: Option<i64>,
    ) -> Result<Vec<Option<f64>>, ApiError> {
        let answer = engine::ask(&engine::parse(expr)?, self.engine, Steps::At(at), lookback_ms, self.stop)?;
        Ok(by_row(rows, answer.into_samples().into_iter().map(|one| (one.labels, one.value))))
    }

    /// The share of answered probes in each part of the span.
    fn heartbeats(&self, rows: &[ProbeRow], scope: &str, span: &Span) -> Result<Vec<Vec<Option<f64>>>, ApiError> {
        let (from, bucket) = (span.from as i64 * 1000, span.bucket as i64 * 1000);
        let expr = engine::parse(&format!("avg_over_time(probe_success{scope}[{}s])", bucket / 1000))?;
        let steps = Steps::Range {
            start: Timestamp(from + bucket),
            end: Timestamp(from + bucket * span.buckets as i64),
            step_ms: bucket,
        };
        let answer = engine::ask(&expr, self.engine, steps, None, self.stop)?;
        let beats = answer.into_series().into_iter().map(|(labels, samples)| {
            let mut beats = vec![None; span.buckets];
            for (&at, &value) in samples.times.iter().zip(&samples.values) {
                let place = usize::try_from((at - from) / bucket - 1).ok().and_then(|place| beats.get_mut(place));
                if let Some(place) = place.filter(|_| value.is_finite()) {
                    *place = Some(value);
                }
            }
            (labels, beats)
        });
        let mut found = by_row(rows, beats);
        Ok(rows
            .iter()
            .zip(&mut found)
            .map(|(row, beats)| {
                let mut beats = beats.take().unwrap_or_else(|| vec![None; span.buckets]);
                carry(&mut beats, row.probe.interval, span.bucket);
                beats
            })
            .collect())
    }

    /// Availability and error budgets: a question for each length of time that occurs.
    fn shares(&self, rows: &mut [ProbeRow], scope: &str) -> Result<(), ApiError> {
        let objectives = || rows.iter().filter(|row| row.probe.objective.is_some());
        let mut windows = vec![DAY, 7 * DAY, 30 * DAY];
        if objectives().next().is_some() {
            windows.extend([HOUR, 6 * HOUR]);
            windows.extend(objectives().map(window));
        }
        let mut shares: BTreeMap<i64, Vec<Option<f64>>> = BTreeMap::new();
        windows.sort_unstable();
        windows.dedup();
        for seconds in windows {
            let expr = format!("avg_over_time(probe_success{scope}[{seconds}s])");
            shares.insert(seconds, self.instant(rows, &expr, self.end(seconds), None)?);
        }
        for (place, row) in rows.iter_mut().enumerate() {
            let share = |seconds: i64| shares.get(&seconds).and_then(|all| all.get(place).copied().flatten());
            row.record.availability =
                Some(Availability { day: share(DAY), week: share(7 * DAY), month: share(30 * DAY) });
            row.record.budget = row
                .probe
                .objective
                .map(|objective| budget(objective, share(window(row)), share(HOUR), share(6 * HOUR)));
        }
        Ok(())
    }

    /// The end of a long time: where the coarse copy that can answer it has one.
    fn end(&self, seconds: i64) -> Timestamp {
        match seconds {
            s if s % HOUR == 0 && s >= 10 * HOUR => aligned(self.now, HOUR),
            s if s % MINUTE == 0 && s >= 10 * MINUTE => aligned(self.now, MINUTE),
            _ => self.now,
        }
    }
}

/// The seconds that a row's objective is judged over; 30 days unless it says otherwise.
fn window(row: &ProbeRow) -> i64 {
    row.probe.window.filter(|window| *window >= 1.0).map_or(30 * DAY, |window| window as i64)
}

fn budget(objective: f64, available: Option<f64>, hour: Option<f64>, six_hours: Option<f64>) -> ErrorBudget {
    let allowed = 1.0 - objective;
    let spent = |share: Option<f64>| {
        let failed = 1.0 - share?;
        if allowed > 0.0 { Some(failed / allowed) } else { (failed <= 0.0).then_some(0.0) }
    };
    ErrorBudget {
        available,
        left: spent(available).map(|spent| 1.0 - spent),
        burn_hour: spent(hour),
        burn_six_hours: spent(six_hours),
    }
}

/// Fills the parts between two probes of a target that is probed more seldom than each part.
fn carry(beats: &mut [Option<f64>], interval: f64, bucket: f64) {
    let most = if interval > bucket { (interval / bucket).ceil() as usize } else { return };
    let (mut last, mut carried) = (None, 0);
    for beat in beats {
        match beat {
            Some(value) => (last, carried) = (Some(*value), 0),
            None if carried < most => {
                *beat = last;
                carried += 1;
            }
            None => {}
        }
    }
}

/// Answers by the place of the row that they are about. Series of others, such as those of a Squirrel that sends here,
/// have labels beside the two: the one with the fewest is the target's own.
fn by_row<T>(rows: &[ProbeRow], answers: impl Iterator<Item = (Labels, T)>) -> Vec<Option<T>> {
    let places: HashMap<(&str, &str), usize> =
        rows.iter().enumerate().map(|(i, row)| ((row.probe.job.as_str(), row.probe.instance.as_str()), i)).collect();
    let mut found: Vec<Option<(usize, T)>> = rows.iter().map(|_| None).collect();
    for (labels, value) in answers {
        let (Some(job), Some(instance)) = (labels.get("job"), labels.get("instance")) else { continue };
        let Some(place) = places.get(&(job, instance)).and_then(|place| found.get_mut(*place)) else { continue };
        let count = labels.iter().count();
        if place.as_ref().is_none_or(|(least, _)| count < *least) {
            *place = Some((count, value));
        }
    }
    found.into_iter().map(|found| found.map(|(_, value)| value)).collect()
}

/// The matchers of the rows; empty where all are asked about.
fn scope(rows: &[ProbeRow]) -> String {
    if rows.len() > NAMED {
        return String::new();
    }
    let of = |text: fn(&ProbeRow) -> &str| {
        let mut names: Vec<String> = rows.iter().map(|row| literal(text(row))).collect();
        names.sort_unstable();
        names.dedup();
        escape_value(&names.join("|")).into_owned()
    };
    format!("{{job=~\"{}\",instance=~\"{}\"}}", of(|row| &row.probe.job), of(|row| &row.probe.instance))
}

/// A regular expression that only this text fulfils.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Not every mark: an escaped < or > is the edge of a word.
        if r"\.+*?()|[]{}^$#&-~".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests;
