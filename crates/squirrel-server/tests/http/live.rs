//! The live tables and their description.

use std::sync::Arc;

use serde_json::Value;
use squirrel_account::{
    Carrier, ConnectionRow, Figures, HostRow, InterfaceRow, Level, Picture, ProcessRow, ProcessSummary, Source, Traffic,
};
use squirrel_api::live::{EphemeralPorts, LIVE_SCHEMA, PortsTo};
use squirrel_model::Timestamp;

use super::support::{CHANGE_TOKEN, Running, start, traffic};

/// Two destinations, one near its end.
pub(crate) fn ports() -> EphemeralPorts {
    let to = |remote: &str, used: u32| PortsTo {
        local_address: "10.0.0.1".to_owned(),
        remote_address: remote.to_owned(),
        remote_port: 443,
        used,
        time_wait: used / 2,
        ratio: f64::from(used) / 1000.0,
    };
    let destinations = vec![to("10.0.0.2", 990), to("10.0.0.3", 3)];
    EphemeralPorts { schema: LIVE_SCHEMA.into(), first: 32_768, last: 33_767, destinations }
}

#[tokio::test]
async fn who_uses_up_the_ephemeral_ports_is_named() {
    let server = start(traffic()).await;
    let document = document(&server, "/api/live/ports").await;
    assert_eq!((&document["first"], &document["last"]), (&Value::from(32_768), &Value::from(33_767)));
    let first = &document["destinations"][0];
    assert_eq!((&first["remote_address"], &first["remote_port"]), (&Value::from("10.0.0.2"), &Value::from(443)));
    assert_eq!((&first["used"], &first["time_wait"], &first["ratio"]), (&990.into(), &495.into(), &0.99.into()));
}

/// 300 processes with a connection each; a name of one is hostile.
pub(crate) fn picture() -> Picture {
    let figures = |n: u32| Figures {
        bytes: Traffic { receive: u64::from(n) * 100, transmit: u64::from(n) },
        receive_rate: f64::from(n),
        transmit_rate: 0.0,
    };
    let process = |n: u32| {
        let name = if n == 7 { "evil\x1b[2J".to_owned() } else { format!("worker-{n}") };
        Arc::new(ProcessSummary { pid: n, name, user: "www-data".into(), ..ProcessSummary::default() })
    };
    let connection = |n: u32| ConnectionRow {
        cookie: n.into(),
        namespace: 1,
        carrier: if n.is_multiple_of(2) { Carrier::Tcp } else { Carrier::Udp },
        local: ([127, 0, 0, 1], 443).into(),
        remote: ([10, 0, 0, 1], 40_000 + n as u16).into(),
        state: "ESTAB",
        process: Some(process(n)),
        figures: figures(n),
        receive_queue: 0,
        send_queue: 0,
        drops: None,
        tcp: None,
        opened: Timestamp(1_000),
        closed: None,
        source: Source::Exact,
        caveat: None,
        count: 1,
    };
    Picture {
        at: Timestamp(11_000),
        since: Timestamp(1_000),
        level: Level { name: "counters", meaning: "TCP exact.".into(), ..Level::default() },
        processes: (1..=300)
            .map(|n| ProcessRow { process: process(n), figures: figures(n), connections: 1, ..ProcessRow::default() })
            .collect(),
        connections: (1..=300).map(connection).collect(),
        hosts: vec![HostRow {
            address: [10, 0, 0, 1].into(),
            note: None,
            figures: figures(1),
            connections: 300,
            source: Source::Exact,
        }],
        interfaces: vec![InterfaceRow { name: "eth0".into(), wire: figures(9), ..InterfaceRow::default() }],
        ..Picture::default()
    }
}

async fn document(server: &Running, path: &str) -> Value {
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
    serde_json::from_str(answer.text()).expect("JSON")
}

#[tokio::test]
async fn a_page_of_a_table_is_filtered_sorted_and_summed() {
    let server = start(traffic()).await;
    let all = document(&server, "/api/live/processes").await;
    assert_eq!((&all["total"], &all["matched"], &all["limit"]), (&300.into(), &300.into(), &100.into()));
    assert_eq!(all["processes"].as_array().map(Vec::len), Some(100));
    assert_eq!(all["processes"][0]["pid"], 300, "the busiest first");
    assert_eq!(all["totals"]["transmit_bytes"], 300 * 301 / 2, "of all, not of the page");

    let path = "/api/live/connections?filter=protocol:tcp%20pid:%3C%3D20&sort=pid&order=asc&offset=2&limit=3";
    let some = document(&server, path).await;
    let pids: Vec<_> = some["connections"].as_array().unwrap().iter().map(|row| row["pid"].clone()).collect();
    assert_eq!(pids, [6, 8, 10]);
    assert_eq!((&some["matched"], &some["total"], &some["offset"]), (&10.into(), &300.into(), &2.into()));
    assert_eq!(some["connections"][0]["remote"], "10.0.0.1:40006");

    assert_eq!(document(&server, "/api/live/hosts").await["hosts"][0]["connections"], 300);
    assert_eq!(document(&server, "/api/live/interfaces").await["interfaces"][0]["receive_bytes"], 900);
    for (asked, rows) in [("", 1), ("?interface=eth0", 1), ("?interface=eth%00", 0)] {
        let books = document(&server, &format!("/api/live/books{asked}")).await;
        assert_eq!(
            (books["interfaces"].as_array().map(Vec::len), &books["totals"]["receive_bytes"]),
            (Some(rows), &900.into()),
            "{asked}"
        );
    }
    let top = document(&server, "/api/live/top?filter=name:worker-12&limit=10000").await;
    assert_eq!((&top["schema"], top["connections"].as_array().map(Vec::len)), (&"squirrel.top/1".into(), Some(300)));
    assert_eq!(top["processes"].as_array().map(Vec::len), Some(11), "12 and 120 to 129");
}

#[tokio::test]
async fn what_cannot_be_answered_is_said_with_the_place() {
    let server = start(traffic()).await;
    for (query, words) in [
        ("filter=prt:443", "column 1: there is no field \\\"prt\\\". Did you mean port?"),
        ("filter=port:443%20(", "column 11"),
        ("sort=rat", "Did you mean rate?"),
        ("order=up", "neither asc nor desc"),
        ("limit=10001", "from 0 to 10000"),
        ("filtre=port:443", "knows only filter, sort, order, offset, limit"),
    ] {
        let answer = server.get(&format!("/api/live/connections?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.text().contains(words), "{query}: {}", answer.text());
    }
    assert_eq!(server.get("/api/live/top?table=nothing").await.status, 400);
    assert_eq!(server.get("/api/live/nothing").await.status, 404);
    assert_eq!(server.get("/api/verdict?at=1").await.status, 400);
    assert_eq!(server.get("/api/v1/labels?anything=1").await.status, 200, "as Prometheus does");
}

/// What is only told to the server, and has a description all the same.
async fn check_the_lease_of_packets(server: &Running, path: &str, described: &Value) {
    let form = |token: &str, form: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        )
    };
    for refused in [server.post(path, "seconds=60").await, server.raw(&form("another", "seconds=60")).await] {
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Bearer")), "{}", refused.text());
    }
    assert_eq!(described["security"], serde_json::json!([{ "token": [] }]));
    let answer = server.raw(&form(CHANGE_TOKEN, "seconds=60")).await;
    // The twin of this test gives 45 seconds at most.
    let expected = r#"{"schema":"squirrel.live/1","seconds":45.0}"#;
    assert_eq!((answer.status, answer.text()), (200, expected));
    let schema = &described["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(schema, "#/components/schemas/PacketLease");
    for wrong in ["0", "61", "x", "-1"] {
        let answer = server.raw(&form(CHANGE_TOKEN, &format!("seconds={wrong}"))).await;
        assert!(answer.status == 400 && answer.text().contains("from 1 to 60"), "{wrong}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_description_fits_the_answers() {
    let server = start(traffic()).await;
    server.tick(0);
    let description = document(&server, "/api/openapi.json").await;
    let schemas = &description["components"]["schemas"];
    let mut checked = 0;
    for (path, item) in description["paths"].as_object().expect("paths") {
        if path == "/api/stream" || path.contains('{') {
            continue;
        }
        let answer = server.get(path).await;
        if item["get"].is_null() {
            assert_eq!(answer.status, 405, "{path} only changes something: a page of another site can ask by GET");
            if path == "/api/live/packets" {
                check_the_lease_of_packets(&server, path, &item["post"]).await;
            }
            continue;
        }
        // Without the parameters that they need, some of Prometheus' paths refuse; none is unknown.
        let refuses =
            path.starts_with("/api/v1/") || ["/federate", "/probe", "/api/probes/one"].contains(&path.as_str());
        assert!(answer.status == 200 || refuses && answer.status == 400, "{path}: {}", answer.status);
        if answer.status == 400 {
            continue;
        }
        let content = &item["get"]["responses"]["200"]["content"]["application/json"];
        let Some(name) = content["schema"]["$ref"].as_str().and_then(|place| place.rsplit('/').next()) else {
            continue;
        };
        let sent: Value = serde_json::from_str(answer.text()).expect("JSON");
        let described = schemas[name]["properties"].as_object().expect("properties");
        assert_eq!(
            sent.as_object().unwrap().keys().collect::<Vec<_>>(),
            described.keys().collect::<Vec<_>>(),
            "{path}"
        );
        for parameter in item["get"]["parameters"].as_array().expect("parameters") {
            let name = parameter["name"].as_str().unwrap();
            // Names that somebody gave, in a configuration or to the kernel: any text may be one.
            if [("/api/probes", "group"), ("/api/probes", "job"), ("/api/live/books", "interface")]
                .contains(&(path.as_str(), name))
            {
                continue;
            }
            let wrong = server.get(&format!("{path}?{name}=!!wrong(")).await;
            assert_eq!(wrong.status, 400, "{path} reads {name}: {}", wrong.text());
        }
        checked += 1;
    }
    assert_eq!(checked, 8);
}
