//! The accountant beside the running kernel, in network namespaces that the tests make.
//!
//! Each test runs itself again inside a namespace of its own, where nothing else talks.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "kernel/exact.rs"]
mod exact;
#[path = "kernel/namespaces.rs"]
mod namespaces;
#[path = "kernel/packet_sockets.rs"]
mod packet_sockets;
#[path = "kernel/privilege.rs"]
mod privilege;
#[path = "kernel/support.rs"]
mod support;
