//! The network namespaces whose sockets are listed: this one, one of a name, or all of the host.

use anyhow::Context as _;
use squirrel_account::{NameContainer, container_of};
use squirrel_keeper::Keeper;
use squirrel_model::Untrusted;
use squirrel_sys::containers::ContainerFiles;
use squirrel_sys::privilege::{drop_all, keep_only};
use squirrel_sys::{FoundNamespaces, Linux, NetworkNamespace, SysError, network_namespaces};

use super::read::{self, Interfaces};
use crate::cli;
use crate::failure::{Class, classed, forbidden_or};
use crate::keeper::Looker;
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

    fn named(name: &str, keeper: Option<&Keeper>) -> anyhow::Result<Self> {
        let namespace: NetworkNamespace = found(keeper)?
            .namespaces
            .into_iter()
            .find(|namespace| namespace.name.as_deref() == Some(name))
            .with_context(|| format!("there is no network namespace {name:?}; `ip netns` lists them"))
            .map_err(|error| classed(Class::Usage, &error))?;
        let opened = enter(namespace, keeper);
        Self::new(opened.map_err(|error| forbidden_or(error, "entering a network namespace needs CAP_SYS_ADMIN"))?)
    }

    /// All of the host, this one first. One that cannot be entered is said and left out.
    fn all(keeper: Option<&Keeper>) -> anyhow::Result<Vec<Self>> {
        let found = found(keeper)?;
        let own = NetworkNamespace::current().context("cannot find the own network namespace")?.inode;
        let here = Self::here()?;
        let mut look_up = names_of_containers(keeper);
        let mut described = |place: Self, namespace: &NetworkNamespace| {
            let container = namespace.process.and_then(|process| container_of(&here.kernel, &mut look_up, process));
            Self {
                name: Some(namespace.name.clone().unwrap_or_else(|| format!("net:[{}]", namespace.inode))),
                container: container.map(|container| container.name),
                ..place
            }
        };
        let (mut places, mut refused) = (Vec::new(), 0);
        for namespace in found.namespaces {
            if namespace.inode == own {
                places.insert(0, described(Self::here()?, &namespace));
                continue;
            }
            match enter(namespace.clone(), keeper).map_err(anyhow::Error::from).and_then(Self::new) {
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

/// Closing sockets needs it.
const CLOSES: &str = "CAP_NET_ADMIN";

/// Opens what the arguments need, and gives up every privilege, while there is a single thread: what strangers chose is
/// read without any. A second process looks at what needs one, if something does, as owners do.
pub(super) fn open(args: &cli::Sockets, owners: bool) -> anyhow::Result<(Option<Looker>, Vec<Place>)> {
    let looks = owners || args.namespaces || args.net.is_some();
    let looker = if looks { Looker::begin()? } else { None };
    if args.kill {
        // The kernel asks for the privilege to close sockets of whoever opened the way to it, and of whoever uses it.
        let places = of(args, None)?;
        let kept: &[&str] = if args.yes { &[CLOSES] } else { &[] };
        keep_only(kept).context("cannot drop privileges")?;
        return Ok((looker, places));
    }
    drop_all().context("cannot drop privileges")?;
    let places = of(args, looker.as_ref().map(Looker::keeper))?;
    Ok((looker, places))
}

/// The network namespaces of the host, as far as they may be seen.
fn found(keeper: Option<&Keeper>) -> anyhow::Result<FoundNamespaces> {
    keeper.map_or_else(network_namespaces, Keeper::namespaces).context("cannot look for network namespaces")
}

/// Opens the way into a namespace.
fn enter(mut namespace: NetworkNamespace, keeper: Option<&Keeper>) -> Result<Linux, SysError> {
    match keeper {
        Some(keeper) => Linux::open_by(&keeper.opener(namespace.inode)),
        None => namespace.hold().and_then(|()| Linux::open_in(&namespace)),
    }
}

/// Finds names of containers.
fn names_of_containers(keeper: Option<&Keeper>) -> NameContainer {
    if let Some(keeper) = keeper.cloned() {
        return Box::new(move |runtime, id| keeper.container(runtime, id));
    }
    let files = ContainerFiles::default();
    Box::new(move |runtime, id| files.name(runtime, id))
}

/// The namespaces that the arguments mean, entered by a keeper where there is one.
fn of(args: &cli::Sockets, keeper: Option<&Keeper>) -> anyhow::Result<Vec<Place>> {
    match &args.net {
        Some(name) => Ok(vec![Place::named(name, keeper)?]),
        None if args.namespaces => Place::all(keeper),
        None => Ok(vec![Place::here()?]),
    }
}
