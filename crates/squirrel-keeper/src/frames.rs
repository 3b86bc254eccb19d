//! Frames that a process with privileges counts, and the side that asks for them.
//!
//! To attach a program to an interface takes privileges each time, and interfaces come and go. So a process of its own
//! does it, which lives only while packets are counted.

use std::collections::BTreeMap;
use std::io;

use squirrel_sys::{NetworkNamespace, PacketLedger, SysError};
use squirrel_wire::packets::{PacketRecord, RECORD_LEN};

use crate::Keeper;
use crate::host::Namespaces;
use crate::serve::Services;
use crate::words::{Name, Question};

/// Most network namespaces whose frames are counted at one time: each has tables and programs of its own in the
/// kernel.
const MOST_NAMESPACES: usize = 64;

/// Counts the frames of interfaces of one network namespace, in which it was opened.
pub trait FrameCounter: Send {
    /// Counts an interface from now on; called in the namespace.
    ///
    /// # Errors
    /// Why not, for people.
    fn attach(&mut self, interface: u32, name: &str) -> Result<(), String>;

    /// Counts an interface no longer.
    fn detach(&mut self, interface: u32);

    /// Hands over each row as the kernel wrote it.
    ///
    /// # Errors
    /// The call that failed.
    fn rows(&mut self, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError>;
}

/// Opens a counter in the network namespace of the calling thread, or says why there is none.
pub type OpenCounter = Box<dyn Fn() -> Result<Box<dyn FrameCounter>, String> + Send + Sync>;

/// Counts frames in the network namespaces of this host.
pub struct FrameHost {
    open: OpenCounter,
    counters: BTreeMap<u64, Box<dyn FrameCounter>>,
    namespaces: Namespaces,
    own: u64,
}

impl FrameHost {
    /// Counts nothing yet.
    ///
    /// # Errors
    /// When `/proc` does not tell the own namespace.
    pub fn new(open: OpenCounter) -> Result<Self, SysError> {
        let (counters, namespaces) = (BTreeMap::new(), Namespaces::default());
        Ok(Self { open, counters, namespaces, own: NetworkNamespace::current()?.inode })
    }

    /// Runs `work` in a namespace, with its counter.
    fn within(
        &mut self,
        namespace: u64,
        work: impl FnOnce(&mut dyn FrameCounter) -> Result<(), String> + Send,
    ) -> Result<(), SysError> {
        let failed = |source| SysError::new("count frames", format!("network namespace {namespace}"), source);
        if self.counters.len() >= MOST_NAMESPACES && !self.counters.contains_key(&namespace) {
            let limit = format!("frames are counted in at most {MOST_NAMESPACES} network namespaces at one time");
            return Err(failed(io::Error::other(limit)));
        }
        let (open, counters) = (&self.open, &mut self.counters);
        let there = move || {
            let counter = match counters.entry(namespace) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(place) => place.insert(open().map_err(io::Error::other)?),
            };
            work(&mut **counter).map_err(io::Error::other)
        };
        let outcome = if namespace == self.own { there() } else { self.namespaces.hold(namespace)?.run(there) };
        outcome.map_err(failed)
    }
}

impl std::fmt::Debug for FrameHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameHost").field("namespaces", &self.counters.keys()).finish_non_exhaustive()
    }
}

impl Services for FrameHost {
    fn attach(&mut self, namespace: u64, interface: u32, name: &str) -> Result<(), SysError> {
        self.within(namespace, |counter| counter.attach(interface, name))
    }

    fn detach(&mut self, namespace: u64, interface: u32) {
        if let Some(counter) = self.counters.get_mut(&namespace) {
            counter.detach(interface);
        }
    }

    fn frames(&mut self, namespace: u64, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        // Nothing was attached yet, or it was refused: there are no rows.
        self.counters.get_mut(&namespace).map_or(Ok(()), |counter| counter.rows(each))
    }

    fn release(&mut self, namespace: u64) {
        self.counters.remove(&namespace);
    }
}

/// The frames of one network namespace, as the process that counts them tells. Dropping it ends the counting there.
#[derive(Debug)]
pub struct KeptFrames {
    keeper: Keeper,
    namespace: u64,
}

impl KeptFrames {
    /// Those of the namespace with this inode number. Nothing is counted before [`attach`](Self::attach).
    pub fn new(keeper: &Keeper, namespace: u64) -> Self {
        Self { keeper: keeper.clone(), namespace }
    }

    /// Counts an interface from now on; one that is counted already stays so.
    ///
    /// # Errors
    /// Why it cannot be counted; or that the answer is late, and another attempt may have one.
    pub fn attach(&mut self, interface: u32, name: &str) -> Result<(), SysError> {
        let mut octets = Name::default();
        let too_long = || SysError::new("count frames", name.to_owned(), io::ErrorKind::InvalidInput.into());
        octets.get_mut(..name.len()).ok_or_else(too_long)?.copy_from_slice(name.as_bytes());
        let question = Question::Attach { namespace: self.namespace, interface, name: octets };
        self.keeper.ask(question, &mut |_| Ok(())).map(|_| ())
    }

    /// Counts an interface no longer. What goes wrong with it ends with the process anyway.
    pub fn detach(&mut self, interface: u32) {
        let _ = self.keeper.ask(Question::Detach { namespace: self.namespace, interface }, &mut |_| Ok(()));
    }
}

impl PacketLedger for KeptFrames {
    fn each(&mut self, each: &mut dyn FnMut(PacketRecord)) -> Result<(), SysError> {
        let namespace = self.namespace;
        self.keeper.ask(Question::Frames { namespace }, &mut |reader| {
            // The inode numbers of namespaces have 32 bits.
            each(PacketRecord::parse(namespace as u32, reader.take(RECORD_LEN)?)?);
            Ok(())
        })?;
        Ok(())
    }
}

impl Drop for KeptFrames {
    fn drop(&mut self) {
        let _ = self.keeper.ask(Question::Release { namespace: self.namespace }, &mut |_| Ok(()));
    }
}
