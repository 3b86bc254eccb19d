//! The body of an answer: counted, unpacked, and kept where patterns need it, all within its limit.

use std::io::{self, Write};

use flate2::write::{DeflateDecoder, GzDecoder};
use squirrel_outbound::{Phase, SendError};

use super::conversation::Driven;
use crate::finding::Failed;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip (RFC 1952).
    Gzip,
    /// Deflate without a frame around it (RFC 1951), as blackbox_exporter understands the word.
    Deflate,
    /// Not at all.
    Identity,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Octets, unpacked.
    pub(super) length: u64,
    /// The octets, where they were to be kept.
    pub(super) kept: Vec<u8>,
    limit: u64,
    keep: bool,
}

/// Takes unpacked octets, and refuses those over the limit: so that a small body that unpacks into a huge one ends there.
impl Write for Read {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let room = usize::try_from(self.limit - self.length).unwrap_or(usize::MAX);
        let fitting = octets.get(..room).unwrap_or(octets);
        self.length += fitting.len() as u64;
        if self.keep {
            self.kept.extend_from_slice(fitting);
        }
        if fitting.len() < octets.len() { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(octets.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Unpacker {
    Gzip(GzDecoder<Read>),
    Deflate(DeflateDecoder<Read>),
    Plain(Read),
}

impl Unpacker {
    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(unpacker) => unpacker.write_all(octets),
            Self::Deflate(unpacker) => unpacker.write_all(octets),
            Self::Plain(read) => read.write_all(octets),
        }
    }

    /// Says whether it was whole.
    fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(unpacker) => unpacker.try_finish(),
            Self::Deflate(unpacker) => unpacker.try_finish(),
            Self::Plain(_) => Ok(()),
        }
    }

    fn into_read(mut self) -> Read {
        std::mem::take(match &mut self {
            Self::Gzip(unpacker) => unpacker.get_mut(),
            Self::Deflate(unpacker) => unpacker.get_mut(),
            Self::Plain(read) => read,
        })
    }
}

/// Reads a body to its end, or to what is wrong with it.
pub(super) async fn read(
    mut body: Driven,
    compression: Option<Compression>,
    limit: u64,
    keep: bool,
) -> (Read, Result<(), Failed>) {
    let read = Read { limit, keep, ..Read::default() };
    let mut unpacker = match compression {
        Some(Compression::Gzip) => Unpacker::Gzip(GzDecoder::new(read)),
        Some(Compression::Deflate) => Unpacker::Deflate(DeflateDecoder::new(read)),
        Some(Compression::Identity) | None => Unpacker::Plain(read),
    };
    let mut packed = 0_u64;
    let mut result = Ok(());
    while let Some(frame) = std::future::poll_fn(|context| body.poll_frame(context)).await {
        let piece = match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(piece)) => piece,
            Ok(Err(_trailers)) => continue,
            Err(error) => {
                result = Err(Failed::new(SendError::of_exchange(Phase::Body, &error).to_string()));
                break;
            }
        };
        packed += piece.len() as u64;
        let written = if packed > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { unpacker.write(&piece) };
        if let Err(error) = written {
            // What fits is counted, whatever it is packed in.
            if matches!(unpacker, Unpacker::Plain(_)) {
                let _ = unpacker.write(&piece);
            }
            result = Err(unpacking(&error, limit));
            break;
        }
    }
    if result.is_ok() {
        result = unpacker.finish().map_err(|error| unpacking(&error, limit));
    }
    (unpacker.into_read(), result)
}

fn unpacking(error: &io::Error, limit: u64) -> Failed {
    match error.kind() {
        io::ErrorKind::FileTooLarge => Failed::new(format!("the body is longer than {limit} octets")),
        _ => Failed::new("the body cannot be unpacked: it is not packed as the module says, or it is cut"),
    }
}
