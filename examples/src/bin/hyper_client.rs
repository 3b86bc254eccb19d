//! hyper-util's client: each part of connecting, the bytes of its connections, and its requests.
//!
//! `cargo run --bin hyper_client` asks a server of its own on the loopback interface and prints what it measured.

use std::future::IntoFuture as _;

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::rt::TokioExecutor;
use squirrel_monitor::{NetworkConfig, NetworkMonitor};
use squirrel_monitor_tower::connect::{ConnectLayer, Resolver, Transport};
use squirrel_monitor_tower::{RequestHead, RequestLayer};
use tokio::net::TcpListener;
use tower_layer::Layer as _;
use tower_service::Service as _;

type Error = Box<dyn std::error::Error>;

/// The program knows what it asks, so its labels are its own.
fn label(head: RequestHead<'_>) -> &str {
    match head.uri.path() {
        "/greeting" => "greeting",
        _ => "other",
    }
}

/// A server without a monitor, in the background; its port.
async fn serve() -> std::io::Result<u16> {
    let router = Router::new().route("/greeting", get(|| async { "hello" }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(port)
}

async fn run(monitor: &NetworkMonitor) -> Result<(), Error> {
    let recorder = monitor.recorder();
    // From the inside: the resolver, TCP, and whatever speaks TLS would stand between these two.
    let http = HttpConnector::new_with_resolver(Resolver::new(GaiResolver::new(), recorder));
    let connector = ConnectLayer::new(recorder).layer(Transport::new(http, recorder));
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let mut client = RequestLayer::client(recorder, label).layer(client);

    let port = serve().await?;
    for path in ["greeting", "greeting", "missing"] {
        let uri: Uri = format!("http://localhost:{port}/{path}").parse()?;
        let response = client.call(Request::get(uri).body(Empty::new())?).await?;
        response.into_body().collect().await?;
    }
    Ok(())
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
    async fn parts_of_connecting_and_requests_are_told() {
        let monitor = NetworkMonitor::new(NetworkConfig::default());
        run(&monitor).await.expect("runs");
        let types = monitor.message_types();
        let told: Vec<_> =
            types.iter().map(|t| (&*t.message_type, t.sent, t.received, t.received_bytes, t.failed)).collect();
        assert_eq!(told, [("greeting", 2, 2, 10, 0), ("other", 1, 1, 0, 1)]);
        let phases = monitor.recorder().transport_metrics().connect_phases;
        let phases: Vec<_> = phases.iter().map(|phase| (phase.time.count(), phase.failures)).collect();
        assert_eq!(phases, [(1, 0), (1, 0), (0, 0)], "one connection, by name, without TLS");
        let connections = monitor.get_connection_metrics().await;
        assert_eq!((connections.successful_connections, connections.failed_connections), (1, 0));
        assert!(monitor.get_bandwidth_metrics().await.bytes_received > 200);
    }
}
