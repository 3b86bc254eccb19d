//! Inputs to begin with: texts of `corpus/`, what our own encoders write, and what real kernels said to the tests of
//! the collectors.

use std::fs;
use std::path::{Path, PathBuf};

use squirrel_exchange::otlp::{Resource, encode_response};
use squirrel_exchange::remote_write::{Version, encode};
use squirrel_exchange::{Family, Histogram, Kind, Metadata, Point, Sample, Series, Value, otlp};
use squirrel_model::{Labels, Timestamp, stale_marker};
use squirrel_store::codec::Encoder;

/// The line that parts the texts of a file.
const PARTED: &str = "====\n";

/// Larger recordings are left out: mutations of them would change nothing that counts.
const LONGEST: usize = 8_192;

/// The inputs of a target.
///
/// # Panics
/// When a file of the repository cannot be read.
pub fn corpus(name: &str) -> Vec<Vec<u8>> {
    let mut out = texts(name);
    match name.split_once('_').map_or(name, |(subject, _)| subject) {
        // The first two octets cut the conversation; see the target.
        "inspect" => {
            let cuts: &[u8] = if name == "inspect_fields" { &[7] } else { &[160, 7] };
            // Lines of HTTP end with two characters, those of JSON-RPC with one.
            let with_returns = |text: &[u8]| String::from_utf8_lossy(text).replace('\n', "\r\n").into_bytes();
            let both = out.into_iter().flat_map(|text| [with_returns(&text), text]);
            out = both.map(|text| [cuts, &text].concat()).collect();
        }
        "netlink" | "sock" => out.extend(recordings("netlink").into_iter().flat_map(|one| [payload(&one), one])),
        "ethtool" => out.extend(recordings("ethtool")),
        "collectors" => out.extend(recordings("files").into_iter().chain(recordings("netlink"))),
        // A time exceeded with an empty quotation and labels, and an echo.
        "icmp" => {
            let mut exceeded = vec![11, 0, 0, 0, 0, 32, 0, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 1, 1, 0, 0];
            exceeded.resize(136, 0);
            exceeded.extend([0x20, 0, 0, 0, 0, 8, 1, 1, 0, 1, 0x11, 1]);
            out.extend([exceeded, vec![8, 0, 0, 0, 0, 1, 0, 2, 3]]);
        }
        "ledger" => out.extend([vec![0; 256], vec![0xff; 256], (0..=255).collect()]),
        _ => {}
    }
    match name {
        "exchange_remote_write" => out.extend([Version::V1, Version::V2].map(|v| encode(v, &series()).expect("small"))),
        "exchange_otlp" => {
            out.push(otlp::encode(&resource(), ("scope", "1"), Timestamp(60_000)));
            out.push(encode_response(3, "refused"));
        }
        "dns_message" => out.push(dns_answer()),
        "ntp_packet" => out.push([&[0x24, 2, 6, 0xe9][..], &[1; 44]].concat()),
        "store_codec" => out.extend(chunks()),
        "x509_certificate" => out.push(certificate()),
        "store_open" => out.extend((0..8_u8).map(|file| vec![file, file.wrapping_mul(37), 0, 0xff, 0, 0x80])),
        _ => {}
    }
    out
}

/// The words of the dictionary of a target's subject.
///
/// # Panics
/// As [`corpus`].
pub fn dictionary(name: &str) -> Vec<Vec<u8>> {
    let subject = name.split('_').next().unwrap_or(name);
    let path = repository().join(format!("fuzz/dictionaries/{subject}.dict"));
    if !path.exists() {
        return Vec::new();
    }
    let text = fs::read_to_string(&path).expect("the dictionary can be read");
    let word = |line: &str| Some(line.trim().strip_prefix('"')?.strip_suffix('"')?.replace("\\\"", "\"").into_bytes());
    text.lines().filter_map(word).collect()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The texts of the file of the target's own name, else of its subject's.
fn texts(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let subject = name.split('_').next().unwrap_or(name);
    let paths = [name, subject].map(|stem| folder.join(format!("{stem}.txt")));
    let Some(path) = paths.into_iter().find(|path| path.exists()) else { return Vec::new() };
    let text = fs::read_to_string(&path).expect("the corpus can be read");
    text.split(PARTED).map(|one| one.trim_end_matches('\n').as_bytes().to_vec()).collect()
}

/// The files of that kind among the recordings of the collectors' tests.
fn recordings(kind: &str) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let hosts = repository().join("crates/squirrel-collect/testdata");
    for host in sorted(&hosts) {
        walk(&host.join(kind), &mut out);
    }
    out
}

fn walk(folder: &Path, out: &mut Vec<Vec<u8>>) {
    for path in sorted(folder) {
        if path.is_dir() {
            walk(&path, out);
        } else if let Ok(mut octets) = fs::read(&path) {
            octets.truncate(LONGEST);
            out.push(octets);
        }
    }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// What stands behind the first header of a netlink message, `struct nlmsghdr`.
fn payload(message: &[u8]) -> Vec<u8> {
    message.get(16..).unwrap_or_default().to_vec()
}

/// An answer with an alias, a mail server and a text, whose names lead back to the question's.
fn dns_answer() -> Vec<u8> {
    let mut octets = vec![0x12, 0x34, 0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0];
    octets.extend(b"\x07example\x03org\0\0\xff\0\x01");
    for (kind, data) in [(5, &b"\x03www\xc0\x0c"[..]), (15, b"\0\x0a\x04mail\xc0\x0c"), (16, b"\x04text\0")] {
        octets.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap_or(0)]);
        octets.extend(data);
    }
    octets
}

/// A certificate as far as it is read: number, names, moments, alternative names.
fn certificate() -> Vec<u8> {
    let value = |tag: u8, parts: &[&[u8]]| -> Vec<u8> {
        let content = parts.concat();
        [&[tag, 0x81, u8::try_from(content.len()).unwrap_or(0)][..], &content].concat()
    };
    let name = value(0x30, &[&value(0x31, &[&value(0x30, &[b"\x06\x03\x55\x04\x03\x0c\x01a"])])]);
    let moments = value(0x30, &[b"\x17\x0d240101000000Z\x18\x0f20500101000000Z"]);
    let names = value(0x04, &[&value(0x30, &[b"\x82\x09a.example"])]);
    let extensions = value(0xa3, &[&value(0x30, &[&value(0x30, &[b"\x06\x03\x55\x1d\x11", &names])])]);
    let fields = [b"\x02\x01\x07\x30\0", &name[..], &moments, &name, b"\x30\0", &extensions].concat();
    value(0x30, &[&value(0x30, &[&fields])])
}

fn series() -> Vec<Series> {
    let sample = |at, value| Sample { at: Timestamp(at), value, start: None };
    let one = |name: &str, samples| Series {
        labels: Labels::new([("__name__", name), ("device", "eth0")]).unwrap_or_default(),
        metadata: Metadata::new(Kind::Counter, "bytes", "Received."),
        samples,
    };
    vec![
        one("a_total", vec![sample(1_000, 1.0), sample(2_000, 2.5)]),
        one("b", vec![sample(1_000, f64::INFINITY), sample(2_000, stale_marker())]),
    ]
}

fn resource() -> Resource {
    let mut counter = Family::new("requests", Kind::Counter, "1", "Requests.");
    counter.points.push(Point::new(&[("code", "200")], Value::Number(7.0)));
    let mut histogram = Family::new("latency", Kind::Histogram, "s", "Latency.");
    let value = Histogram { bounds: vec![0.1, 1.0], counts: vec![1, 2, 3], sum: Some(4.5), min: None, max: None };
    histogram.points.push(Point::new(&[], Value::Histogram(value)));
    Resource { attributes: vec![("service.name".to_owned(), "fuzz".to_owned())], families: vec![counter, histogram] }
}

/// One chunk of each kind that the encoder chooses.
fn chunks() -> Vec<Vec<u8>> {
    let grid: Vec<i64> = (0..120).map(|second| second * 1_000).collect();
    let uneven: Vec<i64> = grid.iter().map(|time| time + time % 7).collect();
    let kinds: [fn(i64) -> f64; 5] = [
        |_| 7.0,
        |i| (i * i) as f64,
        |i| i as f64 / 100.0,
        |i| (i as f64).sqrt(),
        |i| if i % 9 == 0 { f64::NAN } else { 1.0 },
    ];
    let mut out = Vec::new();
    for kind in kinds {
        let values: Vec<f64> = (0..120).map(kind).collect();
        for times in [&grid, &uneven] {
            let mut chunk = Vec::new();
            Encoder::new().encode(times, &values, true, &mut chunk);
            out.push(chunk);
        }
    }
    out
}
