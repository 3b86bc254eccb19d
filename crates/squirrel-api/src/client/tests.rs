//! A daemon of a few lines answers, well and badly.

use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Answers one connection with a status and a body, and gives what was asked.
async fn answering(status: &str, body: &str) -> (Client, tokio::task::JoinHandle<String>) {
    once(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await
}

/// Answers one connection with these octets, and gives what was asked.
async fn once(answer: String) -> (Client, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&format!("http://{}/", listener.local_addr().unwrap()));
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let n = stream.read(&mut asked).await.unwrap();
        asked.truncate(n);
        stream.write_all(answer.as_bytes()).await.unwrap();
        // The client must not depend on the server closing first.
        let _ = stream.read(&mut [0; 16]).await;
        String::from_utf8(asked).unwrap()
    });
    (client, served)
}

#[tokio::test]
async fn a_question_is_a_form_and_the_answer_is_read() {
    let (client, served) = answering(
        "200 OK",
        "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[4,\"2\"]},\"infos\":[\"hello\"]}",
    )
    .await;
    let got = client.query("1 + 1", Some(Timestamp(4_000))).await.unwrap();
    assert_eq!(got.data, QueryData::Scalar(crate::reply::Point(4.0, 2.0)));
    assert_eq!(got.infos, ["hello"]);
    let asked = served.await.unwrap();
    assert!(asked.starts_with("POST /api/v1/query HTTP/1.1\r\n"), "{asked}");
    assert!(asked.ends_with("\r\n\r\nquery=1%20%2B%201&time=4"), "{asked}");
}

#[tokio::test]
async fn a_refusal_carries_the_daemons_words() {
    let (client, _served) =
        answering("400 Bad Request", "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"1:2: what?\"}")
            .await;
    let error = client.query("(", None).await.unwrap_err();
    assert!(matches!(&error, ClientError::Refused { status: 400, kind, .. } if kind == "bad_data"), "{error:?}");
    assert_eq!(error.to_string(), "1:2: what?");
    let (client, _served) = answering("500 X", "\x1b[2J oops").await;
    let error = client.resource::<Vec<String>>("/api/x").await.unwrap_err();
    assert_eq!(error.to_string(), "the daemon answered 500: \\u{1b}[2J oops");
}

#[tokio::test]
async fn nobody_there_says_how_to_start_it() {
    // A port that is held and not listened on: nobody else gets it meanwhile.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = held.local_addr().unwrap().port();
    let error = Client::new(&format!("127.0.0.1:{port}")).query("up", None).await.unwrap_err();
    assert!(matches!(error, ClientError::NotRunning { .. }));
    assert!(error.to_string().contains("squirrel serve"), "{error}");
}

#[tokio::test]
async fn an_answer_has_a_largest_size_and_a_longest_time() {
    let (mut client, _served) = once("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123456789".into()).await;
    client.max_bytes = 50;
    assert!(matches!(client.get("/", &[]).await, Err(ClientError::TooLarge { limit: 50 })));
    let (mut client, _served) = once("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123456789".into()).await;
    client.answer_timeout = Duration::from_millis(50);
    assert!(matches!(client.get("/", &[]).await, Err(ClientError::TooSlow { .. })));
    let (client, _served) = answering("200 OK", "[]").await;
    assert!(matches!(client.query("up", None).await, Err(ClientError::NotUnderstood { .. })));
}

#[test]
fn every_octet_is_encoded_so_that_no_value_becomes_two() {
    assert_eq!(encode(&[("q", "a&b=c+d é%".into()), ("x", String::new())]), "q=a%26b%3Dc%2Bd%20%C3%A9%25&x=");
}

#[test]
fn an_address_is_a_host_and_a_port() {
    for good in ["127.0.0.1:7775", "localhost:1", "[::1]:7775", "http://web-1.internal:80/", "a_b:65535"] {
        assert_eq!(check_address(good), Ok(()), "{good}");
    }
    for (bad, word) in [
        ("nonsense", "no port"),
        ("", "no port"),
        ("host:", "no number"),
        ("host:0", "no number"),
        ("host:65536", "no number"),
        ("host:http", "no number"),
        (":7775", "host"),
        ("::1:7775", "host"),
        ("[::g]:7775", "host"),
        ("[::1:7775", "host"),
        ("a b:7775", "host"),
        ("https://host:7775", "not HTTPS"),
    ] {
        let error = check_address(bad).unwrap_err();
        assert!(error.contains(word) && error.contains("ADDR:PORT"), "{bad}: {error}");
    }
}
