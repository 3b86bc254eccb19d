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

/// How many of something there may be: 1 to a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub(crate) struct Count(usize);

impl TryFrom<i64> for Count {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        let count = usize::try_from(number).ok().filter(|count| (1..=1_000_000).contains(count));
        count.map(Self).ok_or_else(|| format!("a limit is 1 to 1000000, not {number}"))
    }
}

impl From<Count> for usize {
    fn from(count: Count) -> Self {
        count.0
    }
}

/// How the bytes of processes and connections are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum AccountingLevel {
    /// Not at all.
    Off,
    /// By socket.
    Sockets,
    /// By socket, and each packet of the interfaces.
    Packets,
}

impl TryFrom<String> for AccountingLevel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "off" => Ok(Self::Off),
            "sockets" => Ok(Self::Sockets),
            "packets" => Ok(Self::Packets),
            other => Err(format!("the level of the accounting is \"sockets\", \"packets\" or \"off\", not {other:?}")),
        }
    }
}

impl std::fmt::Display for AccountingLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Sockets => "sockets",
            Self::Packets => "packets",
        })
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
