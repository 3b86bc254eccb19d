//! The accountant: reads its sources step by step and keeps the books.

mod booking;
mod level;
mod namespaces;
mod picture;
mod recorded;
mod series;
mod step;

use std::sync::Arc;
use std::time::Duration;

use squirrel_model::Timestamp;
use squirrel_sys::{EndedSockets, Kernel, SocketLedger};

use crate::containers::ContainerNames;
use crate::groups::Groups;
use crate::half_open::HalfOpen;
use crate::hosts::Hosts;
use crate::identity::{self, Place};
use crate::links::Links;
use crate::load::Load;
use crate::options::Options;
use crate::owners::Owners;
use crate::packets::{ByPackets, CountPackets};
use crate::picture::{Container, Picture};
use crate::processes::Processes;
use crate::reading::Algorithms;
use crate::reasons::Unattributed;
use crate::settle::Settled;
use crate::slots::Slot;
use crate::sources::{FindNamespaces, NamespaceSource, Sources};
use crate::table::Table;

/// Bytes of memory that one connection may cost, with its share of the other tables.
const MEMORY_OF_ONE: usize = 600;
/// Most network namespaces that are watched: each costs a few descriptors.
const MAX_NAMESPACES: usize = 1000;

/// A network namespace that is watched.
struct Namespace {
    inode: u64,
    name: Option<String>,
    process: Option<u32>,
    /// When that process started: another one may have its number by now.
    process_started: u64,
    /// The container, once it was looked up.
    container: Option<Container>,
    looked_up: bool,
    kernel: Arc<dyn Kernel>,
    ended: Option<Box<dyn EndedSockets>>,
    links: Links,
    half_open: HalfOpen,
    /// Whether its interfaces were read for the first time in this step.
    new: bool,
    /// Sockets that exist already when they are first seen in the next dump: what they have counted is not ours.
    baseline: bool,
    /// Dumps that were made; it wraps.
    dumps: u8,
    /// Sockets in the last dump.
    sockets: usize,
    /// Why its last dump failed.
    failure: Option<String>,
    /// Counts its packets, while that is wished.
    packets: Option<ByPackets>,
}

impl Namespace {
    fn subject(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("net:[{}]", self.inode))
    }

    /// Finds the container by a process that lives here.
    fn look_up(&mut self, host: &dyn Kernel, processes: &mut Processes, buffer: &mut Vec<u8>) {
        if let Some(container) = &mut self.container {
            // It may not have been written when the namespace was found.
            processes.containers.name(container, processes.now);
        }
        if !std::mem::replace(&mut self.looked_up, true)
            && let Some(process) = self.process
            && host.read(&format!("/proc/{process}/cgroup"), buffer).is_ok()
        {
            self.container = Place::parse(buffer).container;
            self.process_started = identity::stat(host, process, buffer).map_or(0, |stat| stat.started);
        }
    }

    /// Reads the counters of protocols: the program's own are at hand, those of others are found by a process that lives
    /// there, as long as it is the same.
    fn read_protocols(&mut self, host: &dyn Kernel, own: bool, buffer: &mut Vec<u8>) {
        if own {
            return self.links.read_protocols(host, "/proc/net", buffer);
        }
        let Some(process) = self.process else { return };
        if identity::stat(host, process, buffer).is_some_and(|stat| stat.started == self.process_started) {
            self.links.read_protocols(host, &format!("/proc/{process}/net"), buffer);
        }
    }
}

impl From<NamespaceSource> for Namespace {
    fn from(source: NamespaceSource) -> Self {
        let NamespaceSource { inode, name, process, kernel, ended } = source;
        Self {
            inode,
            name,
            process,
            process_started: 0,
            container: None,
            looked_up: false,
            kernel,
            ended,
            links: Links::default(),
            half_open: HalfOpen::default(),
            new: false,
            baseline: true,
            dumps: 0,
            sockets: 0,
            failure: None,
            packets: None,
        }
    }
}

/// Keeps account of processes, connections and hosts. See the crate's documentation.
pub struct Accountant {
    options: Options,
    host: Arc<dyn Kernel>,
    /// Whether whoever reads it may look at the processes of others.
    may_trace: bool,
    /// A namespace keeps its place; a place that became free is used again.
    namespaces: Vec<Option<Namespace>>,
    find: Option<FindNamespaces>,
    /// Why namespaces are missing.
    namespaces_missing: Vec<String>,
    ledger: Option<Box<dyn SocketLedger>>,
    ledger_failure: Option<String>,
    /// Of the ledger that was read last.
    ledger_generation: Option<u64>,
    /// Why there is no ledger.
    ledger_missing: String,
    table: Table,
    processes: Processes,
    hosts: Hosts,
    owners: Owners,
    owners_failure: Option<String>,
    algorithms: Algorithms,
    groups: Groups,
    load: Load,
    unattributed: Unattributed,
    settled: Settled,
    ended: Vec<Slot>,
    /// Paths of multipath sockets that the ledger told of in this step.
    paths: Vec<Slot>,
    began: Option<Timestamp>,
    wall: Timestamp,
    now: Duration,
    /// Time between the last two steps.
    span: Duration,
    steps: u64,
    lost: u64,
    pruned: u64,
    malformed: u64,
    /// Counts packets, in each namespace.
    count_packets: Option<CountPackets>,
    /// Why packets are not counted although somebody wished it.
    packets_missing: Option<String>,
    buffer: Vec<u8>,
    drawn: Option<Arc<Picture>>,
}

impl Accountant {
    /// An accountant that has read nothing yet.
    pub fn new(options: Options, mut sources: Sources) -> Self {
        let users = sources.take_users();
        // The ceiling of memory is kept by the number of rows.
        let limit = options.connections.min(options.memory / MEMORY_OF_ONE);
        Self {
            groups: Groups::new(options.groups),
            load: Load::new(limit),
            options: Options { connections: limit, ..options },
            host: sources.host,
            may_trace: sources.may_trace,
            namespaces: sources.namespaces.into_iter().map(|source| Some(source.into())).collect(),
            find: sources.find,
            namespaces_missing: Vec::new(),
            ledger: sources.ledger,
            ledger_failure: None,
            ledger_generation: None,
            ledger_missing: "no kernel-side ledger of sockets was given".to_owned(),
            table: Table::default(),
            processes: Processes::new(users, ContainerNames::new(sources.containers)),
            hosts: Hosts::default(),
            owners: Owners::default(),
            owners_failure: None,
            algorithms: Algorithms::default(),
            unattributed: Unattributed::default(),
            settled: Settled::default(),
            ended: Vec::new(),
            paths: Vec::new(),
            began: None,
            wall: Timestamp::default(),
            now: Duration::ZERO,
            span: Duration::ZERO,
            steps: 0,
            lost: 0,
            pruned: 0,
            malformed: 0,
            count_packets: None,
            packets_missing: None,
            buffer: Vec::new(),
            drawn: None,
        }
    }

    /// What is known as of the last step. It is drawn when it is first asked for after a step, and shared after that;
    /// who does not ask pays nothing.
    pub fn picture(&mut self) -> Arc<Picture> {
        if let Some(drawn) = &self.drawn {
            return Arc::clone(drawn);
        }
        let drawn = Arc::new(self.draw());
        self.drawn = Some(Arc::clone(&drawn));
        drawn
    }

    /// Takes the reason why there is no kernel-side ledger of sockets, for [`Level::parts`](crate::Level::parts).
    pub fn set_ledger_missing(&mut self, reason: String) {
        self.ledger_missing = reason;
    }

    /// Counts packets from the next step on, in each network namespace for which `count` gives a source: the books of
    /// their interfaces are no longer estimated. To be called before the first step, else they are exact from then on
    /// only.
    pub fn set_packets(&mut self, count: CountPackets) {
        self.count_packets = Some(count);
        self.packets_missing = None;
    }

    /// Counts no packets from the next step on. The books are estimated again from there.
    pub fn clear_packets(&mut self) {
        self.count_packets = None;
        self.packets_missing = None;
        for namespace in self.namespaces.iter_mut().flatten() {
            namespace.packets = None;
        }
    }

    /// Takes the reason why packets are not counted although they should be, for [`Level::parts`](crate::Level::parts).
    pub fn set_packets_missing(&mut self, reason: String) {
        self.packets_missing = Some(reason);
    }

    /// Whether there is a ledger and it could be read.
    fn ledger_works(&self) -> bool {
        self.ledger.is_some() && self.ledger_failure.is_none()
    }

    /// Rows that were dropped or refused to keep the bounds.
    fn pruned(&self) -> u64 {
        self.pruned + self.processes.pruned + self.hosts.pruned
    }

    /// A sentence when memory comes near its ceiling.
    fn memory_warning(&self) -> Option<String> {
        let memory = self.memory();
        (memory > self.options.memory / 10 * 9).then(|| {
            format!(
                "The accountant's tables hold {memory} of at most {} bytes; beyond that rows are pruned. Raise the \
                 ceiling, or lower the limit of connections.",
                self.options.memory
            )
        })
    }

    /// Bytes of memory that the tables hold, near enough.
    pub fn memory(&self) -> usize {
        /// A process with its texts.
        const PROCESS: usize = 1024;
        self.table.memory() + self.hosts.memory() + self.processes.len() * PROCESS
    }
}
