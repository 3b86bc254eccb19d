//! A reqwest client: its attempts to connect, and what of them was DNS.
//!
//! `cargo run --bin reqwest_client` asks a server of its own on the loopback interface and prints what it measured.

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use squirrel_monitor::{NetworkConfig, NetworkMonitor, Stopwatch};
use squirrel_monitor_tower::connect::{ConnectLayer, Resolver};
use tokio::net::TcpListener;
use tower_service::Service as _;

type Error = Box<dyn std::error::Error>;

/// reqwest has its own form of resolver; this one asks the system, as reqwest's does.
struct SystemNames(Resolver<GaiResolver>);

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        let mut resolver = self.0.clone();
        Box::pin(async move {
            let addresses = resolver.call(name.as_str().parse()?).await?;
            Ok(Box::new(addresses) as Addrs)
        })
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
    let client = reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(Duration::from_secs(5))
        .dns_resolver(Arc::new(SystemNames(Resolver::new(GaiResolver::new(), recorder))))
        .connector_layer(ConnectLayer::new(recorder))
        .build()?;
    let url = format!("http://localhost:{}/greeting", serve().await?);
    let greetings = recorder.message_type("greeting");
    for _ in 0..2 {
        // reqwest's requests are its own type, so the program tells of them itself.
        let watch = Stopwatch::start();
        greetings.sent(0);
        match client.get(&url).send().await?.error_for_status()?.bytes().await {
            Ok(body) => greetings.received(body.len() as u64),
            Err(_) => greetings.failed(),
        }
        greetings.latency(watch.elapsed());
    }
    // A port that is held, and that nobody listens on.
    let held = tokio::net::TcpSocket::new_v4()?;
    held.bind(([127, 0, 0, 1], 0).into())?;
    let refused = client.get(format!("http://{}/", held.local_addr()?)).send().await;
    match refused {
        Err(error) if error.is_connect() => Ok(()),
        other => Err(format!("this should have been refused: {other:?}").into()),
    }
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
    async fn attempts_and_names_are_told() {
        let monitor = NetworkMonitor::new(NetworkConfig::default());
        run(&monitor).await.expect("runs");
        let connections = monitor.get_connection_metrics().await;
        assert_eq!((connections.successful_connections, connections.failed_connections), (1, 1));
        let phases = monitor.recorder().transport_metrics().connect_phases;
        let phases: Vec<_> = phases.iter().map(|phase| (phase.time.count(), phase.failures)).collect();
        assert_eq!(phases, [(1, 0), (0, 0), (0, 0)], "reqwest's connector does not tell TCP from TLS");
        let types = monitor.message_types();
        let told: Vec<_> =
            types.iter().map(|t| (&*t.message_type, t.sent, t.received_bytes, t.latency.count())).collect();
        assert_eq!(told, [("greeting", 2, 10, 2)]);
    }
}
