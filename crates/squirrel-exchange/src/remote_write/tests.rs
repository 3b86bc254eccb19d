//! Round trips, a generated decoder as witness, hostile requests.

use super::*;
use crate::{Metadata, Sample};
use proptest::prelude::*;
use prost::Message as _;
use squirrel_model::Timestamp;

/// What `prompb/types.proto` says, for a decoder that is not ours.
mod witness {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct WriteRequest {
        #[prost(message, repeated, tag = "1")]
        pub(super) timeseries: Vec<TimeSeries>,
        #[prost(message, repeated, tag = "3")]
        pub(super) metadata: Vec<MetricMetadata>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct TimeSeries {
        #[prost(message, repeated, tag = "1")]
        pub(super) labels: Vec<Label>,
        #[prost(message, repeated, tag = "2")]
        pub(super) samples: Vec<Sample>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Label {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(string, tag = "2")]
        pub(super) value: String,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Sample {
        #[prost(double, tag = "1")]
        pub(super) value: f64,
        #[prost(int64, tag = "2")]
        pub(super) timestamp: i64,
        #[prost(int64, tag = "3")]
        pub(super) start_timestamp: i64,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct MetricMetadata {
        #[prost(int32, tag = "1")]
        pub(super) kind: i32,
        #[prost(string, tag = "2")]
        pub(super) metric_family_name: String,
        #[prost(string, tag = "4")]
        pub(super) help: String,
        #[prost(string, tag = "5")]
        pub(super) unit: String,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct RequestV2 {
        #[prost(string, repeated, tag = "4")]
        pub(super) symbols: Vec<String>,
        #[prost(message, repeated, tag = "5")]
        pub(super) timeseries: Vec<TimeSeriesV2>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct TimeSeriesV2 {
        #[prost(uint32, repeated, tag = "1")]
        pub(super) labels_refs: Vec<u32>,
        #[prost(message, repeated, tag = "2")]
        pub(super) samples: Vec<Sample>,
        #[prost(message, optional, tag = "5")]
        pub(super) metadata: Option<MetadataV2>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct MetadataV2 {
        #[prost(int32, tag = "1")]
        pub(super) kind: i32,
        #[prost(uint32, tag = "3")]
        pub(super) help_ref: u32,
        #[prost(uint32, tag = "4")]
        pub(super) unit_ref: u32,
    }
}

fn series(pairs: &[(&str, &str)], kind: Kind, samples: &[(i64, f64)]) -> Series {
    let samples = samples.iter().map(|&(at, value)| Sample { at: Timestamp(at), value, start: None }).collect();
    let metadata = Metadata::new(kind, "bytes", "Bytes.");
    Series { labels: Labels::new(pairs.iter().copied()).unwrap(), metadata, samples }
}

fn some() -> Vec<Series> {
    vec![
        series(&[("__name__", "a_bytes_total"), ("job", "x")], Kind::Counter, &[(1_000, 1.0), (2_000, f64::INFINITY)]),
        series(&[("__name__", "h_bucket"), ("job", "x"), ("le", "1")], Kind::Histogram, &[(-5, 0.0)]),
    ]
}

fn message(body: &[u8]) -> Vec<u8> {
    snap::raw::Decoder::new().decompress_vec(body).unwrap()
}

fn packed(message: &impl prost::Message) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(&message.encode_to_vec()).unwrap()
}

fn read(version: Version, body: &[u8]) -> Result<Received, DecodeError> {
    decode(version, body, &Limits::default())
}

#[test]
fn a_generated_decoder_reads_1_0_as_we_mean_it() {
    let body = encode(Version::V1, &some()).unwrap();
    let request = witness::WriteRequest::decode(message(&body).as_slice()).unwrap();
    let first = &request.timeseries[0];
    let labels: Vec<_> = first.labels.iter().map(|label| (label.name.as_str(), label.value.as_str())).collect();
    assert_eq!(labels, [("__name__", "a_bytes_total"), ("job", "x")]);
    assert_eq!((first.samples[1].timestamp, first.samples[1].value), (2_000, f64::INFINITY));
    assert_eq!((request.timeseries[1].samples[0].timestamp, request.timeseries[1].samples[0].value), (-5, 0.0));
    let told: Vec<_> =
        request.metadata.iter().map(|m| (m.metric_family_name.as_str(), m.kind, m.unit.as_str())).collect();
    assert_eq!(told, [("a_bytes_total", 1, "bytes"), ("h", 3, "bytes")]);
}

#[test]
fn a_generated_decoder_reads_2_0_as_we_mean_it() {
    let mut sent = some();
    sent[0].samples[0].start = Some(Timestamp(500));
    let body = encode(Version::V2, &sent).unwrap();
    let request = witness::RequestV2::decode(message(&body).as_slice()).unwrap();
    assert_eq!(
        request.symbols,
        ["", "__name__", "a_bytes_total", "job", "x", "Bytes.", "bytes", "h_bucket", "le", "1"]
    );
    let first = &request.timeseries[0];
    assert_eq!((first.labels_refs.as_slice(), first.samples[0].start_timestamp), ([1, 2, 3, 4].as_slice(), 500));
    assert_eq!(first.metadata, Some(witness::MetadataV2 { kind: 1, help_ref: 5, unit_ref: 6 }));
    assert_eq!(request.timeseries[1].labels_refs, [1, 7, 3, 4, 8, 9]);
}

#[test]
fn what_is_written_is_read_again() {
    let mut sent = some();
    sent[0].samples[0].start = Some(Timestamp(500));
    let received = read(Version::V2, &encode(Version::V2, &sent).unwrap()).unwrap();
    assert_eq!((received.series.as_slice(), received.samples()), (sent.as_slice(), 3));

    let received = read(Version::V1, &encode(Version::V1, &some()).unwrap()).unwrap();
    assert_eq!(
        received.series.iter().map(|s| &s.labels).collect::<Vec<_>>(),
        sent.iter().map(|s| &s.labels).collect::<Vec<_>>()
    );
    assert_eq!(received.metadata.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["a_bytes_total", "h"]);
}

#[test]
fn series_that_break_the_data_model_are_left_out_alone() {
    let one = |pairs: &[(&str, &str)], times: &[i64]| witness::TimeSeries {
        labels: pairs.iter().map(|&(name, value)| witness::Label { name: name.into(), value: value.into() }).collect(),
        samples: times.iter().map(|&timestamp| witness::Sample { value: 1.0, timestamp, start_timestamp: 0 }).collect(),
    };
    let many: Vec<(String, String)> =
        (0..70).map(|i| (format!("l{i}"), "v".to_owned())).chain([("__name__".into(), "a".into())]).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let long = "x".repeat(5_000);
    let timeseries = vec![
        one(&[("job", "x")], &[1, 2]),
        one(&[("__name__", "a b")], &[1]),
        one(&[("__name__", "a"), ("b.c", "x")], &[1]),
        one(&[("__name__", "a"), ("b", "x"), ("b", "y")], &[1]),
        one(&many, &[1]),
        one(&[("__name__", "a"), ("b", &long)], &[1]),
        one(&[("__name__", "a")], &[2, 1]),
        one(&[("b", "unsorted"), ("__name__", "good")], &[1, 1]),
    ];
    let received = read(Version::V1, &packed(&witness::WriteRequest { timeseries, metadata: vec![] })).unwrap();
    assert_eq!(received.series.len(), 1);
    assert_eq!(received.series[0].labels.to_string(), r#"good{b="unsorted"}"#);
    assert_eq!(received.refused, Refused { series: 7, samples: 9, reason: "a series has no name" });
}

#[test]
fn references_that_lead_nowhere_are_an_error() {
    let request = |symbols: &[&str], labels_refs: &[u32]| witness::RequestV2 {
        symbols: symbols.iter().map(|&symbol| symbol.to_owned()).collect(),
        timeseries: vec![witness::TimeSeriesV2 {
            labels_refs: labels_refs.to_vec(),
            samples: vec![witness::Sample { value: 1.0, timestamp: 1, start_timestamp: 0 }],
            metadata: None,
        }],
    };
    let names: &[&str] = &["", "__name__", "a"];
    let cases = [
        (names, [1, 2].as_slice(), true),
        (names, &[1, 3], false),
        (names, &[1, 2, 1], false),
        (&["a", "b"], &[0, 1], false),
    ];
    for (symbols, references, good) in cases {
        assert_eq!(read(Version::V2, &packed(&request(symbols, references))).is_ok(), good, "{references:?}");
    }
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    // Zeros pack to a twentieth; the limit holds for what comes out.
    let limits = Limits { max_bytes: 1_000, ..Limits::default() };
    let zeros = snap::raw::Encoder::new().compress_vec(&vec![0; 100_000]).unwrap();
    assert!(matches!(decode(Version::V1, &zeros, &limits), Err(DecodeError::TooLarge { limit: 1_000, .. })));
    // A length of 16 MiB before nothing.
    let promise = [0x80, 0x80, 0x80, 0x08, 0x00];
    assert!(matches!(read(Version::V1, &promise), Err(DecodeError::Malformed { .. })));
    // Empty series, two octets each.
    let limits = Limits { max_series: 10, max_samples: 10, ..Limits::default() };
    let empty = snap::raw::Encoder::new().compress_vec(&[0x0A, 0x00].repeat(11)).unwrap();
    assert!(matches!(decode(Version::V1, &empty, &limits), Err(DecodeError::TooLarge { what: "series", .. })));
    let samples: Vec<(i64, f64)> = (0..11).map(|i| (i, 0.0)).collect();
    for version in [Version::V1, Version::V2] {
        let body = encode(version, &[series(&[("__name__", "a")], Kind::Gauge, &samples)]).unwrap();
        assert!(matches!(decode(version, &body, &limits), Err(DecodeError::TooLarge { what: "samples", .. })));
    }
}

#[test]
fn content_types_name_the_version() {
    let cases = [
        ("application/x-protobuf", Some(Version::V1)),
        ("application/x-protobuf;proto=prometheus.WriteRequest", Some(Version::V1)),
        ("application/x-protobuf; proto=io.prometheus.write.v2.Request", Some(Version::V2)),
        ("application/x-protobuf;proto=io.prometheus.write.v3.Request", None),
        ("application/json", None),
        ("", None),
    ];
    for (content_type, version) in cases {
        assert_eq!(Version::of_content_type(content_type), version, "{content_type}");
    }
}

#[test]
fn a_request_cut_anywhere_is_an_error_or_less() {
    for version in [Version::V1, Version::V2] {
        let whole = encode(version, &some()).unwrap();
        let text = message(&whole);
        for length in 0..whole.len() {
            assert!(read(version, &whole[..length]).is_err(), "snappy says its length");
        }
        for length in 0..text.len() {
            let cut = snap::raw::Encoder::new().compress_vec(&text[..length]).unwrap();
            let samples = read(version, &cut).map_or(0, |received| received.samples());
            assert!(samples <= 3);
        }
    }
}

fn any_series() -> impl Strategy<Value = Vec<Series>> {
    let labels = prop::collection::btree_map("[a-z_]{1,8}", "\\PC{1,12}", 0..5);
    let samples = prop::collection::vec((any::<i64>(), any::<f64>(), prop::option::of(1i64..)), 1..4);
    let one = ("[a-z:]{1,9}", labels, samples, 0u64..8, ".{0,9}", ".{0,9}");
    let one = one.prop_map(|(name, mut labels, mut samples, kind, unit, help)| {
        labels.insert(NAME_LABEL.to_owned(), name);
        samples.sort_by_key(|(at, ..)| *at);
        let sample = |(at, value, start): (i64, f64, Option<i64>)| Sample {
            at: Timestamp(at),
            value,
            start: start.map(Timestamp),
        };
        Series {
            labels: Labels::new(labels).unwrap(),
            metadata: Metadata::new(Kind::of_number(kind), &unit, &help),
            samples: samples.into_iter().map(sample).collect(),
        }
    });
    prop::collection::vec(one, 0..5)
}

proptest! {
    #[test]
    fn any_series_come_back(series in any_series()) {
        let received = read(Version::V2, &encode(Version::V2, &series).unwrap()).unwrap();
        // By text, for numbers that are none.
        prop_assert_eq!(format!("{:?}", received.series), format!("{series:?}"));
        let received = read(Version::V1, &encode(Version::V1, &series).unwrap()).unwrap();
        prop_assert_eq!(received.series.len(), series.len());
        prop_assert!(received.refused.is_none());
    }

    #[test]
    fn any_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let packed = snap::raw::Encoder::new().compress_vec(&octets).unwrap();
        for version in [Version::V1, Version::V2] {
            let _ = read(version, &octets);
            let _ = read(version, &packed);
        }
    }
}
