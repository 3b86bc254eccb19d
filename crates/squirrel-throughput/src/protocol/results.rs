//! What each side measured, as it is told to the other.

use serde::{Deserialize, Deserializer, Serialize};

/// The results of one side, with iperf3's names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Results {
    /// Percent of a processor.
    pub cpu_util_total: f64,
    /// Of it in the program.
    pub cpu_util_user: f64,
    /// Of it in the kernel.
    pub cpu_util_system: f64,
    /// 1 if the sender counts what it sent again, 0 if not, -1 from one who does not send.
    #[serde(deserialize_with = "signed")]
    pub sender_has_retransmits: i64,
    /// Congestion control of TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub congestion_used: Option<String>,
    /// Each stream.
    pub streams: Vec<StreamResults>,
    /// What only Squirrel tells; iperf3 passes over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub squirrel: Option<OwnResults>,
}

/// One stream, as one of its ends saw it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamResults {
    /// Which stream: 1, then 3 and on, in the order in which they were connected.
    pub id: u32,
    /// Octets sent or received, without what was left out at the beginning.
    #[serde(deserialize_with = "unsigned")]
    pub bytes: u64,
    /// Segments sent again; -1 if that is not known.
    #[serde(deserialize_with = "signed")]
    pub retransmits: i64,
    /// Seconds of jitter (RFC 1889).
    pub jitter: f64,
    /// Datagrams that did not come, all of them.
    #[serde(deserialize_with = "signed")]
    pub errors: i64,
    /// Of them at the beginning that does not count.
    #[serde(deserialize_with = "signed")]
    pub omitted_errors: i64,
    /// Datagrams: sent, or the highest number that came.
    #[serde(deserialize_with = "signed")]
    pub packets: i64,
    /// Of them at the beginning that does not count.
    #[serde(deserialize_with = "signed")]
    pub omitted_packets: i64,
    /// Seconds since the beginning.
    pub start_time: f64,
    /// Seconds since the beginning.
    pub end_time: f64,
}

/// A whole number as cJSON writes it: large ones come as floats, and "unknown" as the largest of 64 bits, for which -1
/// stands here. Above 2⁵³ it is not exact.
fn signed<'de, D: Deserializer<'de>>(input: D) -> Result<i64, D::Error> {
    let number = f64::deserialize(input)?;
    Ok(if number >= i64::MAX as f64 { -1 } else { number as i64 })
}

fn unsigned<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    f64::deserialize(input).map(|number| number as u64)
}

/// What only Squirrel tells the other side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnResults {
    /// Datagrams that reached this host and were dropped, because the program did not fetch them in time.
    pub socket_drops: u64,
    /// Permille of the run that the busiest sending thread used of its processor.
    pub busiest_sender: u32,
    /// Permille of the run that the busiest receiving thread used of its processor.
    pub busiest_receiver: u32,
    /// Permille of the time with something to send in which the other side's receive window held it up.
    pub receiver_limited: u32,
    /// Permille of the time with something to send in which the own buffer held it up.
    pub buffer_limited: u32,
    /// Permille of the run in which the sending threads waited because of the bitrate that was asked for.
    pub paced: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_cjson_writes_them() {
        let text = r#"{"sender_has_retransmits": -1, "streams": [
            {"id": 1, "bytes": 1.2345678e+10, "retransmits": 1.8446744073709552e+19, "packets": 7.0}]}"#;
        let results: Results = serde_json::from_str(text).unwrap();
        let stream = &results.streams[0];
        assert_eq!((results.sender_has_retransmits, stream.bytes, stream.retransmits), (-1, 12_345_678_000, -1));
        assert_eq!((stream.packets, stream.errors), (7, 0));
    }
}
