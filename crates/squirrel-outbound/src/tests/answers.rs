//! Answers that are late, cut, endless or elsewhere, and connections that are used again.

use super::server::{Act, Server, ok};
use super::{LONG, get, to};
use crate::{Client, Destination, Method, Phase, Request, Secret, SendError, Timeouts};

#[tokio::test]
async fn a_request_is_written_as_it_was_asked() {
    let server = Server::start(None, ok("")).await;
    let to = to(&format!("http://localhost:{}/base?tenant=1", server.address.port()))
        .with_basic("Aladdin", &Secret::new("open sesame"))
        .unwrap()
        .with_header("X-Scope-OrgID", &Secret::new("squirrels"))
        .unwrap();
    let request = Request::post("text/plain", b"nuts".to_vec()).at("/more?x=2").with_header("X-Scope-OrgID", "mine");
    let text = format!("{request:?}");
    Client::new().send(&to, request).await.unwrap();
    let seen = server.requests().remove(0);
    for line in [
        "POST /base/more?tenant=1&x=2 HTTP/1.1\r\n",
        &format!("\r\nhost: localhost:{}\r\n", server.address.port()),
        concat!("\r\nuser-agent: squirrel/", env!("CARGO_PKG_VERSION"), "\r\n"),
        "\r\nauthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n",
        "\r\nx-scope-orgid: squirrels\r\n",
        "\r\ncontent-length: 4\r\n",
        "\r\n\r\nnuts",
    ] {
        assert!(seen.contains(line), "{line:?} is not in {seen}");
    }
    assert!(!text.contains("mine") && !text.contains("nuts") && !text.contains("more"), "{text}");
}

#[tokio::test]
async fn statuses_are_answers_and_redirects_are_not() {
    let refusal = b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\ntoo fast\n";
    let server = Server::start(None, Act::Answer(refusal.to_vec())).await;
    let answer = get(&to(&server.url("http", "localhost"))).await.unwrap();
    assert_eq!((answer.status, answer.is_success(), answer.first_line().as_str()), (429, false, "too fast"));
    assert_eq!(answer.retry_after(squirrel_model::Timestamp(0)), Some(std::time::Duration::from_secs(7)));

    let elsewhere = b"HTTP/1.1 307 Go\r\nLocation: http://169.254.169.254/credentials\r\nContent-Length: 0\r\n\r\n";
    let server = Server::start(None, Act::Answer(elsewhere.to_vec())).await;
    let error = get(&to(&server.url("http", "localhost"))).await.unwrap_err();
    assert_eq!(error, SendError::Redirect { status: 307, host: Some("169.254.169.254".to_owned()) });
    let expected =
        "it answered 307 and leads to 169.254.169.254; redirects are not followed: write the new address down";
    assert_eq!(error.to_string(), expected);
    assert!(!error.is_temporary());
}

#[tokio::test]
async fn an_endless_answer_is_cut_at_the_limit() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let server = Server::start(None, Act::Endless(head, &[b'x'; 1_000])).await;
    let answer = get(&to(&server.url("http", "localhost")).with_answer_limit(12_345)).await.unwrap();
    assert_eq!((answer.body.len(), answer.is_cut), (12_345, true));
    let server = Server::start(None, ok("12345")).await;
    let answer = get(&to(&server.url("http", "localhost")).with_answer_limit(5)).await.unwrap();
    assert_eq!((answer.body.len(), answer.is_cut), (5, false));
}

#[tokio::test]
async fn endless_heads_are_refused() {
    for piece in [&b"X-Header: some value of some length\r\n"[..], b"x"] {
        let head = b"HTTP/1.1 200 OK\r\n".to_vec();
        let server = Server::start(None, Act::Endless(head, piece)).await;
        let error = get(&to(&server.url("http", "localhost"))).await.unwrap_err();
        assert!(matches!(error, SendError::Broken { phase: Phase::Answer, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_late_says_which_part() {
    // Everything but the late part comes in less, on a busy machine too.
    let late = std::time::Duration::from_secs(2);
    for (octets, phase) in [
        (&b""[..], Phase::Answer),
        (b"HTTP/1.1 200 OK\r\n", Phase::Answer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Phase::Body),
    ] {
        let server = Server::start(None, Act::Hang(octets.to_vec())).await;
        let to = to(&server.url("http", "127.0.0.1")).with_timeout(late);
        assert_eq!(get(&to).await.unwrap_err(), SendError::Timeout { phase, after: late });
    }
}

#[tokio::test]
async fn what_breaks_off_says_so() {
    for (octets, expected) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhalf"[..], "reading the answer: "),
        (b"", "waiting for the answer: the server closed the connection before its answer was complete"),
        (b"SSH-2.0-OpenSSH_9\r\n", "waiting for the answer: what the server says is not HTTP/1.1"),
    ] {
        let url = Server::start(None, Act::Interrupt(octets.to_vec())).await.url("http", "127.0.0.1");
        let error = get(&to(&url)).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::start(None, ok("hello")).await;
    let (client, to) = (Client::new(), to(&server.url("http", "localhost")));
    for _ in 0..5 {
        assert_eq!(client.send(&to.clone(), Request::get()).await.unwrap().status, 200);
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 5));
    let alone = to.without_reuse();
    for _ in 0..2 {
        client.send(&alone, Request::get()).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_connection_that_closes_when_it_is_used_again_costs_no_request_that_can_be_repeated() {
    let octets = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec();
    let server = Server::start(None, Act::AnswerOnce(octets)).await;
    let (client, to) = (Client::new(), to(&server.url("http", "localhost")));
    client.send(&to, Request::get()).await.unwrap();
    client.send(&to, Request::get()).await.unwrap();
    assert_eq!(server.connections(), 2, "the first connection closed at its second request");
    let error = client.send(&to, Request { method: Method::POST, ..Request::get() }).await.unwrap_err();
    assert!(matches!(error, SendError::Broken { phase: Phase::Answer, .. }), "it may have been taken: {error:?}");
    assert!(client.send(&to, Request { method: Method::POST, ..Request::get() }).await.is_ok());
}

#[tokio::test]
async fn requests_at_once_have_connections_of_their_own() {
    let server = Server::start(None, ok("hello")).await;
    let (client, to) = (Client::new(), to(&server.url("http", "localhost")));
    let send = || client.send(&to, Request::get());
    let (a, b, c) = tokio::join!(send(), send(), send());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert!((1..=3).contains(&server.connections()));
}

#[tokio::test]
async fn nobody_listening_is_told_from_no_name() {
    // A port that is held and not listened on: nobody else gets it meanwhile.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = held.local_addr().unwrap().port();
    let error = get(&to(&format!("http://127.0.0.1:{port}"))).await.unwrap_err();
    assert_eq!(error.to_string(), "127.0.0.1: connection refused");
    assert_eq!((error.word(), error.is_temporary()), ("connect", true));
}

#[tokio::test]
async fn requests_that_http_does_not_allow_are_not_sent() {
    let to: Destination = to("http://127.0.0.1:9").with_timeouts(Timeouts { whole: LONG, ..Timeouts::default() });
    for request in [Request::get().at("/a b\r\nX: y"), Request::get().with_header("X-Key", "a\nb")] {
        let error = Client::new().send(&to, request).await.unwrap_err();
        assert!(matches!(error, SendError::Request(_)), "{error:?}");
    }
}
