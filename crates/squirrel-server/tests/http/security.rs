//! Foreign names and foreign pages.

use super::support::{Running, start, start_with, traffic};
use squirrel_server::Limits;
use std::sync::Arc;

/// The status of a request with this head.
async fn status(server: &Running, head: &str) -> u16 {
    server.raw(&format!("{head}\r\nConnection: close\r\n\r\n")).await.status
}

#[tokio::test]
async fn a_request_under_a_foreign_name_is_refused_with_a_sentence() {
    let server = start_with(Arc::new(traffic()), Limits::for_cpus(2), &["monitor.example.org"]).await;
    let port = server.address.port();
    let cases: Vec<(String, u16)> = vec![
        ("GET /healthz HTTP/1.1\r\nHost: HOST".into(), 200),
        (format!("GET /healthz HTTP/1.1\r\nHost: localhost:{port}"), 200),
        (format!("GET /healthz HTTP/1.1\r\nhOsT: LocalHost.:{port}"), 200),
        (format!("GET /healthz HTTP/1.1\r\nHost: [::1]:{port}"), 200),
        ("GET /healthz HTTP/1.1\r\nHost: monitor.example.org".into(), 200),
        ("GET http://HOST/healthz HTTP/1.1\r\nHost: HOST".into(), 200),
        ("GET /healthz HTTP/1.0\r\nHost: HOST".into(), 200),
        ("GET /healthz HTTP/1.1\r\nHost: localhost".into(), 421),
        ("GET /healthz HTTP/1.1\r\nHost: localhost:1".into(), 421),
        (format!("GET /healthz HTTP/1.1\r\nHost: evil.example:{port}"), 421),
        (format!("GET /healthz HTTP/1.1\r\nHost: localhost.evil.example:{port}"), 421),
        (format!("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1.nip.io:{port}"), 421),
        ("GET /healthz HTTP/1.1\r\nHost: ".into(), 421),
        ("GET http://evil.example/healthz HTTP/1.1\r\nHost: HOST".into(), 421),
        (format!("GET http://HOST/healthz HTTP/1.1\r\nHost: evil.example:{port}"), 421),
        ("GET /healthz HTTP/1.1".into(), 400),
        ("GET /healthz HTTP/1.0".into(), 200),
        ("GET http://evil.example/healthz HTTP/1.0".into(), 400),
        ("GET /healthz HTTP/1.0\r\nHost: evil.example".into(), 421),
        ("GET /healthz HTTP/1.1\r\nHost: HOST\r\nHost: HOST".into(), 400),
        (format!("GET /api/stream HTTP/1.1\r\nHost: evil.example:{port}"), 421),
        (format!("GET /no/such/path HTTP/1.1\r\nHost: evil.example:{port}"), 421),
    ];
    for (head, expected) in cases {
        assert_eq!(status(&server, &head).await, expected, "{head}");
    }
    let answer = server.raw("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").await;
    let text = answer.text();
    assert!(text.contains("\"evil.example\"") && text.contains(&format!("localhost:{port}")), "{text}");
    assert!(text.contains("add it to hosts under [server] in the configuration"), "{text}");
    assert!(server.own("squirrel_http_rejected_total{reason=\"host\"}") > 5.0);
}

#[tokio::test]
async fn a_page_of_another_site_can_send_nothing_and_listen_to_nothing() {
    let server = start(traffic()).await;
    let port = server.address.port();
    let own = format!("Origin: http://127.0.0.1:{port}");
    let post = "POST /api/v1/query?query=1 HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0";
    let stream = "HEAD /api/stream HTTP/1.1\r\nHost: HOST";
    let cases = [
        (format!("{post}\r\n{own}"), 200),
        (format!("{post}\r\n{own}\r\nSec-Fetch-Site: same-origin"), 200),
        (post.to_owned(), 200),
        (format!("{post}\r\nOrigin: http://evil.example"), 403),
        (format!("{post}\r\nOrigin: http://localhost:{port}"), 403),
        (format!("{post}\r\nOrigin: null"), 403),
        (format!("{post}\r\nSec-Fetch-Site: cross-site"), 403),
        (format!("{post}\r\nSec-Fetch-Site: same-site"), 403),
        (format!("{post}\r\n{own}\r\nOrigin: http://evil.example"), 403),
        ("DELETE / HTTP/1.1\r\nHost: HOST\r\nOrigin: http://evil.example".to_owned(), 403),
        ("OPTIONS /api/v1/query HTTP/1.1\r\nHost: HOST\r\nOrigin: http://evil.example".to_owned(), 403),
        (format!("{stream}\r\n{own}"), 200),
        (format!("{stream}\r\nOrigin: http://evil.example"), 403),
        (format!("{stream}\r\nSec-Fetch-Site: same-site"), 403),
    ];
    for (head, expected) in cases {
        assert_eq!(status(&server, &head).await, expected, "{head}");
    }
    assert!(server.own("squirrel_http_rejected_total{reason=\"origin\"}") > 5.0);
}

#[tokio::test]
async fn every_answer_carries_the_walls_and_none_opens_a_door() {
    let server = start(traffic()).await;
    let foreign = "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned();
    let get = |path: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: HOST\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n")
    };
    for request in
        [get("/"), get("/api/v1/query?query=1"), get("/api/v1/query"), get("/metrics"), get("/none"), foreign]
    {
        let answer = server.raw(&request).await;
        let policy = answer.header("content-security-policy").expect("a policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.split("; ").any(|p| p == part), "{part} in {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        assert!(answer.header("cache-control").is_some());
        assert!(!answer.headers.to_ascii_lowercase().contains("access-control-"), "{}", answer.headers);
        assert_eq!(answer.header("server"), None);
    }
}

#[tokio::test]
async fn paths_that_climb_or_hide_find_nothing() {
    let server = start(traffic()).await;
    for path in [
        "/../Cargo.toml",
        "/assets/../../Cargo.toml",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/assets/",
        "/assets/%00",
        "/interfaces/../../etc/passwd",
        "/api",
        "/api/",
        "/api/v1/query/",
    ] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}
