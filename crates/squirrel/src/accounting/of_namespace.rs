//! The part of a ledger that is about one network namespace, for an accountant that does not watch the whole host.

use squirrel_sys::{Missed, ProcessNote, SocketLedger, SysError};
use squirrel_wire::ledger::SocketRecord;

/// A ledger, or the part of it about one network namespace.
pub(super) fn of_namespace(ledger: impl SocketLedger + 'static, inode: Option<u64>) -> Box<dyn SocketLedger> {
    match inode {
        Some(inode) => Box::new(OfNamespace { ledger, inode }),
        None => Box::new(ledger),
    }
}

/// The rows of one network namespace of a ledger that knows all.
struct OfNamespace<L> {
    ledger: L,
    inode: u64,
}

/// Hands on the rows of one network namespace.
fn only(inode: u64, each: &mut dyn FnMut(SocketRecord)) -> impl FnMut(SocketRecord) {
    move |record| {
        if u64::from(record.namespace) == inode {
            each(record);
        }
    }
}

impl<L: SocketLedger> SocketLedger for OfNamespace<L> {
    fn ended(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<u64, SysError> {
        self.ledger.ended(&mut only(self.inode, each))
    }

    fn living(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<(), SysError> {
        self.ledger.living(&mut only(self.inode, each))
    }

    fn process(&mut self, tgid: u32, started_ns: u64) -> Result<Option<ProcessNote>, SysError> {
        self.ledger.process(tgid, started_ns)
    }

    fn missed(&mut self) -> Result<Missed, SysError> {
        self.ledger.missed()
    }

    fn generation(&self) -> u64 {
        self.ledger.generation()
    }

    fn parts(&self) -> Vec<(String, Option<String>)> {
        self.ledger.parts()
    }
}
