//! Readiness, `/metrics`, Squirrel's own resources, files.

use squirrel_api::{CatalogueEntry, ChartSpec, CollectorState, CollectorStatus, Verdict};
use tokio::io::AsyncWriteExt as _;

use super::support::{read_answer, start, traffic};

#[tokio::test]
async fn ready_once_the_first_samples_can_be_queried() {
    let server = start(traffic()).await;
    assert_eq!(server.get("/healthz").await.status, 200);
    for path in ["/readyz", "/metrics"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 503, "{path}");
        assert!(answer.text().starts_with("No samples yet"), "{}", answer.text());
    }
    server.tick(0);
    assert_eq!(server.get("/readyz").await.status, 200);
    let answer = server.get("/metrics").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = answer.text();
    assert!(text.contains("# HELP node_network_receive_bytes_total Bytes received by the \"device\".\n# TYPE node_network_receive_bytes_total counter\nnode_network_receive_bytes_total{device=\"eth0\"} 600000\n"), "{text}");
    assert!(text.contains("squirrel_http_requests_total{code=\"5xx\",route=\"health\"} 1\n"), "{text}");
}

#[tokio::test]
async fn large_answers_are_compressed_for_those_who_want_it() {
    let server = start(traffic()).await;
    server.tick(0);
    let plain = server.get("/metrics").await;
    assert_eq!(plain.header("content-encoding"), None);
    let packed = server.get_with("/metrics", "Accept-Encoding: gzip").await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.starts_with(&[0x1f, 0x8b]) && packed.body.len() < plain.body.len());
}

#[tokio::test]
async fn metadata_knows_declared_metrics_and_members_of_families() {
    let server = start(traffic()).await;
    server.tick(0);
    let answer = server.get("/api/v1/metadata?metric=node_network_receive_bytes_total").await;
    assert_eq!(
        answer.text(),
        r#"{"status":"success","data":{"node_network_receive_bytes_total":[{"type":"counter","help":"Bytes received by the \"device\".","unit":"bytes"}]}}"#
    );
    let answer = server.get("/api/v1/metadata?metric=node_netstat_Tcp_InSegs").await;
    assert_eq!(
        answer.text(),
        r#"{"status":"success","data":{"node_netstat_Tcp_InSegs":[{"type":"unknown","help":"Segments","unit":""}]}}"#
    );
    let answer = server.get("/api/v1/metadata").await;
    assert!(!answer.text().contains('<'), "a family's pattern is no metric");
    assert_eq!(server.get("/api/v1/metadata?limit=2").await.text().matches("\"type\"").count(), 2);
    assert_eq!(server.get("/api/v1/metadata?limit=x").await.status, 400);
}

#[tokio::test]
async fn what_grafana_probes_and_squirrel_has_none_of_is_answered_as_empty() {
    let server = start(traffic()).await;
    let cases = [
        // Milliseconds where seconds are meant, as Grafana sends them.
        ("/api/v1/query_exemplars?query=test&start=1795230933000&end=1795230983000", "[]"),
        ("/api/v1/rules", r#"{"groups":[]}"#),
        ("/api/v1/alerts", r#"{"alerts":[]}"#),
    ];
    for (path, data) in cases {
        let answer = server.get(path).await;
        let expected = format!("{{\"status\":\"success\",\"data\":{data}}}");
        assert_eq!((answer.status, answer.text()), (200, expected.as_str()), "{path}");
    }
    assert_eq!(server.get("/-/healthy").await.status, 200);
    assert_eq!(server.get("/-/ready").await.status, 503);
    server.tick(0);
    assert_eq!(server.get("/-/ready").await.status, 200);
}

#[tokio::test]
async fn a_wrong_method_is_answered_with_the_right_ones() {
    let server = start(traffic()).await;
    let cases = [
        ("PUT", "/api/v1/query", "GET,HEAD,POST"),
        ("OPTIONS", "/api/v1/series", "GET,HEAD,POST"),
        ("DELETE", "/api/v1/metadata", "GET,HEAD"),
        ("POST", "/no/such/page", "GET,HEAD"),
    ];
    for (method, path, allowed) in cases {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address);
        let answer = server.raw(&head).await;
        let allow = answer.header("allow").unwrap_or_default().replace(' ', "");
        assert_eq!((answer.status, allow.as_str()), (405, allowed), "{method} {path}");
    }
}

#[tokio::test]
async fn buildinfo_is_what_grafana_takes_for_prometheus() {
    let server = start(traffic()).await;
    assert_eq!(
        server.get("/api/v1/status/buildinfo").await.text(),
        r#"{"status":"success","data":{"version":"3.5.0","revision":"squirrel 0.1.0 (abc)","branch":"","buildUser":"","buildDate":"","goVersion":""}}"#
    );
}

#[tokio::test]
async fn own_resources_are_read_back_as_they_were_meant() {
    let server = start(traffic()).await;
    let client = squirrel_api::client::Client::new(&server.address.to_string());
    let charts: Vec<ChartSpec> = client.resource("/api/charts").await.unwrap();
    assert!(charts.iter().any(|c| c.page == "overview") && charts.iter().any(|c| c.page == "interfaces"));
    let catalogue: Vec<CatalogueEntry> = client.resource("/api/catalogue").await.unwrap();
    let entry = catalogue.iter().find(|e| e.name == "node_network_receive_bytes_total").unwrap();
    assert_eq!((entry.kind.as_str(), entry.unit.as_str(), entry.why.as_str()), ("counter", "bytes", "Throughput."));
    assert_eq!(
        (entry.check.as_slice(), entry.labels.as_slice()),
        (&["the other end".to_owned()][..], &["device".to_owned()][..])
    );
    let collectors: Vec<CollectorStatus> = client.resource("/api/collectors").await.unwrap();
    assert_eq!(collectors[1].state, CollectorState::Unavailable);
    assert!(collectors[1].sentence.contains("not loaded"));
    let verdict: Verdict = client.resource("/api/verdict").await.unwrap();
    assert!(
        verdict.sentence.contains("no samples yet") || verdict.sentence.contains("No samples yet"),
        "{}",
        verdict.sentence
    );
    server.tick(0);
    let verdict: Verdict = client.resource("/api/verdict").await.unwrap();
    assert_eq!(verdict.time, Some(1_700_000_000.0));
    let queried = client.query("1 + 1", Some(squirrel_model::Timestamp(4_000))).await.unwrap();
    assert_eq!(queried.data, squirrel_api::reply::QueryData::Scalar(squirrel_api::reply::Point(4.0, 2.0)));
    let refused = client.query("sum(", None).await.unwrap_err();
    assert!(refused.to_string().starts_with("invalid parameter \"query\": 1:"), "{refused}");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_in_the_form_of_the_asker() {
    let server = start(traffic()).await;
    let answer = server.get("/api/v1/nothing").await;
    assert_eq!(
        (answer.status, answer.text()),
        (404, r#"{"status":"error","errorType":"not_found","error":"there is no /api/v1/nothing here"}"#)
    );
    let answer = server.get("/nothing/here").await;
    assert_eq!((answer.status, answer.text()), (404, "There is nothing here. The dashboard is at /.\n"));
    for method in ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE"] {
        for path in ["/api/v1/query", "/metrics", "/"] {
            let answer =
                server.raw(&format!("{method} {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")).await;
            assert_eq!(answer.status, 405, "{method} {path}");
        }
    }
    let answer = server.raw("HEAD /metrics HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n").await;
    assert_eq!((answer.status, answer.body.len()), (503, 0));
}

#[tokio::test]
async fn the_page_is_served_at_its_addresses_and_not_sent_twice() {
    let server = start(traffic()).await;
    let page = server.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    for path in ["/interfaces", "/interfaces/eth0.100"] {
        assert_eq!(server.get(path).await.body, page.body, "{path}");
    }
    let tag = page.header("etag").unwrap();
    let again = server.get_with("/", &format!("If-None-Match: \"x\", W/{tag}")).await;
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag)));
}

#[tokio::test]
async fn several_requests_pass_over_one_connection() {
    let server = start(traffic()).await;
    let mut stream = server.connect().await;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let last = request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    stream.write_all((request.repeat(2) + &last).as_bytes()).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert_eq!(String::from_utf8_lossy(&answer.body).matches("HTTP/1.1 200").count(), 2);
}
