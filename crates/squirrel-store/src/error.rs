//! Why a store cannot be opened or written to. Each message says what to do next.

use std::io;

/// Why a store cannot be opened or written to.
///
/// A disk that is full, fails or holds damaged data is none of these: the store then goes on with
/// what it can do and says so in its reports.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another program uses the folder.
    #[error(
        "the data folder {place} is in use{holder}: its file \"lock\" is held. Stop the other Squirrel, \
         or start this one with another --data-dir"
    )]
    Locked {
        /// The folder.
        place: String,
        /// Who holds it, as far as it said, in brackets.
        holder: String,
    },
    /// The folder holds files that no store made.
    #[error(
        "the data folder {place} is not a Squirrel store: it holds {found:?}. Give an empty folder or \
         one that Squirrel made; nothing was changed"
    )]
    Foreign {
        /// The folder.
        place: String,
        /// One of the files.
        found: String,
    },
    /// The folder holds nothing that a store made.
    #[error("{place} holds no Squirrel store; name its folder with --data-dir")]
    NoStore {
        /// The folder.
        place: String,
    },
    /// A folder that is to be filled holds something.
    #[error("{place} is not empty; name a folder that does not exist yet")]
    NotEmpty {
        /// The folder.
        place: String,
    },
    /// A newer version of Squirrel wrote the data.
    #[error(
        "{subject} in {place} has format version {version}, and this Squirrel knows up to {known}: a newer \
         Squirrel wrote it. Start that version again, or give another --data-dir; nothing was changed"
    )]
    Newer {
        /// The folder.
        place: String,
        /// The file.
        subject: String,
        /// Its version.
        version: u64,
        /// The greatest version that this program knows.
        known: u64,
    },
    /// The folder or something in it cannot be used at all.
    #[error("{place}: cannot {action} {subject}: {}. {advice}", squirrel_model::IoText(.source))]
    Io {
        /// The folder.
        place: String,
        /// What was tried.
        action: &'static str,
        /// On what.
        subject: String,
        /// What would help.
        advice: &'static str,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
    /// An option makes no sense.
    #[error("store option {option}: {reason}")]
    Option {
        /// Its name.
        option: &'static str,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The store was closed before.
    #[error("the store is closed; open it again")]
    Closed,
}

impl StoreError {
    pub(crate) fn io(place: String, action: &'static str, subject: impl Into<String>, source: io::Error) -> Self {
        // EMFILE, ENFILE.
        let too_many = matches!(source.raw_os_error(), Some(23 | 24));
        let advice = match source.kind() {
            _ if too_many => "A store holds each of its files open: allow more (`ulimit -n`)",
            io::ErrorKind::PermissionDenied => {
                "Give the user that runs Squirrel the right to read and write this folder, or another --data-dir"
            }
            io::ErrorKind::ReadOnlyFilesystem => "The file system is mounted read-only: give another --data-dir",
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "Free some space, or give another --data-dir",
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "Check the path of --data-dir",
            _ => "Check the disk (dmesg tells more), or give another --data-dir",
        };
        Self::Io { place, action, subject: subject.into(), advice, source }
    }
}
