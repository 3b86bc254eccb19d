//! Whose bytes they are.
//!
//! The sources (the kernel's socket ledger by eBPF, sock_diag dumps and announcements of destroyed
//! sockets, `/proc`) are read by one accountant; what it knows is shown as an immutable [`Picture`]:
//! processes, connections, remote hosts, interfaces, and what belongs to nobody with the reason.
//!
//! [`Sources`] are opened by whoever has the privilege; [`Accountant::step`] reads them once, say each second;
//! [`Accountant::picture`] draws what is known, and [`Accountant::batch`] gives the series. [`Accountant::level`] says
//! in words how the figures are got on this host, and what the next better way would need:
//!
//! - `packets`: the ledger, and each packet of each interface of one namespace (a [`PacketSource`]);
//! - `sockets`: the kernel counts each socket's bytes by process (a [`squirrel_sys::SocketLedger`]); TCP and UDP exact;
//! - `counters`: without it, TCP by the kernel's counters of each connection, owners by descriptors;
//! - `own`: the same without privilege, where only one's own sockets have an owner.
//!
//! Absences: no screen, no HTTP, no clock (time is an argument), no privilege is taken here.
#![forbid(unsafe_code)]

mod accountant;
mod books;
mod connection;
mod containers;
mod counters;
mod denied;
mod groups;
mod half_open;
mod hash;
mod hosts;
mod identity;
mod links;
mod load;
mod metrics;
mod options;
mod owners;
mod packets;
mod picture;
mod processes;
mod reading;
mod reasons;
mod settle;
mod slots;
mod sources;
mod table;
mod traffic;

pub use accountant::Accountant;
pub use containers::container_of;
#[doc(hidden)]
pub use counters::counters_as_text;
pub use denied::Denied;
pub use identity::user_name;
pub use options::Options;
pub use packets::{CountPackets, FollowedInterface, PacketSource};
pub use picture::{
    BookEntry, BookPart, Carrier, ConnectionRow, Container, Figures, HostRow, InterfaceRow, Level, NamespaceRow,
    PartStatus, Picture, ProcessRow, ProcessSummary, Source, TcpDetail, Traffic, UnattributedRow,
};
pub use sources::{Discovery, FindNamespaces, NameContainer, NamespaceSource, ReadUsers, Sources};

use squirrel_model::Catalogue;

/// The declarations of everything that [`Accountant::batch`] can emit.
pub fn catalogue() -> Catalogue {
    Catalogue::new([metrics::ALL])
}

#[cfg(test)]
mod tests;
