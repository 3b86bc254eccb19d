//! Sums of bytes in both directions; none goes below zero or over the end.

use std::time::Duration;

use crate::picture::{Figures, Traffic};

impl Traffic {
    /// Bytes received and transmitted.
    pub fn new(receive: u64, transmit: u64) -> Self {
        Self { receive, transmit }
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            receive: self.receive.saturating_add(other.receive),
            transmit: self.transmit.saturating_add(other.transmit),
        }
    }

    /// What this is more than `other`, zero where it is less.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            receive: self.receive.saturating_sub(other.receive),
            transmit: self.transmit.saturating_sub(other.transmit),
        }
    }

    /// The larger one of each direction.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { receive: self.receive.max(other.receive), transmit: self.transmit.max(other.transmit) }
    }

    /// The smaller one of each direction.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self { receive: self.receive.min(other.receive), transmit: self.transmit.min(other.transmit) }
    }

    /// As many times.
    #[must_use]
    pub fn times(self, factor: u64) -> Self {
        Self { receive: self.receive.saturating_mul(factor), transmit: self.transmit.saturating_mul(factor) }
    }

    /// Whether nothing went either way.
    pub fn is_zero(self) -> bool {
        self.receive == 0 && self.transmit == 0
    }

    /// With the rates since `before`, which was `span` ago; zero when no time has passed.
    pub(crate) fn figures(self, before: Self, span: Duration) -> Figures {
        let seconds = span.as_secs_f64();
        let rate = |bytes: u64| if seconds > 0.0 { bytes as f64 / seconds } else { 0.0 };
        let new = self.minus(before);
        Figures { bytes: self, receive_rate: rate(new.receive), transmit_rate: rate(new.transmit) }
    }
}
