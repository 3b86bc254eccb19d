//! The table of all that is shown chosen octets: each name is also a target of `fuzz/`.

mod exchange;
mod inspect;
mod keeper;
mod kernel;
mod network;
mod others;
mod people;
mod promql;
mod store;

use crate::show;

/// Something that parses.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// Shows it octets. Panics are what is looked for.
    pub run: fn(&[u8]),
}

/// All targets, sorted by name.
pub static TARGETS: &[Target] = &[
    Target { name: "account_counters", run: kernel::counters },
    Target { name: "alert_rules", run: |octets| text(octets, people::rules) },
    Target { name: "alert_template", run: |octets| text(octets, people::template) },
    Target { name: "api_parameters", run: |octets| text(octets, people::parameters) },
    Target { name: "check_modules", run: |octets| text(octets, people::modules) },
    Target { name: "check_texts", run: |octets| text(octets, others::performance) },
    Target { name: "collectors", run: kernel::collectors },
    Target { name: "containers", run: others::containers },
    Target { name: "dns_message", run: network::dns },
    Target { name: "ethtool", run: kernel::ethtool },
    Target { name: "exchange_otlp", run: exchange::otlp },
    Target { name: "exchange_remote_write", run: exchange::remote_write },
    Target { name: "exchange_text", run: |octets| text(octets, exchange::text) },
    Target { name: "filter", run: |octets| text(octets, people::filter) },
    Target { name: "icmp", run: kernel::icmp },
    Target { name: "inspect_fields", run: inspect::fields },
    Target { name: "inspect_http", run: |octets| inspect::conversation("http", octets) },
    Target { name: "inspect_jsonrpc", run: |octets| inspect::conversation("jsonrpc", octets) },
    Target { name: "inspect_mcp", run: |octets| inspect::conversation("mcp", octets) },
    Target { name: "inspect_mcp_http", run: |octets| inspect::conversation("mcp-http", octets) },
    Target { name: "inspect_sessions", run: inspect::sessions },
    Target { name: "inspect_websocket", run: |octets| inspect::conversation("websocket", octets) },
    Target { name: "keeper", run: keeper::words },
    Target { name: "ledger_rows", run: kernel::ledger_rows },
    Target { name: "netlink_address", run: |octets| show(&squirrel_wire::address::Address::parse(octets)) },
    Target { name: "netlink_link", run: |octets| show(&squirrel_wire::link::Link::parse(octets)) },
    Target { name: "netlink_messages", run: kernel::messages },
    Target { name: "netlink_neighbour", run: |octets| show(&squirrel_wire::neighbour::Neighbour::parse(octets)) },
    Target { name: "netlink_qdisc", run: |octets| show(&squirrel_wire::qdisc::Qdisc::parse(octets)) },
    Target { name: "notify_restore", run: |octets| text(octets, others::restored) },
    Target { name: "ntp_packet", run: network::ntp },
    Target { name: "outbound_texts", run: |octets| text(octets, others::outbound) },
    Target { name: "promql_evaluate", run: |octets| text(octets, promql::evaluated) },
    Target { name: "promql_parse", run: |octets| text(octets, promql::parsed) },
    Target { name: "remote_bodies", run: others::bodies },
    Target { name: "rsa_key", run: network::rsa_key },
    Target {
        name: "sock_diag",
        run: |octets| {
            show(&squirrel_wire::sock_diag::InetSocket::parse(octets));
            show(&squirrel_wire::packet_diag::PacketSocket::parse(octets));
        },
    },
    Target { name: "store_codec", run: store::chunk },
    Target { name: "store_open", run: store::open },
    Target { name: "x509_certificate", run: network::certificate },
];

/// Octets as text; what is no UTF-8 is replaced, as all readers of text do first.
fn text(octets: &[u8], run: fn(&str)) {
    run(&String::from_utf8_lossy(octets));
}
