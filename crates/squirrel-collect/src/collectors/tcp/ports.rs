//! Ephemeral ports in use, for the destination that uses the most: a host can open only as many connections to one
//! address and port as it has such ports.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use squirrel_sys::Kernel;
use squirrel_wire::sock_diag::{InetSocket, TcpState};

use crate::parse::{decimal, words};

/// The first and the last port that the kernel gives out by itself (`Documentation/networking/ip-sysctl.rst`).
const RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// Destinations that are counted at one time. Beyond them the rare ones give way (Misra and Gries, 1982), and the count
/// of the most used is too low by at most the number of sockets divided by this.
const MOST: usize = 4096;

/// Our address, theirs, and their port.
type Destination = (IpAddr, IpAddr, u16);

/// The ephemeral ports of this host, and where they lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EphemeralPorts {
    /// The ports that the kernel gives out by itself.
    pub range: RangeInclusive<u16>,
    /// Destinations, those first that most ports lead to.
    pub destinations: Vec<PortsTo>,
}

/// The ports that lead to one destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortsTo {
    /// Our address.
    pub local: IpAddr,
    /// Theirs.
    pub remote: IpAddr,
    /// Their port.
    pub port: u16,
    /// How many of our ports are in use.
    pub used: u32,
    /// How many of these by sockets in `TIME_WAIT`.
    pub time_wait: u32,
}

/// Sockets of one destination.
#[derive(Clone, Copy, Default)]
struct Count {
    used: u32,
    time_wait: u32,
}

/// Counts sockets by destination.
#[derive(Default)]
pub(super) struct Ports {
    range: Option<RangeInclusive<u16>>,
    counts: HashMap<Destination, Count>,
    text: Vec<u8>,
}

impl Ports {
    /// Begins a new count. Without the file of the range nothing is counted.
    pub(super) fn begin(&mut self, kernel: &dyn Kernel) {
        self.counts.clear();
        let read = kernel.read(RANGE, &mut self.text).is_ok();
        self.range = read.then(|| range(&self.text)).flatten();
    }

    /// Takes in one socket, whatever its state: one in TIME_WAIT holds its port too.
    pub(super) fn add(&mut self, socket: &InetSocket<'_>) {
        let is_ephemeral = self.range.as_ref().is_some_and(|range| range.contains(&socket.local_port));
        if !is_ephemeral || socket.state == TcpState::LISTEN || socket.remote_port == 0 {
            return;
        }
        let destination = (socket.local, socket.remote, socket.remote_port);
        if self.counts.len() < MOST || self.counts.contains_key(&destination) {
            let count = self.counts.entry(destination).or_default();
            count.used += 1;
            count.time_wait += u32::from(socket.state == TcpState::TIME_WAIT);
        } else {
            self.counts.retain(|_, count| {
                count.used -= 1;
                count.time_wait = count.time_wait.min(count.used);
                count.used > 0
            });
        }
    }

    /// The share of the ports that the most used destination takes; none when the range is not known.
    pub(super) fn used(&self) -> Option<f64> {
        let range = self.range.as_ref()?;
        let most = self.counts.values().map(|count| count.used).max().unwrap_or(0);
        Some(f64::from(most) / f64::from(u32::from(*range.end()) - u32::from(*range.start()) + 1))
    }

    /// The destinations that most ports lead to; none when the range is not known.
    pub(super) fn most_used(&self, most: usize) -> Option<EphemeralPorts> {
        let range = self.range.clone()?;
        let row = |(&(local, remote, port), count): (&Destination, &Count)| {
            let Count { used, time_wait } = *count;
            PortsTo { local, remote, port, used, time_wait }
        };
        let mut destinations: Vec<PortsTo> = self.counts.iter().map(row).collect();
        destinations.sort_by_key(|one| (std::cmp::Reverse(one.used), one.remote, one.port, one.local));
        destinations.truncate(most);
        Some(EphemeralPorts { range, destinations })
    }
}

/// Two ports, the first not above the last.
fn range(text: &[u8]) -> Option<RangeInclusive<u16>> {
    let mut ports = words(text).map(|word| decimal(word).and_then(|port| u16::try_from(port).ok()));
    let (first, last) = (ports.next()??, ports.next()??);
    (first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use squirrel_testkit::{DiagSocket, FakeKernel};

    use super::*;

    fn counted(sockets: impl IntoIterator<Item = (u16, &'static str, TcpState)>) -> Option<f64> {
        let mut ports = Ports::default();
        ports.begin(&FakeKernel::default().with(RANGE, "32768\t33767\n"));
        for (port, remote, state) in sockets {
            let mut octets = Vec::new();
            DiagSocket::tcp(1, &format!("10.0.0.1:{port}"), remote).encode(&mut octets);
            let socket = InetSocket::parse(&octets).expect("a socket");
            ports.add(&InetSocket { state, ..socket });
        }
        ports.used()
    }

    #[test]
    fn ports_are_counted_by_destination_with_those_in_time_wait() {
        let to_one = (0..400).map(|n| (32_768 + n, "10.0.0.2:80", TcpState::TIME_WAIT));
        let open = (400..500).map(|n| (32_768 + n, "10.0.0.2:80", TcpState::ESTABLISHED));
        let to_others = (0..300).map(|n| (32_768 + n, "10.0.0.3:80", TcpState::TIME_WAIT));
        assert_eq!(counted(to_one.chain(open).chain(to_others)), Some(0.5));
    }

    #[test]
    fn who_uses_most_is_named() {
        let mut ports = Ports::default();
        ports.begin(&FakeKernel::default().with(RANGE, "32768 33767"));
        let mut octets = Vec::new();
        for (number, remote, state) in [
            (0, "10.0.0.3:80", TcpState::TIME_WAIT),
            (1, "10.0.0.2:443", TcpState::TIME_WAIT),
            (2, "10.0.0.2:443", TcpState::ESTABLISHED),
            (3, "10.0.0.2:80", TcpState::ESTABLISHED),
        ] {
            octets.clear();
            DiagSocket::tcp(1, &format!("10.0.0.1:{}", 32_768 + number), remote).encode(&mut octets);
            let socket = InetSocket::parse(&octets).expect("a socket");
            ports.add(&InetSocket { state, ..socket });
        }
        let found = ports.most_used(2).expect("a range");
        assert_eq!(found.range, 32_768..=33_767);
        let first = PortsTo {
            local: "10.0.0.1".parse().unwrap(),
            remote: "10.0.0.2".parse().unwrap(),
            port: 443,
            used: 2,
            time_wait: 1,
        };
        assert_eq!(found.destinations, [first, PortsTo { port: 80, used: 1, time_wait: 0, ..first }]);
    }

    #[test]
    fn servers_and_listeners_use_none() {
        let served = (0..900).map(|_| (443, "10.0.0.2:40000", TcpState::ESTABLISHED));
        assert_eq!(counted(served.chain([(40_000, "0.0.0.0:0", TcpState::LISTEN)])), Some(0.0));
    }

    #[test]
    fn what_is_no_range_counts_nothing() {
        for text in ["", "1", "5 4", "x y", "1 70000"] {
            let mut ports = Ports::default();
            ports.begin(&FakeKernel::default().with(RANGE, text));
            assert_eq!(ports.used(), None, "{text:?}");
        }
        let mut ports = Ports::default();
        ports.begin(&FakeKernel::default());
        assert_eq!(ports.used(), None, "an old recording");
    }

    #[test]
    fn many_destinations_hide_a_busy_one_by_little() {
        let mut ports = Ports { range: Some(1..=60_000), ..Ports::default() };
        let mut octets = Vec::new();
        DiagSocket::tcp(1, "10.0.0.1:1000", "10.0.0.2:80").encode(&mut octets);
        let busy = InetSocket::parse(&octets).expect("a socket");
        for number in 0..30_000_u32 {
            let elsewhere = IpAddr::from(number.to_be_bytes());
            ports.add(&InetSocket { remote: elsewhere, ..busy });
            if number % 3 == 0 {
                ports.add(&busy);
            }
        }
        assert!(ports.counts.len() <= MOST);
        let used = ports.used().expect("a range") * 60_000.0;
        assert!((9_990.0..=10_000.0).contains(&used), "{used} of 10000");
    }
}
