//! Remote hosts and what was exchanged with them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::picture::{HostRow, Source, Traffic};

/// Said of what has no address.
const NOT_TOLD: &str = "Datagrams of sockets that have no fixed peer, such as those of a DNS server: at this level their peers are not told apart. Level `packets` tells them.";

#[derive(Debug, Default)]
struct Host {
    bytes: Traffic,
    before: Traffic,
    source: Source,
    /// When bytes last came or went.
    active: Duration,
}

/// What is open to a host.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Open {
    pub(crate) connections: u32,
    /// Whether the bytes of one of them cannot be known.
    pub(crate) uncounted: bool,
}

/// All of them. Addresses are chosen by strangers, so the map has the standard library's keyed hash.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    rows: HashMap<IpAddr, Host>,
    /// What datagram sockets without a fixed peer moved, whoever the peers were.
    without_peer: Host,
    /// The part of it whose peers counts of packets told.
    told: Traffic,
    told_before: Traffic,
    /// Hosts that were dropped to keep the bound.
    pub(crate) pruned: u64,
}

impl Hosts {
    pub(crate) fn begin_step(&mut self) {
        for host in self.rows.values_mut() {
            host.before = host.bytes;
        }
        self.without_peer.before = self.without_peer.bytes;
        self.told_before = self.told;
    }

    /// Adds what a socket exchanged with its peer; the unspecified address when it has no fixed one.
    pub(crate) fn add(&mut self, address: IpAddr, bytes: Traffic, source: Source, now: Duration) {
        if bytes.is_zero() {
            return;
        }
        let host =
            if address.is_unspecified() { &mut self.without_peer } else { self.rows.entry(address).or_default() };
        host.bytes = host.bytes.plus(bytes);
        host.source = host.source.max(source);
        host.active = now;
    }

    /// Adds what counts of packets say that a socket without a fixed peer exchanged with this one.
    pub(crate) fn add_peer(&mut self, address: IpAddr, bytes: Traffic, now: Duration) {
        if address.is_unspecified() {
            return;
        }
        self.told = self.told.plus(bytes);
        // The length of the headers is taken for the usual one.
        self.add(address, bytes, Source::Sampled, now);
    }

    /// What is left of sockets without a fixed peer.
    fn not_told(&self, span: Duration) -> Option<HostRow> {
        let bytes = self.without_peer.bytes.minus(self.told);
        let before = self.without_peer.before.minus(self.told_before).min(bytes);
        (!bytes.is_zero()).then(|| HostRow {
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            note: Some(NOT_TOLD),
            figures: bytes.figures(before, span),
            connections: 0,
            source: self.without_peer.source,
        })
    }

    /// Keeps at most `limit`: those that were quiet the longest go, a tenth at once so that it is seldom done.
    pub(crate) fn prune(&mut self, limit: usize) {
        if self.rows.len() <= limit {
            return;
        }
        let mut quiet: Vec<(Duration, u64, IpAddr)> = self
            .rows
            .iter()
            .map(|(address, host)| (host.active, host.bytes.receive.saturating_add(host.bytes.transmit), *address))
            .collect();
        quiet.sort_unstable();
        let goes = self.rows.len() - (limit - limit / 10);
        for (_, _, address) in quiet.into_iter().take(goes) {
            self.rows.remove(&address);
            self.pruned += 1;
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.rows.capacity() * (size_of::<(IpAddr, Host)>() + 1) * 8 / 7
    }

    /// The rows, with what is open now.
    pub(crate) fn rows(&self, open: &HashMap<IpAddr, Open>, span: Duration) -> Vec<HostRow> {
        let open_to = |address| open.get(address).copied().unwrap_or_default();
        let mut rows: Vec<HostRow> = self
            .rows
            .iter()
            .map(|(address, host)| HostRow {
                address: *address,
                note: None,
                figures: host.bytes.figures(host.before, span),
                connections: open_to(address).connections,
                // What is only a part is not exact.
                source: host.source.max(if open_to(address).uncounted { Source::Sampled } else { Source::Exact }),
            })
            .collect();
        let quiet = open.iter().filter(|(address, _)| !self.rows.contains_key(address));
        rows.extend(quiet.map(|(address, open)| HostRow {
            address: *address,
            note: None,
            figures: Traffic::default().figures(Traffic::default(), span),
            connections: open.connections,
            source: if open.uncounted { Source::Unavailable } else { Source::Exact },
        }));
        rows.extend(self.not_told(span));
        rows
    }
}
