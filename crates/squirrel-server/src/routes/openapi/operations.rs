//! Every path of the API, and what it is for.

/// What kind of answer a path gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Prometheus' envelope, as its own documentation describes it.
    Prometheus,
    /// JSON of Squirrel's own.
    Own,
    /// JSON as Alertmanager's own description has it.
    Alertmanager,
    /// Something is done: a POST of JSON, with the daemon's token.
    Change,
    /// Plain text.
    Text,
    /// Server-sent events.
    Events,
}

/// A path and what it is for.
pub(super) struct Operation {
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    pub(super) summary: &'static str,
}

const fn own(path: &'static str, summary: &'static str) -> Operation {
    Operation { path, kind: Kind::Own, summary }
}

const fn prometheus(path: &'static str, summary: &'static str) -> Operation {
    Operation { path, kind: Kind::Prometheus, summary }
}

const fn alertmanager(path: &'static str, summary: &'static str) -> Operation {
    Operation { path, kind: Kind::Alertmanager, summary }
}

const fn change(path: &'static str, summary: &'static str) -> Operation {
    Operation { path, kind: Kind::Change, summary }
}

const fn text(path: &'static str, summary: &'static str) -> Operation {
    Operation { path, kind: Kind::Text, summary }
}

/// Where applications report.
pub(super) const APPLICATIONS: &str = "/api/applications";
/// Where a view asks for counts of packets.
pub(super) const PACKETS: &str = "/api/live/packets";

/// Every path that the router knows; a test compares the two.
pub(super) const OPERATIONS: &[Operation] = &[
    own("/api/live/processes", "Processes and the payload that each moved"),
    own("/api/live/connections", "Connections and the payload of each"),
    own("/api/live/hosts", "Remote hosts and the payload exchanged with each"),
    own("/api/live/interfaces", "Interfaces, their wire bytes and the parts of these"),
    own("/api/live/books", "Where the bytes of the host went, and what belongs to nobody"),
    own("/api/live/ports", "Ephemeral ports in use, and the destinations that most of them lead to"),
    own("/api/live/top", "All tables of one moment: the document of squirrel top --json"),
    own(PACKETS, "Counts packets for some seconds, so that the books of the interfaces are exact while one looks"),
    own(APPLICATIONS, "Applications that report, and how each does"),
    own("/api/applications/{name}", "One application: its processes, alerts and what was refused"),
    own("/api/alerts", "Alerts, silences, what happened, and what was delivered"),
    change("/api/alerts/acknowledge", "Somebody takes care of alerts"),
    change("/api/alerts/unacknowledge", "An acknowledgement is taken back"),
    change("/api/silences", "A silence is made, or changed"),
    change("/api/silences/expire", "A silence is ended"),
    change("/api/notify/test", "A channel is tried"),
    own("/api/probes", "Targets that are probed on a schedule, and what the record says of them"),
    own("/api/probes/one", "One of them, with its path and what happened last"),
    change("/api/probes/run", "A target is probed once, at once: job and instance"),
    alertmanager("/api/v2/status", "Alertmanager's status"),
    alertmanager("/api/v2/receivers", "Channels as Alertmanager's receivers"),
    alertmanager("/api/v2/alerts", "Firing alerts as Alertmanager shows them"),
    alertmanager("/api/v2/alerts/groups", "The same by group"),
    alertmanager("/api/v2/silences", "Silences; POST makes one, with the daemon's token"),
    alertmanager("/api/v2/silence/{id}", "One silence; DELETE ends it, with the daemon's token"),
    own("/api/verdict", "Whether the network is fine, and what is wrong if it is not"),
    own("/api/collectors", "The collectors, the accounting, and how they do"),
    own("/api/charts", "The charts that every screen shows"),
    own("/api/catalogue", "Every declared metric and its meaning"),
    own("/api/openapi.json", "This description"),
    Operation { path: "/api/stream", kind: Kind::Events, summary: "The values of queries, an event each second" },
    prometheus("/api/v1/query", "The value of an expression at a moment"),
    prometheus("/api/v1/query_range", "The values of an expression over a range"),
    prometheus("/api/v1/labels", "Names of labels"),
    prometheus("/api/v1/label/{name}/values", "Values of a label"),
    prometheus("/api/v1/series", "Series that selectors match"),
    prometheus("/api/v1/metadata", "Kind, unit and meaning of metrics"),
    prometheus("/api/v1/query_exemplars", "Exemplars: there are none"),
    prometheus("/api/v1/format_query", "An expression in its usual form"),
    prometheus("/api/v1/parse_query", "An expression as a tree"),
    prometheus("/api/v1/rules", "Rules by group, and how they do"),
    prometheus("/api/v1/alerts", "Alerts that are pending or firing"),
    prometheus("/api/v1/status/buildinfo", "Which build answers"),
    prometheus("/api/v1/status/config", "The configuration, of which Prometheus' form has nothing here"),
    prometheus("/api/v1/status/flags", "Limits, under Prometheus' names"),
    prometheus("/api/v1/status/runtimeinfo", "Since when the program runs"),
    prometheus("/api/v1/status/tsdb", "Which names and labels have the most series"),
    prometheus("/api/v1/status/walreplay", "Whether the log is read: it is"),
    prometheus("/api/v1/targets", "Targets: nothing is scraped"),
    prometheus("/api/v1/targets/metadata", "What scraped targets declare: there are none"),
    prometheus("/api/v1/scrape_pools", "Pools of targets: there are none"),
    prometheus("/api/v1/alertmanagers", "Alertmanagers that are told of alerts"),
    prometheus("/api/v1/notifications", "Notifications of Prometheus' pages: there are none"),
    text("/metrics", "The last readings in Prometheus' exposition format"),
    text(WRITE, "Remote write from the senders that the configuration names"),
    text("/federate", "The newest values of the series that match[] names, in the same format"),
    text(PROBE, "Looks at a target by a module, as blackbox_exporter does: its metrics in the same format"),
    text("/healthz", "Whether the server answers"),
    text("/readyz", "Whether samples can be queried"),
    text("/-/healthy", "As /healthz, under Prometheus' name"),
    text("/-/ready", "As /readyz, under Prometheus' name"),
];

/// Where blackbox_exporter is asked.
pub(super) const PROBE: &str = "/probe";
/// Where remote write is posted.
pub(super) const WRITE: &str = "/api/v1/write";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let source = include_str!("../../routes.rs");
        let mut routes: Vec<&str> =
            source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let mut described: Vec<&str> = OPERATIONS.iter().map(|operation| operation.path).collect();
        routes.sort_unstable();
        described.sort_unstable();
        assert_eq!(described, routes);
    }
}
