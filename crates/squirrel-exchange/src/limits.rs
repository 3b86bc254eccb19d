//! What is accepted from outside, and what is said of the rest.

/// The bounds of one message that is read. What is kept of it takes at most about a hundred bytes for each of
/// `max_series` and `max_samples`, and the texts: 200 MB at the defaults, for a message made to take the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The message, in bytes after decompression. Checked before anything is decompressed.
    pub max_bytes: usize,
    /// Series, or points of OTLP.
    pub max_series: usize,
    /// Samples of all series together, or attributes and buckets of OTLP.
    pub max_samples: usize,
    /// Labels of one series, or attributes of one point.
    pub max_labels: usize,
    /// A name, in octets.
    pub max_name: usize,
    /// A label's value, a unit or a help text, in octets.
    pub max_value: usize,
    /// Buckets of one histogram.
    pub max_buckets: usize,
}

impl Default for Limits {
    /// 32 MiB, 200,000 series, a million samples, 64 labels, names of 512 octets, values of 4,096, 2,048 buckets.
    fn default() -> Self {
        Self {
            max_bytes: 32 << 20,
            max_series: 200_000,
            max_samples: 1_000_000,
            max_labels: 64,
            max_name: 512,
            max_value: 4_096,
            max_buckets: 2_048,
        }
    }
}

/// Why a message was not read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It is not of this format.
    #[error("not {format}: {reason}")]
    Malformed {
        /// The format that was expected.
        format: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// It is larger than is read.
    #[error("{what}: more than {limit}; send less at a time")]
    TooLarge {
        /// Of what there is too much.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A line of a text is not of its format.
    #[error("line {line}: {reason}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
}

/// What of a message was left out, while the rest was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// Series, or points of OTLP.
    pub series: usize,
    /// Their samples.
    pub samples: usize,
    /// Why the first of them; empty when there is none. No text of the message is in it.
    pub reason: &'static str,
}

impl Refused {
    /// Whether everything was taken.
    pub fn is_none(&self) -> bool {
        self.series == 0
    }

    pub(crate) fn add(&mut self, samples: usize, reason: &'static str) {
        if self.series == 0 {
            self.reason = reason;
        }
        self.series += 1;
        self.samples += samples;
    }
}
