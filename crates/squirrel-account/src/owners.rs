//! Whose sockets they are, found among the descriptors of processes.
//!
//! Used where the kernel-side ledger does not tell. A look at a descriptor costs some microseconds, so after the first
//! look at all of them only those processes are looked at that are new or have sockets, and then, round by round, the
//! others, as long as a socket without an owner is there and the budget of the step lasts.

use std::time::Duration;

use squirrel_sys::{Kernel, SysError};

use crate::connection::{Share, flag};
use crate::denied::Denied;
use crate::processes::Processes;
use crate::slots::Slot;
use crate::table::Table;

/// After a whole round in vain, sockets are looked for again after this time: a descriptor may be on its way from one
/// process to another.
const AGAIN: Duration = Duration::from_secs(10);

/// Where the search stands.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    /// The numbers of all processes, sorted, as of this step and the one before.
    pub(crate) pids: Vec<u32>,
    previous: Vec<u32>,
    /// The number that the round goes on behind.
    behind: u32,
    /// How far the round is.
    looked_at: usize,
    retry: Option<Duration>,
    /// Processes whose descriptors may not be seen, in the last whole round.
    pub(crate) denied: Denied,
    denied_now: Denied,
    first_done: bool,
}

impl Owners {
    /// Lists the processes.
    pub(crate) fn list(&mut self, kernel: &dyn Kernel) -> Result<(), SysError> {
        std::mem::swap(&mut self.pids, &mut self.previous);
        self.pids.clear();
        let pids = &mut self.pids;
        let result = kernel.list("/proc", &mut |name| {
            pids.extend(std::str::from_utf8(name).ok().and_then(|name| name.parse::<u32>().ok()));
        });
        self.pids.sort_unstable();
        result
    }

    /// Looks for the owners of sockets that have none. `budget` bounds the descriptors, but not in the first round;
    /// when `all`, that one looks at every process, which also tells whose sockets are shared and what may not be seen.
    pub(crate) fn search(
        &mut self,
        kernel: &dyn Kernel,
        table: &mut Table,
        processes: &mut Processes,
        now: Duration,
        budget: usize,
        all: bool,
    ) {
        if self.retry.is_some_and(|at| now >= at) {
            self.retry = None;
            for (_, connection) in table.iter_mut() {
                connection.clear(flag::SEARCHED);
            }
        }
        let all = all && !self.first_done;
        let mut search = Search { kernel, missing: missing(table), table, processes, budget, all };
        if search.is_over() {
            return;
        }
        if !self.first_done {
            search.budget = usize::MAX;
        }
        let likely = self.likely(search.processes);
        for pid in likely {
            if search.is_over() {
                return;
            }
            search.look_at(pid);
        }
        self.round(&mut search, now);
        self.first_done = true;
    }

    /// New processes, and those that have sockets.
    fn likely(&self, processes: &Processes) -> Vec<u32> {
        if !self.first_done {
            return Vec::new();
        }
        let new = self.pids.iter().copied().filter(|pid| self.previous.binary_search(pid).is_err());
        let mut owners: Vec<(u32, u32)> = processes
            .iter()
            .filter(|(_, process)| process.ended.is_none() && process.open > 0)
            .map(|(_, process)| (process.open, process.summary.pid))
            .collect();
        // Those with few sockets have few descriptors and are looked at quickly.
        owners.sort_unstable();
        new.chain(owners.into_iter().map(|(_, pid)| pid)).collect()
    }

    /// Goes on with the round over all processes.
    fn round(&mut self, search: &mut Search<'_>, now: Duration) {
        let start = self.pids.partition_point(|pid| *pid <= self.behind);
        let order: Vec<u32> = self.pids.iter().cycle().skip(start).take(self.pids.len()).copied().collect();
        for pid in order {
            if search.is_over() {
                return;
            }
            if search.look_at(pid) {
                self.denied_now.note(search.kernel, pid);
            }
            self.behind = pid;
            self.looked_at += 1;
            if self.looked_at >= self.pids.len() {
                self.end_of_round(search.table, now);
                return;
            }
        }
    }

    fn end_of_round(&mut self, table: &mut Table, now: Duration) {
        self.looked_at = 0;
        self.denied = std::mem::take(&mut self.denied_now);
        self.retry.get_or_insert(now.saturating_add(AGAIN));
        for (_, connection) in table.iter_mut() {
            if connection.is_open() && !connection.owner.process.is_some() {
                connection.set(flag::SEARCHED);
            }
        }
    }
}

fn missing(table: &Table) -> usize {
    let missing = table.iter().filter(|(_, connection)| {
        connection.inode != 0
            && connection.is_open()
            && !connection.owner.process.is_some()
            && !connection.is(flag::SEARCHED)
    });
    missing.count()
}

struct Search<'a> {
    kernel: &'a dyn Kernel,
    missing: usize,
    table: &'a mut Table,
    processes: &'a mut Processes,
    budget: usize,
    /// Whether to go on when no socket lacks an owner.
    all: bool,
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        (self.missing == 0 && !self.all) || self.budget == 0
    }

    /// Looks at one process; answers whether that was forbidden. The process is named before and after its
    /// descriptors are seen, so that what is seen belongs to the one that is named.
    fn look_at(&mut self, pid: u32) -> bool {
        let mut found: Vec<Slot> = Vec::new();
        let table = &*self.table;
        let each = &mut |_, inode: u64| found.extend(u32::try_from(inode).ok().and_then(|inode| table.by_inode(inode)));
        let seen = match self.kernel.sockets_of(pid, each) {
            Ok(seen) => seen,
            Err(error) => return error.is_forbidden(),
        };
        self.budget = self.budget.saturating_sub(seen.max(1));
        if found.is_empty() {
            return false;
        }
        // Looked at again, for the number may have passed on in between: only what both looks show counts.
        let Some(process) = self.processes.meet(self.kernel, pid) else { return false };
        let mut again: Vec<Slot> = Vec::new();
        if self.processes.get(process).is_some_and(|process| process.open == 0 && process.bytes.is_zero()) {
            let each =
                &mut |_, inode: u64| again.extend(u32::try_from(inode).ok().and_then(|inode| table.by_inode(inode)));
            if self.kernel.sockets_of(pid, each).is_err() {
                return false;
            }
            again.sort_unstable();
            found.retain(|slot| again.binary_search(slot).is_ok());
        }
        for slot in found {
            self.give(slot, process);
        }
        false
    }

    fn give(&mut self, slot: Slot, process: Slot) {
        let Some(connection) = self.table.get_mut(slot) else { return };
        let owner = connection.owner.process;
        if owner == process {
            return;
        }
        if !owner.is_some() {
            connection.owner = Share::new(process);
            self.missing = self.missing.saturating_sub(usize::from(!connection.is(flag::SEARCHED)));
            connection.clear(flag::SEARCHED);
        } else if !connection.is(flag::LEDGER) && !connection.is_listener() {
            // Several have it open: who of them moves its bytes is not known without the ledger.
            connection.set(flag::INFERRED);
        }
    }
}
