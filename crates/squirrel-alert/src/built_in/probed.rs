//! Built-in rules over probes, under blackbox_exporter's names: without probes they are silent.

use super::Fault::{Above, Below};
use super::{BuiltIn, thresholds};

/// The share of failed probes over a time, as a multiple of what the objective allows.
macro_rules! burn {
    ($window:literal) => {
        concat!(
            "(1 - avg_over_time(probe_success[",
            $window,
            "])) / on (instance, job) (1 - squirrel_probe_objective_ratio)"
        )
    };
}

/// The slower of two burns: over the long time, so that it matters, and over the short one, so that it is not over yet.
/// A fast one is told as it is, and else the one over six hours.
const ERROR_BUDGET_BURNING: &str = concat!(
    "(",
    burn!("1h"),
    " <= ",
    burn!("5m"),
    " or ",
    burn!("5m"),
    ") > {burn_fast} or (",
    burn!("6h"),
    " <= ",
    burn!("30m"),
    " or ",
    burn!("30m"),
    ")"
);

/// Rules over probes, and the one over a floor that the user names.
pub(super) static PROBED: &[BuiltIn] = &[
    BuiltIn {
        name: "LatencyHigh",
        severity: "warning",
        expr: "avg_over_time(probe_icmp_duration_seconds{phase=\"rtt\"}[5m])",
        threshold: &thresholds::LATENCY,
        fault: Above,
        hold: "2m",
        summary: "The round trip to {{ $labels.instance }} takes {value}",
        meaning: "Everything that waits for an answer from there is slow: calls, pages, remote sessions.",
        first: [
            "Whether all targets are slow or this one: all is this side or its uplink, one is its path.",
            "The path hop by hop: where the delay begins and stays.",
            "Utilisation of this host's uplink: a full queue is delay.",
        ],
    },
    BuiltIn {
        name: "PacketLoss",
        severity: "warning",
        expr: "(1 - avg_over_time(probe_success[5m])) unless on (instance, job) probe_dns_answer_rrs unless max_over_time(probe_success[5m]) == 0",
        threshold: &thresholds::LOSS,
        fault: Above,
        hold: "5m",
        summary: "{value} of the probes of {{ $labels.instance }} are lost",
        meaning: "Packets to this target or back are lost: transfers crawl, voice breaks up.",
        first: [
            "Errors and drops of this host's interfaces and queues: loss may be at home.",
            "The path hop by hop: loss that begins at a hop and goes on behind it.",
            "Whether the target is merely busy: probes of its services, not only pings.",
        ],
    },
    BuiltIn {
        name: "ProbeFailing",
        severity: "critical",
        // At least two probes: of a target that is probed each four minutes, one may get lost.
        expr: "(1 - (max_over_time(probe_success[3m]) and count_over_time(probe_success[3m]) > 1 or max_over_time(probe_success[9m]))) unless on (instance, job) probe_dns_answer_rrs",
        threshold: &thresholds::FLAG,
        fault: Above,
        hold: "0s",
        summary: "{{ $labels.instance }} does not answer its probes",
        meaning: "The target cannot be reached from here, or its service is down.",
        first: [
            "Whether anything else behind the same router answers.",
            "Whether the service runs on the target, and listens.",
            "What changed: routes, firewall rules, names.",
        ],
    },
    BuiltIn {
        name: "ErrorBudgetBurning",
        severity: "critical",
        expr: ERROR_BUDGET_BURNING,
        threshold: &thresholds::BURN,
        fault: Above,
        hold: "2m",
        summary: "The error budget of {{ $labels.instance }} is spent {value} times as fast as its objective allows",
        meaning: "At this pace the failures that the objective allows are used up long before its window is over.",
        first: [
            "What the last failed probes say: the page of the target, or squirrel probes show.",
            "Whether other targets of its group fail too: then look at what they share.",
            "What changed when it began: a release, a route, a name.",
        ],
    },
    BuiltIn {
        name: "CallQualityLow",
        severity: "warning",
        expr: "avg_over_time(squirrel_probe_mos_score[5m])",
        threshold: &thresholds::CALL_QUALITY,
        fault: Below,
        hold: "5m",
        summary: "A call through {{ $labels.instance }} would sound bad: its score is {value}",
        meaning: "Voice and video over this path break up or lag; people repeat themselves.",
        first: [
            "Which of round trip, jitter and loss grew: the page of the target shows them together.",
            "Queues on the way: whether it is bad only while this host's own uplink is busy.",
            "The path hop by hop: where loss or delay begins and stays.",
        ],
    },
    BuiltIn {
        name: "PathChanged",
        severity: "info",
        expr: "increase(squirrel_path_changes_total[15m])",
        threshold: &thresholds::PATH_CHANGES,
        fault: Above,
        hold: "0s",
        summary: "The path to {{ $labels.instance }} changed {value} times in 15 minutes",
        meaning: "Other routers carry the packets: no fault by itself, and often the reason of one that began then.",
        first: [
            "The changes of the path: before and after, on the page of the target.",
            "Whether delay or loss changed at the same moment.",
            "Whether paths to other targets changed too: then it is a link near this host.",
        ],
    },
    BuiltIn {
        name: "Jitter",
        severity: "warning",
        expr: "stddev_over_time(probe_icmp_duration_seconds{phase=\"rtt\"}[5m])",
        threshold: &thresholds::JITTER,
        fault: Above,
        hold: "5m",
        summary: "The round trip to {{ $labels.instance }} varies by {value}",
        meaning: "Packets arrive unevenly: voice and video stutter although nothing is lost.",
        first: [
            "A queue that fills and empties: utilisation of this host's uplink, second by second.",
            "A radio link on the way: Wi-Fi, mobile.",
            "The path hop by hop: where the spread begins.",
        ],
    },
    BuiltIn {
        name: "DnsFailures",
        severity: "critical",
        expr: "(1 - avg_over_time(probe_success[5m])) and on (instance, job) probe_dns_answer_rrs",
        threshold: &thresholds::DNS_FAILURES,
        fault: Above,
        hold: "2m",
        summary: "{value} of the questions to the name server {{ $labels.instance }} fail",
        meaning: "Names are not found: to users everything is down, one thing after the other.",
        first: [
            "Whether the server answers at all, and for other names.",
            "The answer's code: a name that is gone is not a server that is down.",
            "UDP receive drops here and on the server.",
        ],
    },
    BuiltIn {
        name: "DnsSlow",
        severity: "warning",
        expr: "avg_over_time(probe_dns_lookup_time_seconds[5m])",
        threshold: &thresholds::DNS_TIME,
        fault: Above,
        hold: "5m",
        summary: "Looking up the name of {{ $labels.instance }} takes {value}",
        meaning: "Each new connection waits that long before it begins.",
        first: [
            "Which of the resolvers is slow: the first of /etc/resolv.conf may be dead.",
            "The round trip to the resolver.",
            "Whether the resolver asks others for names that it should know.",
        ],
    },
    BuiltIn {
        name: "CertificateExpiring",
        severity: "warning",
        expr: "(probe_ssl_earliest_cert_expiry - time()) / 86400",
        threshold: &thresholds::CERTIFICATE_DAYS,
        fault: Below,
        hold: "0s",
        summary: "A certificate of {{ $labels.instance }} expires in {value} days",
        meaning: "From that day on browsers and programs refuse to connect.",
        first: [
            "Whether its renewal runs, and what it says.",
            "Whether the new certificate is there and the service has not been told to read it.",
            "Which of the chain it is: the server's own, or one between.",
        ],
    },
    BuiltIn {
        name: "ThroughputLow",
        severity: "warning",
        expr: "sum by (instance, device) (rate(node_network_receive_bytes_total{device!=\"lo\"}[5m]) + rate(node_network_transmit_bytes_total{device!=\"lo\"}[5m])) and on (instance, device) (node_network_carrier == 1) unless on (instance, device) squirrel_network_interface_info{virtual=\"true\"}",
        threshold: &thresholds::THROUGHPUT_FLOOR,
        fault: Below,
        hold: "5m",
        summary: "{{ $labels.device }} of {{ $labels.instance }} moves {value} bytes a second",
        meaning: "Less moves than the floor that was set: something that should send or receive does not.",
        first: [
            "Whether the programs that usually move these bytes run, and talk to somebody.",
            "The negotiated speed and the errors of the link.",
            "Retransmissions: a transfer that crawls loses packets somewhere.",
        ],
    },
];
