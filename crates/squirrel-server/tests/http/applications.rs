//! Reports of applications over HTTP: who may send them, what is refused and in which words.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use squirrel_server::{ApplicationLimits, Limits};
use tokio::io::AsyncWriteExt as _;

use super::support::{Answer, NOW, Running, start, start_parts, start_taking, traffic};

const TOKEN: &str = "0123456789abcdef";

fn report(application: &str) -> Value {
    json!({
        "schema": 1, "application": application, "instance": "h:7", "pid": 7,
        "started": 1000.0, "sent_at": 1010.0, "interval_seconds": 1.0,
        "metrics": [{"name": "sold_total", "kind": "counter", "unit": "", "help": "", "value": 5}],
    })
}

fn request(body: &str, headers: &str) -> String {
    format!(
        "POST /api/applications HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn post(server: &Running, report: &Value) -> Answer {
    server.raw(&request(&report.to_string(), "")).await
}

/// The sentence of a refusal.
fn sentence(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    body["error"].as_str().expect("a sentence").to_owned()
}

#[tokio::test]
async fn a_report_is_taken_listed_and_handed_on() {
    let server = start(traffic()).await;
    let answer = post(&server, &report("shop/<b>")).await;
    assert_eq!((answer.status, answer.text()), (200, r#"{"taken":1,"refused":0,"sentences":[]}"#));
    let samples = server.applications.due(NOW.plus_ms(500), squirrel_model::Elapsed::default(), 1000);
    assert_eq!(samples.len(), 1);
    assert_eq!((samples[0].0.get("job"), samples[0].1, samples[0].2), (Some("application"), NOW, 5.0));
    let list: Value = serde_json::from_slice(&server.get("/api/applications").await.body).unwrap();
    assert_eq!((&list["level"], &list["enabled"]), (&json!("ok"), &json!(true)));
    assert_eq!(list["applications"][0]["instances"][0]["series"], json!(1));
    let one: Value = serde_json::from_slice(&server.get("/api/applications/shop%2F%3Cb%3E").await.body).unwrap();
    assert_eq!(one, list["applications"][0]);
    let missing = server.get("/api/applications/nobody").await;
    assert_eq!(missing.status, 404);
    assert!(sentence(&missing).contains("/api/applications lists all"));
    assert_eq!(server.get("/applications/shop").await.status, 200, "the page");
}

#[tokio::test]
async fn every_malformed_field_is_named() {
    let server = start(traffic()).await;
    let spoilt = |pointer: &str, value: Value| {
        let mut report = report("shop");
        *report.pointer_mut(pointer).expect("a field") = value;
        report.to_string()
    };
    let cases = [
        ("{".to_owned(), "ends too early, at line 1, column 1"),
        ("{}".to_owned(), "the field \"schema\" is missing"),
        ("[".repeat(100_000), "the report is n"),
        (spoilt("/schema", json!(2)), "schema 2"),
        (spoilt("/schema", json!("\u{202e}1")), "near \"schema\": a text stands there, and a number belongs there"),
        (spoilt("/application", json!("")), "application is empty"),
        (spoilt("/application", json!("x".repeat(300))), "application has 300 octets"),
        (spoilt("/instance", json!("")), "instance is empty"),
        (spoilt("/started", json!(-1.0)), "started is not a time"),
        (spoilt("/started", json!(4e9)), "s in the future"),
        (spoilt("/pid", json!(-1)), "pid"),
        (spoilt("/interval_seconds", json!(1e300)), "interval_seconds"),
        (spoilt("/metrics/0/name", json!("a b")), "metric 0 of the report: its name"),
        (spoilt("/metrics/0/kind", json!("guess")), "the word \"guess\" means nothing there"),
        (spoilt("/metrics/0/value", json!(-1.0)), "a counter below zero"),
        (spoilt("/metrics", json!(vec![json!({}); 3])), "the field \"name\" is missing"),
        ("{\"schema\":1e999}".to_owned(), "a number that is too large"),
    ];
    for (body, words) in cases {
        let shown: String = body.chars().take(120).collect();
        let answer = server.raw(&request(&body, "")).await;
        assert_eq!(answer.status, 400, "{shown}");
        let said = sentence(&answer);
        assert!(said.contains(words), "{shown} must be told {words:?}: {said}");
        assert!(said.len() < 1000 && !said.chars().any(squirrel_model::is_hostile), "{said:?}");
    }
    assert_eq!(post(&server, &report("shop")).await.status, 200);
}

#[tokio::test]
async fn no_browser_can_report() {
    let server = start(traffic()).await;
    let port = server.address.port();
    let body = report("shop").to_string();
    let own = format!("Origin: http://127.0.0.1:{port}\r\n");
    for headers in
        ["Origin: http://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: none\r\n", &own]
    {
        assert_eq!(server.raw(&request(&body, headers)).await.status, 403, "{headers}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let form = request(&body, "").replace("application/json", kind);
        let answer = server.raw(&form).await;
        assert_eq!(answer.status, 415, "{kind}");
        assert!(sentence(&answer).contains("application/json"));
    }
    assert_eq!(server.raw(&request(&body, "Content-Encoding: gzip\r\n")).await.status, 415);
    let foreign = request(&body, "").replace("Host: HOST", &format!("Host: evil.example:{port}"));
    assert_eq!(server.raw(&foreign).await.status, 421);
    assert_eq!(server.get("/api/applications").await.text().matches("shop").count(), 0, "nothing was taken");
}

#[tokio::test]
async fn a_token_is_asked_for_when_there_is_one() {
    let reports = ApplicationLimits::default();
    let server = start_taking(Arc::new(traffic()), Limits::for_cpus(1), &[], reports, Some(TOKEN)).await;
    let body = report("shop").to_string();
    let answer = server.raw(&request(&body, "")).await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
    assert!(sentence(&answer).contains("token_file"));
    assert_eq!(server.raw(&request(&body, "Authorization: Bearer 0123456789abcdeF\r\n")).await.status, 401);
    assert_eq!(server.raw(&request(&body, &format!("Authorization: Bearer {TOKEN}\r\n"))).await.status, 200);
    let shown = server.get("/api/applications").await;
    assert!(!shown.text().contains(TOKEN) && shown.text().contains("wants a token"), "{}", shown.text());
}

#[tokio::test]
async fn size_number_and_frequency_are_bounded() {
    let reports =
        ApplicationLimits { report_bytes: 1000, instances: 1, reports_a_second: 5, ..ApplicationLimits::default() };
    // The clock stands, however long the reports take to come.
    let server = start_parts(Arc::new(traffic()), Limits::for_cpus(1), &[], reports, None, |parts| {
        parts.monotonic = Arc::new(squirrel_model::Elapsed::default);
    })
    .await;
    let told = request("{}", "").replace("Content-Length: 2", "Content-Length: 1001");
    assert_eq!(server.raw(&told).await.status, 413);
    let chunk = format!("258\r\n{}\r\n", " ".repeat(600));
    let chunked =
        request("", "").replace("Content-Length: 0", "Transfer-Encoding: chunked") + &chunk.repeat(2) + "0\r\n\r\n";
    let answer = server.raw(&chunked).await;
    assert_eq!((answer.status, sentence(&answer).as_str()), (413, "a report has at most 1000 bytes"));
    assert_eq!(post(&server, &report("shop")).await.status, 200);
    let answer = post(&server, &report("second")).await;
    assert_eq!(answer.status, 503);
    assert!(sentence(&answer).contains("max_instances"));
    let mut limited = None;
    for _ in 0..50 {
        let answer = post(&server, &report("shop")).await;
        if answer.status == 429 {
            limited = Some(answer);
        }
    }
    assert_eq!(limited.expect("too often").header("retry-after"), Some("1"));
    let list: Value = serde_json::from_slice(&server.get("/api/applications").await.body).unwrap();
    assert_eq!(list["applications"].as_array().unwrap().len(), 1);
    let refused: Vec<&str> =
        list["refusals"].as_array().unwrap().iter().filter_map(|one| one["application"].as_str()).collect();
    assert!(refused.contains(&"second"), "{refused:?}");
}

#[tokio::test]
async fn what_is_switched_off_says_so() {
    let reports = ApplicationLimits { enabled: false, ..ApplicationLimits::default() };
    let server = start_taking(Arc::new(traffic()), Limits::for_cpus(1), &[], reports, None).await;
    let answer = post(&server, &report("shop")).await;
    assert_eq!(answer.status, 403);
    assert!(sentence(&answer).contains("enabled = true under [applications]"));
    let list: Value = serde_json::from_slice(&server.get("/api/applications").await.body).unwrap();
    assert_eq!((&list["enabled"], &list["level"]), (&json!(false), &json!("unknown")));
}

#[tokio::test]
async fn reports_that_never_end_have_bounded_room_and_give_it_back() {
    let reports = ApplicationLimits { report_bytes: 1000, ..ApplicationLimits::default() };
    let server = start_taking(Arc::new(traffic()), Limits::for_cpus(1), &[], reports, None).await;
    // All bodies together have room for four of the largest.
    let mut hanging = Vec::new();
    for _ in 0..4 {
        let mut stream = server.connect().await;
        let head = "Content-Type: application/json\r\nContent-Length: 1000";
        let half =
            format!("POST /api/applications HTTP/1.1\r\nHost: {}\r\n{head}\r\n\r\n{}", server.address, " ".repeat(950));
        stream.write_all(half.as_bytes()).await.unwrap();
        hanging.push(stream);
    }
    let large = report("shop").to_string() + &" ".repeat(500);
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    let mut until = async |wanted: u16| {
        let asked = async {
            while server.raw(&request(&large, "")).await.status != wanted {
                looks.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), asked).await
    };
    assert!(until(503).await.is_ok(), "no room is left");
    assert_eq!(server.get("/healthz").await.status, 200);
    drop(hanging);
    assert!(until(200).await.is_ok(), "the room is free again");
}
