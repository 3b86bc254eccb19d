//! Bodies of remote write in a file.
//!
//! Each body (protobuf in one block of snappy, as it is posted) stands behind its length in octets, written as
//! a varint of protobuf: what protobuf's libraries call a delimited stream. A file may also be one body alone,
//! as a proxy may have kept it.

use std::io::{self, Read, Write};

use squirrel_exchange::remote_write::{self, Received, Version};
use squirrel_exchange::{DecodeError, Limits};

/// Longest body in a file; senders stay far below it.
const MOST: u64 = 64 << 20;

/// Writes one body behind its length.
///
/// # Errors
/// What the disk says.
pub fn write(out: &mut dyn Write, body: &[u8]) -> io::Result<()> {
    let mut length = body.len() as u64;
    let mut head = Vec::new();
    while length >= 0x80 {
        head.push(length as u8 | 0x80);
        length >>= 7;
    }
    head.push(length as u8);
    out.write_all(&head)?;
    out.write_all(body)
}

/// Why a file was not read on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The disk.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file ends within a body.
    #[error("body {number}, at octet {offset}: the file ends within it")]
    Cut {
        /// Which body, from 1.
        number: usize,
        /// Where it begins.
        offset: u64,
    },
    /// A body that is too long to be one.
    #[error("body {number}, at octet {offset}: {length} octets are more than a body has (64 MiB)")]
    Long {
        /// Which body, from 1.
        number: usize,
        /// Where it begins.
        offset: u64,
        /// The length that stands before it.
        length: u64,
    },
    /// A body that cannot be read.
    #[error("body {number}, at octet {offset}: {error}")]
    Body {
        /// Which body, from 1.
        number: usize,
        /// Where it begins.
        offset: u64,
        /// What is wrong.
        error: DecodeError,
    },
}

/// Reads the bodies of a file one after the other.
#[derive(Debug)]
pub struct Frames<R> {
    input: R,
    number: usize,
    offset: u64,
}

impl<R: Read> Frames<R> {
    /// From the beginning of a file.
    pub fn new(input: R) -> Self {
        Self { input, number: 0, offset: 0 }
    }

    /// The next body; `None` at the end.
    ///
    /// # Errors
    /// The disk, or a file that is none of these.
    pub fn body(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        let (number, begin) = (self.number + 1, self.offset);
        let cut = || FrameError::Cut { number, offset: begin };
        let Some(length) = self.length(begin)? else { return Ok(None) };
        if length > MOST {
            return Err(FrameError::Long { number, offset: begin, length });
        }
        let mut body = Vec::new();
        let read = (&mut self.input).take(length).read_to_end(&mut body)? as u64;
        self.offset += read;
        if read < length {
            return Err(cut());
        }
        self.number = number;
        Ok(Some(body))
    }

    fn length(&mut self, begin: u64) -> Result<Option<u64>, FrameError> {
        let mut length = 0u64;
        for shift in (0..64).step_by(7) {
            let mut octet = [0];
            if self.input.read(&mut octet)? == 0 {
                if shift == 0 {
                    return Ok(None);
                }
                return Err(FrameError::Cut { number: self.number + 1, offset: begin });
            }
            self.offset += 1;
            length |= u64::from(octet[0] & 0x7F).checked_shl(shift).unwrap_or(0);
            if octet[0] & 0x80 == 0 {
                return Ok(Some(length));
            }
        }
        Err(FrameError::Long { number: self.number + 1, offset: begin, length: u64::MAX })
    }

    /// The next body, read as remote write of whichever version it is.
    ///
    /// # Errors
    /// As [`Frames::body`], or a body that cannot be read.
    pub fn received(&mut self, limits: &Limits) -> Result<Option<Received>, FrameError> {
        let offset = self.offset;
        let Some(body) = self.body()? else { return Ok(None) };
        let number = self.number;
        received(&body, limits).map(Some).map_err(|error| FrameError::Body { number, offset, error })
    }
}

/// Reads a body of whichever version it is. The two have no field in common but reserved ones, so the one
/// that finds series is right.
///
/// # Errors
/// When it is neither.
pub fn received(body: &[u8], limits: &Limits) -> Result<Received, DecodeError> {
    let first = remote_write::decode(Version::V1, body, limits);
    match first {
        Ok(received) if !received.series.is_empty() || !received.metadata.is_empty() || !received.refused.is_none() => {
            Ok(received)
        }
        _ => remote_write::decode(Version::V2, body, limits).and_then(|received| match first {
            Err(error) if received.series.is_empty() => Err(error),
            _ => Ok(received),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use squirrel_exchange::{Metadata, Sample, Series};
    use squirrel_model::{Labels, Timestamp};

    fn body(version: Version, value: f64) -> Vec<u8> {
        let labels = Labels::new([("__name__", "up"), ("job", "oak")]).unwrap();
        let samples = vec![Sample { at: Timestamp(1_000), value, start: None }];
        remote_write::encode(version, &[Series { labels, metadata: Metadata::default(), samples }]).unwrap()
    }

    #[test]
    fn bodies_of_both_versions_come_back_in_their_order() {
        let mut file = Vec::new();
        for (index, version) in [Version::V1, Version::V2, Version::V1].into_iter().enumerate() {
            write(&mut file, &body(version, index as f64)).unwrap();
        }
        write(&mut file, &remote_write::encode(Version::V2, &[]).unwrap()).unwrap();
        let mut frames = Frames::new(file.as_slice());
        for value in 0..3 {
            let received = frames.received(&Limits::default()).unwrap().unwrap();
            assert_eq!(received.series[0].samples[0].value, f64::from(value));
        }
        assert_eq!(frames.received(&Limits::default()).unwrap().unwrap().samples(), 0);
        assert!(frames.received(&Limits::default()).unwrap().is_none());
    }

    #[test]
    fn a_file_that_is_cut_says_where() {
        let mut file = Vec::new();
        write(&mut file, &body(Version::V1, 1.0)).unwrap();
        let whole = file.len();
        write(&mut file, &body(Version::V1, 2.0)).unwrap();
        for end in 0..file.len() {
            let mut frames = Frames::new(&file[..end]);
            let first = frames.received(&Limits::default());
            if end == 0 {
                assert!(first.unwrap().is_none());
            } else if end < whole {
                assert_eq!(first.unwrap_err().to_string(), "body 1, at octet 0: the file ends within it");
            } else if end > whole {
                let error = frames.received(&Limits::default()).unwrap_err().to_string();
                assert_eq!(error, format!("body 2, at octet {whole}: the file ends within it"));
            }
        }
        let long = Frames::new(&[0xFF; 20][..]).body().unwrap_err().to_string();
        assert!(long.starts_with("body 1, at octet 0: ") && long.contains("more than a body has"), "{long}");
    }

    proptest! {
        #[test]
        fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut frames = Frames::new(octets.as_slice());
            while let Ok(Some(_)) = frames.received(&Limits::default()) {}
        }
    }
}
