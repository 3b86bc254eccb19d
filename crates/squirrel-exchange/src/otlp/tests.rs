//! Round trips, a generated decoder as witness, hostile requests.

use super::*;
use crate::{Buckets, ExponentialHistogram, Histogram, Kind, Limits, Point, Summary, Temporality, Value};
use proptest::prelude::*;
use prost::Message as _;
use squirrel_model::Timestamp;

/// What `metrics.proto` says of sums and histograms, for a decoder that is not ours.
mod witness {
    macro_rules! messages {
        ($($name:ident { $($(#[$attribute:meta])* $field:ident : $type:ty),* $(,)? })*) => {
            $(#[derive(Clone, PartialEq, prost::Message)]
            pub(super) struct $name { $($(#[$attribute])* pub(super) $field: $type),* })*
        };
    }
    messages! {
        Request { #[prost(message, repeated, tag = "1")] resource_metrics: Vec<ResourceMetrics> }
        ResourceMetrics {
            #[prost(message, optional, tag = "1")] resource: Option<Attributes>,
            #[prost(message, repeated, tag = "2")] scope_metrics: Vec<ScopeMetrics>,
        }
        Attributes { #[prost(message, repeated, tag = "1")] attributes: Vec<KeyValue> }
        ScopeMetrics {
            #[prost(message, optional, tag = "1")] scope: Option<Scope>,
            #[prost(message, repeated, tag = "2")] metrics: Vec<Metric>,
        }
        Scope { #[prost(string, tag = "1")] name: String, #[prost(string, tag = "2")] version: String }
        KeyValue { #[prost(string, tag = "1")] key: String, #[prost(message, optional, tag = "2")] value: Option<AnyValue> }
        AnyValue {
            #[prost(string, optional, tag = "1")] string: Option<String>,
            #[prost(bool, optional, tag = "2")] boolean: Option<bool>,
            #[prost(int64, optional, tag = "3")] integer: Option<i64>,
            #[prost(message, optional, tag = "5")] list: Option<Values>,
        }
        Values { #[prost(message, repeated, tag = "1")] values: Vec<AnyValue> }
        Metric {
            #[prost(string, tag = "1")] name: String,
            #[prost(string, tag = "2")] description: String,
            #[prost(string, tag = "3")] unit: String,
            #[prost(message, optional, tag = "5")] gauge: Option<Numbers>,
            #[prost(message, optional, tag = "7")] sum: Option<Numbers>,
            #[prost(message, optional, tag = "9")] histogram: Option<Histograms>,
            #[prost(message, optional, tag = "10")] exponential: Option<Exponentials>,
        }
        Numbers {
            #[prost(message, repeated, tag = "1")] points: Vec<Number>,
            #[prost(int32, tag = "2")] temporality: i32,
            #[prost(bool, tag = "3")] monotonic: bool,
        }
        Number {
            #[prost(fixed64, tag = "2")] start: u64,
            #[prost(fixed64, tag = "3")] at: u64,
            #[prost(double, optional, tag = "4")] double: Option<f64>,
            #[prost(sfixed64, optional, tag = "6")] integer: Option<i64>,
            #[prost(message, repeated, tag = "7")] attributes: Vec<KeyValue>,
            #[prost(uint32, tag = "8")] flags: u32,
        }
        Histograms {
            #[prost(message, repeated, tag = "1")] points: Vec<HistogramPoint>,
            #[prost(int32, tag = "2")] temporality: i32,
        }
        HistogramPoint {
            #[prost(fixed64, tag = "4")] count: u64,
            #[prost(double, optional, tag = "5")] sum: Option<f64>,
            #[prost(fixed64, repeated, tag = "6")] counts: Vec<u64>,
            #[prost(double, repeated, tag = "7")] bounds: Vec<f64>,
            #[prost(message, repeated, tag = "9")] attributes: Vec<KeyValue>,
            #[prost(double, optional, tag = "12")] max: Option<f64>,
        }
        Exponentials {
            #[prost(message, repeated, tag = "1")] points: Vec<ExponentialPoint>,
            #[prost(int32, tag = "2")] temporality: i32,
        }
        ExponentialPoint {
            #[prost(fixed64, tag = "4")] count: u64,
            #[prost(sint32, tag = "6")] scale: i32,
            #[prost(fixed64, tag = "7")] zero_count: u64,
            #[prost(message, optional, tag = "8")] positive: Option<Row>,
        }
        Row { #[prost(sint32, tag = "1")] offset: i32, #[prost(uint64, repeated, tag = "2")] counts: Vec<u64> }
    }
}

fn family(name: &str, kind: Kind, value: Value) -> Family {
    let point = Point {
        start: Some(Timestamp(1_000)),
        at: Some(Timestamp(2_000)),
        ..Point::new(&[("a.b", "c"), ("empty", "")], value)
    };
    Family { points: vec![point], ..Family::new(name, kind, "s", "Help.") }
}

fn resource() -> Resource {
    let histogram =
        Histogram { bounds: vec![0.1, 1.0], counts: vec![1, 0, 2], sum: Some(5.0), min: Some(0.0), max: Some(3.0) };
    let exponential = ExponentialHistogram {
        scale: 3,
        zero_count: 2,
        positive: Buckets { offset: -7, counts: vec![1, 0, 4] },
        sum: Some(2.5),
        ..ExponentialHistogram::default()
    };
    Resource {
        attributes: vec![
            ("service.name".to_owned(), "shop".to_owned()),
            ("service.instance.id".to_owned(), "7".to_owned()),
        ],
        families: vec![
            family("counter", Kind::Counter, Value::Number(3.0)),
            family("gauge", Kind::Gauge, Value::Number(0.0)),
            family("histogram", Kind::Histogram, Value::Histogram(histogram)),
            family("exponential", Kind::Histogram, Value::Exponential(exponential)),
            family(
                "summary",
                Kind::Summary,
                Value::Summary(Summary { count: 2, sum: 0.5, quantiles: vec![(0.5, 0.25)] }),
            ),
        ],
    }
}

fn written(resource: &Resource) -> Vec<u8> {
    encode(resource, ("squirrel", "1"), Timestamp(9_000))
}

fn read(body: &[u8]) -> Result<Received, DecodeError> {
    decode(body, &Limits::default())
}

#[test]
fn a_generated_decoder_reads_it_as_we_mean_it() {
    let request = witness::Request::decode(written(&resource()).as_slice()).unwrap();
    let source = &request.resource_metrics[0];
    assert_eq!(source.resource.as_ref().unwrap().attributes[0].key, "service.name");
    let scope = &source.scope_metrics[0];
    assert_eq!(scope.scope, Some(witness::Scope { name: "squirrel".into(), version: "1".into() }));
    let names: Vec<_> = scope.metrics.iter().map(|metric| (metric.name.as_str(), metric.unit.as_str())).collect();
    assert_eq!(names, [("counter", "s"), ("gauge", "s"), ("histogram", "s"), ("exponential", "s"), ("summary", "s")]);
    let sum = scope.metrics[0].sum.as_ref().unwrap();
    assert_eq!((sum.temporality, sum.monotonic, sum.points[0].double), (2, true, Some(3.0)));
    assert_eq!((sum.points[0].start, sum.points[0].at), (1_000_000_000, 2_000_000_000));
    assert_eq!(sum.points[0].attributes[1].value.as_ref().unwrap().string.as_deref(), Some(""));
    assert_eq!(scope.metrics[1].gauge.as_ref().unwrap().points[0].double, Some(0.0), "zero is a value");
    let histogram = &scope.metrics[2].histogram.as_ref().unwrap().points[0];
    assert_eq!(
        (histogram.count, histogram.counts.as_slice(), histogram.bounds.as_slice()),
        (3, [1, 0, 2].as_slice(), [0.1, 1.0].as_slice())
    );
    assert_eq!((histogram.sum, histogram.max), (Some(5.0), Some(3.0)));
    let exponential = &scope.metrics[3].exponential.as_ref().unwrap().points[0];
    assert_eq!((exponential.count, exponential.scale, exponential.zero_count), (7, 3, 2));
    assert_eq!(exponential.positive, Some(witness::Row { offset: -7, counts: vec![1, 0, 4] }));
}

#[test]
fn what_is_written_is_read_again() {
    let received = read(&written(&resource())).unwrap();
    assert_eq!(received, Received { resources: vec![resource()], ..Received::default() });
    assert_eq!((received.resources[0].job().as_str(), received.resources[0].instance()), ("shop", "7"));
    let mut delta = resource();
    delta.families.iter_mut().for_each(|family| family.temporality = Temporality::Delta);
    let received = read(&written(&delta)).unwrap();
    let kept: Vec<_> = received.resources[0].families.iter().map(|f| f.temporality == Temporality::Delta).collect();
    assert_eq!(kept, [true, false, true, true, false], "gauges and summaries have none");
}

fn request(points: Vec<witness::Number>) -> Vec<u8> {
    let sum = Some(witness::Numbers { points, temporality: 2, monotonic: true });
    let metrics = vec![witness::Metric { name: "a".into(), sum, ..witness::Metric::default() }];
    let scope_metrics = vec![witness::ScopeMetrics { scope: None, metrics }];
    witness::Request { resource_metrics: vec![witness::ResourceMetrics { resource: None, scope_metrics }] }
        .encode_to_vec()
}

#[test]
fn attributes_become_text_and_lists_are_passed_over() {
    let values = [
        ("i", witness::AnyValue { integer: Some(-3), ..Default::default() }),
        ("b", witness::AnyValue { boolean: Some(true), ..Default::default() }),
        ("l", witness::AnyValue { list: Some(witness::Values::default()), ..Default::default() }),
    ];
    let attributes = values.map(|(key, value)| witness::KeyValue { key: key.into(), value: Some(value) }).into();
    let received =
        read(&request(vec![witness::Number { integer: Some(-4), attributes, ..Default::default() }])).unwrap();
    let point = &received.resources[0].families[0].points[0];
    let expected = [("i".to_owned(), "-3".to_owned()), ("b".to_owned(), "true".to_owned())];
    assert_eq!((point.attributes.as_slice(), &point.value), (expected.as_slice(), &Value::Number(-4.0)));
}

#[test]
fn points_that_cannot_be_are_left_out_and_counted() {
    let key = |i: usize| witness::KeyValue {
        key: format!("k{i}"),
        value: Some(witness::AnyValue { integer: Some(1), ..Default::default() }),
    };
    let points = vec![
        witness::Number { double: Some(1.0), ..Default::default() },
        witness::Number::default(),
        witness::Number { double: Some(1.0), flags: 1, ..Default::default() },
        witness::Number { double: Some(1.0), attributes: (0..80).map(key).collect(), ..Default::default() },
    ];
    let received = read(&request(points)).unwrap();
    assert_eq!((received.resources[0].families[0].points.len(), received.refused.series, received.empty), (1, 2, 1));

    let mut broken = resource();
    broken.families.truncate(4);
    for family in &mut broken.families {
        match &mut family.points[0].value {
            Value::Histogram(histogram) => histogram.bounds.reverse(),
            Value::Exponential(histogram) => histogram.scale = 99,
            _ => {}
        }
    }
    assert_eq!(read(&written(&broken)).unwrap().refused.series, 2);
}

#[test]
fn there_is_an_end_to_everything() {
    let limits = Limits { max_series: 10, max_buckets: 4, max_bytes: 10_000, ..Limits::default() };
    let refused = |body: &[u8]| matches!(decode(body, &limits), Err(DecodeError::TooLarge { .. }));
    assert!(refused(&[0x0A, 0x00].repeat(11)), "empty resources");
    assert!(refused(&request(vec![witness::Number { double: Some(1.0), ..Default::default() }; 11])));
    assert!(refused(&vec![0; 10_001]));
    let many = Limits { max_samples: 100, ..Limits::default() };
    let points = |count: i32| {
        let point = |i: i32| {
            Point::new(
                &[("a", "b")],
                Value::Exponential(ExponentialHistogram {
                    positive: Buckets { offset: i, counts: vec![1; 9] },
                    ..Default::default()
                }),
            )
        };
        let families =
            vec![Family { points: (0..count).map(point).collect(), ..Family::new("h", Kind::Histogram, "", "") }];
        written(&Resource { families, ..Resource::default() })
    };
    assert!(decode(&points(10), &many).is_ok());
    assert!(matches!(decode(&points(11), &many), Err(DecodeError::TooLarge { limit: 100, .. })));
    let histogram = Histogram { bounds: (0..8).map(f64::from).collect(), counts: vec![1; 9], ..Histogram::default() };
    let families = vec![family("h", Kind::Histogram, Value::Histogram(histogram))];
    assert!(refused(&written(&Resource { families, ..Resource::default() })));
}

#[test]
fn a_request_cut_anywhere_is_an_error_or_less() {
    let whole = written(&resource());
    for length in 0..whole.len() {
        let families =
            read(&whole[..length]).map_or(0, |received| received.resources.iter().map(|r| r.families.len()).sum());
        assert!(families < 5, "{length}");
    }
}

#[test]
fn an_answer_says_what_was_rejected() {
    assert_eq!(decode_response(&encode_response(0, "")), Ok((0, String::new())));
    assert_eq!(decode_response(&encode_response(7, "too old")), Ok((7, "too old".to_owned())));
    assert!(decode_response(b"<html>").is_err());
}

proptest! {
    #[test]
    fn any_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&octets);
        let _ = decode_response(&octets);
    }

    #[test]
    fn a_changed_octet_never_panics(place in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let mut body = written(&resource());
        let place = place.index(body.len());
        body[place] = octet;
        if let Ok(received) = read(&body) {
            for resource in received.resources {
                for family in resource.families {
                    let _ = crate::flatten::flatten(&family, &[], Timestamp(0), &mut Refused::default());
                }
            }
        }
    }
}
