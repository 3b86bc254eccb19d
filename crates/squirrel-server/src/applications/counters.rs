//! What is counted of the applications' reports. All labels come from closed lists.

use std::sync::atomic::{AtomicU64, Ordering};

use squirrel_model::{Batch, Labels};

use super::declared::{ALERTS, APPLICATIONS, LOST, REFUSED, REPORTS, SAMPLES, SERIES};

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was taken.
    Taken,
    /// It was taken, and a newer one came before it was kept.
    Replaced,
    /// It says what cannot be, or cannot be read.
    Malformed,
    /// It is larger than allowed.
    TooLarge,
    /// It, or all together, came too often.
    Rate,
    /// There are too many instances.
    Full,
    /// Another process reports under the same name.
    Conflict,
    /// The token is missing or wrong.
    Token,
    /// It came from a browser or from another machine.
    Foreign,
    /// Reports are switched off.
    Disabled,
    /// It is of another type than JSON.
    Type,
    /// It did not arrive in time.
    Late,
    /// Too many reports are on their way at this moment.
    Busy,
}

impl Outcome {
    const ALL: [(Self, &'static str, u16); 13] = [
        (Self::Taken, "taken", 200),
        (Self::Replaced, "replaced", 200),
        (Self::Malformed, "malformed", 400),
        (Self::TooLarge, "too_large", 413),
        (Self::Rate, "rate", 429),
        (Self::Full, "full", 503),
        (Self::Conflict, "conflict", 409),
        (Self::Token, "token", 401),
        (Self::Foreign, "foreign", 403),
        (Self::Disabled, "disabled", 403),
        (Self::Type, "type", 415),
        (Self::Late, "late", 408),
        (Self::Busy, "busy", 503),
    ];

    /// The status code of the answer.
    pub(crate) fn status(self) -> u16 {
        Self::ALL.iter().find(|(outcome, ..)| *outcome == self).map_or(500, |(_, _, status)| *status)
    }
}

/// Why a metric of a report that was taken is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// Its name belongs to the daemon.
    Reserved,
    /// Its labels cannot be kept.
    Labels,
    /// The instance, or all together, have as many series as they may.
    Limit,
    /// More new series came within an hour than may.
    NewSeries,
}

impl Reason {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Reserved, "reserved_name"),
        (Self::Labels, "labels"),
        (Self::Limit, "series_limit"),
        (Self::NewSeries, "new_series_rate"),
    ];

    /// The sentence for the application's owner, of `count` metrics.
    pub(super) fn sentence(self, count: u64) -> String {
        let subject = if count == 1 { "1 metric is".to_owned() } else { format!("{count} metrics are") };
        let why = match self {
            Self::Reserved => "its name belongs to what Squirrel measures itself: choose a prefix of your own",
            Self::Labels => "its labels cannot be kept",
            Self::Limit => {
                "there are too many series: use fewer label values, or raise max_series or max_series_total under \
                 [applications] in the daemon's configuration"
            }
            Self::NewSeries => {
                "too many new series came within an hour: give an application that restarts often an instance name that \
                 stays"
            }
        };
        format!("{subject} not kept: {why}.")
    }
}

/// What is looked up and not counted.
pub(super) struct Gauges {
    pub(super) live: usize,
    pub(super) silent: usize,
    pub(super) series: usize,
    pub(super) alerts: usize,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    reports: [AtomicU64; Outcome::ALL.len()],
    refused: [AtomicU64; Reason::ALL.len()],
    samples: AtomicU64,
    lost: AtomicU64,
}

fn add(counter: Option<&AtomicU64>, count: u64) {
    if let Some(counter) = counter {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

impl Counters {
    pub(super) fn report(&self, outcome: Outcome) {
        let place = Outcome::ALL.iter().position(|(one, ..)| *one == outcome);
        add(place.and_then(|place| self.reports.get(place)), 1);
    }

    pub(super) fn refused(&self, reason: Reason, count: u64) {
        let place = Reason::ALL.iter().position(|(one, _)| *one == reason);
        add(place.and_then(|place| self.refused.get(place)), count);
    }

    pub(super) fn samples(&self, count: usize) {
        add(Some(&self.samples), count as u64);
    }

    pub(super) fn lost(&self, count: usize) {
        add(Some(&self.lost), count as u64);
    }

    pub(super) fn rows(&self, gauges: &Gauges, out: &mut Batch) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
        for (state, count) in [("live", gauges.live), ("silent", gauges.silent)] {
            out.put(&APPLICATIONS, &label("state", state), count as f64);
        }
        out.put_plain(&SERIES, gauges.series as f64);
        out.put_plain(&ALERTS, gauges.alerts as f64);
        for ((_, word, _), count) in Outcome::ALL.iter().zip(&self.reports) {
            out.put(&REPORTS, &label("outcome", word), read(count));
        }
        for ((_, word), count) in Reason::ALL.iter().zip(&self.refused) {
            out.put(&REFUSED, &label("reason", word), read(count));
        }
        out.put_plain(&SAMPLES, read(&self.samples));
        out.put_plain(&LOST, read(&self.lost));
    }
}

/// The name is a label name and the value short, so this cannot fail.
fn label(name: &str, value: &str) -> Labels {
    Labels::new([(name, value)]).unwrap_or_default()
}
