//! The network namespaces whose sockets are listed: this one, one of a name, or all of the host.

use anyhow::Context as _;
use squirrel_account::container_of;
use squirrel_model::Untrusted;
use squirrel_sys::containers::ContainerFiles;
use squirrel_sys::{Linux, NetworkNamespace, network_namespaces};

use super::read::{self, Interfaces};
use crate::cli;
use crate::failure::{Class, classed, forbidden_or};
use crate::output;

/// One network namespace.
pub(super) struct Place {
    pub(super) kernel: Linux,
    pub(super) interfaces: Interfaces,
    /// Its name, when more than one is listed.
    pub(super) name: Option<String>,
    /// The container whose namespace it is.
    pub(super) container: Option<String>,
}

impl Place {
    fn new(kernel: Linux) -> anyhow::Result<Self> {
        let interfaces = read::interfaces(&kernel)?;
        Ok(Self { kernel, interfaces, name: None, container: None })
    }

    fn here() -> anyhow::Result<Self> {
        Self::new(Linux::open().context("cannot ask the kernel for its sockets")?)
    }

    fn named(name: &str) -> anyhow::Result<Self> {
        let found = network_namespaces().context("cannot look for network namespaces")?;
        let mut namespace: NetworkNamespace = found
            .namespaces
            .into_iter()
            .find(|namespace| namespace.name.as_deref() == Some(name))
            .with_context(|| format!("there is no network namespace {name:?}; `ip netns` lists them"))
            .map_err(|error| classed(Class::Usage, &error))?;
        let opened = namespace.hold().and_then(|()| Linux::open_in(&namespace));
        Self::new(opened.map_err(|error| forbidden_or(error, "entering a network namespace needs CAP_SYS_ADMIN"))?)
    }

    /// All of the host, this one first. One that cannot be entered is said and left out.
    fn all() -> anyhow::Result<Vec<Self>> {
        let found = network_namespaces().context("cannot look for network namespaces")?;
        let own = NetworkNamespace::current().context("cannot find the own network namespace")?.inode;
        let here = Self::here()?;
        let files = ContainerFiles::default();
        let described = |place: Self, namespace: &NetworkNamespace| {
            let container = namespace.process.and_then(|process| container_of(&here.kernel, &files, process));
            Self {
                name: Some(namespace.name.clone().unwrap_or_else(|| format!("net:[{}]", namespace.inode))),
                container: container.map(|container| container.name),
                ..place
            }
        };
        let (mut places, mut refused) = (Vec::new(), 0);
        for mut namespace in found.namespaces {
            if namespace.inode == own {
                places.insert(0, described(Self::here()?, &namespace));
                continue;
            }
            let opened = namespace.hold().and_then(|()| Linux::open_in(&namespace));
            match opened.map_err(anyhow::Error::from).and_then(Self::new) {
                Ok(place) => places.push(described(place, &namespace)),
                Err(error) => {
                    refused += 1;
                    if refused == 1 {
                        let name = namespace.name.unwrap_or_else(|| format!("net:[{}]", namespace.inode));
                        let why = format!("{error:#}");
                        output::complain(&format!("squirrel: {} is left out: {}", Untrusted(&name), Untrusted(&why)));
                    }
                }
            }
        }
        if refused > 0 {
            output::complain(&format!(
                "squirrel: of {} network namespaces {refused} could not be entered: that needs CAP_SYS_ADMIN and CAP_SYS_PTRACE",
                places.len() + refused
            ));
        }
        Ok(places)
    }
}

/// The namespaces that the arguments mean.
pub(super) fn of(args: &cli::Sockets) -> anyhow::Result<Vec<Place>> {
    match &args.net {
        Some(name) => Ok(vec![Place::named(name)?]),
        None if args.namespaces => Place::all(),
        None => Ok(vec![Place::here()?]),
    }
}
