//! Names of containers, of which control groups tell the id only.
//!
//! A name is what the runtime noted when it made the container; whoever made it chose the name, and screens clean it.
//! Who may not read the runtime's files sees the short id, as before.

mod json;

use std::collections::HashMap;
use std::time::Duration;

use squirrel_sys::Kernel;
use squirrel_sys::containers::ContainerFiles;

use crate::identity::Place;
use crate::picture::Container;

/// Names that are remembered.
const MAX_NAMES: usize = 10_000;
/// A name that was not found is looked for again after this: a runtime writes it about when it starts the container.
const AGAIN: Duration = Duration::from_secs(30);
/// Octets of a name that are kept.
const LONGEST: usize = 253;

/// What was found out.
#[derive(Debug)]
enum Known {
    Name(String),
    /// Nobody knew it at this time.
    Unknown(Duration),
}

/// The names that were met.
#[derive(Debug, Default)]
pub(crate) struct ContainerNames {
    files: Option<ContainerFiles>,
    known: HashMap<String, Known>,
    buffer: Vec<u8>,
}

impl ContainerNames {
    pub(crate) fn new(files: Option<ContainerFiles>) -> Self {
        Self { files, ..Self::default() }
    }

    /// Puts the name in the place of the short id, if it can be learned.
    pub(crate) fn name(&mut self, container: &mut Container, now: Duration) {
        // Where the path has the name already, it is the id.
        if container.name == container.id {
            return;
        }
        match self.known.get(&container.id) {
            Some(Known::Name(name)) => return container.name.clone_from(name),
            Some(Known::Unknown(at)) if now.saturating_sub(*at) < AGAIN => return,
            _ => {}
        }
        let Some(files) = &self.files else { return };
        let found = look_up(files, container, &mut self.buffer).filter(|name| !name.is_empty());
        if self.known.len() >= MAX_NAMES {
            self.known.clear();
        }
        let known = match found {
            Some(mut name) => {
                name.truncate(name.floor_char_boundary(LONGEST));
                container.name.clone_from(&name);
                Known::Name(name)
            }
            None => Known::Unknown(now),
        };
        self.known.insert(container.id.clone(), known);
    }
}

/// The container that a process lives in, with its name if that can be learned.
pub fn container_of(kernel: &dyn Kernel, files: &ContainerFiles, process: u32) -> Option<Container> {
    let mut buffer = Vec::new();
    kernel.read(&format!("/proc/{process}/cgroup"), &mut buffer).ok()?;
    let mut container = Place::parse(&buffer).container?;
    ContainerNames::new(Some(files.clone())).name(&mut container, Duration::ZERO);
    Some(container)
}

fn look_up(files: &ContainerFiles, container: &Container, buffer: &mut Vec<u8>) -> Option<String> {
    let id = &container.id;
    let docker = |buffer: &mut Vec<u8>| {
        files.docker(id, buffer).ok()?;
        // Docker writes names as paths.
        let name = json::Fields::of(buffer).find(|field| field.depth == 1 && field.key == "Name")?.text?;
        Some(name.strip_prefix('/').unwrap_or(&name).to_owned())
    };
    let podman = |buffer: &mut Vec<u8>| {
        files.podman(buffer).ok()?;
        let mut of_ours = false;
        for field in json::Fields::of(buffer).filter(|field| field.depth == 2) {
            match &*field.key {
                "id" => of_ours = field.text.as_ref() == Some(id),
                "names" if of_ours => return field.text,
                _ => {}
            }
        }
        None
    };
    let kubernetes = || {
        let mut found = None;
        let each = &mut |link: &str| {
            if let Some(name) = link.strip_suffix(".log").and_then(|rest| rest.strip_suffix(id.as_str())) {
                found = pod(name);
            }
        };
        files.kubernetes(each).ok().and(found)
    };
    match container.runtime {
        "docker" => docker(buffer),
        "podman" => podman(buffer),
        "kubernetes" => kubernetes(),
        _ => docker(buffer).or_else(|| podman(buffer)).or_else(kubernetes),
    }
}

/// `POD_NAMESPACE_CONTAINER-` as people write it: `NAMESPACE/POD/CONTAINER`.
fn pod(link: &str) -> Option<String> {
    let mut parts = link.strip_suffix('-')?.splitn(3, '_');
    let (pod, namespace, container) = (parts.next()?, parts.next()?, parts.next()?);
    Some(format!("{namespace}/{pod}/{container}"))
}

#[cfg(test)]
mod tests;
