//! What it costs to read remote write, against a generated decoder, in one run.
//!
//! `cargo run --release -p squirrel-exchange --example decode_speed`
//!
//! Both begin with the octets after snappy's end and come to the same label sets and samples. Prints the
//! median of 31 runs, taken in turn.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use prost::Message as _;
use squirrel_exchange::remote_write::{Version, decode, encode};
use squirrel_exchange::{Limits, Metadata, Sample, Series};
use squirrel_model::{Labels, Timestamp};

const RUNS: usize = 31;
const SERIES: usize = 20_000;

#[derive(Clone, PartialEq, prost::Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Point>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Point {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// Series as an exporter of a host has them.
fn series() -> Vec<Series> {
    let one = |i: usize| {
        let (device, host) = (format!("eth{}", i % 64), format!("host-{}.example.org:9100", i / 64));
        let labels = [
            ("__name__", "node_network_receive_bytes_total"),
            ("device", &device),
            ("instance", &host),
            ("job", "node"),
        ];
        let samples = vec![Sample { at: Timestamp(1_790_000_000_000 + i as i64), value: i as f64 * 1.5, start: None }];
        Series { labels: Labels::new(labels).unwrap_or_default(), metadata: Metadata::default(), samples }
    };
    (0..SERIES).map(one).collect()
}

/// What a user of a generated decoder does: snappy, the tree, then the label sets.
fn generated(body: &[u8]) -> Vec<Series> {
    let octets = snap::raw::Decoder::new().decompress_vec(body).unwrap_or_default();
    let request = WriteRequest::decode(octets.as_slice()).unwrap_or_default();
    let one = |series: TimeSeries| {
        let labels = Labels::new(series.labels.into_iter().map(|label| (label.name, label.value))).unwrap_or_default();
        let sample = |point: &Point| Sample { at: Timestamp(point.timestamp), value: point.value, start: None };
        Series { labels, metadata: Metadata::default(), samples: series.samples.iter().map(sample).collect() }
    };
    request.timeseries.into_iter().map(one).collect()
}

fn ours(version: Version, body: &[u8]) -> Vec<Series> {
    decode(version, body, &Limits::default()).map(|received| received.series).unwrap_or_default()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let series = series();
    let (one, two) = (encode(Version::V1, &series)?, encode(Version::V2, &series)?);
    if generated(&one) != series || ours(Version::V1, &one) != series || ours(Version::V2, &two) != series {
        return Err("the decoders do not agree".into());
    }
    let mut times: [Vec<Duration>; 3] = Default::default();
    for _ in 0..RUNS {
        let decoders: [&dyn Fn() -> Vec<Series>; 3] =
            [&|| generated(&one), &|| ours(Version::V1, &one), &|| ours(Version::V2, &two)];
        for (times, decoder) in times.iter_mut().zip(decoders) {
            let begin = Instant::now();
            black_box(decoder());
            times.push(begin.elapsed());
        }
    }
    let [generated, first, second] = times.map(median);
    let per = |time: Duration| time.as_nanos() / SERIES as u128;
    println!("generated decoder, 1.0: {} ns a series, {} octets", per(generated), one.len());
    println!(
        "ours, 1.0:              {} ns a series, ratio {:.2}",
        per(first),
        first.as_secs_f64() / generated.as_secs_f64()
    );
    println!(
        "ours, 2.0:              {} ns a series, ratio {:.2}, {} octets",
        per(second),
        second.as_secs_f64() / generated.as_secs_f64(),
        two.len()
    );
    Ok(())
}
