//! axum over real sockets: its listener, its routes as labels, and bodies that clients leave early.

use std::future::IntoFuture as _;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use squirrel_monitor::{NetworkConfig, NetworkMonitor};
use squirrel_monitor_tower::RequestLayer;
use squirrel_monitor_tower::axum::{Listener, matched_path};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A body that never ends.
fn endless() -> Body {
    struct Endless;
    impl http_body::Body for Endless {
        type Data = axum::body::Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
            let piece = axum::body::Bytes::from_static(&[b'x'; 1000]);
            std::task::Poll::Ready(Some(Ok(http_body::Frame::data(piece))))
        }
    }
    Body::new(Endless)
}

/// Serves in the background; the address.
async fn serve(monitor: &NetworkMonitor) -> SocketAddr {
    let router = Router::new()
        .route("/users/{id}", get(|| async { "somebody" }))
        .route("/echo", post(|body: String| async { body }))
        .route("/endless", get(|| async { endless() }))
        .layer(RequestLayer::server(monitor.recorder(), matched_path));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("has an address");
    tokio::spawn(axum::serve(Listener::new(listener, monitor.recorder()), router).into_future());
    address
}

/// Waits until `ready`, letting the server's tasks run; for what happens after the last octet was read.
async fn settle(ready: impl Fn() -> bool) -> bool {
    let look = async {
        while !ready() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), look).await.is_ok()
}

#[tokio::test]
async fn requests_are_counted_by_their_route_and_connections_by_their_bytes() {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    let mut client = TcpStream::connect(serve(&monitor).await).await.expect("connects");
    // All at once on one connection: they are answered in order.
    let asked = "GET /users/1 HTTP/1.1\r\nhost: a\r\n\r\nGET /users/2 HTTP/1.1\r\nhost: a\r\n\r\n\
                 HEAD /users/3 HTTP/1.1\r\nhost: a\r\n\r\n\
                 POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello\
                 GET /nowhere/at/all HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    client.write_all(asked.as_bytes()).await.expect("writes");
    let mut answered = String::new();
    client.read_to_string(&mut answered).await.expect("reads");
    assert_eq!(answered.matches("HTTP/1.1 200 OK").count(), 4, "{answered}");
    assert!(answered.contains("HTTP/1.1 404"), "{answered}");

    let told: Vec<_> = monitor.message_types().into_iter().collect();
    let told: Vec<_> =
        told.iter().map(|t| (t.message_type.as_str(), t.received, t.sent, t.sent_bytes, t.failed)).collect();
    assert_eq!(told, [("/echo", 1, 1, 5, 0), ("/users/{id}", 3, 3, 16, 0), ("unmatched", 1, 1, 0, 1)]);
    let errors = monitor.get_protocol_metrics().await.protocol_errors;
    assert_eq!(errors.into_iter().collect::<Vec<_>>(), [("http_4xx".to_owned(), 1)]);
    let bandwidth = monitor.get_bandwidth_metrics().await;
    assert_eq!((bandwidth.bytes_received, bandwidth.bytes_transmitted), (asked.len() as u64, answered.len() as u64));
    assert!(settle(|| monitor.recorder().connection_metrics().active_connections == 0).await);
    let connections = monitor.get_connection_metrics().await;
    assert_eq!((connections.successful_connections, connections.failed_connections), (1, 0));
}

#[tokio::test]
async fn a_client_that_leaves_early_cancels_its_request() {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    let mut client = TcpStream::connect(serve(&monitor).await).await.expect("connects");
    client.write_all(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("writes");
    client.read_exact(&mut [0; 5_000]).await.expect("reads");
    let in_flight = || monitor.recorder().transport_metrics().requests_in_flight;
    assert_eq!(in_flight(), 1, "the head is not the end");
    drop(client);
    assert!(settle(|| in_flight() == 0).await);
    let told = monitor.message_types();
    assert_eq!((told[0].message_type.as_str(), told[0].sent, told[0].failed), ("/endless", 0, 1));
    assert_eq!(monitor.get_protocol_metrics().await.protocol_errors["cancelled"], 1);
}
