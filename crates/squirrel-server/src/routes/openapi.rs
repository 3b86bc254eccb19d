//! `GET /api/openapi.json`: what can be asked, for programs that read such descriptions (OpenAPI 3.1).

use std::sync::LazyLock;

use axum::response::Response;
use serde_json::{Map, Value, json};
use squirrel_api::live::{
    Books, Connections, Definitions, EphemeralPorts, Hosts, Interfaces, PacketLease, Processes, Top, schemas,
};
use squirrel_api::probes::{ProbeDetail, ProbeRan, ProbesPage};

use self::parameters::parameters;
use crate::failure::json as answer;

mod parameters;

/// What kind of answer a path gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
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
struct Operation {
    path: &'static str,
    kind: Kind,
    summary: &'static str,
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
const APPLICATIONS: &str = "/api/applications";
/// Where a view asks for counts of packets.
const PACKETS: &str = "/api/live/packets";

/// Every path that the router knows; a test compares the two.
const OPERATIONS: &[Operation] = &[
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
const PROBE: &str = "/probe";
/// Where remote write is posted.
const WRITE: &str = "/api/v1/write";

/// A body of remote write; its answers have a sentence for the sender's log.
fn remote_write(summary: &str) -> Value {
    let body = json!({ "schema": { "type": "string", "format": "binary" } });
    let sentence =
        |what: &str| json!({ "description": what, "content": { "text/plain": { "schema": { "type": "string" } } } });
    json!({
        "summary": summary,
        "requestBody": { "required": true, "content": { "application/x-protobuf": body } },
        "responses": {
            "204": { "description": "All samples are kept" },
            "400": sentence("Some samples are refused; the others are kept"),
            "401": sentence("No sender has these credentials"),
            "415": sentence("Neither remote write 1.0 nor 2.0 in snappy"),
            "429": sentence("Too fast; Retry-After says when to come again"),
        },
    })
}

static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// The names of what each path of Squirrel's own may be asked with.
static KNOWN: LazyLock<Vec<(&str, Vec<String>)>> = LazyLock::new(|| {
    let is_own = |operation: &&Operation| matches!(operation.kind, Kind::Own | Kind::Events) || operation.path == PROBE;
    let own = OPERATIONS.iter().filter(is_own);
    own.map(|operation| (operation.path, names(operation.path))).collect()
});

/// The names of the parameters that a path knows; `None` when that is not ours to say.
pub(super) fn known_parameters(path: &str) -> Option<&'static [String]> {
    KNOWN.iter().find(|(pattern, _)| fits(pattern, path)).map(|(_, names)| names.as_slice())
}

/// Whether a path is one of a pattern's, in which `{name}` stands for any part.
fn fits(pattern: &str, path: &str) -> bool {
    let (mut parts, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (parts.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(given)) if part == given || part.starts_with('{') => {}
            _ => return false,
        }
    }
}

fn names(path: &str) -> Vec<String> {
    let described = parameters(path);
    let asked = described.iter().filter(|parameter| parameter["in"] == "query");
    asked.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect()
}

pub(super) async fn openapi() -> Response {
    answer(DOCUMENT.clone())
}

fn document() -> Value {
    const PLACE: &str = "#/components/schemas/";
    let mut definitions = Definitions::new();
    let described: [(&str, Value); 11] = [
        ("/api/live/processes", schemas::<Processes>(PLACE, &mut definitions)),
        ("/api/live/connections", schemas::<Connections>(PLACE, &mut definitions)),
        ("/api/live/hosts", schemas::<Hosts>(PLACE, &mut definitions)),
        ("/api/live/interfaces", schemas::<Interfaces>(PLACE, &mut definitions)),
        ("/api/live/books", schemas::<Books>(PLACE, &mut definitions)),
        ("/api/live/ports", schemas::<EphemeralPorts>(PLACE, &mut definitions)),
        ("/api/live/top", schemas::<Top>(PLACE, &mut definitions)),
        (PACKETS, schemas::<PacketLease>(PLACE, &mut definitions)),
        ("/api/probes", schemas::<ProbesPage>(PLACE, &mut definitions)),
        ("/api/probes/one", schemas::<ProbeDetail>(PLACE, &mut definitions)),
        ("/api/probes/run", schemas::<ProbeRan>(PLACE, &mut definitions)),
    ];
    let mut schemas: Map<String, Value> =
        definitions.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    schemas.insert("Error".to_owned(), error_schema());
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let schema = described.iter().find(|(path, _)| *path == operation.path).map(|(_, schema)| schema.clone());
        // What changes something can be told, and not looked at.
        let method = if operation.kind == Kind::Change || operation.path == PACKETS { "post" } else { "get" };
        let mut methods = json!({ method: get(operation, schema) });
        if operation.path == APPLICATIONS {
            methods["post"] = report();
        }
        if operation.path == WRITE {
            methods = json!({ "post": remote_write(operation.summary) });
        }
        paths.insert(operation.path.to_owned(), methods);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Squirrel",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What the dashboard, the command line and scripts ask of a running daemon. Paths below /api/v1/ are those of Prometheus' query API.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer",
                "description": "The content of the file `token` in the daemon's data directory.",
            } },
        },
    })
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "description": "Why there is no answer; the envelope of Prometheus' API.",
        "properties": {
            "status": { "type": "string", "const": "error" },
            "errorType": { "type": "string", "description": "The kind, such as bad_data or unavailable." },
            "error": { "type": "string", "description": "What is wrong and what to do." },
        },
        "required": ["status", "errorType", "error"],
    })
}

fn get(operation: &Operation, schema: Option<Value>) -> Value {
    let content = match operation.kind {
        Kind::Own | Kind::Prometheus | Kind::Alertmanager | Kind::Change => {
            json!({ "application/json": { "schema": schema.unwrap_or_else(|| json!({})) } })
        }
        Kind::Text => json!({ "text/plain": { "schema": { "type": "string" } } }),
        Kind::Events => json!({ "text/event-stream": { "schema": { "type": "string" } } }),
    };
    let failed = json!({
        "description": "The question was refused, or cannot be answered now.",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
    });
    let mut operation_object = json!({
        "summary": operation.summary,
        "parameters": parameters(operation.path),
        "responses": { "200": { "description": "The answer.", "content": content }, "default": failed },
    });
    if operation.kind == Kind::Change || operation.path == PACKETS {
        operation_object["security"] = json!([{ "token": [] }]);
    }
    if operation.kind == Kind::Change {
        operation_object["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": { "type": "object" } } } });
    }
    if operation.kind == Kind::Prometheus {
        operation_object["externalDocs"] =
            json!({ "url": "https://prometheus.io/docs/prometheus/latest/querying/api/" });
    }
    operation_object
}

/// How an application tells of itself. The library's exporter speaks it.
fn report() -> Value {
    let json = |description: &str| json!({ "description": description, "content": { "application/json": { "schema": { "type": "object" } } } });
    let mut body = json("The numbers of one process: `squirrel_api::application::ApplicationReport`.");
    body["required"] = true.into();
    let failed = json!({
        "description": "Not taken, and why.",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
    });
    json!({
        "summary": "The report of an application; from this host only, or with the token of the configuration",
        "requestBody": body,
        "responses": { "200": json("What was kept and what was refused."), "default": failed },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let source = include_str!("../routes.rs");
        let mut routes: Vec<&str> =
            source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let mut described: Vec<&str> = OPERATIONS.iter().map(|operation| operation.path).collect();
        routes.sort_unstable();
        described.sort_unstable();
        assert_eq!(described, routes);
    }

    #[test]
    fn references_lead_somewhere() {
        let document = document();
        let text = document.to_string();
        let mut seen = 0;
        for name in text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
            seen += 1;
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
        assert!(seen > 20, "{seen}");
        let parameters = &document["paths"]["/api/live/connections"]["get"]["parameters"];
        assert!(parameters[0]["description"].as_str().unwrap().contains("`rtt`"));
    }
}
