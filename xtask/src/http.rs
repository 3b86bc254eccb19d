//! As much HTTP as is needed to ask a program on this machine.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// An answer: its status and its body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Gets `path` from a server on this machine, not compressed.
pub(crate) fn get(server: SocketAddr, path: &str) -> Result<Answer> {
    ask(server, path, "identity")
}

/// Gets `path` as a browser would: compressed when the server can.
pub(crate) fn get_compressed(server: SocketAddr, path: &str) -> Result<Answer> {
    ask(server, path, "gzip, deflate, br, zstd")
}

/// HTTP/1.0, so that the answer comes in one piece.
fn ask(server: SocketAddr, path: &str, encoding: &str) -> Result<Answer> {
    let limit = Duration::from_mins(1);
    let mut stream = TcpStream::connect_timeout(&server, limit)?;
    stream.set_read_timeout(Some(limit))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {server}\r\nAccept: */*\r\nAccept-Encoding: {encoding}\r\n\r\n")?;
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets)?;
    parse(&octets).with_context(|| format!("http://{server}{path} gave no HTTP answer"))
}

fn parse(octets: &[u8]) -> Option<Answer> {
    let end = octets.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&octets[..end]).ok()?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some(Answer { status, body: octets[end + 4..].to_vec() })
}

/// A port of 127.0.0.1 that nobody uses at this moment.
pub(crate) fn free_port() -> Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no port of 127.0.0.1 can be bound")?;
    Ok(listener.local_addr()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_cut_into_status_and_body() {
        let answer = parse(b"HTTP/1.0 503 Service Unavailable\r\nA: b\r\n\r\nnot yet\n").expect("parses");
        assert_eq!((answer.status, answer.body.as_slice()), (503, b"not yet\n".as_slice()));
        assert!(parse(b"HTTP/1.0 200 OK\r\n").is_none());
    }
}
