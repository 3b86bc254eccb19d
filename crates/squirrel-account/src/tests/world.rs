//! A host in memory: sockets, processes, announcements and a ledger that a test sets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use squirrel_model::{Elapsed, Timestamp};
use squirrel_sys::{EndedSockets, Kernel, Netlink, ProcessNote, SocketLedger, SysError};
use squirrel_testkit::{DiagSocket, FakeKernel};
use squirrel_wire::ledger::SocketRecord;
use squirrel_wire::packet_diag::AF_PACKET;

use crate::picture::{ConnectionRow, Picture, ProcessRow, Traffic};
use crate::{Accountant, NamespaceSource, Options, Sources};

/// The namespace of the host.
pub(super) const HOST: u64 = 4_026_531_840;
/// `TCPDIAG_GETSOCK`.
const BOTH_FAMILIES: u16 = 18;
/// `RTM_NEWLINK`, `RTM_GETLINK`, `RTM_NEWADDR`, `RTM_GETADDR`.
const LINKS: (u16, u16) = (16, 18);
const ADDRESSES: (u16, u16) = (20, 22);

/// What is on the host now.
#[derive(Default)]
pub(super) struct State {
    pub(super) sockets: Vec<DiagSocket>,
    /// Packet sockets, as messages.
    pub(super) packet_sockets: Vec<Vec<u8>>,
    /// Announced at the next look.
    pub(super) ended: Vec<DiagSocket>,
    /// Announcements that were lost.
    pub(super) lost: u64,
    /// Messages of interfaces and addresses.
    pub(super) links: Vec<Vec<u8>>,
    pub(super) addresses: Vec<Vec<u8>>,
    /// The ledger's living and ended sockets.
    pub(super) living: Vec<SocketRecord>,
    pub(super) finished: Vec<SocketRecord>,
    /// What the ledger noted of processes, by number and start.
    pub(super) notes: HashMap<(u32, u64), ProcessNote>,
    /// Whether the ledger fails.
    pub(super) broken: bool,
    /// How often the ledger began anew.
    pub(super) generation: u64,
    /// How many dumps of TCP sockets were asked for.
    pub(super) dumps: usize,
    /// How often the descriptors of a process were listed.
    pub(super) looks: usize,
    /// Processes whose descriptors may not be seen.
    pub(super) closed: Vec<u32>,
    /// Whether whoever looks has the privilege to look at others.
    pub(super) may_trace: bool,
}

/// The host, shared by its kernel, its announcements and its ledger.
#[derive(Clone, Default)]
pub(super) struct World {
    state: Arc<Mutex<State>>,
    files: Arc<FakeKernel>,
}

impl World {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process with these sockets, by inode.
    pub(super) fn process(&self, pid: u32, name: &str, started: u64, inodes: &[u32]) {
        self.leave(pid);
        let stat = format!("{pid} ({name}) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {started} 0 0\n");
        self.files.write(&format!("/proc/{pid}/stat"), stat);
        self.files.write(&format!("/proc/{pid}/cmdline"), format!("/bin/{name}\0"));
        self.files.write(&format!("/proc/{pid}/status"), "Uid:\t0\t0\t0\t0\n");
        self.files.write(&format!("/proc/{pid}/cgroup"), format!("0::/system.slice/{name}.service\n"));
        self.files.write(&format!("/proc/{pid}/fd/0"), "/dev/null");
        for (number, inode) in inodes.iter().enumerate() {
            self.files.write(&format!("/proc/{pid}/fd/{}", number + 3), format!("socket:[{inode}]"));
        }
    }

    /// The process ends.
    pub(super) fn leave(&self, pid: u32) {
        for file in ["stat", "cmdline", "status", "cgroup"] {
            self.files.remove(&format!("/proc/{pid}/{file}"));
        }
        for number in 0..64 {
            self.files.remove(&format!("/proc/{pid}/fd/{number}"));
        }
    }

    /// Changes one socket.
    pub(super) fn change(&self, cookie: u64, change: impl FnOnce(&mut DiagSocket)) {
        let mut state = self.state();
        let socket = state.sockets.iter_mut().find(|socket| socket.cookie == cookie);
        change(socket.expect("there is such a socket"));
    }

    /// Ends one socket, with an announcement.
    pub(super) fn end(&self, cookie: u64) {
        let mut state = self.state();
        let place = state.sockets.iter().position(|socket| socket.cookie == cookie);
        let mut socket = state.sockets.remove(place.expect("there is such a socket"));
        (socket.inode, socket.state) = (0, 7);
        state.ended.push(socket);
    }

    pub(super) fn watch(&self, options: Options, ledger: bool) -> Watch {
        // No host is without its first process.
        self.process(1, "init", 1, &[]);
        let kernel: Arc<dyn Kernel> = Arc::new(self.clone());
        let namespace = NamespaceSource {
            inode: HOST,
            name: None,
            process: None,
            kernel: Arc::clone(&kernel),
            ended: Some(Box::new(self.clone())),
        };
        let ledger = ledger.then(|| Box::new(self.clone()) as Box<dyn SocketLedger>);
        let sources = Sources {
            host: kernel,
            namespaces: vec![namespace],
            find: None,
            ledger,
            users: None,
            containers: None,
            may_trace: self.state().may_trace,
        };
        Watch { accountant: Accountant::new(options, sources), seconds: 0 }
    }
}

impl Kernel for World {
    fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        self.files.read(path, out)
    }

    fn list(&self, path: &str, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        let mut state = self.state();
        state.looks += usize::from(path.ends_with("/fd"));
        if state.closed.iter().any(|pid| path == format!("/proc/{pid}/fd")) {
            return Err(SysError::new("list", path, std::io::ErrorKind::PermissionDenied.into()));
        }
        drop(state);
        self.files.list(path, each)
    }

    fn link(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        self.files.link(path, out)
    }

    fn dump(
        &self,
        family: Netlink,
        kind: u16,
        payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> Result<(), SysError> {
        let mut state = self.state();
        if family == Netlink::Route {
            for (messages, (answer, request)) in [(&state.links, LINKS), (&state.addresses, ADDRESSES)] {
                messages.iter().filter(|_| kind == request).for_each(|message| each(answer, message));
            }
            return Ok(());
        }
        if kind != BOTH_FAMILIES && payload.first() == Some(&AF_PACKET) {
            state.packet_sockets.iter().for_each(|message| each(kind, message));
            return Ok(());
        }
        state.dumps += usize::from(kind == BOTH_FAMILIES);
        // Dumps of one family name it first.
        let wanted = |socket: &&DiagSocket| match kind {
            BOTH_FAMILIES => !socket.udp,
            _ => socket.udp && (payload.first() == Some(&2)) == socket.local.is_ipv4(),
        };
        for socket in state.sockets.iter().filter(wanted) {
            let mut message = Vec::new();
            socket.encode(&mut message);
            each(kind, &message);
        }
        Ok(())
    }

    fn ethtool(&self, interface: &str, _: &mut [u8]) -> Result<(), SysError> {
        Err(SysError::new("ethtool", interface, std::io::ErrorKind::Unsupported.into()))
    }
}

impl EndedSockets for World {
    fn drain(&mut self, each: &mut dyn FnMut(&[u8])) -> Result<u64, SysError> {
        let ended = std::mem::take(&mut self.state().ended);
        for socket in ended {
            let mut message = Vec::new();
            socket.encode(&mut message);
            each(&message);
        }
        Ok(std::mem::take(&mut self.state().lost))
    }
}

impl SocketLedger for World {
    fn ended(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<u64, SysError> {
        std::mem::take(&mut self.state().finished).into_iter().for_each(each);
        Ok(std::mem::take(&mut self.state().lost))
    }

    fn living(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<(), SysError> {
        if self.state().broken {
            return Err(SysError::new("bpf", "iterator", std::io::ErrorKind::PermissionDenied.into()));
        }
        self.state().living.iter().copied().for_each(each);
        Ok(())
    }

    fn process(&mut self, tgid: u32, started_ns: u64) -> Result<Option<ProcessNote>, SysError> {
        Ok(self.state().notes.get(&(tgid, started_ns)).cloned())
    }

    fn generation(&self) -> u64 {
        self.state().generation
    }

    fn parts(&self) -> Vec<(String, Option<String>)> {
        vec![("sock_send_length".to_owned(), None)]
    }
}

/// An accountant and its clock.
pub(super) struct Watch {
    pub(super) accountant: Accountant,
    seconds: u64,
}

impl Watch {
    /// One step, a second after the last.
    pub(super) fn step(&mut self) -> Arc<Picture> {
        self.seconds += 1;
        let wall = Timestamp(1_700_000_000_000 + self.seconds as i64 * 1000);
        self.accountant.step(Elapsed(Duration::from_secs(self.seconds)), wall);
        self.accountant.picture()
    }

    /// So many steps.
    pub(super) fn steps(&mut self, count: usize) -> Arc<Picture> {
        (1..count).for_each(|_| drop(self.step()));
        self.step()
    }
}

/// The row of a process; the last one that had the number.
pub(super) fn process(picture: &Picture, pid: u32) -> &ProcessRow {
    let rows = picture.processes.iter().filter(|row| row.process.pid == pid);
    rows.max_by_key(|row| row.process.started).expect("the process has a row")
}

/// The row of a socket.
pub(super) fn connection(picture: &Picture, cookie: u64) -> &ConnectionRow {
    picture.connections.iter().find(|row| row.cookie == cookie).expect("the socket has a row")
}

/// Bytes that belong to nobody for this reason.
pub(super) fn nobody(picture: &Picture, reason: &str) -> Traffic {
    picture.unattributed.iter().find(|row| row.reason == reason).map(|row| row.bytes).unwrap_or_default()
}
