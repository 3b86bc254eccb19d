//! What our own encoders write.

use std::sync::Arc;

use squirrel_alert::AlertState;
use squirrel_exchange::otlp::{Resource, encode_response};
use squirrel_exchange::remote_write::{Version, encode};
use squirrel_exchange::{Family, Histogram, Kind, Metadata, Point, Sample, Series, Value, otlp};
use squirrel_model::{Labels, Timestamp, stale_marker};
use squirrel_notify::{Matchers, NewSilence, Notifier, Observed, RuleFacts, Settings};
use squirrel_remote::frames;
use squirrel_store::codec::Encoder;
use squirrel_wire::icmp::{Echo, Family as IpFamily, write_echo_request};

/// What is written for the target of this name.
pub(super) fn by_us(name: &str) -> Vec<Vec<u8>> {
    let bodies = || [Version::V1, Version::V2].map(|version| encode(version, &series()).expect("small"));
    match name {
        "dns_message" => vec![dns_answer()],
        "exchange_remote_write" => bodies().to_vec(),
        "exchange_otlp" => {
            vec![otlp::encode(&resource(), ("scope", "1"), Timestamp(60_000)), encode_response(3, "refused")]
        }
        "icmp" => icmp(),
        "keeper" => words(),
        "ntp_packet" => vec![[&[0x24, 2, 6, 0xe9][..], &[1; 44]].concat()],
        "notify_restore" => vec![state().into_bytes()],
        "remote_bodies" => {
            let mut file = Vec::new();
            for body in bodies() {
                frames::write(&mut file, &body).expect("memory has room");
            }
            bodies().into_iter().chain([file]).collect()
        }
        "rsa_key" => keys().to_vec(),
        "store_codec" => chunks(),
        "store_open" => (0..8_u8).map(|file| vec![file, file.wrapping_mul(37), 0, 0xff, 0, 0x80]).collect(),
        "x509_certificate" => vec![certificate()],
        _ => Vec::new(),
    }
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

/// A public key, a private one, and the same as it is wrapped today, of a modulus of two octets.
fn keys() -> [Vec<u8>; 3] {
    let value = |tag: u8, parts: &[&[u8]]| -> Vec<u8> {
        let content = parts.concat();
        [&[tag, u8::try_from(content.len()).unwrap_or(0)][..], &content].concat()
    };
    let rsa = value(0x30, &[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\0"]);
    let numbers = b"\x02\x03\0\xc5\x01\x02\x03\x01\0\x01";
    let public = value(0x30, &[&rsa, &value(0x03, &[b"\0", &value(0x30, &[numbers])])]);
    let private = value(0x30, &[b"\x02\x01\0", numbers, b"\x02\x01\x42"]);
    let wrapped = value(0x30, &[b"\x02\x01\0", &rsa, &value(0x04, &[&private])]);
    [public, private, wrapped]
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

/// Questions to the keeper, which begin with a number for the word, and answers: something, an end, a failure.
fn words() -> Vec<Vec<u8>> {
    let questions = (1..=13_u8).flat_map(|word| [0, 4, 8, 9, 12, 28, 33].map(|fields| (word, fields)));
    let mut out: Vec<Vec<u8>> = questions.map(|(word, fields)| [vec![word], vec![0; fields]].concat()).collect();
    out.extend([vec![2, 0, 0, 0, 0, 0, 0, 0, 0], vec![1; 177], vec![1, 2, 0, b'o', b'k', 0, 0, 0]]);
    out.push([&[3, 1, 0, 0, 0][..], &[1, 0, b'a'].repeat(3)].concat());
    out.extend([vec![0, 1], vec![1, 2]]);
    out
}

/// Echoes of both families, and errors that quote a packet, one of them with extensions (RFC 4884, RFC 4950).
fn icmp() -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for (family, first) in [(IpFamily::V4, 0x45), (IpFamily::V6, 0x60)] {
        let mut echo = vec![0; 24];
        let written = write_echo_request(family, Echo { identifier: 7, sequence: 1, payload: &[9; 16] }, &mut echo);
        echo.truncate(written.unwrap_or(0));
        let mut packet = vec![0; if family == IpFamily::V4 { 20 } else { 40 }];
        packet[0] = first;
        packet.extend_from_slice(&echo);
        packet.resize(128, 0);
        let label = [0, 8, 1, 1, 0, 0x10, 0x03, 0x40];
        let types: [u8; 3] = if family == IpFamily::V4 { [3, 11, 12] } else { [1, 2, 3] };
        for kind in types {
            out.push([&[kind, 1, 0, 0, 16, 32, 5, 220], &packet[..], &[0x20, 0, 0, 0], &label].concat());
        }
        out.extend([echo, packet]);
    }
    out
}

/// The state of a notifier that has told of an alert and knows a silence.
fn state() -> String {
    let settings = Settings::default();
    let mut notifier = Notifier::new(&settings, &["ops".to_owned()]).expect("the defaults are good");
    let at = Timestamp(1_000_000);
    let silence = NewSilence {
        replaces: None,
        matchers: Matchers::parse(&["job=\"a\""]).expect("a matcher"),
        starts_at: at,
        ends_at: Timestamp(at.0 + 3_600_000),
        author: "somebody".to_owned(),
        comment: "maintenance".to_owned(),
    };
    notifier.add_silence(at, silence).expect("there is room");
    for (job, state) in [("a", AlertState::Firing), ("b", AlertState::Firing), ("c", AlertState::Pending)] {
        let observed = Observed {
            labels: Labels::new([("alertname", "Down"), ("job", job), ("severity", "critical")]).unwrap_or_default(),
            annotations: [("summary".to_owned(), "down".to_owned())].into_iter().collect(),
            state,
            value: f64::NAN,
            active_at: at,
            resolved_at: None,
            rule: Arc::new(RuleFacts { expr: "up < 1".to_owned(), threshold: Some(1.0), ..RuleFacts::default() }),
        };
        notifier.observe(at, &[observed]);
    }
    notifier.due(Timestamp(at.0 + 120_000));
    notifier.save()
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
