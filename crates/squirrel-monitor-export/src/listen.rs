//! A listener that Prometheus scrapes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use squirrel_monitor::{ExportConfig, ExportContext, MonitorSource};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::endpoint::{Endpoint, bearer};
use crate::options::Options;
use crate::page::page;

/// Connections at once; a scraper needs one.
const MAX_CONNECTIONS: usize = 16;

/// How long the head of a request may take.
const HEAD_LIMIT: Duration = Duration::from_secs(5);

/// How long a connection may last; a scraper that kept it opens another.
const CONNECTION_LIMIT: Duration = Duration::from_mins(2);

pub(crate) struct Listener {
    socket: std::net::TcpListener,
    address: SocketAddr,
    path: String,
    token: Option<HeaderValue>,
    options: Options,
}

impl Listener {
    /// Begins to listen, at `endpoint`'s host, port and path (`/metrics` without one).
    ///
    /// # Errors
    /// When it is no address, or cannot be had.
    pub(crate) fn bind(config: &ExportConfig, options: Options) -> Result<Self, String> {
        let endpoint = Endpoint::read(&config.endpoint, "/metrics", 9464)?;
        let host = if endpoint.host.eq_ignore_ascii_case("localhost") { "127.0.0.1" } else { &endpoint.host };
        // Names are not looked up: to listen, the address of an interface is needed.
        let host = host.parse().map_err(|_| "endpoint: to listen, write an address such as 127.0.0.1:9464")?;
        let refused = |error: std::io::Error| format!("{} cannot be listened on: {error}", endpoint.authority());
        let socket = std::net::TcpListener::bind(SocketAddr::new(host, endpoint.port)).map_err(refused)?;
        socket.set_nonblocking(true).map_err(refused)?;
        let address = socket.local_addr().map_err(refused)?;
        let token = config.auth_token.as_deref().map(bearer).transpose()?;
        Ok(Self { socket, address, path: endpoint.target, token, options })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the monitor stops.
    pub(crate) async fn run(self, mut context: ExportContext) {
        let listener = match TcpListener::from_std(self.socket) {
            Ok(listener) => listener,
            Err(error) => return context.failed(format!("{} cannot be listened on: {error}", self.address)),
        };
        let Self { path, token, options, .. } = self;
        let scrape = Arc::new(Scrape { source: context.source().clone(), path, token, options });
        let (room, mut connections) = (Arc::new(Semaphore::new(MAX_CONNECTIONS)), JoinSet::new());
        loop {
            // A connection is taken when there is room for it; until then it waits with the kernel.
            let accepted = async {
                let permit = Arc::clone(&room).acquire_owned().await;
                (listener.accept().await, permit)
            };
            tokio::select! {
                () = context.stopped() => return,
                Some(_) = connections.join_next() => {}
                (accepted, permit) = accepted => match accepted {
                    Ok((stream, _)) => {
                        let scrape = Arc::clone(&scrape);
                        connections.spawn(async move {
                            serve(stream, scrape).await;
                            drop(permit);
                        });
                    }
                    // No descriptor is free, say. The next try is made when time has passed, not at once.
                    Err(error) => {
                        context.failed(format!("connections cannot be accepted: {error}"));
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                },
            }
        }
    }
}

async fn serve(stream: TcpStream, scrape: Arc<Scrape>) {
    let service = service_fn(move |request| {
        let answer = scrape.answer(&request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), service);
    // A scraper that goes away, or is too slow, has lost its own answer only.
    let _ = tokio::time::timeout(CONNECTION_LIMIT, connection).await;
}

struct Scrape {
    source: MonitorSource,
    path: String,
    token: Option<HeaderValue>,
    options: Options,
}

impl Scrape {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let header = |name| request.headers().get(name).map_or(b"".as_slice(), HeaderValue::as_bytes);
        if request.uri().path() != self.path {
            return said(StatusCode::NOT_FOUND, None, &format!("the metrics are at {}\n", self.path));
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return said(StatusCode::METHOD_NOT_ALLOWED, Some((ALLOW, "GET, HEAD")), "GET is answered\n");
        }
        if self.token.as_ref().is_some_and(|token| !same(token.as_bytes(), header(AUTHORIZATION))) {
            return said(StatusCode::UNAUTHORIZED, Some((WWW_AUTHENTICATE, "Bearer")), "a bearer token is needed\n");
        }
        let accept = String::from_utf8_lossy(header(ACCEPT));
        match page(&self.source, &self.options, &accept) {
            Some(page) => said(StatusCode::OK, Some((CONTENT_TYPE, page.content_type)), &page.body),
            None => said(StatusCode::SERVICE_UNAVAILABLE, None, "the monitor is gone\n"),
        }
    }
}

fn said(
    status: StatusCode,
    header: Option<(hyper::header::HeaderName, &'static str)>,
    body: &str,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *response.status_mut() = status;
    if let Some((name, value)) = header {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Compares without telling by its time where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
