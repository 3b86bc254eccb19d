//! Times that the settings name: planned work, and hours in which little is told.

use jiff::tz::TimeZone;
use squirrel_model::{Labels, TimeRange, Timestamp};

use super::check::Check;
use crate::calendar::{Weekly, moment, zone};
use crate::settings::{Maintenance, QuietHours};
use crate::{Matchers, severity_of};

/// When planned work takes place.
#[derive(Clone, Debug)]
pub(crate) enum When {
    Weekly(Weekly),
    Once(TimeRange),
}

impl When {
    /// The span that holds `at`.
    pub(crate) fn current(&self, at: Timestamp) -> Option<TimeRange> {
        match self {
            Self::Weekly(weekly) => weekly.current(at),
            Self::Once(range) => Some(*range).filter(|range| range.start <= at && at < range.end),
        }
    }

    /// The next moment after `at` when a span begins or ends.
    pub(crate) fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Weekly(weekly) => weekly.next_change(at),
            Self::Once(range) => [range.start, range.end].into_iter().filter(|moment| *moment > at).min(),
        }
    }
}

/// Planned work.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) name: String,
    pub(crate) matchers: Matchers,
    pub(crate) when: When,
}

/// Hours in which little is told.
#[derive(Clone, Debug)]
pub(crate) struct Quiet {
    pub(crate) hours: Weekly,
    through: Vec<String>,
}

impl Quiet {
    /// Whether an alert is told at any hour.
    pub(crate) fn lets_through(&self, labels: &Labels) -> bool {
        let severity = severity_of(labels);
        self.through.iter().any(|word| word.eq_ignore_ascii_case(severity))
    }
}

impl Check<'_> {
    fn zone(&mut self, place: &str, name: &str) -> Option<TimeZone> {
        zone(name).map_err(|reason| self.fault(place, &reason)).ok()
    }

    pub(super) fn window(&mut self, number: usize, window: &Maintenance) -> Option<Window> {
        let name = if window.name.is_empty() { format!("maintenance {number}") } else { window.name.clone() };
        let place = format!("[[maintenance]] {name:?}");
        let when = match (window.from, window.to, &window.start, &window.end) {
            (Some(from), Some(to), None, None) => {
                let zone = self.zone(&place, window.time_zone.as_deref().unwrap_or("UTC"))?;
                When::Weekly(Weekly { days: window.days, from, to, zone })
            }
            (None, None, Some(start), Some(end)) => match (moment(start), moment(end)) {
                (Ok(start), Ok(end)) if start < end => When::Once(TimeRange { start, end }),
                (Ok(_), Ok(_)) => {
                    self.fault(&place, "end is not after start");
                    return None;
                }
                (start, end) => {
                    for reason in [start.err(), end.err()].into_iter().flatten() {
                        self.fault(&place, &reason);
                    }
                    return None;
                }
            },
            _ => {
                self.fault(
                    &place,
                    "write either from and to (times of day, each week) or start and end (moments, once)",
                );
                return None;
            }
        };
        Some(Window { name, matchers: window.matchers.clone(), when })
    }

    pub(super) fn quiet(&mut self, hours: &QuietHours) -> Option<Quiet> {
        let zone = self.zone("[quiet_hours]", &hours.time_zone)?;
        let weekly = Weekly { days: hours.days, from: hours.from, to: hours.to, zone };
        Some(Quiet { hours: weekly, through: hours.through.clone() })
    }
}
