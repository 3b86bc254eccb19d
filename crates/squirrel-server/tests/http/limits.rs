//! Every limit bites, and what it refused does no harm afterwards.

use std::sync::Arc;
use std::time::Duration;

use squirrel_model::{Found, Labels, Matcher, Samples, Select, SelectError, TimeRange};
use squirrel_server::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::support::{NOW, read_answer, start_with, traffic};

/// A store whose every series takes 20 ms to read and that has very many of them: a question to it
/// has no end within any test's patience.
struct Endless;

impl Select for Endless {
    fn find(&self, _: &[Matcher], _: TimeRange) -> Result<Vec<Found>, SelectError> {
        let labels = |i: u64| Labels::new([("__name__", "x".to_owned()), ("i", i.to_string())]).expect("labels");
        Ok((0..100_000).map(|key| Found { labels: labels(key), key }).collect())
    }

    fn read(&self, _: &Found, _: TimeRange, out: &mut Samples) -> Result<(), SelectError> {
        let (_silent, never) = std::sync::mpsc::sync_channel::<()>(0);
        let _ = never.recv_timeout(Duration::from_millis(20));
        out.clear();
        for i in 0..5_000 {
            out.push(NOW.millis() - 5_000 + i, 1.0);
        }
        Ok(())
    }
}

const ENDLESS: &str = "/api/v1/query?query=count_over_time(x%5B5s%5D)";
const RUNNING: &str = "squirrel_queries_running";

fn limits() -> Limits {
    Limits { queries: 1, waiting: 0, ..Limits::for_cpus(1) }
}

#[tokio::test]
async fn a_query_without_end_is_stopped_and_its_place_is_free_again() {
    let server = start_with(Arc::new(Endless), limits(), &[]).await;
    let answer = server.get(&format!("{ENDLESS}&timeout=300ms")).await;
    assert_eq!(
        (answer.status, answer.text()),
        (503, r#"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#)
    );
    server.assert_becomes(RUNNING, 0.0).await;
    assert_eq!(server.get("/api/v1/query?query=1").await.status, 200);
    assert_eq!(server.own("squirrel_queries_total{outcome=\"timeout\"}"), 1.0);
}

#[tokio::test]
async fn a_query_whose_client_is_gone_is_stopped() {
    let limits = Limits { query_time: Duration::from_mins(10), ..limits() };
    let server = start_with(Arc::new(Endless), limits, &[]).await;
    let mut stream = server.connect().await;
    let request = format!("GET {ENDLESS} HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    stream.write_all(request.as_bytes()).await.unwrap();
    server.assert_becomes(RUNNING, 1.0).await;
    drop(stream);
    server.assert_becomes(RUNNING, 0.0).await;
}

#[tokio::test]
async fn more_queries_than_places_are_refused_and_not_queued_without_end() {
    let limits = Limits { query_time: Duration::from_mins(10), ..limits() };
    let server = start_with(Arc::new(Endless), limits, &[]).await;
    let mut first = server.connect().await;
    let request = format!("GET {ENDLESS} HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    first.write_all(request.as_bytes()).await.unwrap();
    server.assert_becomes(RUNNING, 1.0).await;
    let answer = server.get("/api/v1/query?query=1").await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("\"errorType\":\"unavailable\""), "{}", answer.text());
    assert_eq!(server.get("/healthz").await.status, 200, "what is no query is not held up");
}

#[tokio::test]
async fn bodies_heads_and_queries_have_a_largest_size() {
    let limits = Limits { body_bytes: 100, query_bytes: 50, ..Limits::for_cpus(1) };
    let server = start_with(Arc::new(traffic()), limits, &[]).await;
    let answer = server.post("/api/v1/query", &format!("query={}", "1".repeat(101))).await;
    assert_eq!(answer.status, 413);
    let chunked = format!(
        "POST /api/v1/query HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n{}0\r\n\r\n",
        format!("3c\r\n{}\r\n", "1".repeat(60)).repeat(2)
    );
    assert_eq!(server.raw(&chunked).await.status, 413);
    let answer = server.get(&format!("/api/v1/query?query={}", "1".repeat(51))).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("at most 50 bytes"), "{}", answer.text());
    let answer = server.get(&format!("/api/v1/labels?match[]={}", "a".repeat(51))).await;
    assert_eq!(answer.status, 400);
    let answer = server.get_with("/healthz", &format!("X-Long: {}", "x".repeat(300_000))).await;
    assert_eq!(answer.status, 431);
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn an_answer_that_would_fill_the_memory_is_refused_with_the_next_step() {
    let limits = Limits { answer_samples: 100, ..Limits::for_cpus(1) };
    let server = start_with(Arc::new(traffic()), limits, &[]).await;
    let range = |end: u32| format!("/api/v1/query_range?query=vector(1)&start=1&end={end}&step=1");
    assert_eq!(server.get(&range(100)).await.status, 200);
    let answer = server.get(&range(101)).await;
    assert_eq!(answer.status, 422);
    let text = answer.text();
    assert!(text.contains("has 101 samples and at most 100") && text.contains("a longer step"), "{text}");
}

#[tokio::test]
async fn what_a_query_may_cost_is_as_it_was_set() {
    let limits = Limits { query_points: 1_500, query_samples: 40, ..Limits::for_cpus(1) };
    let server = start_with(Arc::new(traffic()), limits, &[]).await;
    let range = |query: &str, end: u32| format!("/api/v1/query_range?query={query}&start=1&end={end}&step=1");
    assert_eq!(server.get(&range("1", 1_501)).await.status, 200);
    let answer = server.get(&range("1", 1_502)).await;
    assert_eq!((answer.status, answer.text().contains("resolution of 1,500 points")), (400, true), "{}", answer.text());
    let answer = server.get("/api/v1/query?query=sum(count_over_time(%7B__name__%3D~%22.%2B%22%7D%5B1h%5D))").await;
    assert!(answer.status == 422 && answer.text().contains("40"), "{} {}", answer.status, answer.text());
    assert!(server.get("/api/v1/status/flags").await.text().contains("\"query.max-samples\":\"40\""));
}

#[test]
fn many_processors_do_not_make_many_queries_at_once() {
    // The runtime has sixteen threads for what blocks, and readings of the kernel need them too.
    for (cpus, queries) in [(0, 2), (1, 2), (2, 4), (8, 4), (256, 4)] {
        assert_eq!(Limits::for_cpus(cpus).queries, queries, "{cpus} processors");
    }
}

#[tokio::test]
async fn who_is_slow_to_ask_is_cut_off() {
    let limits =
        Limits { head_time: Duration::from_millis(200), body_time: Duration::from_millis(200), ..Limits::for_cpus(1) };
    let server = start_with(Arc::new(traffic()), limits, &[]).await;
    let host = server.address;
    for opening in [
        String::new(),
        "GET /healthz HTTP/1.1\r\nHost: ".to_owned(),
        format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    ] {
        let mut stream = server.connect().await;
        stream.write_all(opening.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        // Shorter than the time that hyper gives by itself, longer than any machine needs.
        let ended = tokio::time::timeout(Duration::from_secs(25), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "still open after {opening:?}");
    }
    let mut stream = server.connect().await;
    let half = format!(
        "POST /api/v1/query HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nquery=1"
    );
    stream.write_all(half.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 408);
    server.assert_becomes("squirrel_http_connections", 0.0).await;
}

#[tokio::test]
async fn who_does_not_read_the_answer_is_cut_off() {
    let limits = Limits { stall_time: Duration::from_millis(300), ..Limits::for_cpus(1) };
    let server = start_with(Arc::new(traffic()), limits, &[]).await;
    let query =
        format!("query=node_network_receive_bytes_total&start={}&end={}&step=0.0546", 1_699_999_400, 1_700_000_000);
    let mut stream = server.connect().await;
    // Some 20 MB of answers, which no socket's buffers take.
    let one = format!("GET /api/v1/query_range?{query} HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    stream.write_all(one.repeat(40).as_bytes()).await.unwrap();
    server.assert_becomes("squirrel_http_connections", 1.0).await;
    server.assert_becomes("squirrel_http_connections", 0.0).await;
    assert!(server.own("squirrel_queries_total{outcome=\"success\"}") >= 1.0);
}

#[tokio::test]
async fn connections_above_the_cap_wait_for_a_place() {
    let limits = Limits { connections: 2, ..Limits::for_cpus(1) };
    let server = start_with(Arc::new(traffic()), limits, &[]).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    // Who looks at a live stream does not give way.
    let stream = format!("GET /api/stream?query=1 HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    for looking in [&mut first, &mut second] {
        looking.write_all(stream.as_bytes()).await.unwrap();
    }
    server.assert_becomes("squirrel_stream_clients", 2.0).await;
    let mut third = server.connect().await;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address);
    third.write_all(request.as_bytes()).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(200), third.readable()).await;
    assert!(early.is_err(), "an answer although both places are taken");
    drop(first);
    assert_eq!(read_answer(&mut third).await.status, 200);
}

#[tokio::test]
async fn clients_that_never_end_their_requests_keep_nobody_out() {
    let long = Duration::from_mins(10);
    let limits = Limits { connections: 8, head_time: long, body_time: long, ..Limits::for_cpus(1) };
    let server = start_with(Arc::new(traffic()), limits, &[]).await;
    let beginnings = [
        "",
        "GET /healthz HTTP/1.1\r\nHost: ",
        "POST /api/v1/query HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nquery=",
    ];
    let mut unfinished = Vec::new();
    for at in 0..30 {
        let mut stream = server.connect().await;
        let beginning = beginnings[at % beginnings.len()].replace("HOST", &server.address.to_string());
        stream.write_all(beginning.as_bytes()).await.unwrap();
        unfinished.push(stream);
    }
    // They have ten minutes to end them, and this one does not wait for that.
    assert_eq!(server.get("/healthz").await.status, 200);
    assert!(server.own("squirrel_http_connections_gave_way_total") >= 22.0);
    drop(unfinished);
}
