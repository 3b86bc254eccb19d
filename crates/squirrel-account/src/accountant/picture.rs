//! The picture, drawn from the tables.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use squirrel_model::Timestamp;

use super::Accountant;
use super::step::reason;
use crate::connection::{Connection, flag};
use crate::picture::{Carrier, ConnectionRow, Picture, Source};

impl Accountant {
    pub(super) fn draw(&self) -> Picture {
        let connections: Vec<ConnectionRow> = self.table.iter().map(|(_, row)| self.connection(row)).collect();
        let mut open: HashMap<IpAddr, u32> = HashMap::new();
        for row in connections.iter().filter(|row| row.closed.is_none() && !row.remote.ip().is_unspecified()) {
            *open.entry(row.remote.ip()).or_default() += 1;
        }
        // What open connections have and nobody got yet shows at once, and goes when an owner is found.
        let mut unattributed = self.unattributed;
        for (_, row) in self.table.iter().filter(|(_, row)| row.is_open()) {
            let bytes = row.unbooked().times(u64::from(self.sampling));
            unattributed.add(reason(row, self.owners.denied > 0), bytes);
        }
        Picture {
            at: self.wall,
            since: self.began.unwrap_or_default(),
            level: self.level(),
            processes: self.processes.rows(self.span),
            hosts: self.hosts.rows(&open, self.span),
            connections,
            interfaces: Vec::new(),
            unattributed: unattributed.rows(),
            lost_events: self.lost,
            pruned: self.pruned + self.processes.pruned + self.hosts.pruned,
            sampling: self.sampling,
        }
    }

    fn connection(&self, row: &Connection) -> ConnectionRow {
        let namespace = self.namespaces.get(usize::from(row.namespace)).and_then(Option::as_ref);
        let tcp = row.tcp.known && row.carrier() == Carrier::Tcp && !row.is_listener();
        ConnectionRow {
            cookie: row.cookie,
            namespace: namespace.map_or(0, |namespace| namespace.inode),
            carrier: row.carrier(),
            local: row.local(),
            remote: row.remote(),
            state: row.state_word(),
            process: self.processes.get(row.owner.process).map(|process| Arc::clone(&process.summary)),
            figures: row.bytes.figures(row.before, self.span),
            receive_queue: row.receive_queue,
            send_queue: row.send_queue,
            drops: (row.drops != u32::MAX).then_some(row.drops),
            tcp: tcp.then(|| row.tcp.detail(self.algorithms.0.get(usize::from(row.tcp.congestion)))),
            opened: Timestamp(row.opened),
            closed: (!row.is_open()).then_some(Timestamp(row.closed)),
            source: match () {
                () if row.is(flag::UNKNOWN_BYTES) => Source::Unavailable,
                () if row.is(flag::INFERRED) => Source::Sampled,
                () => Source::Exact,
            },
        }
    }
}
