//! The side that asks.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use squirrel_sys::courier::Courier;
use squirrel_sys::{
    FoundNamespaces, Kernel, Missed, Netlink, NetworkNamespace, ProcessNote, SocketLedger, SocketOpener, SysError,
};
use squirrel_wire::ledger::SocketRecord;
use squirrel_wire::{Malformed, Reader};

use crate::record;
use crate::words::{Door, Question, answer, read_octets, read_text};

/// The way to a keeper. Cheap to clone; questions are asked one after the other.
#[derive(Clone, Debug)]
pub struct Keeper {
    line: Arc<Mutex<Line>>,
}

#[derive(Debug)]
struct Line {
    courier: Courier,
    /// Set once an answer broke off: what would come next belongs to no question.
    broken: bool,
}

impl Keeper {
    /// Talks to the keeper at the other end.
    pub fn new(courier: Courier) -> Self {
        Self { line: Arc::new(Mutex::new(Line { courier, broken: false })) }
    }

    /// Asks, hands over each part of the answer, and gives its last number and descriptor.
    fn ask(
        &self,
        question: Question,
        each: &mut dyn FnMut(&mut Reader<'_>) -> Result<(), Malformed>,
    ) -> Result<(u64, Option<OwnedFd>), SysError> {
        let failed = |source: io::Error| SysError::new("ask the keeper", "the process with privileges", source);
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if line.broken {
            return Err(failed(io::ErrorKind::BrokenPipe.into()));
        }
        // Until the whole answer is here: a panic or an error in between leaves the line unusable, not confused.
        line.broken = true;
        let mut message = Vec::new();
        question.put(&mut message);
        line.courier.send(&message, None).map_err(failed)?;
        let outcome = loop {
            let Some(beside) = line.courier.receive(&mut message).map_err(failed)? else {
                return Err(failed(io::Error::new(io::ErrorKind::BrokenPipe, "it has ended")));
            };
            let mut reader = Reader::new("answer of the keeper", &message);
            let last = part(&mut reader, each).map_err(|error| failed(io::Error::other(error)))?;
            if let Some(last) = last {
                break last.map(|number| (number, beside));
            }
        };
        line.broken = false;
        outcome
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
}

/// Reads one message of an answer; the number or error that ends it, if it is the last.
fn part(
    reader: &mut Reader<'_>,
    each: &mut dyn FnMut(&mut Reader<'_>) -> Result<(), Malformed>,
) -> Result<Option<Result<u64, SysError>>, Malformed> {
    match reader.u8()? {
        answer::MORE => {
            while !reader.is_empty() {
                each(reader)?;
            }
            Ok(None)
        }
        answer::DONE => Ok(Some(Ok(reader.u64()?))),
        answer::FAILED => {
            let number = reader.u32()? as i32;
            let (call, subject, text) = (read_text(reader)?, read_text(reader)?, read_text(reader)?);
            let source = if number == 0 { io::Error::other(text) } else { io::Error::from_raw_os_error(number) };
            Ok(Some(Err(SysError::new("keeper", format!("{call} {subject}"), source))))
        }
        _ => Err(reader.malformed()),
    }
}

/// The ledger of sockets as the keeper reads it.
#[derive(Debug)]
pub struct KeptLedger {
    keeper: Keeper,
    parts: Vec<(String, Option<String>)>,
}

impl KeptLedger {
    /// The keeper's ledger.
    ///
    /// # Errors
    /// Why there is none, or that the keeper is gone.
    pub fn open(keeper: &Keeper) -> Result<Self, SysError> {
        let mut parts = Vec::new();
        keeper.ask(Question::Parts, &mut |reader| {
            let part = read_text(reader)?;
            let is_missing = reader.u8()? != 0;
            let why = read_text(reader)?;
            parts.push((part, is_missing.then_some(why)));
            Ok(())
        })?;
        Ok(Self { keeper: keeper.clone(), parts })
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

impl SocketLedger for KeptLedger {
    fn ended(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<u64, SysError> {
        self.rows(Question::Ended, each)
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
        self.parts.clone()
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

    fn sockets_of(&self, process: u32, each: &mut dyn FnMut(u64)) -> Result<usize, SysError> {
        let (seen, _) = self.keeper.ask(Question::SocketsOf(process), &mut |reader| {
            each(reader.u64()?);
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
