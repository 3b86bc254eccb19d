//! Whose bytes they are.
//!
//! The sources (the kernel's socket ledger by eBPF, sock_diag dumps and announcements of destroyed
//! sockets, `/proc`) are read by one accountant; what it knows is shown as an immutable [`Picture`]:
//! processes, connections, remote hosts, interfaces, and what belongs to nobody with the reason.
//!
//! Absences: no screen, no HTTP, no clock (time is an argument), no privilege is taken here.
#![forbid(unsafe_code)]

mod accountant;
mod books;
mod connection;
mod groups;
mod hash;
mod hosts;
mod identity;
mod links;
mod load;
mod metrics;
mod options;
mod owners;
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
pub use books::{Frames, PacketClass, PacketCount};
pub use options::Options;
pub use picture::{
    Carrier, ConnectionRow, Container, Figures, HostRow, InterfaceRow, Level, NamespaceRow, PartStatus, Picture,
    ProcessRow, ProcessSummary, Source, TcpDetail, Traffic, UnattributedRow,
};
pub use sources::{Discovery, FindNamespaces, NamespaceSource, ReadUsers, Sources};

use squirrel_model::Catalogue;

/// The declarations of everything that [`Accountant::batch`] can emit.
pub fn catalogue() -> Catalogue {
    Catalogue::new([metrics::ALL])
}

#[cfg(test)]
mod tests;
