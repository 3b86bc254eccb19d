//! The numbers of a monitor at a route of one's own axum server.
//!
//! `cargo run -p squirrel-monitor-export --example axum`, then `curl http://127.0.0.1:8080/metrics`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it tells where it listens")]

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use squirrel_monitor::{MonitorSource, NetworkConfig, NetworkMonitor, Recorder};
use squirrel_monitor_export::{Options, page};

/// What the handlers share. The source does not keep the monitor alive.
#[derive(Clone)]
struct Shared {
    recorder: Recorder,
    source: MonitorSource,
    options: Options,
}

async fn hello(State(shared): State<Shared>) -> &'static str {
    let answer = "Hello!\n";
    shared.recorder.record_message_received("hello", 0);
    shared.recorder.record_bytes_transmitted(answer.len() as u64);
    answer
}

async fn metrics(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    match page(&shared.source, &shared.options, accept) {
        Some(page) => ([(CONTENT_TYPE, page.content_type)], page.body).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let monitor = NetworkMonitor::builder(NetworkConfig::default()).exporter_attached().build();
    monitor.start().await?;
    let shared = Shared { recorder: monitor.recorder().clone(), source: monitor.source(), options: Options::default() };
    let routes = Router::new().route("/", get(hello)).route("/metrics", get(metrics)).with_state(shared);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://{}/metrics", listener.local_addr()?);
    axum::serve(listener, routes).with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) }).await?;
    monitor.stop().await?;
    Ok(())
}
