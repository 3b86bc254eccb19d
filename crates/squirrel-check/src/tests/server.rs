//! Servers that do what the test wrote down, on ports of the system's choice; they end with the test's runtime.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1 as http1_server, http2 as http2_server};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use squirrel_testkit::{Connections, Identity, Octets, take_connections};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

/// What a server does with a connection.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Says this and closes.
    Say(Vec<u8>),
    /// Says this, waits for one line, says the next, and so on; then closes.
    Converse(Vec<&'static str>),
    /// As the first, and then says nothing and does not close.
    Hang(Vec<u8>),
    /// Says this over and over.
    Endless(&'static [u8]),
    /// Reads a request of HTTP, answers with this, and closes.
    Answer(Vec<u8>),
    /// Reads a request of HTTP, answers with the head, and then says this over and over.
    EndlessAnswer(&'static str, &'static [u8]),
}

impl Act {
    pub(crate) fn say(text: &str) -> Self {
        Self::Say(text.into())
    }

    pub(crate) fn ok(body: &str) -> Self {
        Self::Answer(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes())
    }

    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        let head = format!("HTTP/1.1 {status} There\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        Self::Answer(head.into_bytes())
    }
}

/// A server of TCP.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Connections,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start(tls: Option<TlsAcceptor>, act: Act) -> Self {
        let heard = Arc::default();
        let ear = Arc::clone(&heard);
        let connections = take_connections(tls, move |stream| {
            let (act, ear) = (act.clone(), Arc::clone(&ear));
            async move {
                // Who is gone needs no answer.
                let _ = serve(stream, act, &ear).await;
            }
        });
        let connections = connections.await;
        Self { address: connections.address, connections, heard }
    }

    pub(crate) fn target(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.count()
    }

    /// What clients said.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn serve(mut stream: Box<dyn Octets>, act: Act, ear: &Mutex<Vec<String>>) -> std::io::Result<()> {
    match act {
        Act::Say(octets) => stream.write_all(&octets).await?,
        Act::Hang(octets) => {
            stream.write_all(&octets).await?;
            stream.flush().await?;
            std::future::pending::<()>().await;
        }
        Act::Endless(piece) => loop {
            stream.write_all(piece).await?;
        },
        Act::Converse(lines) => {
            for line in lines {
                stream.write_all(line.as_bytes()).await?;
                stream.flush().await?;
                let answer = until(&mut stream, b"\n").await?;
                ear.lock().unwrap().push(answer);
            }
        }
        Act::Answer(octets) => {
            request(&mut stream, ear).await?;
            stream.write_all(&octets).await?;
        }
        Act::EndlessAnswer(head, piece) => {
            request(&mut stream, ear).await?;
            stream.write_all(head.as_bytes()).await?;
            loop {
                stream.write_all(piece).await?;
            }
        }
    }
    stream.shutdown().await
}

async fn request(stream: &mut Box<dyn Octets>, ear: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut head = until(stream, b"\r\n\r\n").await?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    head.push_str(&String::from_utf8_lossy(&body));
    ear.lock().unwrap().push(head);
    Ok(())
}

async fn until(stream: &mut Box<dyn Octets>, end: &[u8]) -> std::io::Result<String> {
    let mut octets = Vec::new();
    while !octets.ends_with(end) {
        match stream.read_u8().await {
            Ok(octet) => octets.push(octet),
            Err(_) => break,
        }
    }
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// A web server that speaks HTTP/2 and HTTP/1.1, and answers with what it was asked.
pub(crate) async fn http2(identity: &Identity) -> SocketAddr {
    let acceptor = identity.acceptor_of(None, &["h2", "http/1.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let stream = TokioIo::new(stream);
                let served = if is_http2 {
                    http2_server::Builder::new(TokioExecutor::new()).serve_connection(stream, service_fn(echoed)).await
                } else {
                    http1_server::Builder::new().serve_connection(stream, service_fn(echoed)).await
                };
                drop(served);
            });
        }
    });
    address
}

/// The request in words: its host as both versions have it.
async fn echoed(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let host = request.uri().authority().map(ToString::to_string);
    let host = host.or_else(|| Some(request.headers().get("host")?.to_str().ok()?.to_owned()));
    let body =
        format!("{} {} {:?} {}", request.method(), request.uri().path(), request.version(), host.unwrap_or_default());
    Ok(Response::new(Full::new(Bytes::from(body))))
}

/// A server of UDP that answers each datagram with what `answers` makes of it.
pub(crate) async fn datagrams(answers: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            for answer in answers(&buffer[..length]) {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    address
}
