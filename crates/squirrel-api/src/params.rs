//! Times and durations as they come in with a request.

use squirrel_model::{DurationError, MAX_DURATION_MS, Timestamp};

/// A parameter's value that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamError {
    /// Neither seconds nor RFC 3339.
    #[error("cannot parse {0:?} to a valid timestamp")]
    Time(String),
    /// Neither seconds nor `5m`.
    #[error("cannot parse {0:?} to a valid duration")]
    Duration(String),
    /// A duration of more than 292 years.
    #[error("cannot parse {0:?} to a valid duration. It overflows int64")]
    DurationOverflow(String),
}

/// The earliest and the latest moment a request can name: 36 million years from the epoch. Within
/// them the difference of two moments and a query's offsets cannot overflow.
const FARTHEST_MS: i64 = 1 << 60;

/// The texts by which Prometheus' own clients name its first and its last moment.
const PROMETHEUS_ENDS: [(&str, i64); 2] =
    [("-292273086-05-16T16:47:06Z", -FARTHEST_MS), ("292277025-08-18T07:12:54.999999999Z", FARTHEST_MS)];

/// Reads a moment: seconds since the epoch with decimals, or RFC 3339. Moments more than 36 million
/// years away are held there, so that the year 50,000 that Grafana sends as a probe does no harm.
///
/// # Errors
/// A text that is neither.
pub fn parse_time(text: &str) -> Result<Timestamp, ParamError> {
    if let Ok(seconds) = text.parse::<f64>() {
        if seconds.is_nan() {
            return Err(ParamError::Time(text.to_owned()));
        }
        let Timestamp(ms) = Timestamp::from_seconds(seconds);
        return Ok(Timestamp(ms.clamp(-FARTHEST_MS, FARTHEST_MS)));
    }
    if let Some((_, ms)) = PROMETHEUS_ENDS.iter().find(|(end, _)| *end == text) {
        return Ok(Timestamp(*ms));
    }
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => Ok(Timestamp(at.as_millisecond())),
        Err(_) => Err(ParamError::Time(text.to_owned())),
    }
}

/// Reads a duration in milliseconds: seconds with decimals, or PromQL's form such as `1h30m`.
/// Only seconds can be negative.
///
/// # Errors
/// A text that is neither, or more than 292 years.
pub fn parse_duration_ms(text: &str) -> Result<i64, ParamError> {
    if let Ok(seconds) = text.parse::<f64>() {
        let ms = (seconds * 1000.0).round();
        if ms.is_nan() {
            return Err(ParamError::Duration(text.to_owned()));
        }
        if ms.abs() > MAX_DURATION_MS as f64 {
            return Err(ParamError::DurationOverflow(text.to_owned()));
        }
        return Ok(ms as i64);
    }
    squirrel_model::parse_duration_ms(text).map_err(|error| match error {
        DurationError::Shape => ParamError::Duration(text.to_owned()),
        DurationError::TooLong => ParamError::DurationOverflow(text.to_owned()),
    })
}

/// A moment as RFC 3339 writes it, such as `2026-11-21T15:04:05.5Z`; empty outside of the years that it can write.
pub fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).map_or_else(|_| String::new(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_seconds_or_rfc_3339() {
        let cases: [(&str, i64); 11] = [
            ("4", 4_000),
            ("1435781451.781", 1_435_781_451_781),
            ("1.7e9", 1_700_000_000_000),
            ("-1.5", -1_500),
            ("0.0004", 0),
            ("2015-07-01T20:10:51.781Z", 1_435_781_451_781),
            ("2015-07-01T22:10:51+02:00", 1_435_781_451_000),
            ("1700000000000", 1_700_000_000_000_000),
            ("1e300", FARTHEST_MS),
            ("292277025-08-18T07:12:54.999999999Z", FARTHEST_MS),
            ("-292273086-05-16T16:47:06Z", -FARTHEST_MS),
        ];
        for (text, ms) in cases {
            assert_eq!(parse_time(text), Ok(Timestamp(ms)), "{text}");
        }
        for text in ["", "now", "NaN", "2015-07-01", "20:10", "0x10", "1_000"] {
            assert_eq!(parse_time(text), Err(ParamError::Time(text.to_owned())), "{text}");
        }
        assert_eq!(parse_time("foo").unwrap_err().to_string(), "cannot parse \"foo\" to a valid timestamp");
    }

    #[test]
    fn durations_are_seconds_or_units_in_falling_order() {
        let cases: [(&str, i64); 9] = [
            ("15", 15_000),
            ("0.5", 500),
            ("-1", -1_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1y2w3d", 365 * 86_400_000 + 17 * 86_400_000),
            ("250ms", 250),
            ("1s1ms", 1_001),
            ("0s", 0),
        ];
        for (text, ms) in cases {
            assert_eq!(parse_duration_ms(text), Ok(ms), "{text}");
        }
        for text in ["", "m", "1x", "1m1h", "1m1m", "-5m", "1.5h", "5 m", "1h-", "NaN", "é"] {
            assert_eq!(parse_duration_ms(text), Err(ParamError::Duration(text.to_owned())), "{text}");
        }
        for text in ["1e300", "inf", "300y", "99999999999999999999s"] {
            assert_eq!(parse_duration_ms(text), Err(ParamError::DurationOverflow(text.to_owned())), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_within_bounds(text in "[0-9a-zA-Z.:+-]{0,24}|\\PC*") {
            prop_assert!(parse_time(&text).map_or(0, |at| at.0.abs()) <= FARTHEST_MS);
            prop_assert!(parse_duration_ms(&text).map_or(0, i64::abs) <= MAX_DURATION_MS);
        }

        #[test]
        fn what_json_writes_is_read_back(ms in -FARTHEST_MS / 100_000..FARTHEST_MS / 100_000) {
            let mut text = String::new();
            crate::json::write_time(&mut text, Timestamp(ms));
            prop_assert_eq!(parse_time(&text), Ok(Timestamp(ms)));
        }
    }
}
