//! One request and its answer.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{Either, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::{request, response};
use hyper::{Request, Response, StatusCode, Uri, client};
use hyper_util::rt::TokioIo;
use squirrel_monitor::{ByteCounter, Inspection, MessageDirection};
use squirrel_sys::clock;
use tokio::net::TcpStream;

use super::body::{Framing, Watched};
use super::event::EventLine;
use super::{Shared, guard};

/// What a client is answered with.
pub(super) type Answer = Response<Either<Watched, Full<Bytes>>>;

/// What belongs to one connection and is not passed on (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 7] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What the inspector is shown of one exchange: the octets of HTTP/1.1 that the head and the pieces of the bodies
/// would be.
pub(super) struct Exchange {
    inspection: Mutex<Inspection>,
    to_server: ByteCounter,
    to_client: ByteCounter,
}

impl Exchange {
    fn begin(shared: &Arc<Shared>) -> Option<Arc<Self>> {
        // It was tried when the proxy began; whatever fails now must not stop what passes.
        let mut inspection = shared.monitor.inspection().ok()?;
        if let Some(events) = shared.events.clone() {
            let start = shared.start;
            inspection = inspection.observed_by(move |event| {
                if let Some(line) = EventLine::of(event, start.elapsed().0) {
                    // Who reads too slowly loses lines and delays nobody.
                    let _ = events.try_send(line);
                }
            });
        }
        let (to_server, to_client) = (shared.monitor.bytes_received(), shared.monitor.bytes_transmitted());
        Some(Arc::new(Self { inspection: Mutex::new(inspection), to_server, to_client }))
    }

    /// Shows octets of a head or what frames a body.
    pub(super) fn show(&self, octets: &[u8], direction: MessageDirection) {
        let mut inspection = self.inspection.lock().unwrap_or_else(PoisonError::into_inner);
        inspection.stream(octets, direction, clock::now());
    }

    /// Shows a piece of a body.
    pub(super) fn piece(&self, piece: &[u8], framing: Framing, direction: MessageDirection) {
        let counter = if direction == MessageDirection::Received { &self.to_server } else { &self.to_client };
        counter.record(piece.len() as u64);
        // A chunk of nothing would be the last.
        if piece.is_empty() {
            return;
        }
        if framing == Framing::Chunked {
            let mut size = [0; 20];
            let room = size.len();
            let mut rest = size.as_mut_slice();
            // Sixteen digits and a line's end have room.
            let _ = write!(rest, "{:x}\r\n", piece.len());
            let length = room - rest.len();
            self.show(size.get(..length).unwrap_or_default(), direction);
        }
        self.show(piece, direction);
        if framing == Framing::Chunked {
            self.show(b"\r\n", direction);
        }
    }

    pub(super) fn end(&self, direction: MessageDirection) {
        self.inspection.lock().unwrap_or_else(PoisonError::into_inner).end(direction, clock::now());
    }

    fn request_head(&self, parts: &request::Parts, body: &Incoming) -> Framing {
        let framing = Framing::of_request(parts, body);
        self.head(format!("{} /", parts.method), " HTTP/1.1", &parts.headers, framing, MessageDirection::Received);
        framing
    }

    fn answer_head(&self, parts: &response::Parts, body: &Incoming) -> Framing {
        let framing = Framing::of_answer(parts, body);
        let first = format!("HTTP/1.1 {}", parts.status.as_u16());
        self.head(first, "", &parts.headers, framing, MessageDirection::Sent);
        framing
    }

    /// What an inspector reads of a head, in the framing in which it is shown the body.
    fn head(&self, first: String, rest: &str, headers: &HeaderMap, framing: Framing, direction: MessageDirection) {
        let mut head = first.into_bytes();
        head.extend_from_slice(rest.as_bytes());
        head.extend_from_slice(b"\r\n");
        let told =
            |name: &HeaderName| name == CONTENT_TYPE || name == CONTENT_ENCODING || name.as_str().starts_with("mcp-");
        for (name, value) in headers.iter().filter(|(name, _)| told(name)) {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                head.extend_from_slice(part);
            }
        }
        match framing {
            Framing::Length(length) => head.extend(format!("content-length: {length}\r\n").bytes()),
            Framing::Chunked => head.extend_from_slice(b"transfer-encoding: chunked\r\n"),
            Framing::UntilClose | Framing::None => {}
        }
        head.extend_from_slice(b"\r\n");
        self.show(&head, direction);
    }
}

/// Passes a request on and its answer back. Never fails: what goes wrong is an answer too.
pub(super) async fn pass(request: Request<Incoming>, shared: Arc<Shared>) -> Answer {
    if let Some((status, message)) = guard::refusal(request.headers(), shared.is_loopback) {
        return told(status, message.to_owned());
    }
    let Some(exchange) = Exchange::begin(&shared) else {
        return told(StatusCode::INTERNAL_SERVER_ERROR, "The inspector is gone.\n".to_owned());
    };
    match forward(request, &shared, &exchange).await {
        Ok(answer) => answer,
        Err(error) => {
            exchange.show(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", MessageDirection::Sent);
            told(StatusCode::BAD_GATEWAY, format!("The server {} does not answer: {error}\n", shared.options.to))
        }
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn forward(
    request: Request<Incoming>,
    shared: &Arc<Shared>,
    exchange: &Arc<Exchange>,
) -> Result<Answer, Failure> {
    let (mut parts, body) = request.into_parts();
    let framing = exchange.request_head(&parts, &body);
    let target = &shared.options.to;
    parts.uri = Uri::from(target.path(&parts.uri));
    strip(&mut parts.headers);
    parts.headers.insert(HOST, HeaderValue::from_str(target.authority().as_str())?);
    let body = Watched::new(body, exchange, framing, MessageDirection::Received).within(shared.options.patience);

    let stream = connect(shared).await?;
    let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer's body, or when the client's connection drops it.
    tokio::spawn(connection);
    let (mut parts, body) = sender.send_request(Request::from_parts(parts, body)).await?.into_parts();
    let framing = exchange.answer_head(&parts, &body);
    strip(&mut parts.headers);
    let body = Watched::new(body, exchange, framing, MessageDirection::Sent);
    Ok(Response::from_parts(parts, Either::Left(body)))
}

async fn connect(shared: &Arc<Shared>) -> Result<TcpStream, Failure> {
    let start = clock::Monotonic::start();
    let connecting = TcpStream::connect(shared.options.to.address());
    let outcome = tokio::time::timeout(shared.options.connect_within, connecting).await;
    let recorder = shared.monitor.recorder();
    recorder.record_connection_attempt(matches!(outcome, Ok(Ok(_))), start.elapsed().0);
    let stream = outcome.map_err(|_| "no connection in time")??;
    // A failure costs some latency and nothing else.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Takes out what belongs to the connection that a message came by.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

fn told(status: StatusCode, message: String) -> Answer {
    let mut answer = Response::new(Either::Right(Full::new(Bytes::from(message))));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

impl Framing {
    fn of_request(parts: &request::Parts, body: &Incoming) -> Self {
        match body.size_hint().exact() {
            Some(0) if !parts.headers.contains_key(TRANSFER_ENCODING) => Self::None,
            Some(length) => Self::Length(length),
            None => Self::Chunked,
        }
    }

    /// A stream of events may end at any time, and that is no fault.
    fn of_answer(parts: &response::Parts, body: &Incoming) -> Self {
        let kind = parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let is_stream = kind.get(..17).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/event-stream"));
        match body.size_hint().exact() {
            _ if is_stream => Self::UntilClose,
            Some(length) => Self::Length(length),
            None => Self::Chunked,
        }
    }
}
