//! Names of containers, of which control groups tell the id only.
//!
//! A name is what the runtime noted when it made the container; whoever made it chose the name, and screens clean it.
//! Who may not read the runtime's files sees the short id, as before.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use squirrel_sys::Kernel;
use squirrel_sys::containers::{ContainerId, Runtime};

use crate::identity::Place;
use crate::picture::Container;
use crate::sources::NameContainer;

/// Names that are remembered.
const MAX_NAMES: usize = 10_000;
/// A name that was not found is looked for again after this: a runtime writes it about when it starts the container.
const AGAIN: Duration = Duration::from_secs(30);

/// What was found out.
#[derive(Debug)]
enum Known {
    Name(String),
    /// Nobody knew it at this time.
    Unknown(Duration),
}

/// The names that were met.
#[derive(Default)]
pub(crate) struct ContainerNames {
    look_up: Option<NameContainer>,
    known: HashMap<ContainerId, Known>,
}

impl ContainerNames {
    pub(crate) fn new(look_up: Option<NameContainer>) -> Self {
        Self { look_up, ..Self::default() }
    }

    /// Puts the name in the place of the short id, if it can be learned.
    pub(crate) fn name(&mut self, container: &mut Container, now: Duration) {
        // Where the path has the name already, that is the id, and no such number.
        let (Some(id), Some(look_up)) = (ContainerId::parse(&container.id), &mut self.look_up) else { return };
        match self.known.get(&id) {
            Some(Known::Name(name)) => return container.name.clone_from(name),
            Some(Known::Unknown(at)) if now.saturating_sub(*at) < AGAIN => return,
            _ => {}
        }
        let known = match look_up(runtime(container), id) {
            Ok(Some(name)) => {
                container.name.clone_from(&name);
                Known::Name(name)
            }
            Ok(None) | Err(_) => Known::Unknown(now),
        };
        if self.known.len() >= MAX_NAMES {
            self.known.clear();
        }
        self.known.insert(id, known);
    }
}

impl fmt::Debug for ContainerNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContainerNames").field("known", &self.known).finish_non_exhaustive()
    }
}

/// Whose container it is, as far as its control group tells.
fn runtime(container: &Container) -> Runtime {
    match container.runtime {
        "docker" => Runtime::Docker,
        "podman" => Runtime::Podman,
        "kubernetes" => Runtime::Kubernetes,
        _ => Runtime::Any,
    }
}

/// The container that a process lives in, with its name if `look_up` finds it.
pub fn container_of(kernel: &dyn Kernel, look_up: &mut NameContainer, process: u32) -> Option<Container> {
    let mut buffer = Vec::new();
    kernel.read(&format!("/proc/{process}/cgroup"), &mut buffer).ok()?;
    let mut container = Place::parse(&buffer).container?;
    if let Some(id) = ContainerId::parse(&container.id)
        && let Ok(Some(name)) = look_up(runtime(&container), id)
    {
        container.name = name;
    }
    Some(container)
}

#[cfg(test)]
mod tests;
