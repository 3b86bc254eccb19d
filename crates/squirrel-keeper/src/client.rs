//! The side that asks.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use squirrel_sys::containers::{ContainerId, Runtime};
use squirrel_sys::courier::Courier;
use squirrel_sys::{
    FoundNamespaces, Kernel, Missed, Netlink, NetworkNamespace, ProcessNote, SocketLedger, SocketOpener, SysError,
};
use squirrel_wire::ledger::SocketRecord;

use crate::line::{Each, Line, Outcome, PATIENCE, Parts, Standing, read_part};
use crate::record;
use crate::words::{Door, Question, read_octets, read_text};

/// The way to a keeper. Cheap to clone; questions are asked one after the other.
#[derive(Clone, Debug)]
pub struct Keeper {
    line: Arc<Mutex<Line>>,
}

impl Keeper {
    /// Talks to the keeper at the other end, which answers each question within a second or is late.
    pub fn new(courier: Courier) -> Self {
        Self::with_patience(courier, PATIENCE)
    }

    /// The same, with another limit for each answer.
    pub fn with_patience(courier: Courier, patience: Duration) -> Self {
        Self { line: Arc::new(Mutex::new(Line::new(courier, patience))) }
    }

    /// Goes on with another keeper, for all that talk through this one. It is not waited for: until it has loaded
    /// what it needs, questions fail at once.
    pub fn replace(&self, courier: Courier) {
        self.line().replace(courier);
    }

    /// How the keeper stands, without waiting; `None` while it is being asked something.
    pub fn standing(&self) -> Option<Standing> {
        match self.line.try_lock() {
            Ok(mut line) => Some(line.standing()),
            Err(TryLockError::Poisoned(line)) => Some(line.into_inner().standing()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// How many questions were not answered in time; `None` while it is being asked something.
    pub fn timeouts(&self) -> Option<u64> {
        self.line.try_lock().ok().map(|line| line.timeouts)
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, hands over each part of the answer, and gives its last number and descriptor.
    pub(crate) fn ask(&self, question: Question, each: Each<'_>) -> Result<(u64, Option<OwnedFd>), SysError> {
        asked(self.line().ask(question, each))
    }

    /// The network namespaces of the host.
    ///
    /// # Errors
    /// What the keeper answered, or that it is gone.
    pub fn namespaces(&self) -> Result<FoundNamespaces, SysError> {
        let mut namespaces = Vec::new();
        let (denied, _) = self.ask(Question::Namespaces, &mut |reader| {
            let inode = reader.u64()?;
            let process = reader.u32()?;
            let name = read_text(reader)?;
            let named = (!name.is_empty()).then_some(name);
            namespaces.push(NetworkNamespace::found(inode, named, (process != 0).then_some(process)));
            Ok(())
        })?;
        Ok(FoundNamespaces { namespaces, denied: usize::try_from(denied).unwrap_or(usize::MAX) })
    }

    /// A netlink socket in a network namespace.
    ///
    /// # Errors
    /// What the keeper answered, or that it is gone.
    pub fn open(&self, namespace: u64, door: Door) -> Result<OwnedFd, SysError> {
        let (_, descriptor) = self.ask(Question::Open { namespace, door }, &mut |_| Ok(()))?;
        let missing = || io::Error::new(io::ErrorKind::InvalidData, "no descriptor came");
        descriptor.ok_or_else(|| SysError::new("ask the keeper", format!("network namespace {namespace}"), missing()))
    }

    /// The name that a container's runtime noted; none when it knows no such container.
    ///
    /// # Errors
    /// What the keeper answered, or that it is gone.
    pub fn container(&self, runtime: Runtime, id: ContainerId) -> Result<Option<String>, SysError> {
        let mut name = None;
        self.ask(Question::Container { runtime, id }, &mut |reader| {
            name = Some(read_text(reader)?);
            Ok(())
        })?;
        Ok(name)
    }
}

fn asked(outcome: io::Result<Outcome>) -> Result<(u64, Option<OwnedFd>), SysError> {
    match outcome {
        Ok(Outcome::Answered(number, beside)) => Ok((number, beside)),
        Ok(Outcome::Refused { number, call, subject, text }) => {
            let source = if number == 0 { io::Error::other(text) } else { io::Error::from_raw_os_error(number) };
            Err(SysError::new("keeper", format!("{call} {subject}"), source))
        }
        Err(source) => Err(SysError::new("ask", "the keeper", source)),
    }
}

/// The ledger of sockets as the keeper reads it.
#[derive(Debug)]
pub struct KeptLedger {
    keeper: Keeper,
}

impl KeptLedger {
    /// The keeper's ledger. A keeper loads it at its start, so this waits as long as the connection does and not
    /// only as long as an answer may take.
    ///
    /// # Errors
    /// Why there is none, or that the keeper is gone.
    pub fn open(keeper: &Keeper) -> Result<Self, SysError> {
        let mut parts = Parts::new();
        let mut line = keeper.line();
        asked(line.ask_within(LOADING, Question::Parts, &mut |reader| {
            parts.push(read_part(reader)?);
            Ok(())
        }))?;
        line.parts = Some(parts);
        drop(line);
        Ok(Self { keeper: keeper.clone() })
    }

    fn rows(&self, question: Question, each: &mut dyn FnMut(SocketRecord)) -> Result<u64, SysError> {
        let (number, _) = self.keeper.ask(question, &mut |reader| {
            let row = record::read(reader.take(record::LENGTH)?).ok_or_else(|| reader.malformed())?;
            each(row);
            Ok(())
        })?;
        Ok(number)
    }
}

/// Longest wait for a keeper that loads its programs.
const LOADING: Duration = Duration::from_secs(30);

impl SocketLedger for KeptLedger {
    fn ended(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<u64, SysError> {
        let asked = self.rows(Question::Ended, each);
        // Those of an answer that came late are handed over with the first that comes in time.
        let lost = asked?;
        let (ended, lost_before) = self.keeper.line().take_ended();
        ended.into_iter().for_each(each);
        Ok(lost + lost_before)
    }

    fn living(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<(), SysError> {
        self.rows(Question::Living, each).map(|_| ())
    }

    fn process(&mut self, tgid: u32, started_ns: u64) -> Result<Option<ProcessNote>, SysError> {
        let mut note = None;
        self.keeper.ask(Question::Process { tgid, started_ns }, &mut |reader| {
            let parent = reader.u32()?;
            note = Some(ProcessNote { parent, command: read_octets(reader)?.to_vec() });
            Ok(())
        })?;
        Ok(note)
    }

    fn missed(&mut self) -> Result<Missed, SysError> {
        let mut missed = Missed::default();
        self.keeper.ask(Question::Missed, &mut |reader| {
            missed = Missed { transmit_bytes: reader.u64()?, receive_bytes: reader.u64()? };
            Ok(())
        })?;
        Ok(missed)
    }

    fn parts(&self) -> Vec<(String, Option<String>)> {
        self.keeper.line().parts.clone().unwrap_or_default()
    }

    fn generation(&self) -> u64 {
        self.keeper.line().generation
    }
}

/// A kernel of which the keeper answers what needs a privilege: the sockets of other users' processes.
#[derive(Debug)]
pub struct KeptKernel<K> {
    kernel: K,
    keeper: Keeper,
}

impl<K: Kernel> KeptKernel<K> {
    /// Asks `kernel` for everything else.
    pub fn new(kernel: K, keeper: &Keeper) -> Self {
        Self { kernel, keeper: keeper.clone() }
    }
}

impl<K: Kernel> Kernel for KeptKernel<K> {
    fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        self.kernel.read(path, out)
    }

    fn list(&self, path: &str, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        self.kernel.list(path, each)
    }

    fn link(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        self.kernel.link(path, out)
    }

    fn sockets_of(&self, process: u32, each: &mut dyn FnMut(u32, u64)) -> Result<usize, SysError> {
        let (seen, _) = self.keeper.ask(Question::SocketsOf(process), &mut |reader| {
            each(reader.u32()?, reader.u64()?);
            Ok(())
        })?;
        Ok(usize::try_from(seen).unwrap_or(usize::MAX))
    }

    fn dump(
        &self,
        family: Netlink,
        message_type: u16,
        payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> Result<(), SysError> {
        self.kernel.dump(family, message_type, payload, each)
    }

    fn ethtool(&self, interface: &str, command: &mut [u8]) -> Result<(), SysError> {
        self.kernel.ethtool(interface, command)
    }
}

/// Opens sockets in one network namespace by asking the keeper.
#[derive(Debug)]
struct Opener {
    keeper: Keeper,
    namespace: u64,
}

impl SocketOpener for Opener {
    fn open(&self, family: Netlink) -> io::Result<OwnedFd> {
        let door = match family {
            Netlink::Route => Door::Route,
            Netlink::SockDiag => Door::SockDiag,
        };
        self.keeper.open(self.namespace, door).map_err(io::Error::other)
    }

    fn open_announcer(&self) -> io::Result<OwnedFd> {
        self.keeper.open(self.namespace, Door::Ended).map_err(io::Error::other)
    }
}

impl Keeper {
    /// What opens sockets in a network namespace, for [`Linux::open_by`](squirrel_sys::Linux::open_by) and
    /// [`EndedMulticast::open_by`](squirrel_sys::EndedMulticast::open_by).
    pub fn opener(&self, namespace: u64) -> Arc<dyn SocketOpener> {
        Arc::new(Opener { keeper: self.clone(), namespace })
    }
}

#[cfg(test)]
mod tests;
