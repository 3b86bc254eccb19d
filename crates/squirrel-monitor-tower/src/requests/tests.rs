//! Requests that end in every way, with services and bodies made for it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt as _, Empty, Full};
use squirrel_monitor::{MessageTypeMetrics, NetworkConfig, NetworkMonitor};

use super::*;

/// A body of these frames, which takes a second of the test's clock for each.
struct Frames {
    left: VecDeque<Piece>,
    /// Whether the length was announced, so that nobody asks for the end.
    announced: bool,
    step: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Frames {
    fn new(left: impl IntoIterator<Item = Piece>) -> Self {
        Self { left: left.into_iter().collect(), announced: false, step: second() }
    }
}

/// Makes the outcome of a case.
type Made<'a, T> = Box<dyn Fn() -> T + 'a>;

/// What a service of a case gives, under the case's name, and the errors to be counted.
type Case<'a> = (&'a str, Made<'a, Result<Response<Frames>, &'static str>>, &'a [&'a str]);

/// A piece of a body, or why there is none.
type Piece = Result<Frame<Bytes>, io::Error>;

fn second() -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(tokio::time::advance(Duration::from_secs(1)))
}

impl Body for Frames {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        ready!(self.step.as_mut().poll(context));
        self.step = second();
        Poll::Ready(self.left.pop_front())
    }

    fn is_end_stream(&self) -> bool {
        self.announced && self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// Answers each request with what a function makes.
#[derive(Clone)]
struct Answer<A>(A);

impl<A, Q, B, E> Service<Request<Q>> for Answer<A>
where
    A: Fn() -> Result<Response<B>, E>,
{
    type Response = Response<B>;
    type Error = E;
    type Future = std::future::Ready<Result<Response<B>, E>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Q>) -> Self::Future {
        std::future::ready((self.0)())
    }
}

fn label(head: RequestHead<'_>) -> &str {
    head.uri.path()
}

fn monitor() -> NetworkMonitor {
    NetworkMonitor::new(NetworkConfig::default())
}

fn request(method: &str) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri("/a").body(Full::from("question")).expect("a request")
}

#[expect(clippy::unnecessary_wraps, reason = "a body is a list of these and of errors")]
fn data(text: &'static str) -> Piece {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

#[expect(clippy::unnecessary_wraps, reason = "a body is a list of these and of errors")]
fn trailers(name: &'static str, value: &'static str) -> Piece {
    let mut map = HeaderMap::new();
    map.insert(name, http::HeaderValue::from_static(value));
    Ok(Frame::trailers(map))
}

fn in_flight(monitor: &NetworkMonitor) -> u32 {
    monitor.recorder().transport_metrics().requests_in_flight
}

fn the_only(monitor: &NetworkMonitor) -> MessageTypeMetrics {
    let [only] = <[_; 1]>::try_from(monitor.message_types()).expect("one label");
    only
}

fn errors(monitor: &NetworkMonitor) -> Vec<(String, u64)> {
    monitor.recorder().protocol_metrics().protocol_errors.into_iter().collect()
}

/// Calls a service of this answer and reads the body to its end.
async fn run<B, E>(monitor: &NetworkMonitor, method: &str, answer: impl Fn() -> Result<Response<B>, E>)
where
    B: Body,
{
    let mut service = RequestLayer::server(monitor.recorder(), label).layer(Answer(answer));
    if let Ok(response) = service.call(request(method)).await {
        _ = response.into_body().collect().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_ends_with_its_answers_body() {
    let monitor = monitor();
    let answer = || Ok::<_, Infallible>(Response::new(Frames::new([data("one"), data("two!")])));
    let mut service = RequestLayer::server(monitor.recorder(), label).layer(Answer(answer));
    let response = service.call(request("POST")).await.expect("answers");
    assert_eq!((in_flight(&monitor), the_only(&monitor).latency.count()), (1, 0), "the head is not the end");
    let body = response.into_body().collect().await.expect("reads").to_bytes();
    assert_eq!(body, "onetwo!");
    let told = the_only(&monitor);
    assert_eq!((told.message_type.as_str(), told.received, told.received_bytes), ("/a", 1, 8));
    assert_eq!((told.sent, told.sent_bytes, told.failed), (1, 7, 0));
    assert_eq!(told.latency.mean(), Some(Duration::from_secs(3)), "two frames and the end");
    assert_eq!((in_flight(&monitor), errors(&monitor)), (0, vec![]));
}

#[tokio::test]
async fn a_client_sends_what_a_server_receives() {
    let monitor = monitor();
    let answer = || Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("answer")));
    let mut service = RequestLayer::client(monitor.recorder(), label).layer(Answer(answer));
    let response = service.call(request("POST")).await.expect("answers");
    response.into_body().collect().await.expect("reads");
    let told = the_only(&monitor);
    assert_eq!((told.sent, told.sent_bytes, told.received, told.received_bytes), (1, 8, 1, 6));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_dropped_early_was_cancelled() {
    let monitor = monitor();
    let answer = || Ok::<_, Infallible>(Response::new(Frames::new([data("one"), data("two")])));
    let mut service = RequestLayer::server(monitor.recorder(), label).layer(Answer(answer));
    let mut body = service.call(request("GET")).await.expect("answers").into_body();
    body.frame().await.expect("a frame").expect("data");
    drop(body);
    let told = the_only(&monitor);
    assert_eq!((told.sent, told.failed, told.latency.mean()), (0, 1, Some(Duration::from_secs(1))));
    assert_eq!((in_flight(&monitor), errors(&monitor)), (0, vec![("cancelled".to_owned(), 1)]));
}

#[tokio::test]
async fn a_request_that_is_given_up_before_its_answer_was_cancelled() {
    /// Never answers.
    struct Silent;
    impl Service<Request<Full<Bytes>>> for Silent {
        type Response = Response<Empty<Bytes>>;
        type Error = Infallible;
        type Future = std::future::Pending<Result<Self::Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
            std::future::pending()
        }
    }
    let monitor = monitor();
    let answer = RequestLayer::server(monitor.recorder(), label).layer(Silent).call(request("GET"));
    assert_eq!(in_flight(&monitor), 1);
    drop(answer);
    assert_eq!((in_flight(&monitor), the_only(&monitor).failed), (0, 1));
    assert_eq!(errors(&monitor), [("cancelled".to_owned(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn each_way_to_fail_has_its_name() {
    let grpc = |status: Option<&'static str>, frames: Vec<Piece>| {
        let mut builder = Response::builder().header("content-type", "application/grpc+proto");
        if let Some(status) = status {
            builder = builder.header("grpc-status", status);
        }
        builder.body(Frames::new(frames)).expect("a response")
    };
    let plain = |status: u16| {
        let mut response = Response::new(Frames::new([data("x")]));
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        response
    };
    let cases: Vec<Case<'_>> = vec![
        ("200", Box::new(|| Ok(plain(200))), &[]),
        ("301", Box::new(|| Ok(plain(301))), &[]),
        ("404", Box::new(|| Ok(plain(404))), &["http_4xx"]),
        ("503", Box::new(|| Ok(plain(503))), &["http_5xx"]),
        ("no answer", Box::new(|| Err("down")), &["service_error"]),
        (
            "broken body",
            Box::new(|| Ok(Response::new(Frames::new([data("x"), Err(io::ErrorKind::BrokenPipe.into())])))),
            &["body_error"],
        ),
        ("gRPC fine", Box::new(|| Ok(grpc(None, vec![data("x"), trailers("grpc-status", "0")]))), &[]),
        (
            "gRPC failed at its end",
            Box::new(|| Ok(grpc(None, vec![data("x"), trailers("grpc-status", "14")]))),
            &["grpc_unavailable"],
        ),
        ("gRPC failed at once", Box::new(|| Ok(grpc(Some("5"), vec![]))), &["grpc_not_found"]),
        ("gRPC without status", Box::new(|| Ok(grpc(None, vec![data("x")]))), &["grpc_no_status"]),
        ("other trailers", Box::new(|| Ok(Response::new(Frames::new([data("x"), trailers("checksum", "1")])))), &[]),
    ];
    for (case, answer, expected) in cases {
        let monitor = monitor();
        run(&monitor, "GET", answer).await;
        let expected: Vec<(String, u64)> = expected.iter().map(|name| ((*name).to_owned(), 1)).collect();
        assert_eq!(errors(&monitor), expected, "{case}");
        let told = the_only(&monitor);
        assert_eq!((told.failed, told.latency.count(), in_flight(&monitor)), (expected.len() as u64, 1, 0), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_end_nobody_asks_for_is_complete() {
    let body = |announced| Frames { announced, ..Frames::new([data("all")]) };
    let empty = || Frames { announced: true, ..Frames::new([]) };
    let status = |code: u16, body| Response::builder().status(code).body(body).expect("a response");
    let cases: Vec<(&str, &str, usize, Made<'_, Response<Frames>>)> = vec![
        ("announced length", "GET", 1, Box::new(move || Response::new(body(true)))),
        ("empty", "GET", 0, Box::new(move || Response::new(empty()))),
        ("HEAD", "HEAD", 0, Box::new(move || Response::new(body(false)))),
        ("204", "GET", 0, Box::new(move || status(204, body(false)))),
        ("304", "GET", 0, Box::new(move || status(304, body(false)))),
        ("101", "GET", 0, Box::new(move || status(101, body(false)))),
    ];
    for (case, method, frames, answer) in cases {
        let monitor = monitor();
        let answer = move || Ok::<_, Infallible>(answer());
        let mut service = RequestLayer::server(monitor.recorder(), label).layer(Answer(answer));
        let mut body = service.call(request(method)).await.expect("answers").into_body();
        for _ in 0..frames {
            body.frame().await.expect("a frame").expect("data");
        }
        drop(body);
        assert_eq!((the_only(&monitor).sent, errors(&monitor)), (1, vec![]), "{case}");
    }
}
