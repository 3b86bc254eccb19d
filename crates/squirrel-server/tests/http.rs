//! The server as its clients meet it: bound to a port of the loopback, asked over TCP.

mod http {
    pub(crate) mod alerts;
    pub(crate) mod applications;
    pub(crate) mod limits;
    pub(crate) mod live;
    pub(crate) mod probe;
    pub(crate) mod probe_record;
    pub(crate) mod probes;
    pub(crate) mod prometheus;
    pub(crate) mod promtool;
    pub(crate) mod queries;
    pub(crate) mod resources;
    pub(crate) mod security;
    pub(crate) mod streams;
    pub(crate) mod support;
}
