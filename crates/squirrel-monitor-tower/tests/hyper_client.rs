//! hyper-util's client over real sockets, with each part of connecting wrapped.

use std::convert::Infallible;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::rt::{TokioExecutor, TokioIo};
use squirrel_monitor::{NetworkConfig, NetworkMonitor};
use squirrel_monitor_tower::connect::{ConnectLayer, Resolver, Transport};
use tokio::net::{TcpListener, TcpSocket};
use tower_layer::Layer as _;

/// Answers each request with `hello`, in the background; the port.
async fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let port = listener.local_addr().expect("has an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer =
                |_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("hello"))) };
            let service = hyper::service::service_fn(answer);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    port
}

fn counts(monitor: &NetworkMonitor) -> Vec<(u64, u64)> {
    let phases = monitor.recorder().transport_metrics().connect_phases.into_iter();
    phases.map(|phase| (phase.time.count(), phase.failures)).collect()
}

#[tokio::test]
async fn a_client_tells_names_from_connections_and_counts_bytes() {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    let recorder = monitor.recorder();
    let http = HttpConnector::new_with_resolver(Resolver::new(GaiResolver::new(), recorder));
    let connector = ConnectLayer::new(recorder).layer(Transport::new(http, recorder));
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let uri: http::Uri = format!("http://localhost:{}/", serve().await).parse().expect("a URI");
    for _ in 0..2 {
        let answer = client.get(uri.clone()).await.expect("answers");
        assert_eq!(answer.into_body().collect().await.expect("reads").to_bytes(), "hello");
    }
    assert_eq!(counts(&monitor), [(1, 0), (1, 0), (0, 0)], "one connection for both");
    let connections = monitor.get_connection_metrics().await;
    assert_eq!((connections.successful_connections, connections.active_connections), (1, 1));
    let bandwidth = monitor.get_bandwidth_metrics().await;
    assert!(bandwidth.bytes_received > 100 && bandwidth.bytes_transmitted > 40, "{bandwidth:?}");
    assert_eq!(recorder.transport_metrics().time_to_first_byte.count(), 1);

    // Nobody listens at a port that is held and not listened on.
    let held = TcpSocket::new_v4().expect("a socket");
    held.bind("127.0.0.1:0".parse().expect("an address")).expect("binds");
    let uri = format!("http://{}/", held.local_addr().expect("has an address"));
    client.get(uri.parse().expect("a URI")).await.expect_err("is refused");
    assert_eq!(counts(&monitor), [(1, 0), (1, 1), (0, 0)]);
    assert_eq!(monitor.get_connection_metrics().await.failed_connections, 1);
}
