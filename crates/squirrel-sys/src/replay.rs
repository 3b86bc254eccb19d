//! Answers from a recorded folder.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use squirrel_wire::netlink::Messages;

use crate::recording::{BYTE_ORDER, ERRORS_FILE, KERNEL_FILE, Question};
use crate::{Kernel, Netlink, SysError};

/// A kernel made of a folder that a [`Recorder`](crate::Recorder) wrote, on this host or another. The form
/// of the folder is described in `recording.rs`.
///
/// What failed while recording fails in the same way here. What was not asked then is absent.
#[derive(Clone, Debug)]
pub struct Replay {
    folder: PathBuf,
    release: String,
    errors: HashMap<Question, Failure>,
}

#[derive(Clone, Debug)]
struct Failure {
    errno: i32,
    text: String,
}

/// Why a folder cannot be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A file that every recording has cannot be read.
    #[error("{path} cannot be read: {source}; is this folder a finished recording?")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
    /// A line of a file does not have the recorded form.
    #[error("{path}, line {line}: {reason}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Which line, counted from one.
        line: usize,
        /// What was expected.
        reason: &'static str,
    },
    /// The recorded host has the other byte order.
    #[error("{0} was recorded on a host of another byte order; replay it on one of the same order")]
    ByteOrder(PathBuf),
}

impl Replay {
    /// Opens a recorded folder.
    ///
    /// # Errors
    /// When it is not a finished recording, or was made on a host of the other byte order.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, ReplayError> {
        let folder = folder.into();
        let about = read_text(&folder.join(KERNEL_FILE))?;
        let field = |name| about.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if field("byte order:").is_some_and(|order| order != BYTE_ORDER) {
            return Err(ReplayError::ByteOrder(folder));
        }
        let release = field("release:").unwrap_or("unknown").to_owned();
        let errors_path = folder.join(ERRORS_FILE);
        let mut errors = HashMap::new();
        for (i, line) in read_text(&errors_path)?.lines().enumerate() {
            let (question, failure) = parse_error_line(line).ok_or(ReplayError::Malformed {
                path: errors_path.clone(),
                line: i + 1,
                reason: "expected a name, an error number and a text, separated by tabs",
            })?;
            errors.insert(question, failure);
        }
        Ok(Self { folder, release, errors })
    }

    /// The release of the recorded kernel, such as `6.1.0-18-amd64`.
    pub fn release(&self) -> &str {
        &self.release
    }

    fn answer(&self, question: &Question) -> io::Result<Vec<u8>> {
        if let Some(failure) = self.errors.get(question) {
            return Err(match failure.errno {
                0 => io::Error::other(failure.text.clone()),
                errno => io::Error::from_raw_os_error(errno),
            });
        }
        std::fs::read(question.path_in(&self.folder)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => io::Error::new(
                io::ErrorKind::NotFound,
                format!("the recording {} does not hold it: it was not asked for", self.folder.display()),
            ),
            _ => error,
        })
    }
}

fn read_text(path: &Path) -> Result<String, ReplayError> {
    std::fs::read_to_string(path).map_err(|source| ReplayError::Unreadable { path: path.to_owned(), source })
}

fn parse_error_line(line: &str) -> Option<(Question, Failure)> {
    let mut parts = line.splitn(3, '\t');
    let question = Question::from_errors_line(parts.next()?);
    let errno = parts.next()?.parse().ok()?;
    Some((question, Failure { errno, text: parts.next()?.to_owned() }))
}

impl Kernel for Replay {
    fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        out.clear();
        *out = self.answer(&Question::file(path)).map_err(|source| SysError::new("read", path, source))?;
        Ok(())
    }

    fn list(&self, path: &str, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        let names = self.answer(&Question::list(path)).map_err(|source| SysError::new("list", path, source))?;
        for name in names.split(|&octet| octet == b'\n').filter(|name| !name.is_empty()) {
            each(name);
        }
        Ok(())
    }

    fn link(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        out.clear();
        *out = self.answer(&Question::link(path)).map_err(|source| SysError::new("readlink", path, source))?;
        Ok(())
    }

    fn dump(
        &self,
        family: Netlink,
        message_type: u16,
        payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> Result<(), SysError> {
        let subject = || format!("{} message type {message_type}", family.name());
        let failed = |source| SysError::new("netlink dump", subject(), source);
        let recorded = self.answer(&Question::dump(family, message_type, payload)).map_err(failed)?;
        for message in Messages::new(&recorded) {
            let message = message.map_err(|malformed| failed(io::Error::new(io::ErrorKind::InvalidData, malformed)))?;
            each(message.message_type, message.payload);
        }
        Ok(())
    }

    fn ethtool(&self, interface: &str, command: &mut [u8]) -> Result<(), SysError> {
        let answer = self
            .answer(&Question::ethtool(interface, command))
            .map_err(|source| SysError::new("ethtool", interface, source))?;
        let mut recorded = answer.into_iter();
        command.fill_with(|| recorded.next().unwrap_or(0));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
