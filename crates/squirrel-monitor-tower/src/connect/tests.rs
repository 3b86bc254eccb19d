//! Connectors made of parts, on the test's clock.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use squirrel_monitor::{ConnectPhase, NetworkConfig, NetworkMonitor};
use tokio::io::DuplexStream;
use tower_layer::Layer as _;
use tower_service::Service;

use super::{ConnectLayer, Resolver, Transport};

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, &'static str>> + Send>>;

const DNS: Duration = Duration::from_millis(30);
const TCP: Duration = Duration::from_millis(20);
const TLS: Duration = Duration::from_millis(50);

/// Where connecting ends.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Succeeds,
    Fails(ConnectPhase),
    Hangs(ConnectPhase),
}

impl Fate {
    async fn step(self, phase: ConnectPhase, takes: Duration) -> Result<(), &'static str> {
        tokio::time::advance(takes).await;
        if self == Self::Hangs(phase) {
            std::future::pending::<()>().await;
        }
        if self == Self::Fails(phase) { Err(phase.name()) } else { Ok(()) }
    }
}

/// A service of a function.
#[derive(Clone)]
struct Made<F>(F);

impl<F: Fn(R) -> Answer<T>, R, T> Service<R> for Made<F> {
    type Response = T;
    type Error = &'static str;
    type Future = Answer<T>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Answer<T> {
        (self.0)(request)
    }
}

/// As HttpConnector is made: it resolves the name, then connects.
fn http<R>(resolver: R, fate: Fate) -> Made<impl Fn(Uri) -> Answer<TokioIo<DuplexStream>> + Clone>
where
    R: Service<Uri, Response = (), Error = &'static str> + Clone + Send + 'static,
    R::Future: Send,
{
    Made(move |uri: Uri| -> Answer<_> {
        let mut resolver = resolver.clone();
        Box::pin(async move {
            resolver.call(uri).await?;
            fate.step(ConnectPhase::Tcp, TCP).await?;
            Ok(TokioIo::new(tokio::io::duplex(64).0))
        })
    })
}

/// As a connector for TLS is made: it has another one connect, then shakes hands when it is to.
fn tls<S, T>(inner: S, fate: Fate) -> Made<impl Fn(Uri) -> Answer<T> + Clone>
where
    S: Service<Uri, Response = T, Error = &'static str> + Clone + Send + 'static,
    S::Future: Send,
    T: Send,
{
    Made(move |uri: Uri| -> Answer<_> {
        let (mut inner, secure) = (inner.clone(), uri.scheme_str() == Some("https"));
        Box::pin(async move {
            let stream = inner.call(uri).await?;
            if secure {
                fate.step(ConnectPhase::Tls, TLS).await?;
            }
            Ok(stream)
        })
    })
}

/// For each phase: milliseconds of those that succeeded (rounded, for histograms are) and how many failed.
fn phases(monitor: &NetworkMonitor) -> Vec<(Option<u128>, u64)> {
    let phases = monitor.recorder().transport_metrics().connect_phases.into_iter();
    phases.map(|phase| (phase.time.mean().map(|mean| mean.as_millis()), phase.failures)).collect()
}

/// Connects through all wrappers, or gives up when nothing moves any more.
async fn connect(monitor: &NetworkMonitor, fate: Fate, uri: &'static str) -> Option<Result<(), &'static str>> {
    let recorder = monitor.recorder();
    let dns = Made(move |_: Uri| -> Answer<()> { Box::pin(fate.step(ConnectPhase::Dns, DNS)) });
    let connector = Transport::new(http(Resolver::new(dns, recorder), fate), recorder);
    let mut connector = ConnectLayer::new(recorder).layer(tls(connector, fate));
    let mut connecting = std::pin::pin!(connector.call(Uri::from_static(uri)));
    for _ in 0..10 {
        let polled = std::future::poll_fn(|context| Poll::Ready(connecting.as_mut().poll(context))).await;
        if let Poll::Ready(outcome) = polled {
            return Some(outcome.map(drop));
        }
        tokio::task::yield_now().await;
    }
    None
}

#[tokio::test(start_paused = true)]
async fn the_time_of_connecting_is_told_in_its_parts() {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    assert_eq!(connect(&monitor, Fate::Succeeds, "https://a/").await, Some(Ok(())));
    assert_eq!(phases(&monitor), [(Some(30), 0), (Some(20), 0), (Some(50), 0)]);
    let connections = monitor.get_connection_metrics().await;
    assert_eq!(connections.avg_connection_time, DNS + TCP + TLS);
    assert_eq!((connections.successful_connections, connections.failed_connections), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn without_tls_there_is_no_such_part() {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    assert_eq!(connect(&monitor, Fate::Succeeds, "http://a/").await, Some(Ok(())));
    assert_eq!(phases(&monitor), [(Some(30), 0), (Some(20), 0), (None, 0)]);
    assert_eq!(monitor.get_connection_metrics().await.avg_connection_time, DNS + TCP);
}

#[tokio::test(start_paused = true)]
async fn a_failure_and_a_given_up_attempt_belong_to_the_part_they_came_to() {
    let done = |ms| (Some(ms), 0);
    let cases = [
        (ConnectPhase::Dns, [(None, 1), (None, 0), (None, 0)]),
        (ConnectPhase::Tcp, [done(30), (None, 1), (None, 0)]),
        (ConnectPhase::Tls, [done(30), done(20), (None, 1)]),
    ];
    for (phase, expected) in cases {
        for (fate, answer) in [(Fate::Fails(phase), Some(Err(phase.name()))), (Fate::Hangs(phase), None)] {
            let monitor = NetworkMonitor::new(NetworkConfig::default());
            assert_eq!(connect(&monitor, fate, "https://a/").await, answer, "{phase:?}");
            assert_eq!(phases(&monitor), expected, "{phase:?} {answer:?}");
            let connections = monitor.get_connection_metrics().await;
            assert_eq!((connections.successful_connections, connections.failed_connections), (0, 1));
            assert_eq!(connections.active_connections, 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_transport_alone_records_the_attempt() {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    let dns = Made(|_: Uri| -> Answer<()> { Box::pin(Fate::Succeeds.step(ConnectPhase::Dns, DNS)) });
    let mut transport = Transport::new(http(dns, Fate::Succeeds), monitor.recorder());
    let stream = transport.call(Uri::from_static("http://a/")).await.expect("connects");
    assert_eq!(phases(&monitor), [(None, 0), (Some(50), 0), (None, 0)], "nobody told of DNS");
    let connections = monitor.get_connection_metrics().await;
    assert_eq!((connections.successful_connections, connections.active_connections), (1, 1));
    drop(stream);
    assert_eq!(monitor.get_connection_metrics().await.active_connections, 0);
}

#[tokio::test(start_paused = true)]
async fn many_attempts_at_once_are_not_mixed_up() {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    let fates = [Fate::Succeeds, Fate::Fails(ConnectPhase::Dns), Fate::Succeeds, Fate::Fails(ConnectPhase::Tls)];
    let [a, b, c, d] = fates.map(|fate| connect(&monitor, fate, "https://a/"));
    let outcomes: [_; 4] = tokio::join!(a, b, c, d).into();
    assert_eq!(outcomes, [Some(Ok(())), Some(Err("dns")), Some(Ok(())), Some(Err("tls"))]);
    let counts: Vec<_> = monitor.recorder().transport_metrics().connect_phases;
    let counts: Vec<_> = counts.iter().map(|phase| (phase.time.count(), phase.failures)).collect();
    assert_eq!(counts, [(3, 1), (3, 0), (2, 1)]);
}
