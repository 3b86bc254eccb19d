//! Both ends against real iperf3: every mode, either way.

#[path = "iperf3/client.rs"]
mod client;
#[path = "iperf3/document.rs"]
mod document;
#[path = "iperf3/hostile.rs"]
mod hostile;
#[path = "iperf3/login.rs"]
mod login;
#[path = "iperf3/own.rs"]
mod own;
#[path = "iperf3/server.rs"]
mod server;
#[path = "iperf3/support.rs"]
mod support;
