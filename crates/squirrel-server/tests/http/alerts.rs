//! Rules and alerts over HTTP: who may change something, and in which form.

use super::support::{CHANGE_TOKEN, start, traffic};

fn post(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: HOST\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_change_needs_the_token_json_and_no_foreign_page() {
    let server = start(traffic()).await;
    let token = format!("Authorization: Bearer {CHANGE_TOKEN}\r\n");
    let json = "Content-Type: application/json\r\n";
    let body = "{\"id\":\"x\"}";
    for path in [
        "/api/silences",
        "/api/silences/expire",
        "/api/alerts/acknowledge",
        "/api/alerts/unacknowledge",
        "/api/notify/test",
    ] {
        let cases = [
            (json.to_owned(), 401),
            (format!("{json}Authorization: Bearer a-token-for-changeX\r\n"), 401),
            (format!("{json}Authorization: Basic {CHANGE_TOKEN}\r\n"), 401),
            (format!("{token}Content-Type: application/x-www-form-urlencoded\r\n"), 415),
            (format!("{token}{json}Origin: http://evil.example\r\n"), 403),
            (format!("{token}{json}Sec-Fetch-Site: cross-site\r\n"), 403),
            (format!("{token}{json}Origin: http://HOST\r\nSec-Fetch-Site: same-origin\r\n"), 400),
        ];
        for (headers, status) in cases {
            let answer = server.raw(&post(path, &headers, body)).await;
            assert_eq!(answer.status, status, "{path} {headers} {}", answer.text());
            assert_eq!(answer.header("www-authenticate").is_some(), status == 401, "{path} {headers}");
            assert!(!answer.text().contains(CHANGE_TOKEN));
        }
        assert_eq!(server.get(path).await.status, 405, "nothing is changed by GET");
    }
    let answer = server.raw(&post("/api/v2/silences", json, "{}")).await;
    assert_eq!(answer.status, 401);
    let answer = server.raw("DELETE /api/v2/silence/x HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n").await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn a_wrong_body_is_named_and_a_long_one_refused() {
    let server = start(traffic()).await;
    let headers = format!("Authorization: Bearer {CHANGE_TOKEN}\r\nContent-Type: application/json\r\n");
    let answer = server.raw(&post("/api/silences/expire", &headers, "{\"ID\":\"x\"}")).await;
    assert!(answer.status == 400 && answer.text().contains("`ID`"), "{}", answer.text());
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(70_000));
    assert_eq!(server.raw(&post("/api/silences/expire", &headers, &long)).await.status, 413);
}

#[tokio::test]
async fn without_rules_the_answers_are_empty_and_have_their_shape() {
    let server = start(traffic()).await;
    for (path, body) in [
        ("/api/v1/rules", r#"{"status":"success","data":{"groups":[]}}"#),
        ("/api/v1/alerts", r#"{"status":"success","data":{"alerts":[]}}"#),
        ("/api/v2/alerts", "[]"),
    ] {
        assert_eq!(server.get(path).await.text(), body, "{path}");
    }
    assert_eq!(server.get("/api/v1/rules?type=x").await.status, 400);
    let status = server.get("/api/v2/alerts?active=perhaps").await;
    assert!(status.status == 400 && status.text().starts_with('"'), "{}", status.text());
}
