//! The network namespaces of this host.
//!
//! Source: `namespaces(7)`, `ip-netns(8)`. The kernel has no list of them: one is found through a process that lives
//! in it, or through the name that `ip netns add` (or a container runtime) gave it below `/run/netns`. A namespace
//! that is held by nothing but a descriptor or a mount elsewhere is not found.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ended::RECEIVE_BUFFER;
use super::home::{Home, there};
use super::raw::NetlinkSocket;
use crate::{Netlink, SysError};

/// Where `ip netns` keeps its names.
const NAMED: &str = "/run/netns";

/// A network namespace that was found.
///
/// It holds nothing open: the namespace may be gone when it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkNamespace {
    /// The inode number of its file, which names it as long as it lives.
    pub inode: u64,
    /// The name below `/run/netns`.
    pub name: Option<String>,
    /// The process with the lowest number among those that live in it.
    pub process: Option<u32>,
    file: Option<HeldFile>,
}

#[derive(Clone, Debug)]
struct HeldFile(Arc<File>);

/// Two are equal when they stand for the same namespace, which the inode number tells.
impl PartialEq for HeldFile {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for HeldFile {}

impl NetworkNamespace {
    /// The namespace of the calling thread.
    ///
    /// # Errors
    /// When `/proc` is not there.
    pub fn current() -> Result<Self, SysError> {
        let path = "/proc/thread-self/ns/net";
        let data = std::fs::metadata(path).map_err(|source| SysError::new("stat", path, source))?;
        Ok(Self { inode: data.ino(), name: None, process: None, file: None })
    }

    /// One that somebody else found.
    pub fn found(inode: u64, name: Option<String>, process: Option<u32>) -> Self {
        Self { inode, name, process, file: None }
    }

    /// Opens a netlink socket in the namespace, which must be held, to be handed to a process that may not enter it.
    ///
    /// # Errors
    /// When the namespace may not be entered (`CAP_SYS_ADMIN` is needed) or a limit on descriptors was reached.
    pub fn open_socket(&self, family: Netlink) -> Result<OwnedFd, SysError> {
        let opened = self.home().open(family, 0).map(NetlinkSocket::into_inner);
        opened.map_err(|source| SysError::new("netlink socket", format!("network namespace {}", self.inode), source))
    }

    /// Opens a socket in the namespace, which must be held, to which the ends of sockets are announced.
    ///
    /// # Errors
    /// As [`NetworkNamespace::open_socket`].
    pub fn open_announcer(&self) -> Result<OwnedFd, SysError> {
        let opened = self.home().open_announcer(RECEIVE_BUFFER).map(NetlinkSocket::into_inner);
        opened.map_err(|source| SysError::new("netlink bind", format!("network namespace {}", self.inode), source))
    }

    /// Holds the namespace open, so that [`Linux::open_in`](crate::Linux::open_in) and its like can enter it.
    ///
    /// # Errors
    /// When it is gone, or its file may not be opened (`CAP_SYS_PTRACE` is needed for that of another user's process).
    pub fn hold(&mut self) -> Result<(), SysError> {
        let by_process = self.process.map(|process| PathBuf::from(format!("/proc/{process}/ns/net")));
        let by_name = self.name.as_ref().map(|name| Path::new(NAMED).join(name));
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        for path in by_process.into_iter().chain(by_name) {
            // The number of the process, or the name, may have passed to another namespace meanwhile.
            match File::open(&path).and_then(|file| Ok((file.metadata()?.ino(), file))) {
                Ok((inode, file)) if inode == self.inode => {
                    self.file = Some(HeldFile(Arc::new(file)));
                    return Ok(());
                }
                Ok(_) => {}
                Err(error) => failure = error,
            }
        }
        Err(SysError::new("open", format!("network namespace {}", self.inode), failure))
    }

    /// Runs `work` in the namespace, which must be held, on a thread of its own.
    ///
    /// # Errors
    /// When the namespace may not be entered (`CAP_SYS_ADMIN` is needed), or what the work gives.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        match &self.file {
            Some(file) => there(&file.0, work),
            None => Err(io::Error::new(io::ErrorKind::InvalidInput, "the network namespace is not held")),
        }
    }

    pub(super) fn home(&self) -> Home {
        self.file.as_ref().map_or(Home::Here, |file| Home::Namespace(Arc::clone(&file.0)))
    }
}

/// What [`network_namespaces`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundNamespaces {
    /// The namespaces, by inode number.
    pub namespaces: Vec<NetworkNamespace>,
    /// Processes whose namespace may not be asked for: they belong to others, and `CAP_SYS_PTRACE` is missing.
    pub denied: usize,
}

/// All network namespaces in which a process lives or that have a name.
///
/// # Errors
/// When `/proc` cannot be listed.
pub fn network_namespaces() -> Result<FoundNamespaces, SysError> {
    let mut found: BTreeMap<u64, NetworkNamespace> = BTreeMap::new();
    let mut denied = 0;
    let entries = std::fs::read_dir("/proc").map_err(|source| SysError::new("list", "/proc", source))?;
    let processes = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    for process in processes {
        let inode = match std::fs::read_link(format!("/proc/{process}/ns/net")) {
            Ok(target) => inode_of(target.as_os_str().as_encoded_bytes()),
            Err(error) => {
                denied += usize::from(error.kind() == io::ErrorKind::PermissionDenied);
                None
            }
        };
        if let Some(inode) = inode {
            let of_namespace = &mut found.entry(inode).or_insert_with(|| bare(inode)).process;
            *of_namespace = Some(of_namespace.map_or(process, |lowest| lowest.min(process)));
        }
    }
    for (inode, name) in named() {
        found.entry(inode).or_insert_with(|| bare(inode)).name.get_or_insert(name);
    }
    Ok(FoundNamespaces { namespaces: found.into_values().collect(), denied })
}

fn bare(inode: u64) -> NetworkNamespace {
    NetworkNamespace { inode, name: None, process: None, file: None }
}

/// The number in `net:[4026531840]`.
fn inode_of(target: &[u8]) -> Option<u64> {
    std::str::from_utf8(target).ok()?.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()
}

/// The names below `/run/netns` with the namespaces that they stand for, in the order of the names.
fn named() -> Vec<(u64, String)> {
    // A name without a namespace mounted on it is an ordinary empty file of another device.
    let device = std::fs::metadata("/proc/self/ns/net").map(|data| data.dev()).ok();
    let entries = std::fs::read_dir(NAMED).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<(u64, String)> = entries
        .filter_map(|entry| {
            let data = std::fs::metadata(entry.path()).ok().filter(|data| Some(data.dev()) == device)?;
            Some((data.ino(), entry.file_name().to_string_lossy().into_owned()))
        })
        .collect();
    names.sort_by(|a, b| a.1.cmp(&b.1));
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EndedMulticast, EndedSockets as _, Kernel as _, Linux, Netlink};
    use squirrel_testkit::{Namespace, skip};
    use squirrel_wire::link::{DUMP_LINKS, Link, RTM_GETLINK};
    use squirrel_wire::sock_diag::InetSocket;

    #[test]
    fn the_namespace_of_this_program_is_found() {
        let own = NetworkNamespace::current().unwrap();
        let found = network_namespaces().unwrap();
        let same = found.namespaces.iter().find(|namespace| namespace.inode == own.inode).unwrap();
        assert!(same.process.is_some());
        assert_eq!(inode_of(b"net:[12]"), Some(12));
        assert_eq!((inode_of(b"mnt:[12]"), inode_of(b"net:[x]"), inode_of(b"net:[")), (None, None, None));
    }

    fn links(kernel: &Linux) -> Vec<String> {
        let mut names = Vec::new();
        let each = &mut |_, payload: &[u8]| names.push(Link::parse(payload).unwrap().name.to_string());
        kernel.dump(Netlink::Route, RTM_GETLINK, &DUMP_LINKS, each).unwrap();
        names
    }

    #[test]
    fn a_named_namespace_is_entered_and_left() {
        let name = "a_named_namespace_is_entered_and_left";
        let namespace = match Namespace::create("enter") {
            Ok(namespace) => namespace,
            Err(reason) => return skip(name, &reason),
        };
        namespace.ip(&["link", "add", "only-here", "type", "veth"]).unwrap();
        let mut found = network_namespaces().unwrap().namespaces;
        let other = found.iter_mut().find(|found| found.name.as_deref() == Some(namespace.name())).unwrap();
        other.hold().unwrap();
        let (here, there) = (Linux::open().unwrap(), Linux::open_in(other).unwrap());
        assert!(!links(&here).contains(&"only-here".to_owned()));
        assert!(links(&there).contains(&"only-here".to_owned()));
        let mut out = vec![1];
        assert!(there.read("/proc/net/snmp", &mut out).is_err() && out.is_empty());
        // A dump that fails opens its socket anew, in the right namespace again.
        assert!(there.dump(Netlink::Route, 9999, &[0; 16], &mut |_, _| {}).is_err());
        assert!(links(&there).contains(&"only-here".to_owned()));
        assert_eq!(NetworkNamespace::current().unwrap().inode, network_namespaces_own());
    }

    fn network_namespaces_own() -> u64 {
        std::fs::metadata("/proc/self/ns/net").unwrap().ino()
    }

    #[test]
    fn the_end_of_a_connection_is_announced_with_its_bytes() {
        use std::io::{Read as _, Write as _};
        let mut ends = EndedMulticast::open().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(&[7; 1234]).unwrap();
        drop(client);
        server.read_to_end(&mut Vec::new()).unwrap();
        drop(server);
        // The freeing of a socket may be put off for a moment (RCU, TIME_WAIT); the test ends with the event.
        let mut seen = Vec::new();
        while !seen.contains(&(true, 1234)) || !seen.iter().any(|(ours, bytes)| !ours && *bytes >= 1234) {
            ends.drain(&mut |payload| {
                let socket = InetSocket::parse(payload).unwrap();
                if let Some(tcp) = socket.tcp.filter(|_| socket.local_port == port || socket.remote_port == port) {
                    if socket.remote_port == port {
                        seen.push((true, tcp.payload_sent().unwrap()));
                    } else {
                        seen.push((false, tcp.bytes_received().unwrap()));
                    }
                }
            })
            .unwrap();
            std::thread::yield_now();
        }
        // The server's socket counts the FIN as one more.
        assert!(seen.contains(&(false, 1235)), "{seen:?}");
    }
}
