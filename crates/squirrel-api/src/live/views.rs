//! Documents: the rows with what must be said beside them.

use std::borrow::Cow;

use super::rows::{Connection, Host, Interface, LevelReport, Namespace, Process, Unattributed};
use super::shape::twin;

twin! {
    /// Who used the network in a period: `squirrel top --json`.
    Top {
        /// The version of this document's form: squirrel.top/1.
        schema: Cow<'static, str>,
        /// When it was made, in seconds since 1970.
        time: f64,
        /// Since when bytes are counted, in seconds since 1970.
        since: f64,
        /// The length of that period, in seconds.
        seconds: f64,
        /// Who measured: `command` for the command itself, else the address of the daemon that was asked.
        measured_by: String,
        /// Whether the period was ended early by an interrupt.
        interrupted: bool,
        /// How the figures were got.
        level: LevelReport,
        /// Processes with traffic or connections.
        processes: Vec<Process>,
        /// Sockets, open and lately closed.
        connections: Vec<Connection>,
        /// Remote addresses.
        hosts: Vec<Host>,
        /// Interfaces and their books.
        interfaces: Vec<Interface>,
        /// Network namespaces that are watched, the own first.
        namespaces: Vec<Namespace>,
        /// Bytes that belong to no process, with the reason.
        unattributed: Vec<Unattributed>,
        /// Events of the kernel that never arrived; when it is not 0 the tables may lack what they told.
        lost_events: u64,
        /// Rows that were dropped from memory to keep its bound; their bytes stay in the sums of their process.
        pruned: u64,
        /// One connection in so many is looked at in detail; 1 means all.
        sampling: u32,
    }
}

twin! {
    /// For how long packets are counted: `POST /api/live/packets`. Who looks on asks again before it is over.
    PacketLease {
        /// The version of this document's form: squirrel.live/1.
        schema: Cow<'static, str>,
        /// Seconds from now on, over all who asked.
        seconds: f64,
    }
}

twin! {
    /// The ephemeral ports of this host, and where most of them lead: `GET /api/live/ports`. No further connection can be
    /// opened to a destination that uses all.
    EphemeralPorts {
        /// The version of this document's form: squirrel.live/1.
        schema: Cow<'static, str>,
        /// The first port that the kernel gives out by itself.
        first: u16,
        /// The last one.
        last: u16,
        /// Destinations, those first that most ports lead to; the rest is left out.
        destinations: Vec<PortsTo>,
    }
}

twin! {
    /// The ephemeral ports that lead to one address and port from one of ours.
    PortsTo {
        /// Our address.
        local_address: String,
        /// Their address.
        remote_address: String,
        /// Their port.
        remote_port: u16,
        /// How many of our ports are in use.
        used: u32,
        /// How many of these by sockets that have ended and wait (TIME_WAIT).
        time_wait: u32,
        /// The share of all that are in use.
        ratio: f64,
    }
}

twin! {
    /// Sums over all rows that the filter chose, not only those of the page.
    Totals {
        /// Bytes received.
        receive_bytes: u64,
        /// Bytes transmitted.
        transmit_bytes: u64,
        /// Bytes received per second.
        receive_rate: f64,
        /// Bytes transmitted per second.
        transmit_rate: f64,
    }
}

/// The four tables differ in the name and type of their rows only.
macro_rules! table {
    ($(#[doc = $doc:literal])+ $name:ident, $rows:ident: $row:ty, $rows_doc:literal) => {
        twin! {
            $(#[doc = $doc])+
            $name {
                /// The version of this document's form: squirrel.live/1.
                schema: Cow<'static, str>,
                /// When the table was made, in seconds since 1970.
                time: f64,
                /// Since when bytes are counted, in seconds since 1970.
                since: f64,
                /// How the figures were got.
                level: LevelReport,
                /// Rows of the whole table.
                total: usize,
                /// Rows that the filter chose.
                matched: usize,
                /// How many of these stand before the first row shown.
                offset: usize,
                /// The most rows shown.
                limit: usize,
                /// The field that orders the rows.
                sort: Cow<'static, str>,
                /// asc or desc.
                order: Cow<'static, str>,
                /// Sums over all rows that the filter chose.
                totals: Totals,
                /// Bytes that belong to no process, with the reason.
                unattributed: Vec<Unattributed>,
                /// Events of the kernel that never arrived; when it is not 0 the tables may lack what they told.
                lost_events: u64,
                #[doc = $rows_doc]
                $rows: Vec<$row>,
            }
        }
    };
}

table! {
    /// Processes and their bytes: `GET /api/live/processes`.
    Processes, processes: Process, "The rows."
}
table! {
    /// Connections and their bytes: `GET /api/live/connections`.
    Connections, connections: Connection, "The rows."
}
table! {
    /// Remote hosts and their bytes: `GET /api/live/hosts`.
    Hosts, hosts: Host, "The rows."
}
table! {
    /// Interfaces and their bytes: `GET /api/live/interfaces`. The sums leave out what is counted elsewhere.
    Interfaces, interfaces: Interface, "The rows."
}

twin! {
    /// Where the bytes of the host went: `GET /api/live/books`.
    Books {
        /// The version of this document's form: squirrel.live/1.
        schema: Cow<'static, str>,
        /// When the books were made, in seconds since 1970.
        time: f64,
        /// Since when bytes are counted, in seconds since 1970.
        since: f64,
        /// How the figures were got.
        level: LevelReport,
        /// Each interface with the parts of its wire bytes.
        interfaces: Vec<Interface>,
        /// Bytes that belong to no process, with the reason.
        unattributed: Vec<Unattributed>,
        /// The wire bytes of the host: interfaces that are counted elsewhere are left out.
        totals: Totals,
        /// Events of the kernel that never arrived; when it is not 0 the tables may lack what they told.
        lost_events: u64,
        /// Rows that were dropped from memory to keep its bound.
        pruned: u64,
        /// One connection in so many is looked at in detail; 1 means all.
        sampling: u32,
    }
}
