//! The parameters of each path, in words and as schemas.

use serde_json::{Value, json};
use squirrel_api::live::MOST_ROWS;
use squirrel_api::probes::{ProbeState, fields::PROBES};
use squirrel_filter::Field;

/// With what a path may be asked.
pub(super) fn parameters(path: &str) -> Vec<Value> {
    use squirrel_api::live::fields;
    match path {
        "/api/live/processes" => table(fields::PROCESSES),
        "/api/live/connections" => table(fields::CONNECTIONS),
        "/api/live/hosts" => table(fields::HOSTS),
        "/api/live/interfaces" => table(fields::INTERFACES),
        "/api/live/books" => {
            let about = "The interfaces of this name alone, one in each network namespace that has it; the sums stay those of the host.";
            vec![parameter("interface", about, &json!({ "type": "string" }))]
        }
        "/api/live/top" => {
            let tables = ["processes", "connections", "hosts", "interfaces"];
            let which = parameter(
                "table",
                "The table that the other parameters are about.",
                &json!({ "type": "string", "enum": tables }),
            );
            std::iter::once(which).chain(table(fields::PROCESSES)).collect()
        }
        super::PACKETS => {
            let seconds = json!({ "type": "integer", "minimum": 1, "maximum": 60, "default": 30 });
            vec![parameter("seconds", "For how long; ask again before it is over.", &seconds)]
        }
        "/api/probes" => {
            let text = json!({ "type": "string" });
            let states = ProbeState::ALL.map(ProbeState::word);
            let own = [
                parameter("group", "Targets of this group alone.", &text),
                parameter("job", "Targets of this table of the configuration alone.", &text),
                parameter("state", "Targets in this state alone.", &json!({ "type": "string", "enum": states })),
                history(),
            ];
            table(PROBES).into_iter().chain(own).collect()
        }
        "/api/probes/one" => {
            let required = |name, about| {
                let mut required = parameter(name, about, &json!({ "type": "string" }));
                required["required"] = true.into();
                required
            };
            let (job, instance) = ("Its table of the configuration.", "The target, as the configuration names it.");
            vec![required("job", job), required("instance", instance), history()]
        }
        super::PROBE => {
            let text = json!({ "type": "string" });
            let debug = json!({ "type": "boolean", "default": false });
            vec![
                parameter("target", "A URL, host:port or host: what the module looks at.", &text),
                parameter("module", "By default http_2xx.", &text),
                parameter("hostname", "The name of a target that is named by its address.", &text),
                parameter("debug", "Also tells what happened, in words.", &debug),
            ]
        }
        "/api/stream" => vec![parameter(
            "query",
            "An expression in PromQL; may be given several times.",
            &json!({ "type": "string" }),
        )],
        "/api/v2/silence/{id}" => {
            vec![json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } })]
        }
        "/api/v1/label/{name}/values" | "/api/applications/{name}" => {
            vec![json!({ "name": "name", "in": "path", "required": true, "schema": { "type": "string" } })]
        }
        _ => Vec::new(),
    }
}

/// The parameter that asks for the record of targets.
fn history() -> Value {
    let about = "Adds heartbeats over this span, availability, and error budgets.";
    parameter("history", about, &json!({ "type": "string", "enum": crate::probes::span_names() }))
}

/// The parameters of a table with these fields.
fn table<R>(fields: &[Field<R>]) -> Vec<Value> {
    let mut filter = String::from(
        "Conditions such as `port:443 process:nginx -state:time_wait rtt:>50ms /regex/`; all must hold, `or`, `not` and parentheses combine them. Fields:",
    );
    for field in fields {
        filter += &format!("\n- `{}`: {}; {}", field.name, field.help, field.kind.example());
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let number = json!({ "type": "integer", "minimum": 0 });
    vec![
        parameter("filter", &filter, &json!({ "type": "string" })),
        parameter("sort", "The field that orders the rows.", &json!({ "type": "string", "enum": names })),
        parameter(
            "order",
            "Which end comes first; by default the larger of numbers, the first of texts.",
            &json!({ "type": "string", "enum": ["asc", "desc"] }),
        ),
        parameter("offset", "Rows to pass over.", &number),
        parameter("limit", "Most rows to give.", &json!({ "type": "integer", "minimum": 0, "maximum": MOST_ROWS })),
    ]
}

fn parameter(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}
