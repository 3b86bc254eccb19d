//! Live streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use squirrel_model::{Elapsed, Found, Matcher, Samples, Select, SelectError, TimeRange};
use squirrel_server::{ApplicationLimits, Limits};
use squirrel_testkit::MemorySelect;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::support::{NOW, Running, labels, patient, start, start_parts, start_with, traffic};

struct Stream(BufReader<TcpStream>);

impl Stream {
    /// Opens a stream; HTTP/1.0, so that the events come without chunks around them.
    async fn open(server: &Running, parameters: &str, header: &str) -> Self {
        let mut stream = server.connect().await;
        let request = format!("GET /api/stream?{parameters} HTTP/1.0\r\nHost: {}\r\n{header}\r\n", server.address);
        stream.write_all(request.as_bytes()).await.expect("sent");
        Self(BufReader::new(stream))
    }

    /// Opens a stream and reads its head and its opening words.
    async fn opened(server: &Running, parameters: &str) -> Self {
        let mut stream = Self::open(server, parameters, "").await;
        while stream.line().await.expect("a head") != "retry: 2000" {}
        stream
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = tokio::time::timeout(Duration::from_mins(1), self.0.read_line(&mut line)).await;
        let n = read.expect("a line comes").ok()?;
        (n > 0).then(|| line.trim_end().to_owned())
    }

    /// The next event named tick: its id and its data.
    async fn tick(&mut self) -> Option<(String, Value)> {
        while self.line().await? != "event: tick" {}
        let (mut id, mut data) = (String::new(), String::new());
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Some((id, serde_json::from_str(&data).expect("JSON")));
            }
            if let Some(value) = line.strip_prefix("id: ") {
                value.clone_into(&mut id);
            } else if let Some(value) = line.strip_prefix("data: ") {
                data.push_str(value);
            }
        }
    }
}

/// Counts how often each store is asked for the metric `counted`.
struct Counting(MemorySelect, AtomicUsize);

impl Select for Counting {
    fn find(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Found>, SelectError> {
        if matchers.iter().any(|matcher| matcher.value() == "counted") {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
        self.0.find(matchers, range)
    }

    fn read(&self, series: &Found, range: TimeRange, out: &mut Samples) -> Result<(), SelectError> {
        self.0.read(series, range, out)
    }
}

#[tokio::test]
async fn an_event_holds_the_values_of_all_queries_and_the_verdict() {
    let server = start(traffic()).await;
    let mut stream = Stream::open(
        &server,
        "query=1%2B1&query=sum(&query=node_network_receive_bytes_total%7Bdevice%3D%22eth0%22%7D",
        "",
    )
    .await;
    let mut head = Vec::new();
    loop {
        let line = stream.line().await.unwrap();
        if line == "retry: 2000" {
            break;
        }
        head.push(line.to_ascii_lowercase());
    }
    for header in ["content-type: text/event-stream", "x-accel-buffering: no", "cache-control: no-cache"] {
        assert!(head.iter().any(|line| line == header), "{header} in {head:?}");
    }
    assert!(!head.iter().any(|line| line.starts_with("content-encoding")), "{head:?}");
    server.tick(0);
    let (id, data) = stream.tick().await.unwrap();
    assert_eq!(id, "1700000000000");
    assert_eq!(data["time"], 1_700_000_000);
    assert_eq!(data.get("lagged"), None);
    assert_eq!(data["results"][0], serde_json::json!({"resultType": "scalar", "result": [1_700_000_000, "2"]}));
    assert!(data["results"][1]["error"].as_str().unwrap().contains("parse error"), "{data}");
    assert_eq!(data["results"][2]["result"][0]["value"], serde_json::json!([1_700_000_000, "600000"]));
    assert!(data["verdict"]["sentence"].is_string());
    server.tick(1);
    let (id, data) = stream.tick().await.unwrap();
    assert_eq!((id.as_str(), &data["time"]), ("1700000001000", &Value::from(1_700_000_001)));
    server.assert_becomes("squirrel_stream_clients", 1.0).await;
    drop(stream);
    server.tick(2);
    server.assert_becomes("squirrel_stream_clients", 0.0).await;
}

#[tokio::test]
async fn a_query_is_evaluated_once_a_tick_however_many_listen() {
    let mut store = MemorySelect::default();
    store.put(&labels(&[("__name__", "counted")]), NOW.millis(), 1.0);
    let store = Arc::new(Counting(store, AtomicUsize::new(0)));
    let server = start_with(Arc::<Counting>::clone(&store), patient(), &[]).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(Stream::opened(&server, "query=counted&query=counted").await);
    }
    for second in 0..4 {
        server.tick(second);
        for stream in &mut streams {
            let (_, data) = stream.tick().await.unwrap();
            assert_eq!(data["results"][0], data["results"][1]);
            assert_eq!(data["results"][0]["result"][0]["value"][1], "1");
        }
    }
    assert_eq!(store.1.load(Ordering::Relaxed), 4);
    drop(streams);
    server.tick(9);
    server.assert_becomes("squirrel_stream_clients", 0.0).await;
    let mut other = Stream::opened(&server, "query=1").await;
    server.tick(10);
    // The tick before may have been evaluated until now, for those that left meanwhile.
    other.tick().await.unwrap();
    let before = store.1.load(Ordering::Relaxed);
    server.tick(11);
    other.tick().await.unwrap();
    assert_eq!(store.1.load(Ordering::Relaxed), before, "nobody wants it any more, and it is not evaluated");
}

#[tokio::test]
async fn a_slow_client_loses_the_oldest_events_and_is_told_how_many() {
    let mut store = MemorySelect::default();
    for i in 0..2_000 {
        let wide = "x".repeat(100);
        store.put(&labels(&[("__name__", "wide"), ("i", &i.to_string()), ("text", &wide)]), NOW.millis(), 1.0);
    }
    let limits = Limits { stall_time: Duration::from_mins(10), ..patient() };
    let server = start_with(Arc::new(store), limits, &[]).await;
    let mut slow = Stream::opened(&server, "query=wide").await;
    let mut fast = Stream::opened(&server, "query=wide").await;
    let ticks = 120;
    for second in 0..ticks {
        server.tick(second);
        let (_, data) = fast.tick().await.unwrap();
        assert_eq!((data.get("lagged"), data["time"].as_i64()), (None, Some(1_700_000_000 + second)));
    }
    // Now the slow one reads: what the kernel and the queue kept, with one gap whose size is said.
    let (mut seen, mut lagged) = (0, 0);
    loop {
        let (_, data) = slow.tick().await.unwrap();
        seen += 1;
        lagged += data.get("lagged").and_then(Value::as_i64).unwrap_or(0);
        if data["time"].as_i64() == Some(1_700_000_000 + ticks - 1) {
            break;
        }
    }
    assert!(lagged > 0, "30 MB of events went to a client that did not read and none was dropped");
    assert_eq!(seen + lagged, ticks);
    assert_eq!(server.own("squirrel_stream_events_dropped_total"), lagged as f64);
}

#[tokio::test]
async fn silence_is_filled_with_comments() {
    let limits = Limits { keep_alive: Duration::from_millis(50), ..Limits::for_cpus(1) };
    let server = start_with(Arc::new(traffic()), limits, &[]).await;
    let mut stream = Stream::opened(&server, "query=1").await;
    let lines = [stream.line().await, stream.line().await, stream.line().await].map(Option::unwrap_or_default);
    assert!(lines.iter().any(|line| line == ": still here"), "{lines:?}");
}

#[tokio::test]
async fn a_stream_has_a_largest_number_of_queries_and_the_server_of_streams() {
    let limits = Limits { streams: 1, stream_queries: 3, query_bytes: 10, ..Limits::for_cpus(1) };
    let server = start_with(Arc::new(traffic()), limits, &[]).await;
    let answer = server.get("/api/stream?query=1&query=2&query=3&query=4").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("at most 3 queries"), "{}", answer.text());
    assert_eq!(server.get("/api/stream?query=12345678901").await.status, 400);
    let stream = Stream::opened(&server, "query=1").await;
    let answer = server.get("/api/stream?query=1").await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("live streams are taken"), "{}", answer.text());
    drop(stream);
    server.tick(0);
    server.assert_becomes("squirrel_stream_clients", 0.0).await;
    let _again = Stream::opened(&server, "query=1").await;
}

#[tokio::test]
async fn who_comes_back_is_told_where_the_gap_begins() {
    let server = start(traffic()).await;
    let mut stream = Stream::open(&server, "query=1", "Last-Event-ID: 1699999990500\r\n").await;
    while stream.line().await.unwrap() != "retry: 2000" {}
    server.tick(0);
    let (_, data) = stream.tick().await.unwrap();
    assert_eq!(data["resumed_after"], 1_699_999_990.5);
    server.tick(1);
    assert_eq!(stream.tick().await.unwrap().1.get("resumed_after"), None);
    let mut strange = Stream::open(&server, "query=1", "Last-Event-ID: x\u{e9}\r\n").await;
    while strange.line().await.unwrap() != "retry: 2000" {}
}

/// Each series of the metric `dear` takes 20 ms to read by this clock, which nothing else turns.
struct Dear(MemorySelect, Arc<AtomicU64>);

impl Select for Dear {
    fn find(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Found>, SelectError> {
        self.0.find(matchers, range)
    }

    fn read(&self, series: &Found, range: TimeRange, out: &mut Samples) -> Result<(), SelectError> {
        if series.labels.metric_name() == "dear" {
            self.1.fetch_add(20, Ordering::Relaxed);
        }
        self.0.read(series, range, out)
    }
}

#[tokio::test]
async fn an_expensive_query_starves_no_other() {
    let limits = Limits { stream_time: Duration::from_millis(200), ..Limits::for_cpus(1) };
    let mut store = MemorySelect::default();
    for i in 0..300 {
        for second in 0..600 {
            store.put(&labels(&[("__name__", "dear"), ("i", &i.to_string())]), NOW.millis() - second * 1000, 1.0);
        }
    }
    let clock = Arc::new(AtomicU64::new(0));
    let store = Arc::new(Dear(store, Arc::clone(&clock)));
    let server = start_parts(store, limits, &[], ApplicationLimits::default(), None, |parts| {
        parts.monotonic = Arc::new(move || Elapsed(Duration::from_millis(clock.load(Ordering::Relaxed))));
    })
    .await;
    let mut dear = Stream::opened(&server, "query=sum(avg_over_time(dear%5B10m%5D))").await;
    let mut cheap = Stream::opened(&server, "query=1").await;
    for second in 0..3 {
        server.tick(second);
        let (_, data) = dear.tick().await.unwrap();
        assert!(data["results"][0]["error"].as_str().unwrap().contains("timed out"), "{data}");
        let (_, data) = cheap.tick().await.unwrap();
        if second > 0 {
            assert_eq!(data["results"][0]["resultType"], "scalar", "{data}");
        }
    }
}

#[tokio::test]
async fn a_stop_ends_streams_and_everything_else_within_its_time() {
    let limits =
        Limits { drain_time: Duration::from_secs(2), head_time: Duration::from_mins(10), ..Limits::for_cpus(2) };
    let server = start_with(Arc::new(traffic()), limits, &[]).await;
    let mut stream = Stream::opened(&server, "query=1").await;
    let _idle = server.connect().await;
    let mut half = server.connect().await;
    half.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    server.assert_becomes("squirrel_http_connections", 3.0).await;
    server.stop.cancel();
    assert_eq!(stream.tick().await, None, "the stream ends");
    let ended = tokio::time::timeout(Duration::from_mins(1), server.done).await;
    ended.expect("within its time").expect("no panic").expect("no error");
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}
