//! Sending a request and reading its answer, each part within its time.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HOST, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use crate::idle::{Open, Stream};
use crate::resolve::{Resolve, SystemResolver, allowed_addresses};
use crate::{Answer, Destination, Phase, Request, SendError, SystemRoots};

/// Sends requests. One for a program is enough: it keeps this machine's trusted roots, which are read when
/// they are first needed.
///
/// Proxies that the environment names are not used.
pub struct Client {
    resolver: Arc<dyn Resolve>,
    roots: SystemRoots,
}

impl Default for Client {
    fn default() -> Self {
        Self { resolver: Arc::new(SystemResolver::default()), roots: SystemRoots::default() }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// The end of all, and the ends of its parts.
#[derive(Clone, Copy)]
struct Deadline {
    begin: Instant,
    whole: Duration,
}

impl Deadline {
    /// Waits for a part that may take `limit`, but not longer than all of it may.
    async fn within<T>(self, phase: Phase, limit: Duration, part: impl Future<Output = T>) -> Result<T, SendError> {
        let (end, part_end) = (self.begin + self.whole, Instant::now() + limit);
        let after = if part_end < end { limit } else { self.whole };
        timeout_at(end.min(part_end), part).await.map_err(|_| SendError::Timeout { phase, after })
    }
}

impl Client {
    /// A client that asks this machine's resolver.
    pub fn new() -> Self {
        Self::default()
    }

    /// A client that asks another resolver.
    pub fn with_resolver(resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver, ..Self::default() }
    }

    /// Sends a request and reads the answer, whatever its status.
    ///
    /// A connection of an earlier request is used where one waits; when the server closes it in the very
    /// moment, requests that change nothing (GET, HEAD) are sent again, and others fail, since the server
    /// may have taken them.
    ///
    /// # Errors
    /// No connection, no answer, not in time, a redirect: see [`SendError`].
    pub async fn send(&self, to: &Destination, request: Request) -> Result<Answer, SendError> {
        let deadline = Deadline { begin: Instant::now(), whole: to.timeouts.whole };
        let is_repeatable = request.method.is_safe();
        let mut request = written(to, request)?;
        if let Some(open) = to.idle.take().await {
            let again = is_repeatable.then(|| request.clone());
            match self.exchange(to, open, request, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(Failure { unsent: Some(unsent), .. }) => request = *unsent,
                Err(Failure { error: SendError::Broken { phase: Phase::Answer, .. }, .. })
                    if let Some(again) = again =>
                {
                    request = again;
                }
                Err(Failure { error, .. }) => return Err(error),
            }
        }
        let open = self.connect(to, deadline).await?;
        self.exchange(to, open, request, deadline).await.map_err(|failure| failure.error)
    }

    /// A new connection to one of the addresses that were checked.
    async fn connect(&self, to: &Destination, deadline: Deadline) -> Result<Open, SendError> {
        let addresses = allowed_addresses(&*self.resolver, &to.host, to.port, &to.rules);
        let addresses = deadline.within(Phase::Resolve, to.timeouts.resolve, addresses).await??;
        let stream =
            deadline.within(Phase::Connect, to.timeouts.connect, tcp(&addresses, to.timeouts.connect)).await??;
        let stream: Box<dyn Stream> = if to.is_tls {
            let name = to.tls.name_for(&to.host)?;
            let connector = TlsConnector::from(self.tls_config(to)?);
            let handshake = deadline.within(Phase::Tls, to.timeouts.connect, connector.connect(name, stream)).await?;
            Box::new(handshake.map_err(|error| SendError::of_handshake(&error))?)
        } else {
            Box::new(stream)
        };
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, driver) = handshake.map_err(|error| SendError::of_exchange(Phase::Connect, &error))?;
        Ok(Open { sender, driver: Box::pin(driver) })
    }

    fn tls_config(&self, to: &Destination) -> Result<Arc<rustls::ClientConfig>, SendError> {
        if let Some(config) = to.tls_config.get() {
            return Ok(Arc::clone(config));
        }
        let config = to.tls.client_config(&self.roots, &["http/1.1"])?;
        if to.tls.is_insecure() {
            tracing::warn!(to = %to, "insecure_skip_verify: this server's certificate is not looked at");
        }
        Ok(Arc::clone(to.tls_config.get_or_init(|| config)))
    }

    async fn exchange(
        &self,
        to: &Destination,
        mut open: Open,
        request: hyper::Request<Full<Bytes>>,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        let mut is_driven = true;
        let response = {
            let mut sending = pin!(open.sender.try_send_request(request));
            let answer = async {
                tokio::select! {
                    answer = &mut sending => return answer,
                    _ = &mut open.driver => is_driven = false,
                }
                sending.await
            };
            let answer = deadline.within(Phase::Answer, to.timeouts.whole, answer).await?;
            answer.map_err(|mut error| {
                let unsent = error.take_message().map(Box::new);
                Failure { error: SendError::of_exchange(Phase::Answer, error.error()), unsent }
            })?
        };
        let mut answer = Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: Vec::new(),
            is_cut: false,
        };
        if matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            return Err(SendError::Redirect { status: answer.status, host: new_host(&answer) }.into());
        }
        let mut reading = pin!(read(response, to.answer_limit));
        let body = async {
            if is_driven {
                tokio::select! {
                    body = &mut reading => return body,
                    _ = &mut open.driver => is_driven = false,
                }
            }
            reading.await
        };
        let body = deadline.within(Phase::Body, to.timeouts.whole, body).await?;
        (answer.body, answer.is_cut) = body.map_err(|error| SendError::of_exchange(Phase::Body, &error))?;
        if is_driven && !answer.is_cut && !open.sender.is_closed() {
            to.idle.put(open);
        }
        Ok(answer)
    }
}

/// Why an exchange failed, and the request if none of it was sent.
struct Failure {
    error: SendError,
    unsent: Option<Box<hyper::Request<Full<Bytes>>>>,
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        Self { error, unsent: None }
    }
}

/// The request in hyper's form.
fn written(to: &Destination, request: Request) -> Result<hyper::Request<Full<Bytes>>, SendError> {
    let target: Uri =
        to.target(request.path.as_deref()).parse().map_err(|_| SendError::Request("its path is not one"))?;
    let mut built = hyper::Request::new(Full::new(Bytes::from(request.body)));
    *built.method_mut() = request.method;
    *built.uri_mut() = target;
    let headers = built.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("squirrel/", env!("CARGO_PKG_VERSION"))));
    for (name, value) in request.headers {
        let value = HeaderValue::from_str(&value).map_err(|_| SendError::Request("a header's value is not one"))?;
        let name = hyper::header::HeaderName::from_bytes(name.as_bytes());
        headers.insert(name.map_err(|_| SendError::Request("a header's name is not one"))?, value);
    }
    for (name, value) in &to.headers {
        headers.insert(name, value.clone());
    }
    let host = HeaderValue::from_str(&to.authority()).map_err(|_| SendError::Request("its host is not one"))?;
    headers.insert(HOST, host);
    Ok(built)
}

/// Connects to the first address that takes it; each but the last has its share of the time.
async fn tcp(addresses: &[SocketAddr], limit: Duration) -> Result<TcpStream, SendError> {
    let share = limit / u32::try_from(addresses.len().max(1)).unwrap_or(1);
    let mut failed = SendError::NotFound("it has no address".to_owned());
    for address in addresses {
        let reason = match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Requests are written whole; waiting for more to send would only delay their ends.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => crate::secret::in_words(&error),
            Err(_) if addresses.len() == 1 => {
                return Err(SendError::Timeout { phase: Phase::Connect, after: limit });
            }
            Err(_) => format!("no connection within {} s", share.as_secs_f64()),
        };
        failed = SendError::Connect { address: address.ip(), reason };
    }
    Err(failed)
}

/// The body up to a limit, and whether there was more.
async fn read(response: Response<Incoming>, limit: usize) -> Result<(Vec<u8>, bool), hyper::Error> {
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let room = limit - body.len();
        body.extend_from_slice(data.get(..room).unwrap_or(&data));
        if data.len() > room {
            return Ok((body, true));
        }
    }
    Ok((body, false))
}

fn new_host(answer: &Answer) -> Option<String> {
    let location: Uri = answer.headers.get(LOCATION)?.to_str().ok()?.parse().ok()?;
    location.host().map(|host| host.chars().take(253).collect())
}
