//! The ledger against the real kernel: what it says of each process is what the process moved, to the byte.
//!
//! Traffic stays in network namespaces that the tests make. The programs see the whole host, so other
//! namespaces are passed over.
#![forbid(unsafe_code)]

#[path = "ledger/exact.rs"]
mod exact;
#[path = "ledger/frames.rs"]
mod frames;
#[path = "ledger/losses.rs"]
mod losses;
#[path = "ledger/peculiar.rs"]
mod peculiar;
#[path = "ledger/stage.rs"]
mod stage;
