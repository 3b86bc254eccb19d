//! A receiver that answers as it is told, badly too.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the receiver does with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    /// Answers with this head (after `HTTP/1.1 `) and body.
    Says(&'static str, &'static [u8]),
    /// Says nothing, and keeps the connection.
    Hangs,
    /// Ends the connection in the middle of the answer's head.
    Cuts,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split(':').next().is_some_and(|known| known.eq_ignore_ascii_case(name));
        self.head.lines().find(named).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }

    pub(crate) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    seen: mpsc::Receiver<Seen>,
}

impl Receiver {
    /// Answers by this list; its last reply is repeated.
    pub(crate) async fn start(replies: &[Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("it listens");
        let (sender, seen) = mpsc::channel(1_000);
        let replies = replies.to_vec();
        tokio::spawn(async move {
            let mut held = Vec::new();
            for index in 0.. {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                let Some(request) = read(&mut stream).await else { continue };
                // Before the answer, so that whoever was answered is in the list. Whoever does not listen any more has
                // seen enough.
                let _ = sender.send(request).await;
                let reply = replies.get(index).or(replies.last()).copied().unwrap_or(Reply::Hangs);
                match reply {
                    Reply::Says(head, body) => {
                        let head =
                            format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                        let _ = stream.write_all(&[head.as_bytes(), body].concat()).await;
                    }
                    Reply::Hangs => held.push(stream),
                    Reply::Cuts => drop(stream.write_all(b"HTTP/1.1 200 O").await),
                }
            }
        });
        Self { address, seen }
    }

    /// The next request; it must come.
    pub(crate) async fn next(&mut self) -> Seen {
        let next = tokio::time::timeout(Duration::from_mins(1), self.seen.recv());
        next.await.expect("a request within a minute").expect("the receiver runs")
    }

    /// The requests that have come since.
    pub(crate) fn rest(&mut self) -> Vec<Seen> {
        std::iter::from_fn(|| self.seen.try_recv().ok()).collect()
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut octets = Vec::new();
    loop {
        if let Some(end) = octets.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(octets[..end].to_vec()).ok()?;
            let body = octets[end + 4..].to_vec();
            let mut seen = Seen { head, body };
            let length: usize = seen.header("content-length")?.parse().ok()?;
            let have = seen.body.len();
            seen.body.resize(length, 0);
            stream.read_exact(&mut seen.body[have..]).await.ok()?;
            return Some(seen);
        }
        if stream.read_buf(&mut octets).await.ok()? == 0 {
            return None;
        }
    }
}
