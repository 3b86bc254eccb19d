//! Dumps and announcements of sockets, taken into the table.

mod counted;

use std::net::{Ipv4Addr, SocketAddr};

use squirrel_sys::{EndedSockets, Kernel, Netlink, SysError};
use squirrel_wire::packet_diag::{self, PacketSocket};
use squirrel_wire::sock_diag::{
    IPPROTO_TCP, IPPROTO_UDP, InetRequest, InetSocket, SOCK_DIAG_BY_FAMILY, TCPDIAG_GETSOCK, TcpRequest, TcpState,
    extension,
};
use squirrel_wire::{AF_INET, AF_INET6};

use crate::connection::{Connection, ends, flag};
use crate::half_open::HalfOpen;
use crate::picture::{Carrier, Traffic};
use crate::slots::Slot;
use crate::table::Table;
pub(crate) use counted::decide_fins;
use counted::{counters, take_counters};

const EXTENSIONS: u8 = extension::INFO | extension::CONGESTION | extension::MEMORY;

/// Half-open connections, which have no row of their own. The kernel keeps them under a number of its own as well.
const HALF_OPEN: u32 = TcpState::SYN_RECV.bit() | TcpState::NEW_SYN_RECV.bit();
/// The states that are worth a row. Connections in `TIME_WAIT` have ended for their programs.
pub(crate) const STATES: u32 = InetRequest::ALL_STATES & !(TcpState::TIME_WAIT.bit() | HALF_OPEN);
/// `inet_diag_msg.idiag_timer` of a socket that only waits for late segments, also when its state says `FIN_WAIT2`.
const WAITS_ONLY: u8 = 3;
/// Congestion algorithms that are told apart; a host has a handful.
const MAX_ALGORITHMS: usize = 200;

/// How a reading takes new sockets in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intake {
    /// The place of the namespace.
    pub(crate) namespace: u16,
    /// Wall clock, milliseconds.
    pub(crate) wall: i64,
    /// A socket that is not known yet existed before it could be followed: what it has counted so far is not ours.
    pub(crate) baseline: bool,
    /// One socket in so many is followed.
    pub(crate) sampling: u32,
    /// Most sockets that are followed.
    pub(crate) limit: usize,
    /// Whether bytes of UDP will come from a ledger.
    pub(crate) ledger: bool,
    /// The number of this dump.
    pub(crate) dump: u8,
}

/// What a reading met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    /// Sockets in the dump, without those that came twice in a row.
    pub(crate) sockets: usize,
    /// Messages that could not be read.
    pub(crate) malformed: usize,
    /// Sockets that there was no room for.
    pub(crate) refused: u64,
}

/// Names of congestion algorithms.
#[derive(Debug, Default)]
pub(crate) struct Algorithms(pub(crate) Vec<String>);

impl Algorithms {
    fn place(&mut self, name: &[u8]) -> u8 {
        let known = self.0.iter().position(|known| known.as_bytes() == name);
        let place = known.or_else(|| {
            (self.0.len() < MAX_ALGORITHMS).then(|| {
                self.0.push(String::from_utf8_lossy(name).into_owned());
                self.0.len() - 1
            })
        });
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
    }
}

/// A reading in progress.
pub(crate) struct Reading<'a> {
    pub(crate) table: &'a mut Table,
    pub(crate) algorithms: &'a mut Algorithms,
    pub(crate) intake: Intake,
    pub(crate) met: Met,
    /// Sockets that ended, in the order of their ends.
    pub(crate) ended: &'a mut Vec<Slot>,
    /// Where connections that are half open are counted; none when they are not asked for.
    pub(crate) half_open: Option<&'a mut HalfOpen>,
}

impl Reading<'_> {
    /// Dumps all sockets that have rows.
    pub(crate) fn all(&mut self, kernel: &dyn Kernel) -> Result<(), SysError> {
        self.tcp(kernel)?;
        self.udp(kernel)?;
        self.packets(kernel)
    }

    /// Dumps all TCP sockets, both families in one walk where the kernel can.
    pub(crate) fn tcp(&mut self, kernel: &dyn Kernel) -> Result<(), SysError> {
        let states = STATES | if self.half_open.is_some() { HALF_OPEN } else { 0 };
        let both = TcpRequest { extensions: EXTENSIONS, states };
        let at_once = self.dump(kernel, TCPDIAG_GETSOCK, &both.payload(), Carrier::Tcp);
        if at_once.is_ok() {
            return at_once;
        }
        self.families(kernel, IPPROTO_TCP, states, Carrier::Tcp)
    }

    /// Dumps all UDP sockets.
    pub(crate) fn udp(&mut self, kernel: &dyn Kernel) -> Result<(), SysError> {
        self.families(kernel, IPPROTO_UDP, InetRequest::ALL_STATES, Carrier::Udp)
    }

    /// Dumps all packet sockets, of which the ledger knows only those that call the kernel for each frame.
    pub(crate) fn packets(&mut self, kernel: &dyn Kernel) -> Result<(), SysError> {
        let asked =
            kernel.dump(Netlink::SockDiag, SOCK_DIAG_BY_FAMILY, &packet_diag::request(), &mut |answer, payload| {
                if answer == SOCK_DIAG_BY_FAMILY {
                    match PacketSocket::parse(payload) {
                        Ok(socket) => self.packet_socket(&socket),
                        Err(_) => self.met.malformed += 1,
                    }
                }
            });
        match asked {
            // A kernel without the module for it tells of none.
            Err(error) if error.is_absent() => Ok(()),
            result => result,
        }
    }

    fn packet_socket(&mut self, socket: &PacketSocket<'_>) {
        self.met.sockets += 1;
        if !sampled(socket.cookie, self.intake.sampling) {
            return;
        }
        let slot = match self.table.find(socket.cookie) {
            Some(slot) => slot,
            None if self.table.open() >= self.intake.limit => {
                self.met.refused += 1;
                return;
            }
            None => {
                let (nowhere, intake) = (SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0), self.intake);
                let carrier = Carrier::Packet;
                let row = Connection::new(socket.cookie, intake.namespace, carrier, nowhere, nowhere, intake.wall);
                self.table.add(row)
            }
        };
        let Some(row) = self.table.get_mut(slot).filter(|row| row.is_open()) else { return };
        let inode = row.inode;
        (row.seen, row.uid, row.interface) = (self.intake.dump, socket.uid, socket.interface);
        row.drops = socket.memory.and_then(|memory| memory.drops()).unwrap_or(u32::MAX);
        if socket.has_ring || !self.intake.ledger {
            row.set(flag::UNKNOWN_BYTES);
        }
        if socket.inode != inode {
            row.inode = socket.inode;
            self.table.set_inode(slot, inode, socket.inode);
        }
    }

    fn families(&mut self, kernel: &dyn Kernel, protocol: u8, states: u32, carrier: Carrier) -> Result<(), SysError> {
        let request = |family| InetRequest { family, protocol, extensions: EXTENSIONS, states }.payload();
        self.dump(kernel, SOCK_DIAG_BY_FAMILY, &request(AF_INET), carrier)?;
        match self.dump(kernel, SOCK_DIAG_BY_FAMILY, &request(AF_INET6), carrier) {
            // Without IPv6 nothing is missing.
            Err(error) if error.is_absent() => Ok(()),
            result => result,
        }
    }

    fn dump(&mut self, kernel: &dyn Kernel, kind: u16, request: &[u8], carrier: Carrier) -> Result<(), SysError> {
        kernel.dump(Netlink::SockDiag, kind, request, &mut |answer, payload| {
            if answer == kind {
                match InetSocket::parse(payload) {
                    Ok(socket) => self.living(&socket, carrier),
                    Err(_) => self.met.malformed += 1,
                }
            }
        })
    }

    /// One socket of a dump. It may come twice: what is taken is absolute, so the second time changes nothing.
    fn living(&mut self, socket: &InetSocket<'_>, carrier: Carrier) {
        match socket.state {
            TcpState::SYN_RECV | TcpState::NEW_SYN_RECV => {
                let (local, remote) = ends(socket);
                if let Some(half_open) = &mut self.half_open {
                    half_open.add(local, remote);
                }
                return;
            }
            TcpState::TIME_WAIT => return,
            _ if socket.timer == WAITS_ONLY => return,
            _ => {}
        }
        self.met.sockets += 1;
        if !sampled(socket.cookie, self.intake.sampling) {
            return;
        }
        let slot = match self.table.find(socket.cookie) {
            Some(slot) => slot,
            None => match self.add(socket, carrier) {
                Some(slot) => slot,
                None => return,
            },
        };
        let Some(row) = self.table.get_mut(slot).filter(|row| row.is_open()) else { return };
        let inode = row.inode;
        row.seen = self.intake.dump;
        row.state = socket.state;
        (row.receive_queue, row.send_queue) = (socket.receive_queue, socket.send_queue);
        row.drops = socket.memory.and_then(|memory| memory.drops()).unwrap_or(u32::MAX);
        row.uid = socket.uid;
        if socket.multipath && !self.intake.ledger {
            row.set(flag::PATH | flag::INFERRED);
        }
        if carrier == Carrier::Udp {
            let (local, remote) = ends(socket);
            row.readdress(local, remote);
        }
        take_counters(row, socket);
        if let Some(name) = socket.congestion
            && self
                .algorithms
                .0
                .get(usize::from(row.tcp.congestion))
                .is_none_or(|known| known.as_bytes() != name.as_bytes())
        {
            row.tcp.congestion = self.algorithms.place(name.as_bytes());
        }
        // A socket that was closed has no inode any more; its owner is known from before.
        if socket.inode != inode && socket.inode != 0 {
            row.inode = socket.inode;
            self.table.set_inode(slot, inode, socket.inode);
        }
    }

    fn add(&mut self, socket: &InetSocket<'_>, carrier: Carrier) -> Option<Slot> {
        if self.table.open() >= self.intake.limit {
            self.met.refused += 1;
            return None;
        }
        let (local, remote) = ends(socket);
        let mut row = Connection::new(socket.cookie, self.intake.namespace, carrier, local, remote, self.intake.wall);
        row.interface = socket.interface;
        row.inode = socket.inode;
        row.seen = self.intake.dump;
        if carrier == Carrier::Udp && !self.intake.ledger {
            row.set(flag::UNKNOWN_BYTES);
        }
        if self.intake.baseline
            && let Some(counted) = counters(socket)
        {
            row.base = counted;
            if let Some(info) = socket.tcp {
                row.tcp.take(&info);
                row.tcp.skip();
            }
        }
        Some(self.table.add(row))
    }

    /// Takes in the announcements of ended sockets; answers how many were lost.
    pub(crate) fn ends(&mut self, ended: &mut dyn EndedSockets) -> Result<u64, SysError> {
        ended.drain(&mut |payload| match InetSocket::parse(payload) {
            Ok(socket) => self.ended(&socket),
            Err(_) => self.met.malformed += 1,
        })
    }

    fn ended(&mut self, socket: &InetSocket<'_>) {
        if !sampled(socket.cookie, self.intake.sampling) {
            return;
        }
        let slot = match self.table.find(socket.cookie) {
            Some(slot) => slot,
            // UDP announcements have no counters: one whose socket was never seen says nothing.
            None if socket.tcp.is_none() || self.intake.baseline => return,
            None => {
                // A listener or a socket that never connected had no bytes to lose.
                let quiet = counters(socket).is_none_or(Traffic::is_zero);
                let Some(slot) = (!quiet).then(|| self.add(socket, Carrier::Tcp)).flatten() else { return };
                slot
            }
        };
        let Some(row) = self.table.get_mut(slot).filter(|row| row.is_open()) else { return };
        let before = row.kernel;
        take_counters(row, socket);
        if !row.is(flag::FIN) && row.kernel.receive > before.receive {
            row.fin_is_open = true;
        } else if before.transmit > 0 && counters(socket).is_some_and(Traffic::is_zero) {
            // A reset has wiped its counters: what went after the last dump is not known.
            row.set(flag::INFERRED);
        }
        row.state = TcpState::CLOSE;
        self.table.close(slot, self.intake.wall);
        self.ended.push(slot);
    }
}

/// Whether a socket is among those that are followed when one in so many is.
pub(crate) fn sampled(cookie: u64, sampling: u32) -> bool {
    // Cookies are given out one after the other on each processor: mixed, so that neighbours differ.
    sampling <= 1 || (cookie.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33).is_multiple_of(u64::from(sampling))
}
