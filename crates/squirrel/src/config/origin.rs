//! Where values come from: the command line, the file, or a default that depends on who runs the program.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::cli;

/// Where a value in force comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File,
    Flag,
}

impl Origin {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Flag => "command line",
        }
    }
}

/// A value with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

impl<T> Sourced<T> {
    /// The flag before the file before the default.
    pub(super) fn choose(flag: Option<T>, file: Option<T>, default: impl FnOnce() -> T) -> Self {
        match (flag, file) {
            (Some(value), _) => Self { value, origin: Origin::Flag },
            (None, Some(value)) => Self { value, origin: Origin::File },
            (None, None) => Self { value: default(), origin: Origin::Default },
        }
    }
}

/// What the command line says about the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) config: Option<PathBuf>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) allow_remote: bool,
}

impl From<&cli::Serve> for Flags {
    fn from(serve: &cli::Serve) -> Self {
        Self {
            config: serve.source.config.clone(),
            data_dir: serve.data_dir.clone(),
            listen: serve.listen.clone(),
            allow_remote: serve.allow_remote,
        }
    }
}

/// What the environment says; read once in `main`, handed over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// Whether the program runs as root.
    pub(crate) root: bool,
    /// `$XDG_STATE_HOME`.
    pub(crate) state_home: Option<PathBuf>,
    /// `$HOME`.
    pub(crate) home: Option<PathBuf>,
    /// Who is logged in, by name.
    pub(crate) user: Option<String>,
}

/// Where the data is kept unless somebody says otherwise.
pub(super) fn default_directory(environment: &Environment) -> anyhow::Result<PathBuf> {
    if environment.root {
        return Ok(PathBuf::from("/var/lib/squirrel"));
    }
    let state =
        environment.state_home.clone().or_else(|| environment.home.as_ref().map(|home| home.join(".local/state")));
    let state = state.filter(|path| path.is_absolute());
    Ok(state.context("no place for the data: $HOME is not set. Say --data-dir DIR")?.join("squirrel"))
}
