//! Remote hosts and what was exchanged with them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::picture::{HostRow, Source, Traffic};

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
    /// Hosts that were dropped to keep the bound.
    pub(crate) pruned: u64,
}

impl Hosts {
    pub(crate) fn begin_step(&mut self) {
        for host in self.rows.values_mut() {
            host.before = host.bytes;
        }
    }

    pub(crate) fn add(&mut self, address: IpAddr, bytes: Traffic, source: Source, now: Duration) {
        if bytes.is_zero() || address.is_unspecified() {
            return;
        }
        let host = self.rows.entry(address).or_default();
        host.bytes = host.bytes.plus(bytes);
        host.source = host.source.max(source);
        host.active = now;
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
                figures: host.bytes.figures(host.before, span),
                connections: open_to(address).connections,
                // What is only a part is not exact.
                source: host.source.max(if open_to(address).uncounted { Source::Sampled } else { Source::Exact }),
            })
            .collect();
        let quiet = open.iter().filter(|(address, _)| !self.rows.contains_key(address));
        rows.extend(quiet.map(|(address, open)| HostRow {
            address: *address,
            figures: Traffic::default().figures(Traffic::default(), span),
            connections: open.connections,
            source: if open.uncounted { Source::Unavailable } else { Source::Exact },
        }));
        rows
    }
}
