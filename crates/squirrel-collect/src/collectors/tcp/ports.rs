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

/// Counts sockets by destination.
#[derive(Default)]
pub(super) struct Ports {
    range: Option<RangeInclusive<u16>>,
    counts: HashMap<Destination, u32>,
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
        if let Some(count) = self.counts.get_mut(&destination) {
            *count += 1;
        } else if self.counts.len() < MOST {
            self.counts.insert(destination, 1);
        } else {
            self.counts.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        }
    }

    /// The share of the ports that the most used destination takes; none when the range is not known.
    pub(super) fn used(&self) -> Option<f64> {
        let range = self.range.as_ref()?;
        let most = self.counts.values().max().copied().unwrap_or(0);
        Some(f64::from(most) / f64::from(u32::from(*range.end()) - u32::from(*range.start()) + 1))
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
