//! Prometheus' text format 0.0.4 and OpenMetrics 1.0.
//!
//! Sources: <https://prometheus.io/docs/instrumenting/exposition_formats/> and
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

mod parse;
mod write;

pub use parse::{Parsed, parse};
pub use write::write;

/// A text format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus' own, version 0.0.4: what every scraper reads.
    #[default]
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// What to answer to an `Accept`: OpenMetrics where it is asked for and not refused by `q=0`.
    pub fn of_accept(accept: &str) -> Self {
        let wanted = |range: &str| {
            let mut parts = range.split(';').map(str::trim);
            let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/openmetrics-text"));
            let mut parameters = parts.filter_map(|part| part.split_once('='));
            named
                && parameters.all(|(name, value)| match name.trim() {
                    "q" => value.trim().parse::<f64>().is_ok_and(|quality| quality > 0.0),
                    // 2.0 would be another format.
                    "version" => matches!(value.trim(), "1.0.0" | "0.0.1"),
                    _ => true,
                })
        };
        if accept.split(',').any(wanted) { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// The format that a `Content-Type` names; `None` for what is neither.
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().map(str::trim)? {
            name if name.eq_ignore_ascii_case("application/openmetrics-text") => Some(Self::OpenMetrics),
            name if name.eq_ignore_ascii_case("text/plain") => Some(Self::Prometheus),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
