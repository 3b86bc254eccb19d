//! A question and its answer over each transport.

use std::net::SocketAddr;

use squirrel_wire::dns::Message;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use super::{DnsCheck, DnsTransport};
use crate::checker::Checker;
use crate::finding::{Failed, Notes};
use crate::metrics;
use crate::reach::in_words;
use crate::tls::{self, Stream};

/// Octets of the longest datagram.
const LONGEST_DATAGRAM: usize = 65_535;
/// Datagrams to nobody's question that are passed over before the server is given up.
const MOST_STRANGE: usize = 100;

/// Asks, and notes how long each phase took.
pub(super) async fn ask(
    check: &DnsCheck,
    checker: &Checker,
    (host, address): (&str, SocketAddr),
    query: &[u8],
    notes: &mut Notes,
) -> Result<Vec<u8>, Failed> {
    let begin = Instant::now();
    let broken = |error: std::io::Error| Failed::new(format!("{address}: {}", in_words(&error)));
    if matches!(check.transport, DnsTransport::Udp) {
        let socket = check.reach.datagrams(address).await?;
        notes.add_phase(&metrics::DNS_DURATION, "connect", begin.elapsed());
        let begin = Instant::now();
        socket.send(query).await.map_err(broken)?;
        let mut buffer = vec![0; LONGEST_DATAGRAM];
        for _ in 0..MOST_STRANGE {
            let length = socket.recv(&mut buffer).await.map_err(broken)?;
            buffer.truncate(length);
            if answers(query, &buffer) {
                notes.add_phase(&metrics::DNS_DURATION, "request", begin.elapsed());
                return Ok(buffer);
            }
            notes.say("a datagram that answers another question is passed over");
            buffer.resize(LONGEST_DATAGRAM, 0);
        }
        return Err(Failed::new(format!("{address} answers nothing but other questions")));
    }
    let stream = check.reach.connect(address).await?;
    let mut stream: Box<dyn Stream> = match &check.transport {
        DnsTransport::Tls(options) => Box::new(tls::handshake(stream, host, options, &checker.roots, &[]).await?),
        DnsTransport::Udp | DnsTransport::Tcp => Box::new(stream),
    };
    notes.add_phase(&metrics::DNS_DURATION, "connect", begin.elapsed());
    let begin = Instant::now();
    let conversation = async {
        // Length and question in one write: some servers want them in one segment.
        let length = u16::try_from(query.len()).unwrap_or(u16::MAX).to_be_bytes();
        stream.write_all(&[&length, query].concat()).await?;
        stream.flush().await?;
        let length = usize::from(stream.read_u16().await?);
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    };
    let answer: Vec<u8> = conversation.await.map_err(|error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Failed::new(format!("{address} closed the connection within its answer")),
        _ => broken(error),
    })?;
    notes.add_phase(&metrics::DNS_DURATION, "request", begin.elapsed());
    if answers(query, &answer) { Ok(answer) } else { Err(Failed::new(format!("{address} answers another question"))) }
}

/// Whether it is an answer to this question, by its number and name: another one may be made up. Servers that refuse
/// early repeat no question.
fn answers(query: &[u8], answer: &[u8]) -> bool {
    let (Ok(asked), Ok(answered)) = (Message::parse(query), Message::parse(answer)) else {
        // What cannot be read is told as such, if at least its number is right.
        return answer.get(..2) == query.get(..2);
    };
    let is_same = match (asked.question, answered.question) {
        (Some(asked), Some(answered)) => {
            asked.name.is_same(&answered.name)
                && (asked.record_type, asked.class) == (answered.record_type, answered.class)
        }
        _ => true,
    };
    is_same && answered.header.is_answer && asked.header.id == answered.header.id
}
