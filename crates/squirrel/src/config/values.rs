//! Values of the configuration that have a form of their own. Each refuses what it cannot mean, so
//! that the message points at its line.

use std::time::Duration;

use serde::Deserialize;

/// When a tick must have reached the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Sync {
    /// After each tick: a power cut loses at most one.
    Tick,
    /// After this time: a power cut loses at most as much; spares flash memory.
    Every(Duration),
    /// When the kernel sees fit: a power cut may lose half a minute.
    Never,
}

impl TryFrom<String> for Sync {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "tick" => Ok(Self::Tick),
            "never" => Ok(Self::Never),
            other => match parse_span(other) {
                Ok(span) if span > Duration::ZERO => Ok(Self::Every(span)),
                _ => Err(format!("sync is \"tick\", \"never\" or a time such as \"5s\", not {other:?}")),
            },
        }
    }
}

impl std::fmt::Display for Sync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tick => f.write_str("tick"),
            Self::Every(span) => f.write_str(&show_span(*span)),
            Self::Never => f.write_str("never"),
        }
    }
}

/// A time between two readings: 1 s to 1 h, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct TickSpan(Duration);

impl TryFrom<String> for TickSpan {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let span = parse_span(&text)?;
        let whole = span.subsec_nanos() == 0;
        if whole && (1..=3600).contains(&span.as_secs()) {
            Ok(Self(span))
        } else {
            Err(format!("the interval is 1s to 1h in whole seconds, not {text:?}"))
        }
    }
}

impl From<TickSpan> for Duration {
    fn from(span: TickSpan) -> Self {
        span.0
    }
}

/// How long something is kept: at least an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct LongSpan(Duration);

impl TryFrom<String> for LongSpan {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let span = parse_span(&text)?;
        if span < Duration::from_hours(1) {
            return Err(format!("a retention of {text:?} is shorter than an hour; write for example \"14d\""));
        }
        Ok(Self(span))
    }
}

impl From<LongSpan> for Duration {
    fn from(span: LongSpan) -> Self {
        span.0
    }
}

/// Units of a span, largest first, in milliseconds; a year is 365 days, as in PromQL.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads a span such as `1s`, `250ms`, `1h30m`, `14d`.
pub(crate) fn parse_span(text: &str) -> Result<Duration, String> {
    let refused =
        || format!("{text:?} is not a time: write a number and a unit, such as \"250ms\", \"1s\", \"1h30m\", \"14d\"");
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, after) = after.split_at(letters);
        let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(refused)?;
        let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(*millis)).ok_or_else(refused)?;
        total = total.checked_add(part).ok_or_else(refused)?;
        rest = after;
    }
    if text.is_empty() { Err(refused()) } else { Ok(Duration::from_millis(total)) }
}

/// Writes a span so that [`parse_span`] reads it back.
pub(crate) fn show_span(span: Duration) -> String {
    let mut left = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (name, millis) in UNITS {
        if left >= millis {
            text += &format!("{}{name}", left / millis);
            left %= millis;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}
