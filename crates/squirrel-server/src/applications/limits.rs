//! What applications may use up.

use squirrel_api::application::MAX_REPORT_BYTES;

/// What applications may use up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationLimits {
    /// Whether reports are taken.
    pub enabled: bool,
    /// Instances (processes) that are known at one time. When there are as many, a new one takes the place
    /// of the one that is silent longest, else of one that was not heard for half a minute; one that reports more often
    /// is never sent away.
    pub instances: usize,
    /// Series of one instance.
    pub series: usize,
    /// Series of all instances together. As many new ones may come in an hour: a program that restarts
    /// again and again under new names would else fill the disk with them.
    pub all_series: usize,
    /// Largest report, in bytes.
    pub report_bytes: usize,
    /// Reports a second of all applications together.
    pub reports_a_second: u32,
}

impl Default for ApplicationLimits {
    fn default() -> Self {
        Self {
            enabled: true,
            instances: 64,
            series: 10_000,
            all_series: 50_000,
            report_bytes: MAX_REPORT_BYTES,
            reports_a_second: 200,
        }
    }
}
