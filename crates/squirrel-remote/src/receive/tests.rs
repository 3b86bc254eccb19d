//! What senders are told, and what is kept of them.

use std::cell::RefCell;
use std::time::Duration;

use squirrel_exchange::{Metadata, Sample, Series};
use squirrel_model::stale_marker;
use squirrel_outbound::Secret;

use super::*;

const NOW: Timestamp = Timestamp(1_795_275_000_000);
const HOUR: i64 = 3_600_000;

fn receiver(series: usize, rate: u32) -> Receiver {
    let bearer = Credential::Bearer(Secret::new("sesame"));
    let basic = Credential::Basic { user: "oak".to_owned(), password: Secret::new("acorn") };
    let senders = [("elm", bearer), ("oak", basic)].map(|(name, credential)| Sender {
        series,
        samples_per_second: rate,
        ..Sender::new(name, credential)
    });
    let own = Labels::new([("job", "squirrel"), ("instance", "hub:7775")]).unwrap();
    Receiver::new(senders.to_vec(), 24 * HOUR, own)
}

fn series(name: &str, samples: &[(i64, f64)]) -> Series {
    let labels = Labels::new([("__name__", name), ("job", "squirrel"), ("instance", "elm:7775")]).unwrap();
    let samples = samples.iter().map(|(at, value)| Sample { at: NOW.plus_ms(*at), value: *value, start: None });
    Series { labels, metadata: Metadata::default(), samples: samples.collect() }
}

/// Sends and gives the reply and what the store got.
fn sent(to: &Receiver, version: Version, series: &[Series], seconds: u64) -> (Reply, Vec<(Labels, Timestamp, f64)>) {
    let got = RefCell::new(Vec::new());
    let body = remote_write::encode(version, series).unwrap();
    let elapsed = Elapsed(Duration::from_secs(seconds));
    let reply = to.take(Admitted(0), version, &body, NOW, elapsed, &|samples| {
        got.borrow_mut().extend_from_slice(samples);
        Stored::Kept { refused: 0 }
    });
    (reply, got.into_inner())
}

fn figure(receiver: &Receiver, name: &str, label: (&str, &str)) -> f64 {
    let mut batch = Batch::default();
    receiver.rows(&mut batch);
    let row = |row: &&squirrel_model::Row| {
        row.metric.name == name
            && row.labels.get("sender").is_none_or(|sender| sender == "elm")
            && (label.0.is_empty() || row.labels.get(label.0) == Some(label.1))
    };
    batch.rows.iter().find(row).unwrap().value
}

#[test]
fn a_sender_that_goes_on_is_known_and_another_one_begins_anew() {
    let receiver = receiver(1, 1_000);
    sent(&receiver, Version::V2, &[series("a", &[(0, 1.0)])], 1);
    let taken = |receiver: &Receiver| figure(receiver, "squirrel_receive_samples_total", ("", ""));
    let elm = |secret: &str| Sender { series: 1, ..Sender::new("elm", Credential::Bearer(Secret::new(secret))) };
    let same = receiver.followed_by(vec![(elm("sesame"), true)]);
    assert_eq!(taken(&same), 1.0, "it goes on counting");
    let (_, kept) = sent(&same, Version::V2, &[series("b", &[(0, 1.0)])], 2);
    assert_eq!(kept.len(), 0, "and has its one series already");
    assert!(same.admit(Some(b"Basic b2FrOmFjb3Ju")).is_err(), "the other one is gone");
    let other = same.followed_by(vec![(elm("changed"), false)]);
    assert_eq!(taken(&other), 0.0);
    assert!(other.admit(Some(b"Bearer changed")).is_ok() && other.admit(Some(b"Bearer sesame")).is_err());
}

#[test]
fn senders_are_told_apart_by_what_they_show() {
    let receiver = receiver(10, 10);
    for (header, expected) in [
        (Some(&b"Bearer sesame"[..]), Some(0)),
        (Some(b"bearer  sesame"), Some(0)),
        (Some(b"Basic b2FrOmFjb3Ju"), Some(1)),
        (Some(b"Basic b2FrOmFjb3Jv"), None),
        (Some(b"Bearer sesame "), Some(0)),
        (Some(b"Bearer sesam"), None),
        (Some(b"Bearer sesame2"), None),
        (Some(b"Bearer "), None),
        (Some(b"sesame"), None),
        (Some(b""), None),
        (None, None),
    ] {
        let admitted = receiver.admit(header);
        assert_eq!(admitted.as_ref().ok().map(|Admitted(place)| *place), expected, "{header:?}");
        assert!(admitted.is_ok() || admitted.is_err_and(|reply| reply.status == 401 && !reply.text.contains("sesame")));
    }
    assert_eq!(figure(&receiver, "squirrel_receive_unauthorised_total", ("", "")), 7.0);
}

#[test]
fn only_what_is_remote_write_is_read() {
    let version = |kind: &str, encoding: &str| Receiver::version(kind, encoding).map_err(|reply| reply.status);
    assert_eq!(version("application/x-protobuf", "snappy"), Ok(Version::V1));
    assert_eq!(version(remote_write::CONTENT_TYPE_V2, "snappy"), Ok(Version::V2));
    assert_eq!(version("application/x-protobuf;proto=io.prometheus.write.v3.Request", "snappy"), Err(415));
    assert_eq!(version("application/json", "snappy"), Err(415));
    assert_eq!(version("application/x-protobuf", "gzip"), Err(415));
    assert_eq!(version("application/x-protobuf", ""), Err(415));
    let receiver = receiver(10, 10);
    let take = |body: &[u8]| {
        receiver.take(Admitted(0), Version::V1, body, NOW, Elapsed::default(), &|_| panic!("nothing is stored")).status
    };
    assert_eq!(take(b"not snappy"), 400);
    // 64 MiB of nothing, said in few octets.
    assert_eq!(take(&[0x80, 0x80, 0x80, 0x20, 0, 0]), 413);
    assert_eq!(figure(&receiver, "squirrel_receive_requests_total", ("outcome", "malformed")), 2.0);
}

#[test]
fn samples_and_their_labels_are_kept_as_they_came() {
    for version in [Version::V1, Version::V2] {
        let receiver = receiver(10, 10);
        let series = [series("up", &[(-2_000, 1.0), (-1_000, stale_marker())])];
        let (reply, got) = sent(&receiver, version, &series, 0);
        assert_eq!((reply.status, reply.text.as_str()), (204, ""));
        assert_eq!(got.len(), 2);
        assert_eq!(got[0].0.to_string(), r#"up{instance="elm:7775",job="squirrel"}"#);
        assert!(squirrel_model::is_stale(got[1].2) && got[1].1 == NOW.plus_ms(-1_000));
        let written =
            reply.headers.iter().find(|(name, _)| *name == WRITTEN_HEADERS[0]).map(|(_, count)| count.as_str());
        assert_eq!(written, (version == Version::V2).then_some("2"));
    }
}

#[test]
fn what_cannot_be_kept_is_counted_and_the_rest_is_kept() {
    let receiver = receiver(2, 100);
    let all = [
        series("a", &[(-1_000, 1.0), (700_000, 2.0)]),
        series("b", &[(-25 * HOUR, 1.0), (0, 2.0)]),
        series("c", &[(0, 1.0), (1, 1.0)]),
    ];
    let (reply, got) = sent(&receiver, Version::V2, &all, 0);
    assert_eq!((reply.status, got.len()), (400, 2));
    assert_eq!(
        reply.text,
        "kept 2 samples; refused 1 more than 10 minutes in the future (is a clock wrong?), 1 older than samples are \
         kept here, 2 of series beyond the 2 of this sender"
    );
    assert!(reply.headers.contains(&(WRITTEN_HEADERS[0], "2".to_owned())));
    for (reason, expected) in [("future", 1.0), ("old", 1.0), ("series", 2.0), ("invalid", 0.0)] {
        assert_eq!(figure(&receiver, "squirrel_receive_refused_total", ("reason", reason)), expected, "{reason}");
    }
    // Silent series make room: two hours later there is some for c.
    let (reply, got) = sent(&receiver, Version::V1, &[series("c", &[(5, 1.0)])], 7_300);
    assert_eq!((reply.status, got.len()), (204, 1));
}

#[test]
fn late_samples_and_repeated_ones_are_kept_and_told() {
    let receiver = receiver(10, 100);
    sent(&receiver, Version::V1, &[series("a", &[(-2_000, 1.0), (-1_000, 1.0)])], 0);
    let (reply, got) = sent(&receiver, Version::V1, &[series("a", &[(-5_000, 1.0), (-1_000, 1.0), (0, 1.0)])], 1);
    assert_eq!((reply.status, got.len()), (204, 3));
    for (order, expected) in [("late", 1.0), ("again", 1.0)] {
        assert_eq!(figure(&receiver, "squirrel_receive_disordered_total", ("order", order)), expected, "{order}");
    }
}

#[test]
fn a_sender_that_is_too_fast_is_told_when_to_come_again() {
    let receiver = receiver(1_000, 10);
    let many: Vec<(i64, f64)> = (0..100).map(|at| (at, 1.0)).collect();
    assert_eq!(sent(&receiver, Version::V1, &[series("a", &many)], 0).0.status, 204, "ten seconds' worth at once");
    let (reply, got) = sent(&receiver, Version::V1, &[series("a", &many[..20])], 1);
    assert_eq!((reply.status, got.len()), (429, 0));
    assert!(reply.headers.contains(&("Retry-After", "1".to_owned())), "{reply:?}");
    assert_eq!(sent(&receiver, Version::V1, &[series("a", &many[..20])], 2).0.status, 204);
    // More than ever fits at once is taken when nothing else came, and paid for afterwards.
    let huge: Vec<(i64, f64)> = (0..300).map(|at| (at, 1.0)).collect();
    assert_eq!(sent(&receiver, Version::V1, &[series("a", &huge)], 60).0.status, 204);
    assert_eq!(sent(&receiver, Version::V1, &[series("a", &huge[..1])], 61).0.status, 429);
}

#[test]
fn a_store_that_cannot_write_is_not_acknowledged() {
    let receiver = receiver(10, 100);
    let body = remote_write::encode(Version::V1, &[series("a", &[(0, 1.0)])]).unwrap();
    let reply = receiver.take(Admitted(0), Version::V1, &body, NOW, Elapsed::default(), &|_| Stored::NotNow);
    assert_eq!(reply.status, 503);
    assert!(reply.headers.iter().any(|(name, _)| *name == "Retry-After"));
}

#[test]
fn nobody_else_tells_of_this_squirrel() {
    let receiver = receiver(10, 1_000);
    let own = |job: &str| Series {
        labels: Labels::new([("__name__", "up"), ("job", job), ("instance", "hub:7775")]).unwrap(),
        ..series("up", &[(0, 0.0)])
    };
    let (reply, kept) = sent(&receiver, Version::V1, &[own("squirrel"), own("node"), series("up", &[(0, 1.0)])], 0);
    assert_eq!((reply.status, kept.len()), (400, 2));
    assert!(reply.text.contains("1 with the job and instance of this Squirrel"), "{}", reply.text);
    assert_eq!(figure(&receiver, "squirrel_receive_refused_total", ("reason", "own")), 1.0);
}
