//! What a control group's path says: the systemd unit, the container.
//!
//! Sources: `cgroups(7)`; systemd.unit(5) for the endings of units; the paths that container runtimes make, as their
//! own code and documentation have them. A container's name stands in its path with LXC and systemd-nspawn only; of
//! others the path has the id, and [`ContainerNames`](crate::containers::ContainerNames) finds the name. The host name
//! inside is the container's own word, and is not read.

use crate::picture::Container;

/// Endings of units that hold processes. A slice holds other groups.
const UNITS: [&str; 5] = [".service", ".scope", ".socket", ".mount", ".swap"];
/// Hexadecimal digits of the id of a container.
const ID_LENGTH: usize = 64;
/// Digits of it that people read.
const SHORT: usize = 12;

/// Prefixes of a group that is a container, before the id. Those that hold the runtime's own watcher are in
/// [`WATCHERS`].
const PREFIXES: [(&str, &str); 6] = [
    ("docker-", "docker"),
    ("libpod-", "podman"),
    ("cri-containerd-", "kubernetes"),
    ("crio-", "kubernetes"),
    ("nerdctl-", "containerd"),
    ("containerd-", "containerd"),
];
const WATCHERS: [&str; 2] = ["libpod-conmon-", "crio-conmon-"];

/// Where a process belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The path in the unified tree, or where there is none, in that of systemd.
    pub(crate) path: Option<String>,
    /// The innermost unit.
    pub(crate) unit: Option<String>,
    /// The innermost container.
    pub(crate) container: Option<Container>,
}

impl Place {
    /// Reads `/proc/PID/cgroup`: lines of hierarchy, controllers and path.
    pub(crate) fn parse(octets: &[u8]) -> Self {
        let lines = octets.split(|octet| *octet == b'\n').filter_map(|line| {
            let mut fields = line.splitn(3, |octet| *octet == b':');
            let hierarchy = fields.next()?;
            let controllers = fields.next()?;
            Some((hierarchy == b"0" && controllers.is_empty(), controllers, fields.next()?))
        });
        // The unified tree counts unless it is mounted without anybody in it (hybrid set-up).
        let rank = |unified: bool, controllers: &[u8], path: &[u8]| match (unified, path) {
            (_, b"/") => 3,
            (true, _) => 0,
            (false, _) if controllers == b"name=systemd" => 1,
            _ => 2,
        };
        let best = lines.min_by_key(|(unified, controllers, path)| rank(*unified, controllers, path));
        best.map_or_else(Self::default, |(_, _, path)| Self::of_path(&String::from_utf8_lossy(path)))
    }

    pub(crate) fn of_path(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != "..").collect();
        let mut place = Self { path: (!path.is_empty()).then(|| path.to_owned()), ..Self::default() };
        for (at, part) in parts.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|before| parts.get(before)).copied().unwrap_or_default();
            if let Some(container) = container(part, before, parts.get(..at).unwrap_or_default()) {
                place.container = Some(container);
                // Units outside are the runtime's own, not what runs inside.
                place.unit = None;
            } else if UNITS.iter().any(|ending| part.len() > ending.len() && part.ends_with(ending)) {
                place.unit = Some((*part).to_owned());
            }
        }
        place
    }
}

/// The container that a part of the path stands for; `before` is the part above it, `above` all of them.
fn container(part: &str, before: &str, above: &[&str]) -> Option<Container> {
    if WATCHERS.iter().any(|watcher| part.starts_with(watcher)) {
        return None;
    }
    let bare = part.strip_suffix(".scope").unwrap_or(part);
    for (prefix, runtime) in PREFIXES {
        if let Some(id) = bare.strip_prefix(prefix).filter(|id| is_id(id)) {
            let pod = above.iter().any(|part| part.starts_with("kubepods"));
            return Some(by_id(if pod { "kubernetes" } else { runtime }, id));
        }
    }
    if is_id(bare) {
        let runtime = match before {
            "docker" => "docker",
            _ if above.iter().any(|part| part.starts_with("kubepods")) => "kubernetes",
            _ => "container",
        };
        return Some(by_id(runtime, bare));
    }
    let lxc = part.strip_prefix("lxc.payload.").or_else(|| (matches!(before, "lxc" | "lxc.payload")).then_some(part));
    if let Some(name) = lxc.filter(|name| !name.is_empty()) {
        return Some(Container { runtime: "lxc", name: name.to_owned(), id: name.to_owned() });
    }
    let machine = part.strip_prefix("machine-").and_then(|rest| rest.strip_suffix(".scope"));
    // libvirt's machines are virtual ones, not containers.
    machine.filter(|name| before == "machine.slice" && !name.starts_with("qemu") && !name.is_empty()).map(|escaped| {
        let name = escaped.replace("\\x2d", "-");
        Container { runtime: "nspawn", name: name.clone(), id: name }
    })
}

fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|octet| octet.is_ascii_hexdigit())
}

fn by_id(runtime: &'static str, id: &str) -> Container {
    Container { runtime, name: id.get(..SHORT).unwrap_or(id).to_owned(), id: id.to_owned() }
}
