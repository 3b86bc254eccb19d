//! The proxy between a client and a server that say exactly what a test wants.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

use super::*;

const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"slow"}}"#;
const ANSWER: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"content":[],"isError":true}}"#;

/// A proxy before a listener.
struct Between {
    monitor: Arc<NetworkMonitor>,
    address: SocketAddr,
    server: TcpListener,
    events: mpsc::Receiver<EventLine>,
    _running: Abort,
}

struct Abort(JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn between(change: impl FnOnce(&mut ProxyOptions)) -> Between {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("http://{}/mcp", server.local_addr().unwrap()).parse().unwrap();
    let mut options = ProxyOptions::new("127.0.0.1:0".parse().unwrap(), to);
    change(&mut options);
    let monitor = Arc::new(crate::monitor("mcp-http"));
    let (sender, events) = mpsc::channel(64);
    let proxy = Proxy::bind(options, Arc::clone(&monitor), Some(sender)).await.unwrap();
    let address = proxy.local_address();
    let running = Abort(tokio::spawn(async move {
        proxy.run().await;
    }));
    Between { monitor, address, server, events, _running: running }
}

fn post(extra: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{extra}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Reads until what was read ends as told.
async fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        let mut octet = [0; 1];
        stream.read_exact(&mut octet).await.expect("more octets");
        read.extend(octet);
    }
    String::from_utf8(read).expect("text")
}

async fn client(between: &Between, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(between.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_request_and_its_answer_pass_unchanged_and_are_told() {
    let mut between = between(|_| ()).await;
    let mut client = client(&between, &post("X-Own: 1\r\nTE: trailers\r\n", CALL)).await;
    let (mut served, _) = between.server.accept().await.unwrap();
    let request = read_to(&mut served, CALL).await;
    let head = request.strip_suffix(CALL).unwrap().to_ascii_lowercase();
    assert!(head.starts_with("post /mcp http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nhost: {}\r\n", between.server.local_addr().unwrap())), "{head}");
    assert!(head.contains("\r\nx-own: 1\r\n") && !head.contains("\r\nte:"), "{head}");
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", ANSWER.len());
    served.write_all(format!("{answer}{ANSWER}").as_bytes()).await.unwrap();
    let answered = read_to(&mut client, ANSWER).await;
    assert!(answered.starts_with("HTTP/1.1 200 OK\r\n"), "{answered}");
    let mut lines: Vec<EventLine> = Vec::new();
    while lines.last().is_none_or(|line| line.name != "POST 2xx") {
        lines.push(between.events.recv().await.unwrap());
    }
    let mcp: Vec<_> = lines.iter().filter(|line| line.protocol == "mcp").collect();
    let texts: Vec<_> = mcp.iter().map(|line| (line.event, line.kind, line.name.as_str(), line.error)).collect();
    assert_eq!(
        texts,
        [
            ("message", Some("request"), "tools/call", None),
            ("message", Some("response"), "tools/call", None),
            ("failure", None, "tools/call", Some("tool_error")),
        ]
    );
    assert_eq!((mcp[0].detail.as_deref(), mcp[0].bytes), (Some("slow"), Some(CALL.len() as u64)));
    let report = crate::Report::of(&between.monitor, Duration::ZERO);
    assert_eq!((report.bytes_to_server, report.bytes_to_client), (CALL.len() as u64, ANSWER.len() as u64));
    assert!(report.messages.iter().any(|row| row.name == "POST 2xx" && row.answered == 1), "{report:?}");
}

/// A stream of events that a client listens to: the client's side and the server's.
async fn listening(between: &Between) -> (TcpStream, TcpStream) {
    let mut listens = client(between, "GET /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: s\r\n\r\n").await;
    let (mut stream, _) = between.server.accept().await.unwrap();
    read_to(&mut stream, "\r\n\r\n").await;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    read_to(&mut listens, ": hello\n\n\r\n").await;
    (listens, stream)
}

/// Once the stream is there the clock jumps forward whenever everybody waits, so every limit there is has passed long
/// ago. Before, connecting would run out of time where the kernel lets it wait for a moment.
#[tokio::test]
async fn a_stream_of_events_is_not_cut_however_long_it_is_silent() {
    let between = between(|_| ()).await;
    let (mut listens, mut stream) = listening(&between).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_hours(2)).await;
    stream.write_all(b"data: {}\n\n").await.unwrap();
    let came = read_to(&mut listens, "data: {}\n\n\r\n").await;
    assert_eq!(came, "A\r\ndata: {}\n\n\r\n", "the event, in a chunk of its own");
}

#[tokio::test]
async fn an_answer_in_a_stream_of_the_session_finds_its_request() {
    let between = between(|_| ()).await;
    let (mut listens, mut stream) = listening(&between).await;
    let _posts = client(&between, &post("Mcp-Session-Id: s\r\n", CALL)).await;
    let (mut posted, _) = between.server.accept().await.unwrap();
    read_to(&mut posted, CALL).await;
    posted.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    stream.write_all(format!("data: {ANSWER}\n\n").as_bytes()).await.unwrap();
    read_to(&mut listens, &format!("data: {ANSWER}\n\n\r\n")).await;
    drop(stream);
    read_to(&mut listens, "0\r\n\r\n").await;
    let report = crate::Report::of(&between.monitor, Duration::ZERO);
    let tool = report.failures.iter().find(|row| row.class == "tool").expect("the tool failed");
    assert_eq!((tool.name.as_str(), tool.error.as_str(), tool.count), ("tools/call slow", "tool_error", 1));
    assert!(!report.failures.iter().any(|row| row.class == "conformance"), "{report:?}");
}

#[tokio::test]
async fn megabytes_pass_unchanged_in_both_directions() {
    let between = between(|_| ()).await;
    let text = (0..400_000).fold(String::new(), |text, number: u32| text + &number.to_string() + " ");
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"x":"{text}"}}}}"#);
    let mut client = TcpStream::connect(between.address).await.unwrap();
    let request = post("", &body);
    let (mut reader, mut writer) = client.split();
    let serve = async {
        let (mut served, _) = between.server.accept().await.unwrap();
        let head = read_to(&mut served, "\r\n\r\n").await;
        assert!(head.to_ascii_lowercase().contains(&format!("content-length: {}", body.len())), "{head}");
        let mut echoed = vec![0; body.len()];
        served.read_exact(&mut echoed).await.unwrap();
        // In chunks of odd sizes, without a length.
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
        served.write_all(head.as_bytes()).await.unwrap();
        for piece in echoed.chunks(77_777) {
            served.write_all(piece).await.unwrap();
        }
        echoed
    };
    let write = async { writer.write_all(request.as_bytes()).await.unwrap() };
    let read = async {
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n0\r\n\r\n") {
            reader.read_buf(&mut answer).await.unwrap();
        }
        answer
    };
    let (echoed, (), answer) = tokio::join!(serve, write, read);
    assert!(echoed == body.as_bytes(), "the request's body");
    let head_ends = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let (mut chunks, mut joined) = (&answer[head_ends..], Vec::<u8>::new());
    while let Some(end) = chunks.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&chunks[..end]).unwrap(), 16).unwrap();
        joined.extend(&chunks[end + 2..end + 2 + size]);
        chunks = &chunks[end + 4 + size..];
    }
    assert!(joined == body.as_bytes(), "the answer's body");
}

#[tokio::test]
async fn foreign_names_and_pages_are_refused_and_nothing_reaches_the_server() {
    let between = between(|_| ()).await;
    for (request, status) in [
        (post("", CALL).replace("localhost", "evil.example"), "421"),
        (post("Origin: http://evil.example\r\n", CALL), "403"),
        (post("", CALL).replace("Host", "X-Host"), "400"),
    ] {
        let mut client = client(&between, &request).await;
        let answer = read_to(&mut client, "\r\n").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    assert_eq!(between.monitor.inspection_metrics().messages, 0);
    let mut accepted = tokio_test_poll(between.server.accept());
    assert!(accepted.is_none(), "{:?}", accepted.take().map(|(_, from)| from));
}

/// What a future that is ready gives.
fn tokio_test_poll<T, E>(future: impl Future<Output = Result<T, E>>) -> Option<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(outcome) => outcome.ok(),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_to_both() {
    let Between { monitor, address, server, events, _running } = between(|_| ()).await;
    drop(server);
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(post("", CALL).as_bytes()).await.unwrap();
    let answer = read_to(&mut client, "refused (os error 111)\n").await;
    assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{answer}");
    let report = crate::Report::of(&monitor, Duration::ZERO);
    assert!(report.failures.iter().any(|row| row.error == "server_failure"), "{report:?}");
    assert_eq!(monitor.get_connection_metrics().await.failed_connections, 1);
    drop(events);
}

#[tokio::test]
async fn a_client_that_stops_within_a_body_is_given_up() {
    let between = between(|options| options.patience = Duration::from_millis(500)).await;
    let request = post("", CALL);
    let (half, _) = request.split_at(request.len() - 20);
    let mut client = client(&between, half).await;
    let (mut served, _) = between.server.accept().await.unwrap();
    // The server sees the connection end before the body does, and the client learns that it waits in vain.
    let mut rest = Vec::new();
    let _ = served.read_to_end(&mut rest).await;
    assert!(!rest.ends_with(b"}}"), "half a body");
    let mut answer = String::new();
    let _ = client.read_to_string(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 502"), "{answer}");
    let report = crate::Report::of(&between.monitor, Duration::ZERO);
    assert!(report.failures.iter().any(|row| row.error == "truncated"), "{report:?}");
}

#[tokio::test]
async fn a_server_that_breaks_off_an_answer_is_told() {
    let between = between(|_| ()).await;
    let mut client = client(&between, &post("", CALL)).await;
    let (mut served, _) = between.server.accept().await.unwrap();
    read_to(&mut served, CALL).await;
    served
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"json")
        .await
        .unwrap();
    read_to(&mut client, "{\"json").await;
    drop(served);
    let mut rest = String::new();
    let _ = client.read_to_string(&mut rest).await;
    assert_eq!(rest, "");
    let report = crate::Report::of(&between.monitor, Duration::ZERO);
    assert!(report.failures.iter().any(|row| row.error == "truncated"), "{report:?}");
}

#[tokio::test]
async fn more_clients_than_there_is_room_for_wait_and_are_served() {
    let between = between(|options| options.max_connections = 1).await;
    let first = client(&between, &post("", CALL)).await;
    let (mut served, _) = between.server.accept().await.unwrap();
    read_to(&mut served, CALL).await;
    let _second = client(&between, &post("", CALL)).await;
    assert!(tokio_test_poll(between.server.accept()).is_none());
    drop(first);
    between.server.accept().await.expect("the second, now that the first is gone");
}

#[tokio::test]
async fn other_machines_are_not_let_in_by_default() {
    let to = "http://127.0.0.1:1".parse().unwrap();
    let options = ProxyOptions::new("0.0.0.0:0".parse().unwrap(), to);
    let refused = Proxy::bind(options.clone(), Arc::new(crate::monitor("mcp-http")), None).await;
    assert!(matches!(refused, Err(ProxyError::Remote(_))), "{refused:?}");
    let allowed = ProxyOptions { allow_remote: true, ..options };
    assert!(Proxy::bind(allowed, Arc::new(crate::monitor("mcp-http")), None).await.is_ok());
}
