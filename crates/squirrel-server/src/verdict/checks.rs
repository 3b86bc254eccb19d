//! The checks. The thresholds from which they speak stand in one table with those of the built-in alerts.

use std::borrow::Cow;

use squirrel_alert::Shown;
use squirrel_alert::thresholds::{self, Threshold, Thresholds};
use squirrel_api::{Finding, Level};
use squirrel_model::Labels;

/// One check: an expression whose values are compared with two thresholds.
#[derive(Debug)]
pub(crate) struct Check {
    /// Its name; stable.
    pub(crate) id: &'static str,
    /// What it is about, to begin a sentence.
    pub(crate) about: &'static str,
    /// PromQL; each of its samples is judged.
    pub(crate) expr: &'static str,
    /// The metric without which there is nothing to judge by.
    pub(crate) needs: &'static str,
    /// The label that names the subject; without it the subject is this host.
    pub(crate) subject: Option<&'static str>,
    /// From this value on it is a warning.
    pub(crate) warning: &'static Threshold,
    /// From this value on it is bad.
    pub(crate) bad: &'static Threshold,
    /// The sentence; `{subject}` and `{value}` are filled in.
    pub(crate) sentence: &'static str,
    /// What to look at first.
    pub(crate) first: &'static [&'static str],
}

impl Check {
    /// What the check says of one sample; none when it is below the thresholds or no number.
    pub(crate) fn finding(&self, labels: &Labels, value: f64, thresholds: &Thresholds) -> Option<Finding> {
        let level = if value >= thresholds.get(self.bad) {
            Level::Bad
        } else if value >= thresholds.get(self.warning) {
            Level::Warning
        } else {
            return None;
        };
        let subject = self.subject.and_then(|label| labels.get(label)).unwrap_or("this host");
        Some(Finding {
            check: Cow::Borrowed(self.id),
            level,
            subject: subject.to_owned(),
            sentence: self.sentence(subject, value),
            value,
            expr: Cow::Borrowed(self.expr),
            check_first: self.first.iter().copied().map(Cow::Borrowed).collect(),
        })
    }

    fn sentence(&self, subject: &str, value: f64) -> String {
        let value = match self.warning.shown {
            Shown::Count | Shown::Days | Shown::Seconds => format!("{:.0}", value.round()),
            Shown::Score => format!("{value:.1}"),
            Shown::Percent if value < 0.1 => format!("{:.1} %", value * 100.0),
            Shown::Percent => format!("{:.0} %", value * 100.0),
        };
        // The value first: a subject comes from outside and may look like a placeholder.
        self.sentence.replace("{value}", &value).replace("{subject}", subject)
    }
}

/// All checks, most telling first. Ranges are five minutes for events and one minute for load, so
/// that a short outage is still said for a while after it.
pub(crate) static CHECKS: &[Check] = &[
    Check {
        id: "receive-errors",
        about: "Errors in reception",
        expr: "sum by (device) (increase(node_network_receive_errs_total[5m]))",
        needs: "node_network_receive_errs_total",
        subject: Some("device"),
        warning: &thresholds::INTERFACE_ERRORS_SEEN,
        bad: &thresholds::INTERFACE_ERRORS_MANY,
        sentence: "{subject} received {value} damaged frames in the last 5 minutes.",
        first: &[
            "Cable, connector or transceiver: replace or reseat it, and see whether the counter stands still.",
            "`ethtool -S` of the interface: CRC and alignment errors are the wire, FIFO and missed errors are this host.",
            "Duplex and speed at both ends.",
        ],
    },
    Check {
        id: "transmit-errors",
        about: "Errors in transmission",
        expr: "sum by (device) (increase(node_network_transmit_errs_total[5m]))",
        needs: "node_network_transmit_errs_total",
        subject: Some("device"),
        warning: &thresholds::INTERFACE_ERRORS_SEEN,
        bad: &thresholds::INTERFACE_ERRORS_MANY,
        sentence: "{subject} failed to send {value} frames in the last 5 minutes.",
        first: &[
            "Whether the link was up all the time: carrier errors mean that it was not.",
            "The kernel log for a transmit timeout of the driver.",
            "For a tunnel: the route to its other end, and its MTU.",
        ],
    },
    Check {
        id: "receive-drops",
        about: "Drops in reception",
        expr: "sum by (device) (increase(node_network_receive_drop_total[5m])) / (sum by (device) (increase(node_network_receive_packets_total[5m])) > 1000)",
        needs: "node_network_receive_drop_total",
        subject: Some("device"),
        warning: &thresholds::INTERFACE_DROPS_SEEN,
        bad: &thresholds::INTERFACE_DROPS,
        sentence: "{subject} dropped {value} of the packets that it received in the last 5 minutes.",
        first: &[
            "Missed errors in `ethtool -S`: then the ring is too small or the processor too busy.",
            "Protocols that nobody here speaks (unknown VLANs, LLDP): then it is harmless.",
            "The processor that serves the interface's interrupts.",
        ],
    },
    Check {
        id: "transmit-drops",
        about: "Drops in transmission",
        expr: "sum by (device) (increase(node_network_transmit_drop_total[5m])) / (sum by (device) (increase(node_network_transmit_packets_total[5m])) > 1000)",
        needs: "node_network_transmit_drop_total",
        subject: Some("device"),
        warning: &thresholds::INTERFACE_DROPS_SEEN,
        bad: &thresholds::INTERFACE_DROPS,
        sentence: "{subject} dropped {value} of the packets that it should have sent in the last 5 minutes.",
        first: &[
            "Utilisation: a full link drops at its queue.",
            "The queueing discipline and its limits (`tc -s qdisc`).",
            "For a virtual interface: whether its other end is up and has the same MTU.",
        ],
    },
    Check {
        id: "retransmissions",
        about: "TCP retransmissions",
        expr: "increase(node_netstat_Tcp_RetransSegs[5m]) / (increase(node_netstat_Tcp_OutSegs[5m]) > 500)",
        needs: "node_netstat_Tcp_RetransSegs",
        subject: None,
        warning: &thresholds::RETRANSMISSIONS,
        bad: &thresholds::RETRANSMISSIONS_MANY,
        sentence: "TCP on {subject} sent {value} of its segments again in the last 5 minutes: packets are lost on the way.",
        first: &[
            "Errors and drops of this host's interfaces and queues: loss may be at home.",
            "Which connections retransmit (`ss -ti`): one peer is that path, all peers is this side.",
            "A full uplink, here or at the provider.",
        ],
    },
    Check {
        id: "receive-utilisation",
        about: "Utilisation in reception",
        expr: "max by (device) (rate(node_network_receive_bytes_total[1m]) / squirrel_network_capacity_bytes_per_second)",
        needs: "squirrel_network_capacity_bytes_per_second",
        subject: Some("device"),
        warning: &thresholds::LINK_BUSY,
        bad: &thresholds::LINK_FULL,
        sentence: "{subject} receives at {value} of its speed.",
        first: &[
            "Who receives: the connections with the highest rates.",
            "The negotiated speed: below what the link can do, it is the cable or the other end.",
        ],
    },
    Check {
        id: "transmit-utilisation",
        about: "Utilisation in transmission",
        expr: "max by (device) (rate(node_network_transmit_bytes_total[1m]) / squirrel_network_capacity_bytes_per_second)",
        needs: "squirrel_network_capacity_bytes_per_second",
        subject: Some("device"),
        warning: &thresholds::LINK_BUSY,
        bad: &thresholds::LINK_FULL,
        sentence: "{subject} transmits at {value} of its speed.",
        first: &[
            "Who transmits: backups and copies can be limited or moved.",
            "The negotiated speed: below what the link can do, it is the cable or the other end.",
            "The queue of the interface: its length is delay for everybody.",
        ],
    },
    Check {
        id: "carrier",
        about: "Links that come and go",
        expr: "sum by (device) (increase(node_network_carrier_changes_total[5m])) unless on (device) squirrel_network_interface_info{virtual=\"true\"}",
        needs: "node_network_carrier_changes_total",
        subject: Some("device"),
        warning: &thresholds::CARRIER_CHANGES_SEEN,
        bad: &thresholds::CARRIER_CHANGES_MANY,
        sentence: "The link of {subject} changed {value} times between up and down in the last 5 minutes.",
        first: &[
            "Cable, transceiver, and the switch port at the other end.",
            "The kernel log: whether somebody took the interface down, or the driver reset it.",
            "Energy-saving Ethernet, if it happens in quiet times.",
        ],
    },
    Check {
        id: "listen-overflows",
        about: "Full accept queues",
        expr: "increase(node_netstat_TcpExt_ListenOverflows[5m])",
        needs: "node_netstat_TcpExt_ListenOverflows",
        subject: None,
        warning: &thresholds::ACCEPT_QUEUE_OVERFLOWS,
        bad: &thresholds::ACCEPT_QUEUE_OVERFLOWS_MANY,
        sentence: "{subject} turned {value} new connections away in the last 5 minutes because a program did not accept them.",
        first: &[
            "Which listener is full: in `ss -ltn` its Recv-Q is above its Send-Q.",
            "Whether that program hangs, is out of file descriptors, or is held back by a CPU limit.",
            "Its backlog and net.core.somaxconn, only after the above.",
        ],
    },
    Check {
        id: "full-listeners",
        about: "Listeners that are full now",
        expr: "squirrel_tcp_full_listeners",
        needs: "squirrel_tcp_full_listeners",
        subject: None,
        warning: &thresholds::FLAG,
        bad: &thresholds::FLAG,
        sentence: "{value} listening sockets of {subject} are full now: new clients wait or fail.",
        first: &["In `ss -ltnp` the socket whose Recv-Q is above its Send-Q, and what its program does."],
    },
    Check {
        id: "udp-receive-buffer",
        about: "UDP receive buffers",
        expr: "increase(node_netstat_Udp_RcvbufErrors[5m])",
        needs: "node_netstat_Udp_RcvbufErrors",
        subject: None,
        warning: &thresholds::UDP_DROPS_SEEN,
        bad: &thresholds::UDP_DROPS_MANY,
        sentence: "{subject} lost {value} UDP datagrams in the last 5 minutes because a program did not read them in time.",
        first: UDP_FIRST,
    },
    Check {
        id: "udp6-receive-buffer",
        about: "UDP receive buffers of IPv6",
        expr: "increase(node_netstat_Udp6_RcvbufErrors[5m])",
        needs: "node_netstat_Udp6_RcvbufErrors",
        subject: None,
        warning: &thresholds::UDP_DROPS_SEEN,
        bad: &thresholds::UDP_DROPS_MANY,
        sentence: "{subject} lost {value} UDP datagrams over IPv6 in the last 5 minutes because a program did not read them in time.",
        first: UDP_FIRST,
    },
    Check {
        id: "conntrack",
        about: "The connection-tracking table",
        expr: "node_nf_conntrack_entries / (node_nf_conntrack_entries_limit > 0)",
        needs: "node_nf_conntrack_entries",
        subject: None,
        warning: &thresholds::CONNTRACK_FILL,
        bad: &thresholds::CONNTRACK_FULL,
        sentence: "The connection-tracking table of {subject} is {value} full; when it is full, new connections are dropped.",
        first: &[
            "Who opens so many connections (`conntrack -L`): a scan, a flood, a program without keep-alive.",
            "net.netfilter.nf_conntrack_max, and the timeouts of idle connections.",
        ],
    },
    Check {
        id: "conntrack-drops",
        about: "Connections that tracking dropped",
        expr: "sum(increase(node_nf_conntrack_stat_drop[5m]))",
        needs: "node_nf_conntrack_stat_drop",
        subject: None,
        warning: &thresholds::CONNTRACK_DROPS,
        bad: &thresholds::CONNTRACK_DROPS_MANY,
        sentence: "Connection tracking on {subject} dropped {value} packets in the last 5 minutes.",
        first: &[
            "Whether the table is full.",
            "If it is not: a NAT without free source ports, or two packets of one new flow in a race.",
        ],
    },
    Check {
        id: "softnet-drops",
        about: "The kernel's receive queue",
        expr: "sum(increase(node_softnet_dropped_total[5m]))",
        needs: "node_softnet_dropped_total",
        subject: None,
        warning: &thresholds::SOFTNET_DROPS_SEEN,
        bad: &thresholds::SOFTNET_DROPS_MANY,
        sentence: "The processors of {subject} dropped {value} received packets in the last 5 minutes because their queue was full.",
        first: &[
            "Whether one processor does all the receiving (`/proc/interrupts`, `/proc/net/softnet_stat`).",
            "net.core.netdev_max_backlog, for bursts.",
        ],
    },
    Check {
        id: "qdisc-drops",
        about: "Queueing disciplines",
        expr: "sum by (device) (increase(node_qdisc_drops_total[5m])) / (sum by (device) (increase(node_qdisc_packets_total[5m])) > 1000)",
        needs: "node_qdisc_drops_total",
        subject: Some("device"),
        warning: &thresholds::QUEUE_DROPS,
        bad: &thresholds::QUEUE_DROPS_MANY,
        sentence: "The queue of {subject} dropped {value} of its packets in the last 5 minutes.",
        first: &[
            "Utilisation: a full link must drop; a few per cent are how TCP finds its rate.",
            "A shaper or policer that is tighter than meant (`tc -s qdisc`, `tc -s class`).",
        ],
    },
    Check {
        id: "neighbour-table",
        about: "The neighbour tables",
        expr: "squirrel_neighbour_table_entries / ignoring (threshold) (squirrel_neighbour_table_threshold_entries{threshold=\"gc_thresh3\"} > 0)",
        needs: "squirrel_neighbour_table_entries",
        subject: Some("family"),
        warning: &thresholds::NEIGHBOUR_FILL,
        bad: &thresholds::NEIGHBOUR_FULL,
        sentence: "The neighbour table of {subject} is {value} full; when it is full, new neighbours cannot be reached.",
        first: NEIGHBOUR_FIRST,
    },
    Check {
        id: "neighbour-overflows",
        about: "Overflows of the neighbour tables",
        expr: "increase(squirrel_neighbour_table_fulls_total[5m])",
        needs: "squirrel_neighbour_table_fulls_total",
        subject: Some("family"),
        warning: &thresholds::NEIGHBOUR_OVERFLOWS,
        bad: &thresholds::NEIGHBOUR_OVERFLOWS,
        sentence: "The neighbour table of {subject} was full {value} times in the last 5 minutes, and neighbours could not be reached.",
        first: NEIGHBOUR_FIRST,
    },
    Check {
        id: "duplicate-addresses",
        about: "Duplicate addresses",
        expr: "squirrel_network_duplicate_addresses",
        needs: "squirrel_network_duplicate_addresses",
        subject: Some("device"),
        warning: &thresholds::FLAG,
        bad: &thresholds::FLAG,
        sentence: "{subject} has {value} IPv6 addresses that another host uses too; they do not work.",
        first: &[
            "`ip -6 address show dadfailed` names them.",
            "The other host, by its hardware address in the switch's table; a cloned machine often kept it.",
        ],
    },
    Check {
        id: "record",
        about: "The record on disk",
        expr: "squirrel_store_degraded",
        needs: "squirrel_store_degraded",
        subject: None,
        warning: &thresholds::FLAG,
        bad: &thresholds::FLAG,
        sentence: "The record of {subject} does not reach the disk: what is seen now is lost when squirrel ends.",
        first: &[
            "The log of squirrel, which says what failed: `journalctl -u squirrel -p err`, or its terminal.",
            "Whether the data directory is there, may be written, and has room: `df` of it.",
        ],
    },
    Check {
        id: "keeper",
        about: "The keeper",
        expr: "1 - squirrel_keeper_up",
        needs: "squirrel_keeper_up",
        subject: None,
        warning: &thresholds::FLAG,
        bad: &thresholds::NEVER,
        sentence: "The keeper on {subject}, which has the privileges of squirrel, does not answer: sockets of other users have no owner, and UDP is not counted.",
        first: KEEPER_FIRST,
    },
    Check {
        id: "keeper-restarts",
        about: "Restarts of the keeper",
        expr: "increase(squirrel_keeper_restarts_total[5m])",
        needs: "squirrel_keeper_restarts_total",
        subject: None,
        warning: &thresholds::FLAG,
        bad: &thresholds::NEVER,
        sentence: "The keeper on {subject} was started again {value} times in the last 5 minutes: in between UDP was not counted.",
        first: KEEPER_FIRST,
    },
];

const KEEPER_FIRST: &[&str] = &[
    "The log of squirrel, which says how it ended: `journalctl -u squirrel -p err`, or its terminal.",
    "The kernel's log: whether memory ran out.",
    "squirrel_keeper_down_seconds_total for how long it was away.",
];

const UDP_FIRST: &[&str] = &[
    "Which socket drops: the last column of `/proc/net/udp`, or `ss -uam`.",
    "Whether its program is busy or stuck.",
    "Its receive buffer and net.core.rmem_max, only after the above.",
];

const NEIGHBOUR_FIRST: &[&str] = &[
    "Whether somebody scans the segment: `ip neighbour` shows many incomplete entries then.",
    "net.ipv4.neigh.default.gc_thresh3 (or net.ipv6), for a segment that is really so large.",
];
