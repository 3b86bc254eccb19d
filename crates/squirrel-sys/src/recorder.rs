//! Asks another kernel and keeps what it answers in a folder.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use squirrel_model::Untrusted;
use squirrel_wire::netlink::{aligned, request_header};

use crate::recording::{BYTE_ORDER, ERRORS_FILE, KERNEL_FILE, Question};
use crate::{Kernel, Netlink, SysError};

/// A kernel that answers as the one inside does, and writes down every answer as a folder that
/// [`Replay`](crate::Replay) can answer from. The form of the folder is described in `recording.rs`.
///
/// A recording holds what was asked and no more. It may contain names and addresses of the host: tell
/// the user before he sends it to somebody.
#[derive(Debug)]
pub struct Recorder<K> {
    inner: K,
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The questions that were answered, with the length of the answer.
    answers: BTreeMap<Question, usize>,
    errors: BTreeMap<Question, (i32, String)>,
    failure: Option<RecordError>,
}

/// Why a folder cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// There is something in the folder already.
    #[error("the folder {0} is not empty: name a new one, so that two recordings do not mix")]
    NotEmpty(PathBuf),
    /// A file or folder could not be written.
    #[error("{path} cannot be written: {source}; check its owner and the free space")]
    Unwritable {
        /// Which one.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
}

/// What a finished recording holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Questions that were answered.
    pub answers: usize,
    /// Questions that failed, kept with their errors.
    pub errors: usize,
    /// Bytes of all answers.
    pub bytes: usize,
}

impl<K: Kernel> Recorder<K> {
    /// Makes the folder. `recorded` says when and on which host, in words for a person.
    ///
    /// # Errors
    /// When the folder has content already or cannot be made.
    pub fn create(inner: K, folder: impl Into<PathBuf>, recorded: &str) -> Result<Self, RecordError> {
        let folder = folder.into();
        let unwritable = |path: &Path| {
            let path = path.to_owned();
            move |source| RecordError::Unwritable { path, source }
        };
        std::fs::create_dir_all(&folder).map_err(unwritable(&folder))?;
        if std::fs::read_dir(&folder).map_err(unwritable(&folder))?.next().is_some() {
            return Err(RecordError::NotEmpty(folder));
        }
        let mut release = Vec::new();
        let release = match inner.read("/proc/sys/kernel/osrelease", &mut release) {
            Ok(()) => String::from_utf8_lossy(&release).trim().to_owned(),
            Err(error) => format!("unknown ({error})"),
        };
        let about = format!(
            "Answers of a Linux kernel, recorded by Squirrel.\nrelease: {}\nbyte order: {BYTE_ORDER}\nrecorded: {}\n",
            Untrusted(&release),
            Untrusted(recorded)
        );
        let path = folder.join(KERNEL_FILE);
        std::fs::write(&path, about).map_err(unwritable(&path))?;
        Ok(Self { inner, folder, state: Mutex::default() })
    }

    /// Writes the list of errors and says what was recorded.
    ///
    /// # Errors
    /// The first answer that could not be written: the recording is not complete then.
    pub fn finish(self) -> Result<Recorded, RecordError> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = state.failure {
            return Err(failure);
        }
        let mut text = String::new();
        for (question, (errno, reason)) in &state.errors {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}\t{errno}\t{}", question.name(), Untrusted(reason));
        }
        let path = self.folder.join(ERRORS_FILE);
        std::fs::write(&path, text).map_err(|source| RecordError::Unwritable { path, source })?;
        let bytes = state.answers.values().sum();
        Ok(Recorded { answers: state.answers.len(), errors: state.errors.len(), bytes })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, question: Question, outcome: Result<&[u8], &SysError>) {
        let mut state = self.state();
        match outcome {
            Ok(answer) => {
                let path = question.path_in(&self.folder);
                if let Err(source) = write_with_parents(&path, answer) {
                    state.failure.get_or_insert(RecordError::Unwritable { path, source });
                }
                state.errors.remove(&question);
                state.answers.insert(question, answer.len());
            }
            Err(error) => {
                if state.answers.remove(&question).is_some() {
                    // The last answer counts, and it is an error.
                    let _ = std::fs::remove_file(question.path_in(&self.folder));
                }
                let errno = error.source.raw_os_error().unwrap_or(0);
                state.errors.insert(question, (errno, error.source.to_string()));
            }
        }
    }
}

fn write_with_parents(path: &Path, content: &[u8]) -> io::Result<()> {
    match std::fs::write(path, content) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, content)
        }
        outcome => outcome,
    }
}

impl<K: Kernel> Kernel for Recorder<K> {
    fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        let outcome = self.inner.read(path, out);
        self.keep(Question::file(path), outcome.as_ref().map(|()| out.as_slice()));
        outcome
    }

    fn list(&self, path: &str, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        let mut names = Vec::new();
        let outcome = self.inner.list(path, &mut |name| {
            names.extend_from_slice(name);
            names.push(b'\n');
            each(name);
        });
        self.keep(Question::list(path), outcome.as_ref().map(|()| names.as_slice()));
        outcome
    }

    fn link(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        let outcome = self.inner.link(path, out);
        self.keep(Question::link(path), outcome.as_ref().map(|()| out.as_slice()));
        outcome
    }

    fn dump(
        &self,
        family: Netlink,
        message_type: u16,
        payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> Result<(), SysError> {
        let mut messages = Vec::new();
        let outcome = self.inner.dump(family, message_type, payload, &mut |kind, answer| {
            messages.extend_from_slice(&request_header(kind, 0, 0, answer.len()));
            messages.extend_from_slice(answer);
            messages.resize(aligned(messages.len()), 0);
            each(kind, answer);
        });
        let question = Question::dump(family, message_type, payload);
        self.keep(question, outcome.as_ref().map(|()| messages.as_slice()));
        outcome
    }

    fn ethtool(&self, interface: &str, command: &mut [u8]) -> Result<(), SysError> {
        let question = Question::ethtool(interface, command);
        let outcome = self.inner.ethtool(interface, command);
        self.keep(question, outcome.as_ref().map(|()| &*command));
        outcome
    }
}
