//! A gRPC service and its client with tonic, by messages that prost derives: no file is generated.
//!
//! `cargo run --bin tonic_grpc` calls it on the loopback interface and prints what both sides measured.

use std::convert::Infallible;
use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::serve::ListenerExt as _;
use hyper_util::client::legacy::connect::HttpConnector;
use squirrel_monitor::{NetworkConfig, NetworkMonitor, Recorder};
use squirrel_monitor_tower::axum::Listener;
use squirrel_monitor_tower::connect::Transport;
use squirrel_monitor_tower::{RequestHead, RequestLayer};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codegen::http;
use tonic::server::{NamedService, UnaryService};
use tonic::transport::Endpoint;
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;
use tower_layer::Layer as _;
use tower_service::Service;

type Error = Box<dyn std::error::Error>;

#[derive(Clone, PartialEq, prost::Message)]
struct Pair {
    #[prost(int64, tag = "1")]
    dividend: i64,
    #[prost(int64, tag = "2")]
    divisor: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Quotient {
    #[prost(int64, tag = "1")]
    value: i64,
}

const DIVIDE: &str = "/example.Calculator/Divide";

/// Divides.
struct Divide;

impl UnaryService<Pair> for Divide {
    type Response = Quotient;
    type Future = std::future::Ready<Result<Response<Quotient>, Status>>;

    fn call(&mut self, request: Request<Pair>) -> Self::Future {
        let Pair { dividend, divisor } = request.into_inner();
        let quotient = dividend.checked_div(divisor).map(|value| Response::new(Quotient { value }));
        std::future::ready(quotient.ok_or_else(|| Status::invalid_argument("the quotient is no number")))
    }
}

/// The service, as tonic's generator would write it.
#[derive(Clone)]
struct Calculator;

impl NamedService for Calculator {
    const NAME: &'static str = "example.Calculator";
}

impl Service<http::Request<Body>> for Calculator {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            if request.uri().path() != DIVIDE {
                return Ok(Status::unimplemented("no such method").into_http());
            }
            Ok(tonic::server::Grpc::new(ProstCodec::<Quotient, Pair>::default()).unary(Divide, request).await)
        })
    }
}

/// Methods that exist are labels; others can be invented by anybody.
fn method(head: RequestHead<'_>) -> &str {
    if head.uri.path() == DIVIDE { DIVIDE } else { "other" }
}

/// Serves in the background; where.
async fn serve(recorder: &Recorder) -> std::io::Result<SocketAddr> {
    let routes = tonic::service::Routes::new(Calculator).prepare().into_axum_router();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = routes.layer(RequestLayer::server(recorder, method));
    // Small frames wait for each other unless this is told to both sides.
    let listener = listener.tap_io(|stream| _ = stream.set_nodelay(true));
    tokio::spawn(axum::serve(Listener::new(listener, recorder), router).into_future());
    Ok(address)
}

/// Divides twice: once it can, once it cannot.
async fn run(server: &NetworkMonitor, client: &NetworkMonitor) -> Result<(i64, Code), Error> {
    let address = serve(server.recorder()).await?;
    let recorder = client.recorder();
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    let channel = endpoint.connect_with_connector(Transport::new(http, recorder)).await?;
    let mut client = tonic::client::Grpc::new(RequestLayer::client(recorder, method).layer(channel));
    let mut answers = Vec::new();
    for divisor in [6, 0] {
        client.ready().await?;
        let codec = ProstCodec::<Pair, Quotient>::default();
        let request = Request::new(Pair { dividend: 42, divisor });
        answers.push(client.unary(request, http::uri::PathAndQuery::from_static(DIVIDE), codec).await);
    }
    match <[_; 2]>::try_from(answers) {
        Ok([Ok(quotient), Err(status)]) => Ok((quotient.into_inner().value, status.code())),
        other => Err(format!("unexpected answers: {other:?}").into()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let [server, client] = [(); 2].map(|()| NetworkMonitor::new(NetworkConfig::default()));
    run(&server, &client).await?;
    println!("— the server —");
    squirrel_examples::print(&server).await;
    println!("— the client —");
    squirrel_examples::print(&client).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_are_counted_by_method_and_failures_by_their_code_in_the_trailers() {
        let [server, client] = [(); 2].map(|()| NetworkMonitor::new(NetworkConfig::default()));
        assert_eq!(run(&server, &client).await.expect("runs"), (7, Code::InvalidArgument));
        for (side, monitor) in [("server", &server), ("client", &client)] {
            let types = monitor.message_types();
            let told: Vec<_> = types.iter().map(|t| (&*t.message_type, t.received, t.sent, t.failed)).collect();
            assert_eq!(told, [(DIVIDE, 2, 2, 1)], "{side}");
            assert_eq!(types[0].latency.count(), 2, "{side}");
            let errors: Vec<_> = monitor.get_protocol_metrics().await.protocol_errors.into_iter().collect();
            assert_eq!(errors, [("grpc_invalid_argument".to_owned(), 1)], "{side}");
            assert_eq!(monitor.get_connection_metrics().await.successful_connections, 1, "{side}");
            let bandwidth = monitor.get_bandwidth_metrics().await;
            assert!(bandwidth.bytes_received > 100 && bandwidth.bytes_transmitted > 100, "{side}: {bandwidth:?}");
        }
    }
}
