//! OTLP metrics as protobuf: `opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest`, the
//! body of a POST to `/v1/metrics`.
//!
//! Sources: <https://opentelemetry.io/docs/specs/otlp/> and
//! `opentelemetry/proto/metrics/v1/metrics.proto`, release 1.
//!
//! Retry 429, 502, 503 and 504 and nothing else. A 200 may say by [`decode_response`] that points were
//! rejected: those are lost.
//!
//! Not read: exemplars; attributes that are lists, maps or octets; scopes' attributes. Whoever stores the
//! families makes series of them by [`crate::flatten`].

mod decode;
mod encode;

use crate::protobuf::{Reader, Writer};
use crate::{DecodeError, Family, Refused};

pub use decode::decode;
pub use encode::encode;

/// Value of `Content-Type`, of requests and answers.
pub const CONTENT_TYPE: &str = "application/x-protobuf";

/// Where metrics are posted, below a collector's own address.
pub const PATH: &str = "/v1/metrics";

/// Statuses after which the same request is sent again.
pub const RETRIED: [u16; 4] = [429, 502, 503, 504];

/// Families of one source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// What is said of the source: `service.name` and its like.
    pub attributes: Vec<(String, String)>,
    /// What it measured.
    pub families: Vec<Family>,
}

impl Resource {
    /// An attribute's value; empty when it is not there.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Prometheus' `job`: namespace and name of the service.
    pub fn job(&self) -> String {
        let (namespace, name) = (self.attribute("service.namespace"), self.attribute("service.name"));
        if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
    }

    /// Prometheus' `instance`.
    pub fn instance(&self) -> &str {
        self.attribute("service.instance.id")
    }
}

/// A request that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Received {
    /// The sources, in the order of the request.
    pub resources: Vec<Resource>,
    /// Points that were left out: to be told by [`encode_response`].
    pub refused: Refused,
    /// Points that say of themselves that they have no value, which is no fault.
    pub empty: usize,
}

/// Writes the answer to a request of which some points were not kept; 0 and an empty text is the answer
/// to one of which all were.
pub fn encode_response(rejected: u64, message: &str) -> Vec<u8> {
    let mut response = Writer::default();
    if rejected > 0 || !message.is_empty() {
        response.message(1, |out| {
            out.varint(1, rejected);
            out.text(2, message);
        });
    }
    response.0
}

/// Reads an answer: how many points were rejected, and why in at most 1,024 octets. Hostile on a screen.
///
/// # Errors
/// When it is not protobuf.
pub fn decode_response(body: &[u8]) -> Result<(u64, String), DecodeError> {
    let (mut rejected, mut message) = (0, String::new());
    let mut response = Reader(body);
    while let Some((number, content)) = response.field()? {
        if number != 1 {
            continue;
        }
        let mut partial = content.message()?;
        while let Some((number, content)) = partial.field()? {
            match number {
                // It is signed, and less than none cannot be.
                1 => rejected = u64::try_from(content.number()? as i64).unwrap_or(0),
                2 => message = String::from_utf8_lossy(content.octets()?).chars().take(256).collect(),
                _ => {}
            }
        }
    }
    Ok((rejected, message))
}

#[cfg(test)]
mod tests;
