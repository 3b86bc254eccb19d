//! `/probe`: what is asked of the program, and who may ask.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use squirrel_api::ApiError;
use squirrel_server::{ApplicationLimits, CheckQuery, Checks, Limits, Reply};

use super::support::{Running, start, start_parts, traffic};

/// Remembers what it was asked.
#[derive(Default)]
struct Twin(Mutex<Vec<CheckQuery>>);

impl Twin {
    fn asked(&self) -> Vec<CheckQuery> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

impl Checks for Twin {
    fn check(&self, query: CheckQuery) -> Reply<'_, String> {
        let known = query.module.as_deref() != Some("nothing");
        self.0.lock().expect("no panic").push(query);
        Box::pin(async move {
            if known { Ok("probe_success 0\n".to_owned()) } else { Err(ApiError::bad_data("there is no module")) }
        })
    }
}

async fn checking() -> (Running, Arc<Twin>) {
    let twin = Arc::new(Twin::default());
    let checks = Arc::clone(&twin);
    let limits = Limits::for_cpus(2);
    let server = start_parts(Arc::new(traffic()), limits, &[], ApplicationLimits::default(), None, move |parts| {
        parts.checks = Some(checks);
    });
    (server.await, twin)
}

#[tokio::test]
async fn what_prometheus_asks_reaches_the_program_and_its_answer_comes_back() {
    let (server, twin) = checking().await;
    let answer =
        server.get("/probe?target=https%3A%2F%2Fshop.example%2Fa%3Fb&module=page&hostname=a&debug=false").await;
    assert_eq!((answer.status, answer.text()), (200, "probe_success 0\n"));
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let query = CheckQuery {
        target: "https://shop.example/a?b".into(),
        module: Some("page".into()),
        hostname: Some("a".into()),
        debug: false,
        limit: None,
    };
    assert_eq!(twin.asked(), [query]);
    let head = "GET /probe?target=a&debug=true HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n";
    let answer = server.raw(&format!("{head}X-Prometheus-Scrape-Timeout-Seconds: 10.000000\r\n\r\n")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    let asked = twin.asked();
    assert!(asked[0].debug && asked[0].module.is_none() && asked[0].limit == Some(Duration::from_millis(9_500)));
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_a_sentence() {
    let (server, twin) = checking().await;
    for (path, expected) in [
        ("/probe", "name what is to be looked at"),
        ("/probe?target=&module=a", "name what is to be looked at"),
        ("/probe?target=a&modul=b", "/probe knows only target, module, hostname, debug"),
        ("/probe?target=a&debug=yes", "true or false"),
    ] {
        let answer = server.get(path).await;
        assert!(answer.status == 400 && answer.text().contains(expected), "{path}: {}", answer.text());
    }
    assert_eq!(twin.asked(), []);
    let answer = server.get("/probe?target=a&module=nothing").await;
    assert!(answer.status == 400 && answer.text().contains("there is no module"), "{}", answer.text());
    let answer = start(traffic()).await.get("/probe?target=a").await;
    assert_eq!(answer.status, 404, "{}", answer.text());
}

#[tokio::test]
async fn a_page_of_another_site_makes_it_look_at_nothing() {
    let (server, twin) = checking().await;
    let port = server.address.port();
    for (method, header, expected) in [
        ("GET", "Sec-Fetch-Site: cross-site".to_owned(), 403),
        ("GET", "Sec-Fetch-Site: same-site".to_owned(), 403),
        ("GET", "Origin: http://evil.example".to_owned(), 403),
        ("HEAD", "Sec-Fetch-Site: cross-site".to_owned(), 403),
        ("POST", format!("Origin: http://127.0.0.1:{port}\r\nContent-Length: 0"), 405),
        ("GET", format!("Origin: http://127.0.0.1:{port}"), 200),
        ("GET", "Sec-Fetch-Site: none".to_owned(), 200),
    ] {
        let head = format!("{method} /probe?target=a HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n{header}\r\n\r\n");
        assert_eq!(server.raw(&head).await.status, expected, "{method} {header}");
        assert_eq!(twin.asked().len(), usize::from(expected == 200), "{method} {header}");
    }
}
