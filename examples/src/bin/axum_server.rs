//! An axum server: its connections by the listener, its requests by their route.
//!
//! `cargo run --bin axum_server` asks it a few things on the loopback interface and prints what it measured.

use std::future::IntoFuture as _;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use squirrel_monitor::{NetworkConfig, NetworkMonitor, Recorder};
use squirrel_monitor_tower::RequestLayer;
use squirrel_monitor_tower::axum::{Listener, matched_path};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

type Error = Box<dyn std::error::Error>;

/// Serves in the background; where.
async fn serve(recorder: &Recorder) -> std::io::Result<SocketAddr> {
    let user = |Path(id): Path<u32>| async move {
        if id < 100 { Ok(format!("user {id}")) } else { Err(StatusCode::NOT_FOUND) }
    };
    let router = Router::new()
        .route("/users/{id}", get(user))
        .route("/echo", post(|body: String| async { body }))
        .layer(RequestLayer::server(recorder, matched_path));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(Listener::new(listener, recorder), router).into_future());
    Ok(address)
}

/// Asks four things over one connection.
async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut client = TcpStream::connect(address).await?;
    let asked = "GET /users/7 HTTP/1.1\r\nhost: a\r\n\r\nGET /users/700 HTTP/1.1\r\nhost: a\r\n\r\n\
                 POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello\
                 GET /elsewhere HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    client.write_all(asked.as_bytes()).await?;
    let mut answers = String::new();
    client.read_to_string(&mut answers).await?;
    Ok(answers)
}

async fn run(monitor: &NetworkMonitor) -> Result<String, Error> {
    let address = serve(monitor.recorder()).await?;
    Ok(ask(address).await?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    run(&monitor).await?;
    squirrel_examples::print(&monitor).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn routes_are_labels_and_every_octet_is_counted() {
        let monitor = NetworkMonitor::new(NetworkConfig::default());
        let answers = run(&monitor).await.expect("runs");
        assert!(answers.contains("user 7") && answers.contains("hello"), "{answers}");
        let types = monitor.message_types();
        let told: Vec<_> = types.iter().map(|t| (&*t.message_type, t.received, t.sent_bytes, t.failed)).collect();
        assert_eq!(told, [("/echo", 1, 5, 0), ("/users/{id}", 2, 6, 1), ("unmatched", 1, 0, 1)]);
        assert_eq!(monitor.get_bandwidth_metrics().await.bytes_transmitted, answers.len() as u64);
        assert_eq!(monitor.get_connection_metrics().await.successful_connections, 1);
        assert_eq!(monitor.get_protocol_metrics().await.protocol_errors["http_4xx"], 2);
    }
}
