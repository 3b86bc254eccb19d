//! A TCP server: whether it takes connections, speaks TLS, and says what it should.

mod lines;

use std::fmt;
use std::time::Duration;

use regex::bytes::{Captures, Regex};
use squirrel_model::{Labels, Untrusted};
use squirrel_outbound::TlsOptions;
use tokio::io::AsyncWriteExt as _;

use crate::checker::{Asked, Checker};
use crate::finding::{Failed, Notes, hex, label_value};
use crate::metrics;
use crate::reach::{Reach, host_and_port, in_words};
use crate::tls::{self, Stream};
use lines::Lines;

/// Octets that are sent at once at most, after patterns were filled in.
const LONGEST_SENT: usize = 64 << 10;

/// What is looked at of a TCP server.
#[derive(Debug, Default)]
pub struct TcpCheck {
    /// Which address.
    pub reach: Reach,
    /// TLS from the first octet on; without it only after [`Exchange::start_tls`].
    pub is_tls: bool,
    /// Whom to believe.
    pub tls: TlsOptions,
    /// What is said, step by step.
    pub exchanges: Vec<Exchange>,
}

/// A step of the conversation: what is waited for, then what is said, then TLS.
#[derive(Default)]
pub struct Exchange {
    /// What is waited for.
    pub expect: Option<Expect>,
    /// Said then, with a line's end after it; `${1}` stands for what the pattern found. Empty for nothing.
    pub send: String,
    /// TLS begins after that.
    pub start_tls: bool,
}

/// What is waited for.
#[derive(Debug)]
pub enum Expect {
    /// A line in which the pattern is found; lines before it are passed over.
    Line {
        /// The pattern.
        pattern: Regex,
        /// Labels of `probe_expect_info`: name, and value, where `${1}` stands for what the pattern found.
        labels: Vec<(String, String)>,
    },
    /// Exactly these octets.
    Octets(Vec<u8>),
}

/// Without what is said, which may be a password.
impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("expect", &self.expect)
            .field("octets_to_send", &self.send.len())
            .field("start_tls", &self.start_tls)
            .finish()
    }
}

impl TcpCheck {
    pub(crate) async fn run(&self, checker: &Checker, asked: &Asked<'_>, notes: &mut Notes) -> Result<(), Failed> {
        let (host, port) = host_and_port(asked.target, None)?;
        let (address, _): (_, Duration) = checker.way().address(&host, port, self.reach, notes).await?;
        let stream = self.reach.connect(address).await?;
        notes.say(&format!("connected to {address}"));
        notes.set(&metrics::FAILED_DUE_TO_REGEX, 0.0);
        notes.set(&metrics::FAILED_DUE_TO_BYTES, 0.0);
        let host = asked.hostname.map_or(host, str::to_owned);
        let mut stream: Box<dyn Stream> = Box::new(stream);
        if self.is_tls {
            stream = self.start_tls(checker, &host, stream, notes).await?;
        }
        let mut lines = Lines::new(stream);
        for exchange in &self.exchanges {
            let mut send = exchange.send.clone().into_bytes();
            match &exchange.expect {
                Some(Expect::Line { pattern, labels }) => {
                    let line = expected_line(&mut lines, pattern, notes).await?;
                    if let Some(found) = pattern.captures(&line) {
                        send = filled(&found, &exchange.send);
                        if !labels.is_empty() {
                            note_labels(&found, labels, notes)?;
                        }
                    }
                }
                Some(Expect::Octets(expected)) => expected_octets(&mut lines, expected, notes).await?,
                None => {}
            }
            if !exchange.send.is_empty() {
                send.truncate(LONGEST_SENT);
                send.push(b'\n');
                let stream = lines.stream();
                let said = async {
                    stream.write_all(&send).await?;
                    stream.flush().await
                };
                said.await.map_err(|error| Failed::new(format!("{address}: {}", in_words(&error))))?;
            }
            if exchange.start_tls {
                let (stream, unread) = lines.into_stream();
                if unread > 0 {
                    // Else it would be taken for something said within TLS.
                    notes.say(&format!("{unread} octets that the server said before TLS are not looked at"));
                }
                lines = Lines::new(self.start_tls(checker, &host, stream, notes).await?);
            }
        }
        Ok(())
    }

    async fn start_tls(
        &self,
        checker: &Checker,
        host: &str,
        stream: Box<dyn Stream>,
        notes: &mut Notes,
    ) -> Result<Box<dyn Stream>, Failed> {
        let stream = tls::handshake(stream, host, &self.tls, &checker.roots, &[]).await?;
        notes.say("TLS is agreed on");
        tls::note(&stream, &self.tls, false, notes);
        Ok(Box::new(stream))
    }
}

async fn expected_line(lines: &mut Lines, pattern: &Regex, notes: &mut Notes) -> Result<Vec<u8>, Failed> {
    let mut last = None;
    while let Some(line) = lines.next().await? {
        notes.say(&format!("it says: {}", String::from_utf8_lossy(&line)));
        if pattern.is_match(&line) {
            notes.set(&metrics::FAILED_DUE_TO_REGEX, 0.0);
            return Ok(line);
        }
        last = Some(line);
    }
    notes.set(&metrics::FAILED_DUE_TO_REGEX, 1.0);
    let last = last.map_or("nothing was said".to_owned(), |line| {
        format!("the last line was {:.200}", Untrusted(&String::from_utf8_lossy(&line)).to_string())
    });
    Err(Failed::new(format!("no line matches {pattern} before the server closed the connection; {last}")))
}

async fn expected_octets(lines: &mut Lines, expected: &[u8], notes: &mut Notes) -> Result<(), Failed> {
    let found = lines.octets(expected.len()).await?;
    if found == expected {
        notes.set(&metrics::FAILED_DUE_TO_BYTES, 0.0);
        return Ok(());
    }
    notes.set(&metrics::FAILED_DUE_TO_BYTES, 1.0);
    let shown = |octets: &[u8]| hex(octets.get(..64).unwrap_or(octets));
    Err(Failed::new(format!("expected the octets {}, got {}", shown(expected), shown(&found))))
}

fn filled(found: &Captures<'_>, template: &str) -> Vec<u8> {
    let mut out = Vec::new();
    found.expand(template.as_bytes(), &mut out);
    out
}

fn note_labels(found: &Captures<'_>, labels: &[(String, String)], notes: &mut Notes) -> Result<(), Failed> {
    let pairs =
        labels.iter().map(|(name, value)| (name.clone(), label_value(&String::from_utf8_lossy(&filled(found, value)))));
    let labels = Labels::new(pairs).map_err(|error| Failed::new(format!("labels of the pattern: {error}")))?;
    notes.set_labelled(&metrics::EXPECT_INFO, &labels, 1.0);
    Ok(())
}
