//! Whose bytes they are, as JSON: what `GET /api/live/…`, `squirrel top` and `squirrel sockets` give.
//!
//! Names, units and meaning of every field are fixed by the version in `schema`; fields are added without a new
//! version, so that a reader passes over what it does not know. Bytes of processes, connections and hosts are
//! payload; bytes of interfaces are wire bytes. Times are seconds since 1970, rates are per second.

mod convert;
pub mod fields;
mod question;
mod rows;
pub(crate) mod shape;
mod socket;
mod views;

pub use question::{MOST_ROWS, Question, Table, USUAL_LIMIT};
pub use rows::{BookEntry, Connection, Host, Interface, LevelReport, MissingPart, Namespace, Process, Unattributed};
pub use shape::{Definitions, Shape, schema, schemas};
pub use socket::{Socket, SocketMemory, SocketOwner, SocketTcp, Sockets};
pub use views::{Books, Connections, EphemeralPorts, Hosts, Interfaces, PacketLease, PortsTo, Processes, Top, Totals};

/// The version of `squirrel top --json`.
pub const TOP_SCHEMA: &str = "squirrel.top/1";
/// The version of `squirrel sockets --json`.
pub const SOCKETS_SCHEMA: &str = "squirrel.sockets/1";
/// The version of the tables below `/api/live/`.
pub const LIVE_SCHEMA: &str = "squirrel.live/1";

#[cfg(test)]
mod tests;
