//! Prometheus remote write, 1.0 and 2.0: protobuf in one block of snappy.
//!
//! Sources: <https://prometheus.io/docs/specs/prw/remote_write_spec/> (1.0),
//! <https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/> (2.0, release candidate), and Prometheus'
//! `prompb/types.proto` and `prompb/io/prometheus/write/v2/types.proto`.
//!
//! A sender that speaks 2.0 must look at the answer: a receiver that knows only 1.0 may answer 2xx and
//! keep nothing. Only the headers [`WRITTEN_HEADERS`] prove that it understood; without them, and at 415,
//! send 1.0 and remember it.
//!
//! Native histograms and exemplars are counted and not read: Squirrel's store has plain numbers.

mod v1;
mod v2;

use squirrel_model::{Labels, LabelsError, NAME_LABEL, is_metric_name};

use crate::protobuf::Reader;
use crate::{DecodeError, Kind, Limits, Refused, Series};

/// Value of `Content-Type` of 1.0.
pub const CONTENT_TYPE_V1: &str = "application/x-protobuf";
/// Value of `Content-Type` of 2.0.
pub const CONTENT_TYPE_V2: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
/// Value of `Content-Encoding`.
pub const CONTENT_ENCODING: &str = "snappy";
/// Name of the header that names the version.
pub const VERSION_HEADER: &str = "X-Prometheus-Remote-Write-Version";
/// Headers of an answer to 2.0: how much was written of samples, histograms and exemplars.
pub const WRITTEN_HEADERS: [&str; 3] = [
    "X-Prometheus-Remote-Write-Samples-Written",
    "X-Prometheus-Remote-Write-Histograms-Written",
    "X-Prometheus-Remote-Write-Exemplars-Written",
];

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// `prometheus.WriteRequest`.
    V1,
    /// `io.prometheus.write.v2.Request`.
    V2,
}

impl Version {
    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::V1 => CONTENT_TYPE_V1,
            Self::V2 => CONTENT_TYPE_V2,
        }
    }

    /// The value of [`VERSION_HEADER`].
    pub fn header(self) -> &'static str {
        match self {
            Self::V1 => "0.1.0",
            Self::V2 => "2.0.0",
        }
    }

    /// The version that a `Content-Type` names; `None` is to be answered 415. Without `proto` it is 1.0.
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        let mut parts = content_type.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case(CONTENT_TYPE_V1) {
            return None;
        }
        let proto = parts.find_map(|part| part.strip_prefix("proto="));
        match proto.map(|name| name.trim_matches('"')) {
            None | Some("prometheus.WriteRequest") => Some(Self::V1),
            Some("io.prometheus.write.v2.Request") => Some(Self::V2),
            Some(_) => None,
        }
    }
}

/// What a 1.0 sender says of a metric, apart from its samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyMetadata {
    /// The metric's name; of a histogram without `_bucket`.
    pub name: String,
    /// What is known.
    pub metadata: crate::Metadata,
}

/// A request that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Received {
    /// The series, in the order of the request, each with at least one sample.
    pub series: Vec<Series>,
    /// Metadata that stands apart (1.0). In 2.0 it is in each series.
    pub metadata: Vec<FamilyMetadata>,
    /// What was left out because it breaks the data model. Some was: answer 400 after storing the rest.
    pub refused: Refused,
    /// Native histograms, which are not kept.
    pub histograms: usize,
    /// Exemplars, which are not kept.
    pub exemplars: usize,
}

impl Received {
    /// How many samples there are.
    pub fn samples(&self) -> usize {
        self.series.iter().map(|series| series.samples.len()).sum()
    }
}

/// Writes a request: the body of a POST with `Content-Encoding: snappy`.
///
/// Samples of a series must be in order of time, and no two series the same; the caller's store has them so.
///
/// # Errors
/// When the request would be larger than snappy can say (4 GiB).
pub fn encode(version: Version, series: &[Series]) -> Result<Vec<u8>, DecodeError> {
    let message = match version {
        Version::V1 => v1::encode(series),
        Version::V2 => v2::encode(series),
    };
    let too_large = |_| DecodeError::TooLarge { what: "bytes of a request", limit: u32::MAX as usize };
    snap::raw::Encoder::new().compress_vec(&message).map_err(too_large)
}

/// Reads a request.
///
/// # Errors
/// When it is not snappy, not protobuf, or larger than the limits.
pub fn decode(version: Version, body: &[u8], limits: &Limits) -> Result<Received, DecodeError> {
    let message = decompress(body, limits.max_bytes)?;
    let mut reading = Reading { limits, samples: 0, out: Received::default() };
    match version {
        Version::V1 => v1::decode(Reader(&message), &mut reading)?,
        Version::V2 => v2::decode(Reader(&message), &mut reading)?,
    }
    Ok(reading.out)
}

/// Snappy says how long the text is before it; longer ones are not begun.
fn decompress(body: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    let malformed = |_| DecodeError::Malformed { format: "snappy", reason: "it is cut or not a block of snappy" };
    let length = snap::raw::decompress_len(body).map_err(malformed)?;
    if length > limit {
        return Err(DecodeError::TooLarge { what: "bytes of a request after decompression", limit });
    }
    // No element of snappy makes more than 64 octets of its two or three; a length that cannot come true
    // is not given memory.
    if length / 64 > body.len() {
        return Err(DecodeError::Malformed { format: "snappy", reason: "it says a length that it cannot hold" });
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(malformed)
}

/// What both versions share while they read.
struct Reading<'a> {
    limits: &'a Limits,
    samples: usize,
    out: Received,
}

impl Reading<'_> {
    /// Counts a sample before it is kept.
    fn count_sample(&mut self) -> Result<(), DecodeError> {
        self.samples += 1;
        if self.samples > self.limits.max_samples {
            return Err(DecodeError::TooLarge { what: "samples", limit: self.limits.max_samples });
        }
        Ok(())
    }

    /// Whether there is room for another series.
    fn count_series(&self) -> Result<(), DecodeError> {
        if self.out.series.len() + self.out.refused.series >= self.limits.max_series {
            return Err(DecodeError::TooLarge { what: "series", limit: self.limits.max_series });
        }
        Ok(())
    }

    /// Labels that are as the data model has them, or why not.
    fn labels(&self, pairs: &[(&str, &str)]) -> Result<Labels, &'static str> {
        if pairs.len() > self.limits.max_labels {
            return Err("a series has too many labels");
        }
        if pairs.iter().any(|(name, value)| name.len() > self.limits.max_name || value.len() > self.limits.max_value) {
            return Err("a label is too long");
        }
        let labels = Labels::new(pairs.iter().copied()).map_err(|error| match error {
            LabelsError::Duplicate(_) => "a label is given twice",
            _ => "a label's name is not one",
        })?;
        match labels.get(NAME_LABEL) {
            Some(name) if is_metric_name(name) => Ok(labels),
            Some(_) => Err("a metric's name is not one"),
            None => Err("a series has no name"),
        }
    }

    /// Keeps a series, or counts it.
    fn put(&mut self, labels: Result<Labels, &'static str>, metadata: crate::Metadata, samples: Vec<crate::Sample>) {
        match labels {
            Err(reason) => self.out.refused.add(samples.len(), reason),
            Ok(_) if !samples.is_sorted_by_key(|sample| sample.at) => {
                self.out.refused.add(samples.len(), "the samples of a series are not in order of time");
            }
            // A series that came for its native histograms alone.
            Ok(_) if samples.is_empty() => {}
            Ok(labels) => self.out.series.push(Series { labels, metadata, samples }),
        }
    }
}

/// The family that a series belongs to, by its name and the kind of the family.
fn family_name(name: &str, kind: Kind) -> &str {
    let endings: &[&str] = match kind {
        Kind::Histogram | Kind::GaugeHistogram => &["_bucket", "_sum", "_count"],
        Kind::Summary => &["_sum", "_count"],
        _ => &[],
    };
    endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

#[cfg(test)]
mod tests;
