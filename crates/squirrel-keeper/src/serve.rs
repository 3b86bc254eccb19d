//! The keeper's loop: one question, one answer, until the other end goes away.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use squirrel_sys::containers::{ContainerId, Runtime};
use squirrel_sys::courier::{Courier, LONGEST};
use squirrel_sys::{FoundNamespaces, NetworkNamespace, SocketLedger, SysError};

use crate::record;
use crate::words::{Door, Question, answer, put_octets, put_text};

/// What a process with privileges can do for the other end. The real ones ask the kernel; a test answers from a table.
/// What one does not do, it refuses.
pub trait Services {
    /// The ledger of sockets, or why there is none.
    ///
    /// # Errors
    /// The reason, for people.
    fn ledger(&mut self) -> Result<&mut dyn SocketLedger, &str> {
        Err("this process has none")
    }

    /// Hands over the descriptor and the inode number of each socket of a process, and answers how many descriptors it has.
    ///
    /// # Errors
    /// The process is gone or may not be looked at.
    fn sockets_of(&mut self, process: u32, _: &mut dyn FnMut(u32, u64)) -> Result<usize, SysError> {
        Err(not_here("look for sockets", format!("process {process}")))
    }

    /// The network namespaces of the host.
    ///
    /// # Errors
    /// When processes cannot be listed.
    fn namespaces(&mut self) -> Result<FoundNamespaces, SysError> {
        Err(not_here("list", "network namespaces".to_owned()))
    }

    /// Opens a netlink socket in a network namespace.
    ///
    /// # Errors
    /// The namespace is gone or may not be entered.
    fn open(&mut self, namespace: u64, _: Door) -> Result<OwnedFd, SysError> {
        Err(not_here("open", format!("network namespace {namespace}")))
    }

    /// The name that a container's runtime noted; none when it knows no such container.
    ///
    /// # Errors
    /// The runtime's files may not be read.
    fn container(&mut self, _: Runtime, id: ContainerId) -> Result<Option<String>, SysError> {
        Err(not_here("look for the name", format!("container {id}")))
    }

    /// Counts the frames of an interface from now on.
    ///
    /// # Errors
    /// Why they are not counted, for people.
    fn attach(&mut self, namespace: u64, _: u32, _: &str) -> Result<(), SysError> {
        Err(not_here("count frames", format!("network namespace {namespace}")))
    }

    /// Counts the frames of an interface no longer.
    fn detach(&mut self, _: u64, _: u32) {}

    /// Hands over each row of the frames counted in a namespace, as the kernel wrote it.
    ///
    /// # Errors
    /// The call that failed.
    fn frames(&mut self, namespace: u64, _: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        Err(not_here("count frames", format!("network namespace {namespace}")))
    }

    /// Counts no frames of a namespace any longer.
    fn release(&mut self, _: u64) {}
}

fn not_here(call: &'static str, subject: String) -> SysError {
    SysError::new(call, subject, io::ErrorKind::Unsupported.into())
}

/// Answers questions until the other end goes away.
///
/// # Errors
/// When the connection fails otherwise, or the other end does not speak these words.
pub fn serve(courier: &Courier, services: &mut dyn Services) -> io::Result<()> {
    let mut message = Vec::new();
    while courier.receive(&mut message)?.is_some() {
        let question = Question::read(&message).map_err(io::Error::other)?;
        let mut reply = Reply { courier, buffer: vec![answer::MORE], trouble: None };
        let outcome = answered(question, services, &mut reply);
        reply.finish(outcome)?;
    }
    Ok(())
}

/// How an answer ends.
enum End {
    Number(u64),
    Descriptor(OwnedFd),
}

fn answered(question: Question, services: &mut dyn Services, reply: &mut Reply<'_>) -> Result<End, SysError> {
    let no_ledger = |reason: &str| SysError::new("ledger", "sockets", io::Error::other(reason.to_owned()));
    match question {
        Question::Parts => {
            let parts = services.ledger().map_err(no_ledger)?.parts();
            for (part, missing) in parts {
                reply.item(|out| put_part(&part, missing.as_deref(), out));
            }
            Ok(End::Number(0))
        }
        Question::Ended => {
            let ledger = services.ledger().map_err(no_ledger)?;
            let lost = ledger.ended(&mut |row| reply.item(|out| record::put(&row, out)))?;
            Ok(End::Number(lost))
        }
        Question::Living => {
            let ledger = services.ledger().map_err(no_ledger)?;
            ledger.living(&mut |row| reply.item(|out| record::put(&row, out)))?;
            Ok(End::Number(0))
        }
        Question::Missed => {
            let missed = services.ledger().map_err(no_ledger)?.missed()?;
            reply.item(|out| {
                out.extend_from_slice(&missed.transmit_bytes.to_ne_bytes());
                out.extend_from_slice(&missed.receive_bytes.to_ne_bytes());
            });
            Ok(End::Number(0))
        }
        Question::Process { tgid, started_ns } => {
            let note = services.ledger().map_err(no_ledger)?.process(tgid, started_ns)?;
            if let Some(note) = note {
                reply.item(|out| {
                    out.extend_from_slice(&note.parent.to_ne_bytes());
                    put_octets(&note.command, out);
                });
            }
            Ok(End::Number(0))
        }
        Question::SocketsOf(process) => {
            let mut put = |descriptor: u32, inode: u64| {
                reply.item(|out| {
                    out.extend_from_slice(&descriptor.to_ne_bytes());
                    out.extend_from_slice(&inode.to_ne_bytes());
                });
            };
            Ok(End::Number(services.sockets_of(process, &mut put)? as u64))
        }
        Question::Namespaces => {
            let found = services.namespaces()?;
            for namespace in &found.namespaces {
                reply.item(|out| put_namespace(namespace, out));
            }
            Ok(End::Number(found.denied as u64))
        }
        Question::Container { runtime, id } => {
            if let Some(name) = services.container(runtime, id)? {
                reply.item(|out| put_text(&name, out));
            }
            Ok(End::Number(0))
        }
        Question::Attach { namespace, interface, name } => {
            let name = name.split(|octet| *octet == 0).next().unwrap_or_default();
            let not_text = || SysError::new("count frames", "an interface", io::ErrorKind::InvalidInput.into());
            let name = std::str::from_utf8(name).map_err(|_| not_text())?;
            services.attach(namespace, interface, name).map(|()| End::Number(0))
        }
        Question::Detach { namespace, interface } => {
            services.detach(namespace, interface);
            Ok(End::Number(0))
        }
        Question::Frames { namespace } => {
            services.frames(namespace, &mut |row| reply.item(|out| out.extend_from_slice(row)))?;
            Ok(End::Number(0))
        }
        Question::Release { namespace } => {
            services.release(namespace);
            Ok(End::Number(0))
        }
        Question::Open { namespace, door } => services.open(namespace, door).map(End::Descriptor),
    }
}

fn put_part(part: &str, missing: Option<&str>, out: &mut Vec<u8>) {
    put_text(part, out);
    out.push(u8::from(missing.is_some()));
    put_text(missing.unwrap_or_default(), out);
}

fn put_namespace(namespace: &NetworkNamespace, out: &mut Vec<u8>) {
    out.extend_from_slice(&namespace.inode.to_ne_bytes());
    out.extend_from_slice(&namespace.process.unwrap_or(0).to_ne_bytes());
    put_text(namespace.name.as_deref().unwrap_or_default(), out);
}

/// An answer under way: items are collected and sent when a message is full.
struct Reply<'a> {
    courier: &'a Courier,
    buffer: Vec<u8>,
    /// Why nothing can be sent any more.
    trouble: Option<io::Error>,
}

/// Longest item; texts are cut to fit.
const LONGEST_ITEM: usize = 4096;

impl Reply<'_> {
    fn item(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let before = self.buffer.len();
        put(&mut self.buffer);
        if self.buffer.len() - before > LONGEST_ITEM {
            // Nothing that is said here is so long: a reason of that length says nothing to anybody.
            self.buffer.truncate(before);
        }
        if self.buffer.len() > LONGEST - LONGEST_ITEM {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.buffer.len() > 1 && self.trouble.is_none() {
            self.trouble = self.courier.send(&self.buffer, None).err();
        }
        self.buffer.truncate(1);
    }

    fn finish(mut self, outcome: Result<End, SysError>) -> io::Result<()> {
        self.flush();
        if let Some(trouble) = self.trouble {
            return Err(trouble);
        }
        let mut last = Vec::new();
        let mut beside = None;
        match outcome {
            Ok(End::Number(number)) => {
                last.push(answer::DONE);
                last.extend_from_slice(&number.to_ne_bytes());
            }
            Ok(End::Descriptor(descriptor)) => {
                last.push(answer::DONE);
                last.extend_from_slice(&0_u64.to_ne_bytes());
                beside = Some(descriptor);
            }
            Err(error) => {
                last.push(answer::FAILED);
                last.extend_from_slice(&error.source.raw_os_error().unwrap_or(0).to_ne_bytes());
                put_text(error.call, &mut last);
                put_text(&error.subject, &mut last);
                put_text(&error.source.to_string(), &mut last);
            }
        }
        self.courier.send(&last, beside.as_ref().map(|descriptor| descriptor.as_fd()))
    }
}
