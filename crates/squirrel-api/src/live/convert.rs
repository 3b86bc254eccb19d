//! From the accountant's picture to its JSON twins.

use std::borrow::Cow;

use squirrel_account::{
    ConnectionRow, Figures, HostRow, InterfaceRow, Level, NamespaceRow, Picture, ProcessRow, UnattributedRow,
};

use super::rows::{BookEntry, Connection, Host, Interface, LevelReport, MissingPart, Namespace, Process, Unattributed};
use super::views::{Top, Totals};
use super::{TOP_SCHEMA, fields};

impl From<&ProcessRow> for Process {
    fn from(row: &ProcessRow) -> Self {
        let process = &row.process;
        let container = process.container.as_ref();
        Self {
            pid: process.pid,
            started: process.started,
            name: process.name.clone(),
            command: process.command.clone(),
            user: process.user.clone(),
            uid: process.uid,
            unit: process.unit.clone(),
            container: container.map(|container| container.name.clone()),
            container_runtime: container.map(|container| container.runtime.to_owned()),
            container_id: container.map(|container| container.id.clone()),
            cgroup: process.cgroup.clone(),
            parent: process.parent,
            receive_bytes: row.figures.bytes.receive,
            transmit_bytes: row.figures.bytes.transmit,
            receive_rate: row.figures.receive_rate,
            transmit_rate: row.figures.transmit_rate,
            connections: row.connections,
            ended: row.ended.map(squirrel_model::Timestamp::seconds),
            source: Cow::Borrowed(row.source.word()),
        }
    }
}

impl From<&ConnectionRow> for Connection {
    fn from(row: &ConnectionRow) -> Self {
        let owner = row.process.as_ref();
        let tcp = row.tcp.as_ref();
        Self {
            cookie: row.cookie,
            namespace: row.namespace,
            protocol: Cow::Borrowed(row.carrier.word()),
            local: row.local.to_string(),
            remote: row.remote.to_string(),
            state: Cow::Borrowed(row.state),
            pid: owner.map(|owner| owner.pid),
            process: owner.map(|owner| owner.name.clone()),
            user: owner.map(|owner| owner.user.clone()),
            unit: owner.and_then(|owner| owner.unit.clone()),
            container: owner.and_then(|owner| owner.container.as_ref()).map(|container| container.name.clone()),
            receive_bytes: row.figures.bytes.receive,
            transmit_bytes: row.figures.bytes.transmit,
            receive_rate: row.figures.receive_rate,
            transmit_rate: row.figures.transmit_rate,
            receive_queue: row.receive_queue,
            send_queue: row.send_queue,
            drops: row.drops,
            rtt_us: tcp.and_then(|tcp| tcp.rtt_us),
            rtt_variation_us: tcp.and_then(|tcp| tcp.rtt_variation_us),
            min_rtt_us: tcp.and_then(|tcp| tcp.min_rtt_us),
            retransmitted_bytes: tcp.and_then(|tcp| tcp.retransmitted_bytes),
            retransmits: tcp.and_then(|tcp| tcp.retransmits),
            congestion_window: tcp.and_then(|tcp| tcp.congestion_window),
            congestion: tcp.and_then(|tcp| tcp.congestion.clone()),
            delivery_rate: tcp.and_then(|tcp| tcp.delivery_rate),
            busy_us: tcp.and_then(|tcp| tcp.busy_us),
            receiver_limited_us: tcp.and_then(|tcp| tcp.receiver_limited_us),
            buffer_limited_us: tcp.and_then(|tcp| tcp.buffer_limited_us),
            application_limited: tcp.and_then(|tcp| tcp.application_limited),
            opened: row.opened.seconds(),
            closed: row.closed.map(squirrel_model::Timestamp::seconds),
            source: Cow::Borrowed(row.source.word()),
            caveat: row.caveat.map(Cow::Borrowed),
            count: row.count,
        }
    }
}

impl From<&HostRow> for Host {
    fn from(row: &HostRow) -> Self {
        Self {
            address: if row.note.is_some() { "*".to_owned() } else { row.address.to_string() },
            note: row.note.map(Cow::Borrowed),
            receive_bytes: row.figures.bytes.receive,
            transmit_bytes: row.figures.bytes.transmit,
            receive_rate: row.figures.receive_rate,
            transmit_rate: row.figures.transmit_rate,
            connections: row.connections,
            source: Cow::Borrowed(row.source.word()),
        }
    }
}

impl From<&InterfaceRow> for Interface {
    fn from(row: &InterfaceRow) -> Self {
        Self {
            name: row.name.clone(),
            index: row.index,
            namespace: row.namespace,
            namespace_name: row.namespace_name.clone(),
            receive_bytes: row.wire.bytes.receive,
            transmit_bytes: row.wire.bytes.transmit,
            receive_rate: row.wire.receive_rate,
            transmit_rate: row.wire.transmit_rate,
            attributed_receive_bytes: row.attributed.receive,
            attributed_transmit_bytes: row.attributed.transmit,
            headers_receive_bytes: row.headers.receive,
            headers_transmit_bytes: row.headers.transmit,
            forwarded_receive_bytes: row.forwarded.receive,
            forwarded_transmit_bytes: row.forwarded.transmit,
            kernel_receive_bytes: row.kernel.receive,
            kernel_transmit_bytes: row.kernel.transmit,
            unexplained_receive_bytes: row.unexplained.receive,
            unexplained_transmit_bytes: row.unexplained.transmit,
            entries: row.entries.iter().map(BookEntry::from).collect(),
            counted_elsewhere: row.counted_elsewhere.map(Cow::Borrowed),
            source: Cow::Borrowed(row.source.word()),
        }
    }
}

impl From<&squirrel_account::BookEntry> for BookEntry {
    fn from(entry: &squirrel_account::BookEntry) -> Self {
        Self {
            part: Cow::Borrowed(entry.part.word()),
            reason: Cow::Borrowed(entry.reason),
            meaning: Cow::Borrowed(entry.meaning),
            receive_bytes: entry.bytes.receive,
            transmit_bytes: entry.bytes.transmit,
        }
    }
}

impl From<&NamespaceRow> for Namespace {
    fn from(row: &NamespaceRow) -> Self {
        Self {
            inode: row.inode,
            name: row.name.clone(),
            container: row.container.as_ref().map(|container| container.name.clone()),
            failure: row.failure.clone(),
        }
    }
}

impl From<&UnattributedRow> for Unattributed {
    fn from(row: &UnattributedRow) -> Self {
        Self {
            reason: Cow::Borrowed(row.reason),
            meaning: Cow::Borrowed(row.meaning),
            receive_bytes: row.bytes.receive,
            transmit_bytes: row.bytes.transmit,
        }
    }
}

impl From<&Level> for LevelReport {
    fn from(level: &Level) -> Self {
        let missing = level.parts.iter().filter_map(|part| {
            let reason = part.missing.clone()?;
            Some(MissingPart { part: part.part.clone(), reason })
        });
        Self {
            name: Cow::Borrowed(level.name),
            meaning: level.meaning.clone(),
            next: level.next.clone(),
            missing: missing.collect(),
        }
    }
}

impl Totals {
    /// The sums of these figures.
    pub fn of<'a>(figures: impl Iterator<Item = &'a Figures>) -> Self {
        figures.fold(Self::default(), |mut sum, figures| {
            sum.receive_bytes = sum.receive_bytes.saturating_add(figures.bytes.receive);
            sum.transmit_bytes = sum.transmit_bytes.saturating_add(figures.bytes.transmit);
            sum.receive_rate += figures.receive_rate;
            sum.transmit_rate += figures.transmit_rate;
            sum
        })
    }
}

impl Top {
    /// The whole picture as one document, each table with its busiest rows first.
    pub fn new(picture: &Picture, measured_by: &str, interrupted: bool) -> Self {
        Self {
            schema: Cow::Borrowed(TOP_SCHEMA),
            time: picture.at.seconds(),
            since: picture.since.seconds(),
            seconds: (picture.at.seconds() - picture.since.seconds()).max(0.0),
            measured_by: measured_by.to_owned(),
            interrupted,
            level: LevelReport::from(&picture.level),
            processes: busiest(&picture.processes, |row| &row.figures),
            connections: busiest(&picture.connections, |row| &row.figures),
            hosts: busiest(&picture.hosts, |row| &row.figures),
            interfaces: busiest(&picture.interfaces, |row| &row.wire),
            namespaces: picture.namespaces.iter().map(Namespace::from).collect(),
            unattributed: picture.unattributed.iter().map(Unattributed::from).collect(),
            lost_events: picture.lost_events,
            pruned: picture.pruned,
            sampling: picture.sampling.max(1),
        }
    }
}

fn busiest<'a, R, T: From<&'a R>>(rows: &'a [R], figures: impl Fn(&R) -> &Figures) -> Vec<T> {
    let mut rows: Vec<&R> = rows.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(fields::sum(figures(row))));
    rows.into_iter().map(T::from).collect()
}
