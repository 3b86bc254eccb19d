//! The accountant: reads its sources step by step and keeps the books.

mod level;
mod picture;
mod step;

use std::sync::Arc;
use std::time::Duration;

use squirrel_model::Timestamp;
use squirrel_sys::{EndedSockets, Kernel, SocketLedger};

use crate::hosts::Hosts;
use crate::options::Options;
use crate::owners::Owners;
use crate::picture::Picture;
use crate::processes::Processes;
use crate::reading::Algorithms;
use crate::reasons::Unattributed;
use crate::settle::Settled;
use crate::slots::Slot;
use crate::sources::{FindNamespaces, NamespaceSource, Sources};
use crate::table::Table;

/// Most network namespaces that are watched: each costs a few descriptors.
const MAX_NAMESPACES: usize = 1000;

/// A network namespace that is watched.
struct Namespace {
    inode: u64,
    name: Option<String>,
    process: Option<u32>,
    kernel: Arc<dyn Kernel>,
    ended: Option<Box<dyn EndedSockets>>,
    /// Whether its sockets were dumped once.
    begun: bool,
    /// Why its last dump failed.
    failure: Option<String>,
}

impl From<NamespaceSource> for Namespace {
    fn from(source: NamespaceSource) -> Self {
        let NamespaceSource { inode, name, process, kernel, ended } = source;
        Self { inode, name, process, kernel, ended, begun: false, failure: None }
    }
}

/// Keeps account of processes, connections and hosts. See the crate's documentation.
pub struct Accountant {
    options: Options,
    host: Arc<dyn Kernel>,
    /// A namespace keeps its place; a place that became free is used again.
    namespaces: Vec<Option<Namespace>>,
    find: Option<FindNamespaces>,
    /// Why namespaces are missing.
    namespaces_missing: Vec<String>,
    ledger: Option<Box<dyn SocketLedger>>,
    ledger_failure: Option<String>,
    table: Table,
    processes: Processes,
    hosts: Hosts,
    owners: Owners,
    owners_failure: Option<String>,
    algorithms: Algorithms,
    unattributed: Unattributed,
    settled: Settled,
    ended: Vec<Slot>,
    began: Option<Timestamp>,
    wall: Timestamp,
    now: Duration,
    /// Time between the last two steps.
    span: Duration,
    steps: u64,
    lost: u64,
    pruned: u64,
    malformed: u64,
    sampling: u32,
    drawn: Option<Arc<Picture>>,
}

impl Accountant {
    /// An accountant that has read nothing yet.
    pub fn new(options: Options, mut sources: Sources) -> Self {
        let users = sources.take_users();
        Self {
            options,
            host: sources.host,
            namespaces: sources.namespaces.into_iter().map(|source| Some(source.into())).collect(),
            find: sources.find,
            namespaces_missing: Vec::new(),
            ledger: sources.ledger,
            ledger_failure: None,
            table: Table::default(),
            processes: Processes::new(users),
            hosts: Hosts::default(),
            owners: Owners::default(),
            owners_failure: None,
            algorithms: Algorithms::default(),
            unattributed: Unattributed::default(),
            settled: Settled::default(),
            ended: Vec::new(),
            began: None,
            wall: Timestamp::default(),
            now: Duration::ZERO,
            span: Duration::ZERO,
            steps: 0,
            lost: 0,
            pruned: 0,
            malformed: 0,
            sampling: 1,
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

    /// Bytes of memory that the tables hold, near enough.
    pub fn memory(&self) -> usize {
        /// A process with its texts.
        const PROCESS: usize = 1024;
        self.table.memory() + self.hosts.memory() + self.processes.len() * PROCESS
    }
}
