//! The table of collectors. To add one: a file here, a line in [`COLLECTORS`].

mod conntrack;
mod ethtool;
mod interfaces;
mod neighbours;
mod netstat;
mod qdisc;
mod self_;
mod sockstat;
mod softnet;
mod tcp;
mod udp_queues;

pub use tcp::{EphemeralPorts, PortsTo, ephemeral_ports};

use crate::CollectorDesc;

/// All collectors, by name. Tests, the manual and the schedule read this table.
pub static COLLECTORS: &[&CollectorDesc] = &[
    &conntrack::DESC,
    &ethtool::DESC,
    &interfaces::DESC,
    &neighbours::DESC,
    &netstat::DESC,
    &qdisc::DESC,
    &self_::DESC,
    &sockstat::DESC,
    &softnet::DESC,
    &tcp::DESC,
    &udp_queues::DESC,
];
