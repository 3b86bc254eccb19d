//! Modules by name, as blackbox_exporter's configuration file has them.
//!
//! Accepted is what blackbox_exporter 0.23 (Debian 12's) accepts, and of later versions `body_file`, `expect_bytes`,
//! `labels`, `max_version`, and certificates within the file; besides, there is a prober `ntp`. What no check here can
//! do (gRPC, proxies, OAuth 2, Brotli, TLS below 1.2) is accepted with a warning, and carrying such a module out fails
//! with a sentence: one module of a kind that is missing takes the others nothing.
//!
//! On purpose stricter, so that a mistake is told when the file is read and not at each probe:
//! - `preferred_ip_protocol` is `ip4` or `ip6`, `transport_protocol` is `udp` or `tcp`; other words mean IPv4 and
//!   failure there.
//! - Addresses to send from, patterns for DNS records, response codes and kinds of compression are looked at.
//! - Files that are named are read, relative to the modules' file; a time limit is above zero.
//! - A module for DNS says which name is asked about.
//!
//! Patterns are written in the syntax of Go's RE2 and mean what they mean there.
//!
//! <https://github.com/prometheus/blackbox_exporter/blob/v0.23.0/CONFIGURATION.md>

mod built_in;
mod dns;
mod http;
mod read;
mod small;
mod tcp;
mod tls;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use squirrel_model::Untrusted;
use squirrel_yaml::Problem;

use crate::Module;

pub use built_in::BUILT_IN;

/// The module that is meant when none is named.
pub const USUAL_MODULE: &str = "http_2xx";

/// Gives the octets of a file that a modules file names, or says why not.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, String>;

/// Modules by name.
#[derive(Clone, Debug, Default)]
pub struct Modules {
    by_name: BTreeMap<String, Found>,
    /// What should be said about the file though it can be used.
    pub warnings: Vec<Problem>,
}

/// A module, or why it cannot be carried out.
type Found = Result<Arc<Module>, Arc<str>>;

/// Why there is no module to carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModuleError {
    /// None has this name.
    Unknown {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// It wants something that no check here can do.
    Unable {
        /// Its name.
        name: String,
        /// What that is.
        reason: String,
    },
}

impl fmt::Display for ModuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, known } => {
                write!(f, "there is no module \"{}\"; there are {}", Untrusted(name), known.join(", "))
            }
            Self::Unable { name, reason } => write!(f, "the module {name} cannot be carried out: {reason}"),
        }
    }
}

impl std::error::Error for ModuleError {}

impl Modules {
    /// Those that are there without a file: [`BUILT_IN`].
    pub fn built_in() -> Self {
        // A test reads it.
        Self::read(BUILT_IN, &|_| Err("no file is read here".to_owned())).unwrap_or_default()
    }

    /// Reads a file of modules; `files` gives those that it names.
    ///
    /// # Errors
    /// Everything that is wrong, with its place.
    pub fn read(text: &str, files: ReadFile<'_>) -> Result<Self, Vec<Problem>> {
        read::file(text, files)
    }

    /// With those of another on top: of one name, the other's holds.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.by_name.extend(other.by_name);
        self.warnings.extend(other.warnings);
        self
    }

    /// The module of this name.
    ///
    /// # Errors
    /// There is none, or it cannot be carried out.
    pub fn get(&self, name: &str) -> Result<Arc<Module>, ModuleError> {
        match self.by_name.get(name) {
            Some(Ok(module)) => Ok(Arc::clone(module)),
            Some(Err(reason)) => Err(ModuleError::Unable { name: name.to_owned(), reason: reason.to_string() }),
            None => Err(ModuleError::Unknown {
                name: name.chars().take(100).collect(),
                known: self.by_name.keys().cloned().collect(),
            }),
        }
    }

    /// Names, and what each looks at; none for one that cannot be carried out.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&Module>)> {
        self.by_name.iter().map(|(name, found)| (name.as_str(), found.as_deref().ok()))
    }
}
