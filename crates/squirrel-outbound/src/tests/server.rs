//! A server that answers each connection with what the test wrote down.

use std::net::SocketAddr;
use std::sync::Arc;

use squirrel_testkit::{Connections, Octets, take_connections};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

/// What a server does with the requests of a connection.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Answers each request with these octets.
    Answer(Vec<u8>),
    /// Answers the first request, reads the second, and closes.
    AnswerOnce(Vec<u8>),
    /// Writes these octets, and then this text for ever.
    Endless(Vec<u8>, &'static [u8]),
    /// Writes these octets, whatever is said, and closes.
    Interrupt(Vec<u8>),
    /// Writes these octets and waits for ever.
    Hang(Vec<u8>),
}

pub(super) fn ok(body: &str) -> Act {
    Act::Answer(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

/// A server on a port of the system's choice; ends with the test's runtime.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    connections: Connections,
    requests: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Server {
    pub(super) async fn start(tls: Option<TlsAcceptor>, act: Act) -> Self {
        let requests = Arc::default();
        let seen = Arc::clone(&requests);
        let connections = take_connections(tls, move |stream| {
            let (act, seen) = (act.clone(), Arc::clone(&seen));
            async move { converse(stream, act, &seen).await }
        });
        let connections = connections.await;
        Self { address: connections.address, connections, requests }
    }

    pub(super) fn url(&self, scheme: &str, host: &str) -> String {
        format!("{scheme}://{host}:{}/", self.address.port())
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.count()
    }

    /// The heads and bodies that came.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn converse(mut stream: Box<dyn Octets>, act: Act, seen: &std::sync::Mutex<Vec<String>>) {
    if let Act::Interrupt(octets) = &act {
        let _ = stream.read(&mut [0; 4_096]).await;
        let _ = stream.write_all(octets).await;
        let _ = stream.shutdown().await;
        return;
    }
    let mut answered = false;
    while let Some(request) = request(&mut stream).await {
        seen.lock().unwrap().push(request);
        let result = match &act {
            Act::Interrupt(_) => return,
            Act::AnswerOnce(_) if answered => return,
            Act::Answer(octets) | Act::AnswerOnce(octets) => stream.write_all(octets).await,
            Act::Endless(head, piece) => {
                let mut result = stream.write_all(head).await;
                while result.is_ok() {
                    result = stream.write_all(piece).await;
                }
                result
            }
            Act::Hang(octets) => {
                let _ = stream.write_all(octets).await;
                let _ = stream.flush().await;
                std::future::pending().await
            }
        };
        answered = true;
        if result.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

async fn request(stream: &mut Box<dyn Octets>) -> Option<String> {
    let mut octets = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&octets);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut octets).await.ok()? == 0 {
            return None;
        }
    }
}
