//! The names of containers, in the files in which their runtimes note them.
//!
//! Sources: Docker's `daemon/container` (a folder for each container), the store of containers/storage that Podman and
//! CRI-O use (one list), and the links that the kubelet keeps for log collectors (a name for each container). Reading
//! Docker's and Podman's wants root or `CAP_DAC_READ_SEARCH`, and they hold more than names, such as passwords in the
//! environment: nothing but the name leaves this module.

mod beneath;
mod json;

use std::fmt;
use std::io::{self, Read as _};
use std::path::PathBuf;

use crate::SysError;

/// Most octets of a file: what is longer is no description of a container.
const MOST: u64 = 8 << 20;
/// Most names of a folder.
const MOST_NAMES: usize = 100_000;
/// Most octets of a name: that of a host (RFC 1035) has no more.
const LONGEST: usize = 253;

/// The id of a container: 256 bits, which runtimes write as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContainerId(pub [u8; 32]);

impl ContainerId {
    /// Reads 64 hexadecimal digits, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut id = [0; 32];
        if digits.len() != 2 * id.len() {
            return None;
        }
        let digit = |octet: &u8| char::from(*octet).to_digit(16).map(|digit| digit as u8);
        for (octet, digits) in id.iter_mut().zip(digits.chunks(2)) {
            *octet = digit(digits.first()?)? << 4 | digit(digits.last()?)?;
        }
        Some(Self(id))
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// Whose files are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// Docker's.
    Docker,
    /// Podman's.
    Podman,
    /// The kubelet's.
    Kubernetes,
    /// All of them, one after the other: nobody knows the runtime.
    Any,
}

/// The way to the files.
#[derive(Clone, Debug)]
pub struct ContainerFiles {
    root: PathBuf,
}

impl Default for ContainerFiles {
    fn default() -> Self {
        Self::below("/")
    }
}

impl ContainerFiles {
    /// Those of a host whose files stand below this folder.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The name of a container, at most 253 octets; none when the runtime knows no such container or is not here.
    ///
    /// The administrator may have put the runtime's folder elsewhere by a link; below it, no link is followed.
    ///
    /// # Errors
    /// The privilege is missing, or where the file should be is something else.
    pub fn name(&self, runtime: Runtime, id: ContainerId) -> Result<Option<String>, SysError> {
        let found = match runtime {
            Runtime::Docker => self.docker(id),
            Runtime::Podman => self.podman(id),
            Runtime::Kubernetes => self.kubernetes(id),
            Runtime::Any => {
                let tried = [self.docker(id), self.podman(id), self.kubernetes(id)];
                // A failure counts when no other knew the name.
                let best = tried.into_iter().min_by_key(|found| match found {
                    Ok(Some(_)) => 0,
                    Err(_) => 1,
                    Ok(None) => 2,
                });
                best.unwrap_or(Ok(None))
            }
        };
        found.map(|name| name.filter(|name| !name.is_empty()).map(shortened))
    }

    fn docker(&self, id: ContainerId) -> Result<Option<String>, SysError> {
        let document = self.read("var/lib/docker/containers", &[&id.to_string()], "config.v2.json")?;
        Ok(document.and_then(|document| docker_name(&document)))
    }

    fn podman(&self, id: ContainerId) -> Result<Option<String>, SysError> {
        let document = self.read("var/lib/containers/storage/overlay-containers", &[], "containers.json")?;
        Ok(document.and_then(|document| podman_name(&document, id)))
    }

    fn kubernetes(&self, id: ContainerId) -> Result<Option<String>, SysError> {
        let folder = self.root.join("var/log/containers");
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SysError::new("list", folder.to_string_lossy().into_owned(), source)),
        };
        let mut names = entries.flatten().take(MOST_NAMES).map(|entry| entry.file_name());
        Ok(names.find_map(|name| kubernetes_name(name.to_str()?, id)))
    }

    /// A file below a known folder; none when there is none.
    fn read(&self, known: &str, folders: &[&str], file: &str) -> Result<Option<Vec<u8>>, SysError> {
        let known = self.root.join(known);
        let mut out = Vec::new();
        let mut read = || beneath::open(&known, folders, file)?.take(MOST).read_to_end(&mut out);
        match read() {
            Ok(_) => Ok(Some(out)),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SysError::new("read", format!("{file} in {}", known.display()), source)),
        }
    }
}

/// The name in Docker's description of a container (`config.v2.json`), which writes names as paths.
pub fn docker_name(document: &[u8]) -> Option<String> {
    let name = json::Fields::of(document).find(|field| field.depth == 1 && field.key == "Name")?.text?;
    Some(name.strip_prefix('/').unwrap_or(&name).to_owned())
}

/// The first name that Podman's list of containers (`containers.json`) has for one.
pub fn podman_name(document: &[u8], id: ContainerId) -> Option<String> {
    let mut is_ours = false;
    for field in json::Fields::of(document).filter(|field| field.depth == 2) {
        match &*field.key {
            "id" => is_ours = field.text.as_deref().and_then(ContainerId::parse) == Some(id),
            "names" if is_ours => return field.text,
            _ => {}
        }
    }
    None
}

/// The name of a kubelet's link, `POD_NAMESPACE_CONTAINER-ID.log`, as people write it: `NAMESPACE/POD/CONTAINER`.
pub fn kubernetes_name(link: &str, id: ContainerId) -> Option<String> {
    let mut parts = link.strip_suffix(&format!("-{id}.log"))?.splitn(3, '_');
    let (pod, namespace, container) = (parts.next()?, parts.next()?, parts.next()?);
    Some(format!("{namespace}/{pod}/{container}"))
}

fn shortened(mut name: String) -> String {
    let end = (0..=LONGEST.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name.truncate(end);
    name
}

#[cfg(test)]
mod tests;
