//! The files in which container runtimes note the names of their containers.
//!
//! Sources: Docker's `daemon/container` (a folder for each container), the store of containers/storage that Podman and
//! CRI-O use (one list), and the links that the kubelet keeps for log collectors (a name for each container). Reading
//! Docker's and Podman's wants root or `CAP_DAC_READ_SEARCH`.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::SysError;

/// Most octets of a file: what is longer is no description of a container.
const MOST: u64 = 8 << 20;
/// Most names of a folder.
const MOST_NAMES: usize = 100_000;

/// The way to them.
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

    /// Docker's description of a container, JSON.
    ///
    /// # Errors
    /// There is none, the privilege is missing, or `id` is not one of a container.
    pub fn docker(&self, id: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        if id.is_empty() || !id.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return Err(SysError::new("open", "the container", io::ErrorKind::InvalidInput.into()));
        }
        self.read(&Path::new("var/lib/docker/containers").join(id).join("config.v2.json"), out)
    }

    /// Podman's list of containers, JSON.
    ///
    /// # Errors
    /// There is none, or the privilege is missing.
    pub fn podman(&self, out: &mut Vec<u8>) -> Result<(), SysError> {
        self.read(Path::new("var/lib/containers/storage/overlay-containers/containers.json"), out)
    }

    /// The names of the kubelet's links: `POD_NAMESPACE_CONTAINER-ID.log`.
    ///
    /// # Errors
    /// There are none, or the privilege is missing.
    pub fn kubernetes(&self, each: &mut dyn FnMut(&str)) -> Result<(), SysError> {
        let folder = self.root.join("var/log/containers");
        let entries = std::fs::read_dir(&folder)
            .map_err(|source| SysError::new("list", folder.to_string_lossy().into_owned(), source))?;
        for entry in entries.flatten().take(MOST_NAMES) {
            if let Some(name) = entry.file_name().to_str() {
                each(name);
            }
        }
        Ok(())
    }

    fn read(&self, path: &Path, out: &mut Vec<u8>) -> Result<(), SysError> {
        let path = self.root.join(path);
        out.clear();
        let mut read = || {
            // Opening a pipe would wait for its other end.
            if !std::fs::metadata(&path)?.is_file() {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            File::open(&path)?.take(MOST).read_to_end(out)
        };
        read().map(|_| ()).map_err(|source| SysError::new("read", path.to_string_lossy().into_owned(), source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_containers_are_read() {
        let root = tempfile::tempdir().expect("a folder");
        let files = ContainerFiles::below(root.path());
        let id = "ab".repeat(32);
        let folder = root.path().join("var/lib/docker/containers").join(&id);
        std::fs::create_dir_all(&folder).expect("made");
        let mut out = Vec::new();
        assert!(files.docker(&id, &mut out).is_err() && files.podman(&mut out).is_err());
        std::fs::write(folder.join("config.v2.json"), "{}").expect("written");
        assert!(files.docker(&id, &mut out).is_ok());
        assert_eq!(out, b"{}");
        for wrong in ["", "..", "ab/../ab", "xyz"] {
            assert!(files.docker(wrong, &mut out).is_err(), "{wrong}");
        }
        assert!(files.kubernetes(&mut |_| {}).is_err());
    }
}
