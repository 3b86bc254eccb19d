//! The table of collectors. To add one: a file here, a line in [`COLLECTORS`].

mod conntrack;
mod interfaces;
mod neighbours;
mod netstat;
mod qdisc;
mod self_;
mod sockstat;
mod softnet;

use crate::CollectorDesc;

/// All collectors, by name. Tests, the manual and the schedule read this table.
pub static COLLECTORS: &[&CollectorDesc] = &[
    &conntrack::DESC,
    &interfaces::DESC,
    &neighbours::DESC,
    &netstat::DESC,
    &qdisc::DESC,
    &self_::DESC,
    &sockstat::DESC,
    &softnet::DESC,
];
