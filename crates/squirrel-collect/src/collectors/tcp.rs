//! TCP sockets: how many in each state, and how the established ones fare.
//!
//! One `sock_diag` dump a tick, about 1.4 µs a socket and a quarter of a millisecond for the walk
//! through a table of 262,144 buckets. It is made with the older request, which both address families
//! answer in one walk; a kernel without it is asked twice. The dump is reduced to counts and spreads
//! while it arrives, and of destinations a bounded number is counted, so memory does not grow with the number of sockets. Addresses and ports never
//! become labels.

mod metrics;
mod ports;

use squirrel_model::{Batch, Elapsed, Labels, Metric};
use squirrel_sys::{Kernel, Netlink, SysError};
use squirrel_wire::sock_diag::{
    IPPROTO_TCP, InetRequest, InetSocket, SOCK_DIAG_BY_FAMILY, TCPDIAG_GETSOCK, TcpRequest, TcpState, extension,
};
use squirrel_wire::{AF_INET, AF_INET6};

use crate::desc::{Collector, CollectorDesc, Opened, Unavailable, report};
use crate::spread::Spread;
use ports::Ports;
pub use ports::{EphemeralPorts, PortsTo};

/// The states that a dump shows, in the order of the kernel's numbers.
const STATES: [TcpState; 11] = [
    TcpState::ESTABLISHED,
    TcpState::SYN_SENT,
    TcpState::SYN_RECV,
    TcpState::FIN_WAIT1,
    TcpState::FIN_WAIT2,
    TcpState::TIME_WAIT,
    TcpState::CLOSE,
    TcpState::CLOSE_WAIT,
    TcpState::LAST_ACK,
    TcpState::LISTEN,
    TcpState::CLOSING,
];

/// Which percentiles are emitted: the text of the label and the share. (Prometheus reserves a label `quantile` for
/// summaries.)
const PERCENTILES: [(&str, f64); 5] = [("0", 0.0), ("50", 0.5), ("90", 0.9), ("99", 0.99), ("100", 1.0)];

/// Ratios are counted in millionths.
const MILLION: f64 = 1e6;

pub(crate) static DESC: CollectorDesc = CollectorDesc {
    name: "tcp",
    about: "TCP sockets by state, the spread of their round-trip times and retransmissions, and accept queues.",
    metrics: metrics::METRICS,
    open,
};

/// Counts the ephemeral ports in use, and names at most so many destinations; `None` when the kernel does not tell its
/// range of ports. Costs a dump of the TCP sockets.
///
/// # Errors
/// TCP sockets that cannot be listed.
pub fn ephemeral_ports(kernel: &dyn Kernel, most: usize) -> Result<Option<EphemeralPorts>, SysError> {
    let mut ports = Ports::default();
    ports.begin(kernel);
    let mut add = |payload: &[u8]| {
        if let Ok(socket) = InetSocket::parse(payload) {
            ports.add(&socket);
        }
    };
    read(kernel, at_once(kernel), &mut add)?;
    Ok(ports.most_used(most))
}

/// Whether this kernel answers the older request.
fn at_once(kernel: &dyn Kernel) -> bool {
    kernel.dump(Netlink::SockDiag, TCPDIAG_GETSOCK, &both_families(0).payload(), &mut |_, _| {}).is_ok()
}

/// Shows all TCP sockets.
fn read(kernel: &dyn Kernel, at_once: bool, show: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
    if at_once {
        let request = both_families(InetRequest::ALL_STATES);
        return dump(kernel, TCPDIAG_GETSOCK, &request.payload(), show);
    }
    let request = |family| one_family(family, InetRequest::ALL_STATES).payload();
    dump(kernel, SOCK_DIAG_BY_FAMILY, &request(AF_INET), show)?;
    match dump(kernel, SOCK_DIAG_BY_FAMILY, &request(AF_INET6), show) {
        // Without IPv6 nothing is missing.
        Err(error) if error.is_absent() => Ok(()),
        result => result,
    }
}

fn dump(kernel: &dyn Kernel, message_type: u16, request: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
    kernel.dump(Netlink::SockDiag, message_type, request, &mut |kind, payload| {
        if kind == message_type {
            show(payload);
        }
    })
}

fn open(kernel: &dyn Kernel) -> Opened {
    let at_once = at_once(kernel);
    if !at_once {
        let by_family = one_family(AF_INET, 0).payload();
        kernel.dump(Netlink::SockDiag, SOCK_DIAG_BY_FAMILY, &by_family, &mut |_, _| {}).map_err(|error| {
            Unavailable::because(&error, "TCP sockets cannot be listed; load the module with `modprobe tcp_diag`.")
        })?;
    }
    let labels = |name: &str, value: &str| Labels::new([(name, value)]).unwrap_or_default();
    Ok(Box::new(Tcp {
        at_once,
        states: STATES.map(|state| labels("state", state.word().unwrap_or("unknown"))),
        received: labels("state", "rx_queued_bytes"),
        sent: labels("state", "tx_queued_bytes"),
        unknown: labels("state", "unknown"),
        percentiles: PERCENTILES.map(|(text, _)| labels("percentile", text)),
        now: Totals::default(),
        ports: Ports::default(),
    }))
}

/// What to tell of each socket.
const EXTENSIONS: u8 = extension::INFO | extension::MEMORY;

fn both_families(states: u32) -> TcpRequest {
    TcpRequest { extensions: EXTENSIONS, states }
}

fn one_family(family: u8, states: u32) -> InetRequest {
    InetRequest { family, protocol: IPPROTO_TCP, extensions: EXTENSIONS, states }
}

struct Tcp {
    /// Whether this kernel answers the older request.
    at_once: bool,
    states: [Labels; STATES.len()],
    received: Labels,
    sent: Labels,
    unknown: Labels,
    percentiles: [Labels; PERCENTILES.len()],
    now: Totals,
    ports: Ports,
}

/// What one tick adds up.
#[derive(Default)]
struct Totals {
    states: [u64; STATES.len()],
    unknown: u64,
    receive_queue: u64,
    send_queue: u64,
    round_trip: Spread,
    min_round_trip: Spread,
    retransmitted: Spread,
    retransmitting: u64,
    backing_off: u64,
    zero_window: u64,
    drops: u64,
    listeners_full: u64,
    accept_waiting: u64,
    accept_fill: f64,
    malformed: u64,
}

impl Totals {
    fn clear(&mut self) {
        let (mut round_trip, mut min_round_trip, mut retransmitted) = (
            std::mem::take(&mut self.round_trip),
            std::mem::take(&mut self.min_round_trip),
            std::mem::take(&mut self.retransmitted),
        );
        for spread in [&mut round_trip, &mut min_round_trip, &mut retransmitted] {
            spread.clear();
        }
        *self = Self { round_trip, min_round_trip, retransmitted, ..Self::default() };
    }

    fn add(&mut self, payload: &[u8], ports: &mut Ports) {
        let Ok(socket) = InetSocket::parse(payload) else {
            self.malformed += 1;
            return;
        };
        match STATES.iter().position(|state| *state == socket.state).and_then(|place| self.states.get_mut(place)) {
            Some(count) => *count += 1,
            None => self.unknown += 1,
        }
        ports.add(&socket);
        // As node_exporter adds them up: for a listener these are lengths of the accept queue.
        self.receive_queue += u64::from(socket.receive_queue);
        self.send_queue += u64::from(socket.send_queue);
        self.drops += u64::from(socket.memory.and_then(|memory| memory.drops()).unwrap_or(0));
        match socket.state {
            TcpState::LISTEN => self.listener(&socket),
            TcpState::ESTABLISHED => self.established(&socket),
            _ => {}
        }
    }

    fn listener(&mut self, socket: &InetSocket<'_>) {
        let (waiting, limit) = (socket.receive_queue, socket.send_queue);
        self.accept_waiting += u64::from(waiting);
        // The kernel takes one more than the limit, and refuses when there are more than the limit.
        self.listeners_full += u64::from(waiting > limit);
        self.accept_fill = self.accept_fill.max(f64::from(waiting) / f64::from(limit.saturating_add(1)));
    }

    fn established(&mut self, socket: &InetSocket<'_>) {
        let Some(info) = socket.tcp else { return };
        if let Some(rtt) = info.rtt_us().filter(|&rtt| rtt > 0) {
            self.round_trip.add(rtt);
        }
        if let Some(rtt) = info.min_rtt_us().filter(|&rtt| rtt > 0 && rtt < u32::MAX) {
            self.min_round_trip.add(rtt);
        }
        if let (Some(sent), Some(again)) = (info.bytes_sent().filter(|&sent| sent > 0), info.bytes_retrans()) {
            self.retransmitted.add((again as f64 / sent as f64 * MILLION).round() as u32);
        }
        let above_zero = |count: Option<u32>| u64::from(count.unwrap_or(0) > 0);
        self.retransmitting += above_zero(info.retrans());
        let unanswered = info.unacked().unwrap_or(0) > 0;
        self.backing_off += above_zero(info.backoff().filter(|_| unanswered).map(u32::from));
        // Probes without data on the way are sent to a peer whose window is zero; timer 4 tells them
        // from keep-alive probes.
        self.zero_window += u64::from(socket.timer == 4);
    }
}

impl Collector for Tcp {
    fn collect(&mut self, kernel: &dyn Kernel, _now: Elapsed, out: &mut Batch) {
        self.now.clear();
        self.ports.begin(kernel);
        let (now, ports) = (&mut self.now, &mut self.ports);
        if let Err(error) = read(kernel, self.at_once, &mut |payload| now.add(payload, ports)) {
            return report(out, &error);
        }
        self.emit(out);
    }
}

impl Tcp {
    fn emit(&self, out: &mut Batch) {
        let now = &self.now;
        for (labels, &count) in self.states.iter().zip(&now.states) {
            out.put(&metrics::STATES, labels, count as f64);
        }
        if now.unknown > 0 {
            out.put(&metrics::STATES, &self.unknown, now.unknown as f64);
        }
        out.put(&metrics::STATES, &self.received, now.receive_queue as f64);
        out.put(&metrics::STATES, &self.sent, now.send_queue as f64);
        self.emit_spread(&metrics::ROUND_TRIP, &now.round_trip, out);
        self.emit_spread(&metrics::MIN_ROUND_TRIP, &now.min_round_trip, out);
        self.emit_spread(&metrics::RETRANSMITTED, &now.retransmitted, out);
        out.put_plain(&metrics::RETRANSMITTING, now.retransmitting as f64);
        out.put_plain(&metrics::BACKING_OFF, now.backing_off as f64);
        out.put_plain(&metrics::ZERO_WINDOW, now.zero_window as f64);
        out.put_plain(&metrics::DROPS, now.drops as f64);
        out.put_plain(&metrics::ACCEPT_WAITING, now.accept_waiting as f64);
        out.put_plain(&metrics::ACCEPT_FILL, now.accept_fill);
        out.put_plain(&metrics::LISTENERS_FULL, now.listeners_full as f64);
        if let Some(used) = self.ports.used() {
            out.put_plain(&metrics::PORTS_USED, used);
        }
        if now.malformed > 0 {
            out.fault("TCP sockets", format!("{} of the kernel's messages could not be read.", now.malformed));
        }
    }

    /// The percentiles of a spread that was counted in millionths; none when nothing was counted.
    fn emit_spread(&self, metric: &'static Metric, spread: &Spread, out: &mut Batch) {
        for (labels, (_, share)) in self.percentiles.iter().zip(PERCENTILES) {
            if let Some(value) = spread.quantile(share) {
                out.put(metric, labels, value / MILLION);
            }
        }
    }
}

#[cfg(test)]
mod tests;
