//! The program as its users meet it: started, spoken to, refused, killed.

#[path = "program/alertmanager.rs"]
mod alertmanager;
#[path = "program/alerts.rs"]
mod alerts;
#[path = "program/applications.rs"]
mod applications;
#[path = "program/books.rs"]
mod books;
#[path = "program/check.rs"]
mod check;
#[path = "program/desktop.rs"]
mod desktop;
#[path = "program/engine.rs"]
mod engine;
#[path = "program/full_disk.rs"]
mod full_disk;
#[path = "program/hostile_names.rs"]
mod hostile_names;
#[path = "program/inside.rs"]
mod inside;
#[path = "program/keeper.rs"]
mod keeper;
#[path = "program/lifecycle.rs"]
mod lifecycle;
#[path = "program/manners.rs"]
mod manners;
#[path = "program/mcp.rs"]
mod mcp;
#[path = "program/odd_traffic.rs"]
mod odd_traffic;
#[path = "program/packets.rs"]
mod packets;
#[path = "program/path.rs"]
mod path;
#[path = "program/path_hops.rs"]
mod path_hops;
#[path = "program/ping.rs"]
mod ping;
#[path = "program/printing.rs"]
mod printing;
#[path = "program/processes.rs"]
mod processes;
#[path = "program/refusals.rs"]
mod refusals;
#[path = "program/remote.rs"]
mod remote;
#[path = "program/service.rs"]
mod service;
#[path = "program/sockets.rs"]
mod sockets;
#[path = "program/store.rs"]
mod store;
#[path = "program/storm.rs"]
mod storm;
#[path = "program/support.rs"]
mod support;
#[path = "program/throughput.rs"]
mod throughput;
#[path = "program/top.rs"]
mod top;
#[path = "program/watched.rs"]
mod watched;
