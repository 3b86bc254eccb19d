//! The remote engine before servers that others wrote, and before some that misbehave.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use squirrel_exchange::remote_write::{Version, encode};
use squirrel_exchange::{Metadata, Sample, Series};
use squirrel_model::{Labels, TimeRange, Timestamp};
use squirrel_outbound::{Client, Destination, Request};
use squirrel_promql::engine::{Lookup, Moments, Terms, Trouble};
use squirrel_promql::{Engine, EngineError, ParseOptions, Query, Value, parse_selector};
use squirrel_remote::{EngineLimits, RemoteEngine};
use squirrel_testkit::{Peer, skip, until};

const NOW: i64 = 1_700_000_000_000;

/// Calls `ask` with the engine at this place, on a thread that may block.
async fn with_engine<T: Send + 'static>(
    url: String,
    limits: EngineLimits,
    ask: impl FnOnce(&RemoteEngine) -> T + Send + 'static,
) -> T {
    let to = Destination::parse(&url).expect("a URL");
    let engine = RemoteEngine::new(to, limits, tokio::runtime::Handle::current());
    tokio::task::spawn_blocking(move || ask(&engine)).await.expect("no panic")
}

fn terms(stop: &dyn Fn() -> bool) -> Terms<'_> {
    Terms { time: Duration::from_mins(1), lookback_ms: None, stop }
}

fn query(text: &str) -> Query {
    Query::parse(text, &ParseOptions::default()).expect("PromQL")
}

/// Ten minutes of two counters up to `end`, a sample each second.
fn body(end: i64) -> Vec<u8> {
    let series = |device: &str, gain: f64| Series {
        labels: Labels::new([("__name__", "received_bytes_total"), ("device", device)]).expect("labels"),
        metadata: Metadata::default(),
        samples: (0..=600)
            .map(|s| Sample { at: Timestamp(end - 600_000 + s * 1_000), value: gain * s as f64, start: None })
            .collect(),
    };
    encode(Version::V1, &[series("eth0", 1_000.0), series("lo", 0.0)]).expect("encodes")
}

async fn write(port: u16, path: &str, end: i64) {
    let to = Destination::parse(&format!("http://127.0.0.1:{port}{path}")).expect("a URL");
    let request = Request::post("application/x-protobuf", body(end))
        .with_header("Content-Encoding", "snappy")
        .with_header("X-Prometheus-Remote-Write-Version", "0.1.0");
    let taken = async {
        loop {
            let answer = Client::new().send(&to, request.clone()).await.expect("an answer");
            if answer.is_success() {
                return;
            }
            // Prometheus listens before its storage is ready.
            assert_eq!(answer.status, 503, "{}", answer.first_line());
        }
    };
    tokio::time::timeout(Duration::from_mins(1), taken).await.expect("it takes samples");
}

/// What any engine must answer about the samples of [`body`].
fn check(engine: &RemoteEngine, end: i64, is_prometheus: bool) {
    let go_on = || false;
    let terms = terms(&go_on);
    let selector = "sum by (device) (received_bytes_total)";
    let mut samples = Vec::new();
    // VictoriaMetrics shows samples a moment after it took them.
    until(Duration::from_mins(1), || {
        let answer = engine.instant(&query(selector), Timestamp(end), &terms).expect("an answer");
        let Value::Vector(found) = answer.value else { panic!("a vector") };
        samples = found;
        samples.len() == 2
    });
    let values: Vec<_> = samples.iter().map(|one| (one.labels.get("device").unwrap_or_default(), one.value)).collect();
    assert_eq!(values, [("eth0", 600_000.0), ("lo", 0.0)]);
    let moments = Moments { start: Timestamp(end - 60_000), end: Timestamp(end), step_ms: 20_000 };
    let rate = "rate(received_bytes_total{device=\"eth0\"}[1m])";
    let Value::Matrix(rows) = engine.range(&query(rate), moments, &terms).expect("an answer").value else {
        panic!("a matrix")
    };
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].1.times, [end - 60_000, end - 40_000, end - 20_000, end]);
    assert!(rows[0].1.values.iter().all(|value| (value - 1_000.0).abs() < 20.0), "{:?}", rows[0].1.values);
    let Value::Scalar(_, two) = engine.instant(&query("1 + 1"), Timestamp(4_000), &terms).expect("an answer").value
    else {
        assert!(!is_prometheus, "a scalar");
        return;
    };
    assert_eq!(two, 2.0);
    let sets = [parse_selector("received_bytes_total{device=~\"e.*\"}").expect("a selector")];
    let range = TimeRange::new(Timestamp(end - 600_000), Timestamp(end));
    let lookup = Lookup { sets: &sets, range, limit: None };
    let found = engine.series(lookup, &terms).expect("an answer").items;
    assert_eq!(found, [Labels::new([("__name__", "received_bytes_total"), ("device", "eth0")]).expect("labels")]);
    let all = Lookup { sets: &[], ..lookup };
    assert_eq!(engine.label_values("device", all, &terms).expect("an answer").items, ["eth0", "lo"]);
    let names = engine.label_names(lookup, &terms).expect("an answer").items;
    assert_eq!(names, ["__name__", "device"]);
    let refused = engine.instant(&query("received_bytes_total + on () received_bytes_total"), Timestamp(end), &terms);
    let EngineError { trouble, message } = refused.expect_err("many to many");
    assert_eq!(trouble, Trouble::Execution, "{message}");
    assert!(message.contains("duplicate"), "the engine's own words: {message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_answers_what_we_ask() {
    let peer = match Peer::prometheus() {
        Ok(peer) => peer,
        Err(reason) => return skip("prometheus_answers_what_we_ask", &reason),
    };
    write(peer.port(), "/api/v1/write", NOW).await;
    let url = format!("http://127.0.0.1:{}", peer.port());
    with_engine(url, EngineLimits::default(), |engine| check(engine, NOW, true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victoria_metrics_answers_what_we_ask() {
    let peer = match Peer::victoria_metrics() {
        Ok(peer) => peer,
        Err(reason) => return skip("victoria_metrics_answers_what_we_ask", &reason),
    };
    write(peer.port(), "/api/v1/write", NOW).await;
    // The same API below a path, as Mimir and Thanos often have it.
    let url = format!("http://127.0.0.1:{}/prometheus/", peer.port());
    with_engine(url, EngineLimits::default(), |engine| check(engine, NOW, false)).await;
}

/// A server that answers every request with these octets, or never when there are none.
fn answering(octets: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request);
            if octets.is_empty() {
                // Until the client goes.
                while stream.read(&mut request).is_ok_and(|count| count > 0) {}
            } else {
                let _ = stream.write_all(octets.as_bytes());
            }
        }
    });
    url
}

async fn refusal(url: String, limits: EngineLimits) -> EngineError {
    with_engine(url, limits, |engine| {
        engine.instant(&query("up"), Timestamp(NOW), &terms(&|| false)).expect_err("no answer")
    })
    .await
}

#[tokio::test]
async fn trouble_of_the_engine_is_told_with_the_next_step() {
    let cases = [
        ("HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n", Trouble::Unavailable, "check its authentication"),
        ("HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", Trouble::Unavailable, "no query API at this path"),
        (
            "HTTP/1.1 503 x\r\nContent-Length: 4\r\n\r\nbusy",
            Trouble::Unavailable,
            "takes no question now (status 503): busy",
        ),
        (
            "HTTP/1.1 422 x\r\nContent-Length: 57\r\n\r\n{\"status\":\"error\",\"errorType\":\"execution\",\"error\":\"a\u{1b}[2Jb\"}",
            Trouble::Execution,
            "cannot answer",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", Trouble::Internal, "not the JSON of Prometheus' API"),
        (
            "HTTP/1.1 302 x\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n",
            Trouble::Unavailable,
            "redirects",
        ),
    ];
    for (octets, trouble, words) in cases {
        let error = refusal(answering(octets), EngineLimits::default()).await;
        assert_eq!(error.trouble, trouble, "{error}");
        assert!(error.message.contains(words), "{error}");
        assert!(!error.message.contains('\u{1b}'), "{error:?}");
    }
    // A port that is held and not listened on: nobody else gets it meanwhile.
    let held = tokio::net::TcpSocket::new_v4().expect("a socket");
    held.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let gone = held.local_addr().expect("an address");
    let error = refusal(format!("http://{gone}"), EngineLimits::default()).await;
    assert!(error.trouble == Trouble::Unavailable && error.message.contains("cannot be asked"), "{error}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_and_one_that_never_comes_is_not_waited_for() {
    let small = EngineLimits { answer_bytes: 20, ..EngineLimits::default() };
    let long = "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"status\":\"success\",\"data\":[]}";
    let error = refusal(answering(long), small).await;
    assert!(error.trouble == Trouble::Execution && error.message.contains("longer than 20 bytes"), "{error}");
    let short = EngineLimits { time: Duration::from_millis(200), ..EngineLimits::default() };
    let error = refusal(answering(""), short).await;
    assert!(error.trouble == Trouble::Unavailable && error.message.contains("within 0.2 s"), "{error}");
    let error = with_engine(answering(""), EngineLimits::default(), |engine| {
        engine.instant(&query("up"), Timestamp(NOW), &terms(&|| true)).expect_err("stopped")
    })
    .await;
    assert_eq!(error.trouble, Trouble::Stopped, "{error}");
}
