//! `GET /api/openapi.json`: what can be asked, for programs that read such descriptions (OpenAPI 3.1).

use std::sync::LazyLock;

use axum::response::Response;
use serde_json::{Map, Value, json};
use squirrel_api::live::{
    Books, Connections, Definitions, EphemeralPorts, Hosts, Interfaces, PacketLease, Processes, Top, schemas,
};
use squirrel_api::probes::{ProbeDetail, ProbeRan, ProbesPage};

use self::operations::{APPLICATIONS, Kind, OPERATIONS, Operation, PACKETS, PROBE, WRITE};
use self::parameters::parameters;
use crate::failure::json as answer;

mod operations;
mod parameters;

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
