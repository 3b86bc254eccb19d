//! Values of the configuration that have a form of their own. Each refuses what it cannot mean, so
//! that the message points at its line.

use std::time::Duration;

use serde::Deserialize;
use squirrel_model::{duration_text, parse_duration_ms};

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

/// A limit in bytes, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Size(u64);

/// Units of sizes, the larger of each kind first.
const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// The least limit: less would be a slip of the pen, since one block of two hours takes more.
const LEAST_SIZE: u64 = 1_000_000;

impl Size {
    /// No limit.
    pub(crate) const NONE: Self = Self(0);

    /// The bytes; 0 for no limit.
    pub(crate) fn limit(self) -> u64 {
        self.0
    }
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::NONE);
        }
        let wrong =
            || format!("a size is \"none\" or whole bytes with a unit, such as \"20GiB\" or \"500MB\", not {text:?}");
        let (number, unit) =
            SIZES.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes))).ok_or_else(wrong)?;
        let number: u64 = number.trim_end().parse().map_err(|_| wrong())?;
        let bytes = number.checked_mul(*unit).ok_or_else(wrong)?;
        if bytes < LEAST_SIZE {
            return Err(format!("a limit of {text:?} is less than a megabyte; write \"none\" for no limit"));
        }
        Ok(Self(bytes))
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = SIZES.iter().filter(|(_, bytes)| self.0.is_multiple_of(*bytes));
        match whole.min_by_key(|(_, bytes)| self.0 / bytes) {
            Some((unit, bytes)) if self.0 > 0 => write!(f, "{}{unit}", self.0 / bytes),
            _ => f.write_str("none"),
        }
    }
}

/// Reads a span such as `1s`, `250ms`, `1h30m`, `14d`.
fn parse_span(text: &str) -> Result<Duration, String> {
    let ms = parse_duration_ms(text).map_err(|error| format!("{text:?} is {error}"))?;
    Ok(Duration::from_millis(ms.unsigned_abs()))
}

/// Writes a span so that it can be read back.
pub(crate) fn show_span(span: Duration) -> String {
    duration_text(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}
