//! Connections of a server that is made for a test, with TLS or without.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What a connection is read from and written to.
pub trait Octets: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Octets for S {}

/// The connections of one server.
#[derive(Clone, Debug)]
pub struct Connections {
    /// Where the server listens.
    pub address: SocketAddr,
    count: Arc<AtomicUsize>,
}

impl Connections {
    /// How many there were, those among them whose TLS failed.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

/// Takes connections on a port of the system's choice until the test's runtime ends, and does with each what `serve`
/// says, in a task of its own. One whose TLS fails is closed.
///
/// # Panics
/// When the loopback has no port left.
pub async fn take_connections<F>(
    tls: Option<TlsAcceptor>,
    serve: impl Fn(Box<dyn Octets>) -> F + Send + Sync + 'static,
) -> Connections
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let count = Arc::new(AtomicUsize::new(0));
    let connections = Connections { address, count: Arc::clone(&count) };
    let serve = Arc::new(serve);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let (tls, serve) = (tls.clone(), Arc::clone(&serve));
            tokio::spawn(async move {
                let stream: Box<dyn Octets> = match tls {
                    None => Box::new(stream),
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => Box::new(stream),
                        Err(_) => return,
                    },
                };
                serve(stream).await;
            });
        }
    });
    connections
}
