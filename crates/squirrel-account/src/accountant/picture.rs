//! The picture, drawn from the tables.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use squirrel_model::Timestamp;

use super::booking::reason;
use super::{Accountant, Namespace};
use crate::books;
use crate::connection::{Connection, flag};
use crate::hosts::Open;
use crate::picture::{Carrier, ConnectionRow, Figures, InterfaceRow, NamespaceRow, Picture, Source};
use crate::slots::Slot;

impl Accountant {
    pub(super) fn draw(&self) -> Picture {
        let mut connections: Vec<ConnectionRow> = self.table.iter().map(|(_, row)| self.connection(row)).collect();
        let mut open: HashMap<IpAddr, Open> = HashMap::new();
        // The paths of a multipath socket lead somewhere, not it.
        let leads = |row: &&ConnectionRow| row.carrier.travels() && !row.remote.ip().is_unspecified();
        for row in connections.iter().filter(|row| row.closed.is_none()).filter(leads) {
            let open = open.entry(row.remote.ip()).or_default();
            open.connections += 1;
            open.uncounted |= row.source == Source::Unavailable;
        }
        // Their other ends may be made up: they are no hosts of this one.
        self.half_open(&mut connections);
        // What open connections have and nobody got yet shows at once, and goes when an owner is found.
        let mut unattributed = self.unattributed;
        for (_, row) in self.table.iter().filter(|(_, row)| row.is_open()) {
            let bytes = row.unbooked().times(u64::from(self.load.sampling));
            unattributed.add(reason(row, !self.owners.denied.is_empty()), bytes);
        }
        Picture {
            at: self.wall,
            since: self.began.unwrap_or_default(),
            level: self.level(),
            processes: self.processes.rows(self.span),
            hosts: self.hosts.rows(&open, self.span),
            connections,
            interfaces: self.interfaces(None),
            namespaces: self.namespaces.iter().flatten().map(namespace).collect(),
            unattributed: unattributed.rows(),
            lost_events: self.lost,
            pruned: self.pruned(),
            sampling: self.load.sampling,
        }
    }

    /// The books of the interfaces of one namespace, or of all.
    pub(super) fn interfaces(&self, only: Option<usize>) -> Vec<InterfaceRow> {
        let first_has_uplink =
            self.namespaces.first().and_then(Option::as_ref).is_some_and(|first| first.links.has_uplink());
        let places = self.namespaces.iter().enumerate().filter(|(place, _)| only.is_none_or(|only| only == *place));
        let named = places.filter_map(|(place, namespace)| Some((place, namespace.as_ref()?)));
        named
            .flat_map(|(place, namespace)| {
                // What leaves a container leaves the host by the first namespace, when that one has a way out.
                let elsewhere = place > 0;
                let rows = books::rows(&namespace.links, namespace.inode, elsewhere && first_has_uplink, self.span);
                let name = elsewhere.then(|| match &namespace.container {
                    Some(container) => container.name.clone(),
                    None => namespace.subject(),
                });
                rows.into_iter().map(move |row| InterfaceRow { namespace_name: name.clone(), ..row })
            })
            .collect()
    }

    fn connection(&self, row: &Connection) -> ConnectionRow {
        let namespace = self.namespaces.get(usize::from(row.namespace)).and_then(Option::as_ref);
        let tcp = row.tcp.known && row.carrier == Carrier::Tcp && !row.is_listener();
        ConnectionRow {
            cookie: row.cookie,
            namespace: namespace.map_or(0, |namespace| namespace.inode),
            carrier: row.carrier,
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
                () if row.is(flag::INFERRED) || self.load.sampling > 1 => Source::Sampled,
                () => Source::Exact,
            },
            caveat: row.caveat().or_else(|| {
                (self.load.sampling > 1).then_some("There are more connections than are followed one by one.")
            }),
            count: 1,
        }
    }

    /// Adds rows for connections that are half open: some by themselves, the rest of each listener in one, and what is
    /// beyond the bound in one more.
    fn half_open(&self, out: &mut Vec<ConnectionRow>) {
        let listening = self.table.iter().filter(|(_, row)| row.is_listener() && row.is_open());
        let owners: HashMap<(u16, u16), Slot> =
            listening.map(|(_, row)| ((row.namespace, row.local().port()), row.owner.process)).collect();
        for (place, namespace) in self.namespaces.iter().enumerate() {
            let Some(namespace) = namespace else { continue };
            let row = |local: SocketAddr, remote: Option<SocketAddr>, count: u64| {
                let key = u16::try_from(place).ok().map(|place| (place, local.port()));
                let owner = key.and_then(|key| owners.get(&key)).and_then(|slot| self.processes.get(*slot));
                ConnectionRow {
                    cookie: 0,
                    namespace: namespace.inode,
                    carrier: Carrier::Tcp,
                    local,
                    remote: remote.unwrap_or(if local.is_ipv4() { NOBODY_V4 } else { NOBODY_V6 }),
                    state: "SYN-RECV",
                    process: owner.map(|process| Arc::clone(&process.summary)),
                    figures: Figures::default(),
                    receive_queue: 0,
                    send_queue: 0,
                    drops: None,
                    tcp: None,
                    opened: self.wall,
                    closed: None,
                    source: Source::Exact,
                    caveat: None,
                    count,
                }
            };
            for (local, end) in namespace.half_open.ends() {
                out.extend(end.examples.iter().map(|remote| row(local, Some(*remote), 1)));
                let rest = end.count.saturating_sub(end.examples.len() as u64);
                out.extend((rest > 0).then(|| row(local, None, rest)));
            }
            let beyond = namespace.half_open.beyond;
            out.extend((beyond > 0).then(|| row(NOBODY_V6, None, beyond)));
        }
    }
}

const NOBODY_V4: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
const NOBODY_V6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);

fn namespace(namespace: &Namespace) -> NamespaceRow {
    NamespaceRow {
        inode: namespace.inode,
        name: namespace.name.clone(),
        container: namespace.container.clone(),
        failure: namespace.failure.clone().or_else(|| namespace.links.failure.clone()),
    }
}
