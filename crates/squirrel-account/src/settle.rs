//! Who gets a connection's new bytes.
//!
//! Two counts meet here. The kernel's own counters of a TCP socket miss nothing that travelled, but know no process.
//! The ledger counts what each process handed over or took, but does not see what was spliced, sent by `sendfile`
//! below it, or moved by the kernel (kTLS, zero copy). What the kernel counted beyond the ledger belongs to the
//! socket's owner. Data that has arrived and was not taken yet (the receive queue) is no such remainder.

use squirrel_wire::ledger::TcpCounters;

use crate::connection::{Connection, Share, flag};
use crate::picture::Traffic;
use crate::slots::Slot;

/// What a connection's new bytes mean for others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    /// New bytes of the connection.
    pub(crate) new: Traffic,
    /// New bytes of each process; nobody's are missing here.
    pub(crate) booked: Vec<(Slot, Traffic)>,
}

impl Connection {
    /// Works out the connection's bytes and who gets the new ones. `ledger` says whether the ledger counts here.
    pub(crate) fn settle(&mut self, ledger: bool, out: &mut Settled) {
        out.booked.clear();
        let by_kernel = self.counted_by_kernel();
        let by_ledger = self.counted_by_process();
        let waiting = if ledger && self.is_open() { u64::from(self.receive_queue) } else { 0 };
        let taken = Traffic::new(by_kernel.receive.saturating_sub(waiting), by_kernel.transmit);
        let remainder = taken.minus(by_ledger);
        let total = self.bytes.max(by_ledger.plus(remainder));
        out.new = total.minus(self.bytes);
        self.bytes = total;
        if self.is_booked_elsewhere() {
            return;
        }
        let beyond = total.minus(by_ledger);
        book(&mut self.owner, beyond, &mut out.booked);
        for share in &mut self.others {
            book(share, Traffic::default(), &mut out.booked);
        }
    }

    /// The ledger has begun anew: what its predecessor counted is kept, and what it counts comes on top.
    pub(crate) fn begin_ledger_anew(&mut self) {
        for share in std::iter::once(&mut self.owner).chain(&mut self.others) {
            *share = Share { beyond: share.counted(), base: Traffic::default(), last: Traffic::default(), ..*share };
        }
    }

    /// Bytes that nobody got.
    pub(crate) fn unbooked(&self) -> Traffic {
        if self.is_booked_elsewhere() {
            return Traffic::default();
        }
        let booked = self.others.iter().fold(self.owner.booked, |sum, share| sum.plus(share.booked));
        self.bytes.minus(booked)
    }

    /// The process that owns the socket from now on. What the one before got stays with it.
    pub(crate) fn set_owner(&mut self, process: Slot) {
        if self.owner.process == process {
            return;
        }
        let place = self.others.iter().position(|share| share.process == process);
        let next = place.map_or_else(|| Share::new(process), |place| self.others.swap_remove(place));
        let mut before = std::mem::replace(&mut self.owner, next);
        if before.process.is_some() && !(before.booked.is_zero() && before.counted().is_zero()) {
            before.beyond = before.beyond.plus(before.booked.minus(before.counted()));
            self.others.push(before);
        }
    }

    /// Takes over the last counters of a TCP socket as the ledger has them: without what the socket moved before the
    /// ledger saw it, and with the word whether the other side's FIN is among them.
    pub(crate) fn take_ledger_counters(&mut self, tcp: &TcpCounters) {
        let sent = tcp.bytes_sent.saturating_sub(tcp.bytes_retransmitted);
        // What the host itself let go of was counted twice: of a socket that is closed no more was sent than was
        // acknowledged or written, and SYN and FIN are acknowledged too.
        let written = self.counted_by_process().transmit;
        let most = if tcp.bytes_acked <= written.saturating_add(2) { written } else { tcp.bytes_acked };
        let sent = if self.is(flag::LEDGER) && tcp.bytes_acked > 0 { sent.min(most) } else { sent };
        // What the kernel's own counters say is from the same birth on, or from an earlier one.
        self.kernel = self.kernel.max(Traffic::new(tcp.bytes_received, sent));
        self.tcp.segments_out = self.tcp.segments_out.max(tcp.segments_out);
        self.tcp.segments_in = self.tcp.segments_in.max(tcp.segments_in);
        self.fin_is_open = false;
        if tcp.fin_received {
            self.set(flag::FIN);
        }
    }

    /// What the ledger says that a process moved on this socket so far. `first` tells that the accountant has just
    /// begun: what was counted before is not its business.
    pub(crate) fn count(&mut self, process: Slot, counted: Traffic, main: bool, first: bool) {
        if main || !self.owner.process.is_some() || !self.is(flag::LEDGER) {
            self.set_owner(process);
        }
        self.set(flag::LEDGER);
        let share = if self.owner.process == process {
            &mut self.owner
        } else {
            let place = self.others.iter().position(|share| share.process == process).unwrap_or_else(|| {
                self.others.push(Share::new(process));
                self.others.len() - 1
            });
            let Some(share) = self.others.get_mut(place) else { return };
            share
        };
        if first && share.last.is_zero() {
            share.base = counted;
        }
        share.last = share.last.max(counted);
    }
}

fn book(share: &mut Share, beyond: Traffic, booked: &mut Vec<(Slot, Traffic)>) {
    if !share.process.is_some() {
        return;
    }
    let new = share.counted().plus(beyond).minus(share.booked);
    if !new.is_zero() {
        share.booked = share.booked.plus(new);
        booked.push((share.process, new));
    }
}
