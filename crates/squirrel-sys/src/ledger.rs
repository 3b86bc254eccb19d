//! What the kernel's own book-keeping of sockets can be asked, whoever keeps it.

use squirrel_wire::ledger::SocketRecord;
use squirrel_wire::packets::PacketRecord;

use crate::SysError;

/// What a ledger could not note although it saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// Bytes sent whose owner could not be noted, since the kernel had no memory for it.
    pub transmit_bytes: u64,
    /// Bytes received, likewise.
    pub receive_bytes: u64,
}

/// What a ledger noted of a process when it first used a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessNote {
    /// The process id of its parent at that time.
    pub parent: u32,
    /// Its arguments, each with a zero behind it, perhaps cut short; empty when they could not be read.
    pub command: Vec<u8>,
}

/// A book of sockets that the kernel keeps: each socket's owner and bytes, while it lives and when it ends.
///
/// The real one is kept by eBPF programs; a test keeps one in a vector.
pub trait SocketLedger: Send {
    /// Hands over each socket that ended since the last call, with its last figures, in the order of their ends,
    /// and answers how many ends were lost in between because nobody fetched them in time.
    ///
    /// # Errors
    /// The call that failed.
    fn ended(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<u64, SysError>;

    /// Hands over each socket that lives and has an owner or bytes, in any order.
    ///
    /// The tables change while they are read: a socket may come twice, and may be absent from one pass although
    /// it lives. What has ended is told by [`ended`](Self::ended), not by absence.
    ///
    /// # Errors
    /// The call that failed.
    fn living(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<(), SysError>;

    /// What was noted of the process with this number that started so many nanoseconds after boot: for one that is gone
    /// before anybody looked at it. `None` when nothing is known, or only of an earlier or later process with the number.
    ///
    /// # Errors
    /// The call that failed.
    fn process(&mut self, _tgid: u32, _started_ns: u64) -> Result<Option<ProcessNote>, SysError> {
        Ok(None)
    }

    /// What could not be noted since the last call.
    ///
    /// # Errors
    /// The call that failed.
    fn missed(&mut self) -> Result<Missed, SysError> {
        Ok(Missed::default())
    }

    /// A number that changes when the book was begun anew: its figures run from there, and what moved in between is
    /// in none.
    fn generation(&self) -> u64 {
        0
    }

    /// Which parts work and which do not, as pairs of the part's name and the reason it is missing.
    fn parts(&self) -> Vec<(String, Option<String>)>;
}

/// A book of frames that the kernel keeps of chosen interfaces, while somebody looks.
pub trait PacketLedger: Send {
    /// Hands over each row, with its figures since the book was opened, in any order.
    ///
    /// Each frame of a watched interface is in one row, so that the rows of an interface and a direction add up to
    /// the interface's own counter. The tables change while they are read: a row may come twice in one pass.
    ///
    /// # Errors
    /// The call that failed.
    fn each(&mut self, each: &mut dyn FnMut(PacketRecord)) -> Result<(), SysError>;
}
