//! The kernel's counters of a connection, without what is not payload.

use squirrel_wire::sock_diag::{InetSocket, TcpState};

use crate::connection::{Connection, flag};
use crate::hash::NumberMap;
use crate::picture::{Carrier, Traffic};
use crate::slots::Slot;
use crate::table::Table;

/// Payload by the kernel's own count. Kernels before 4.19 do not count what was sent, only what of it was acknowledged.
pub(super) fn counters(socket: &InetSocket<'_>) -> Option<Traffic> {
    let info = socket.tcp?;
    let sent = info.payload_sent().or_else(|| info.bytes_acked()).unwrap_or(0);
    // A segment that the host itself let go of (a full queue below, a tunnel without a way) is sent once more as a new
    // one, and counted twice. There is never more than what was acknowledged and what waits for it.
    let acked = info.bytes_acked().filter(|acked| *acked > 0);
    let most = acked.map(|acked| acked.saturating_add(u64::from(socket.send_queue)));
    let sent = most.filter(|most| sent > *most).map_or(sent, |most| {
        let control = 1 + u64::from(AFTER_FIN.contains(&socket.state));
        most.saturating_sub(control)
    });
    Some(Traffic::new(info.bytes_received().unwrap_or(0), sent))
}

/// States after a FIN of ours, which stands in the queue or among the acknowledged octets.
const AFTER_FIN: [TcpState; 4] = [TcpState::FIN_WAIT1, TcpState::FIN_WAIT2, TcpState::LAST_ACK, TcpState::CLOSING];

pub(super) fn take_counters(row: &mut Connection, socket: &InetSocket<'_>) {
    let Some(info) = socket.tcp else { return };
    if row.carrier != Carrier::Tcp || socket.state == TcpState::LISTEN {
        return;
    }
    row.tcp.take(&info);
    row.kernel = row.kernel.max(counters(socket).unwrap_or_default());
    // The other side's FIN counts as one received byte once it was processed.
    if matches!(socket.state, TcpState::CLOSE_WAIT | TcpState::LAST_ACK | TcpState::CLOSING) && !row.is(flag::FIN) {
        row.set(flag::FIN);
        // A socket that was first seen in this state has it in its baseline.
        row.base.receive = row.base.receive.saturating_sub(u64::from(row.base.receive == row.kernel.receive));
    }
}

/// Decides for sockets that ended between two dumps whether the other side's FIN is among their received bytes, which
/// the announcement does not tell. Where the other end is on this host too, what that one sent decides. Else it is
/// taken to be there, since all but the quicker closer of two count it: for such a connection the received bytes may
/// be one too few.
pub(crate) fn decide_fins(table: &mut Table, ended: &[Slot]) {
    let mut wanted: NumberMap<u32, Vec<Slot>> = NumberMap::default();
    for slot in ended {
        if let Some(row) = table.get(*slot).filter(|row| row.fin_is_open) {
            let ports = u32::from(row.remote().port()) << 16 | u32::from(row.local().port());
            wanted.entry(ports).or_default().push(*slot);
        }
    }
    if wanted.is_empty() {
        return;
    }
    let mut without: Vec<Slot> = Vec::new();
    for (_, peer) in table.iter().filter(|(_, row)| row.carrier == Carrier::Tcp) {
        let ports = u32::from(peer.local().port()) << 16 | u32::from(peer.remote().port());
        for slot in wanted.get(&ports).into_iter().flatten() {
            if let Some(row) = table.get(*slot)
                && row.local() == peer.remote()
                && row.remote() == peer.local()
                && row.kernel.receive == peer.kernel.transmit
            {
                without.push(*slot);
            }
        }
    }
    for slot in wanted.into_values().flatten() {
        if let Some(row) = table.get_mut(slot) {
            row.fin_is_open = false;
            if !without.contains(&slot) {
                row.set(flag::FIN);
            }
        }
    }
}
