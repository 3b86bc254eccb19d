//! Web servers: answers, redirects, patterns, packed bodies, and those that do not play by the rules.

use std::io::Write as _;

use regex::bytes::Regex;
use squirrel_outbound::Secret;
use squirrel_testkit::Authority;

use super::server::{Act, Server};
use super::{LONG, SHORT, assert_good, check, check_within, trusting, value, value_of, why};
use crate::{Compression, HeaderRule, HttpCheck, Prober};

fn http(check: HttpCheck) -> Prober {
    Prober::Http(Box::new(check))
}

fn usual() -> Prober {
    http(HttpCheck::default())
}

fn pattern(text: &str) -> Vec<Regex> {
    vec![Regex::new(text).unwrap()]
}

fn answer(head: &str, body: &[u8]) -> Act {
    Act::Answer([format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{head}\r\n", body.len()).as_bytes(), body].concat())
}

#[tokio::test]
async fn a_good_answer_has_its_phases_and_figures() {
    let server = Server::start(None, answer("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n", b"hello")).await;
    let finding = check(usual(), &format!("http://{}/path?q=1", server.target())).await;
    assert_good(&finding);
    for (name, expected) in [
        ("probe_http_status_code", 200.0),
        ("probe_http_content_length", 5.0),
        ("probe_http_uncompressed_body_length", 5.0),
        ("probe_http_redirects", 0.0),
        ("probe_http_ssl", 0.0),
        ("probe_http_version", 1.1),
        ("probe_failed_due_to_regex", 0.0),
        ("probe_http_last_modified_timestamp_seconds", 784_111_777.0),
    ] {
        assert_eq!(value(&finding, name), Some(expected), "{name}");
    }
    let phase = |phase| value_of(&finding, "probe_http_duration_seconds", &[("phase", phase)]).unwrap();
    let sum: f64 = ["resolve", "connect", "tls", "processing", "transfer"].map(phase).iter().sum();
    assert!(phase("connect") > 0.0 && phase("processing") > 0.0 && phase("tls") == 0.0);
    assert!(sum <= finding.duration.as_secs_f64());
    let heard = &server.heard()[0];
    assert!(
        heard.starts_with("GET /path?q=1 HTTP/1.1\r\n") && heard.contains(&format!("host: {}", server.target())),
        "{heard}"
    );
}

#[tokio::test]
async fn method_headers_body_and_credentials_are_sent() {
    let server = Server::start(None, Act::ok("")).await;
    let finding = check(
        http(HttpCheck {
            method: "POST".to_owned(),
            headers: vec![
                ("Host".to_owned(), Secret::new("inner.example")),
                ("X-Key".to_owned(), Secret::new("sesame")),
            ],
            basic_auth: Some(("user".to_owned(), Secret::new("sesame"))),
            body: Some(Secret::new("ping")),
            ..HttpCheck::default()
        }),
        &server.target(),
    )
    .await;
    assert_good(&finding);
    let heard = &server.heard()[0];
    for expected in [
        "POST / ",
        "host: inner.example\r\n",
        "x-key: sesame\r\n",
        "authorization: Basic dXNlcjpzZXNhbWU=\r\n",
        "\r\n\r\nping",
    ] {
        assert!(heard.contains(expected), "{expected} in {heard}");
    }
    for bad in [("Content-Length", "7"), ("a b", "x"), ("X", "a\r\nY: z")] {
        let headers = vec![(bad.0.to_owned(), Secret::new(bad.1))];
        let finding = check(http(HttpCheck { headers, ..HttpCheck::default() }), &server.target()).await;
        assert!(why(&finding).contains("HTTP allows"), "{}", why(&finding));
    }
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn statuses_are_judged() {
    let server = Server::start(None, Act::Answer(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_vec())).await;
    let finding = check(usual(), &server.target()).await;
    assert_eq!(
        (why(&finding), value(&finding, "probe_http_status_code")),
        ("it answered 503, and 2xx is wanted", Some(503.0))
    );
    let wanted = |status| http(HttpCheck { valid_statuses: vec![status], ..HttpCheck::default() });
    assert_good(&check(wanted(503), &server.target()).await);
    assert!(why(&check(wanted(200), &server.target()).await).contains("[200] is wanted"));
}

#[tokio::test]
async fn redirects_are_followed_without_credentials_for_others() {
    let last = Server::start(None, Act::ok("arrived")).await;
    let first = Server::start(None, Act::redirect(302, &format!("http://localhost:{}/end", last.address.port()))).await;
    let module = |follow_redirects| {
        http(HttpCheck {
            method: "POST".to_owned(),
            body: Some(Secret::new("data")),
            authorization: Some(Secret::new("Bearer sesame")),
            headers: vec![("X-Key".to_owned(), Secret::new("sesame"))],
            follow_redirects,
            ..HttpCheck::default()
        })
    };
    let finding = check(module(true), &first.target()).await;
    assert_good(&finding);
    assert_eq!(
        (value(&finding, "probe_http_redirects"), value(&finding, "probe_http_status_code")),
        (Some(1.0), Some(200.0))
    );
    assert!(first.heard()[0].contains("authorization: Bearer sesame"));
    let heard = &last.heard()[0];
    assert!(heard.starts_with("GET /end ") && !heard.contains("sesame") && !heard.contains("data"), "{heard}");
    let finding = check(module(false), &first.target()).await;
    assert_eq!(
        (why(&finding), value(&finding, "probe_http_redirects")),
        ("it answered 302, and 2xx is wanted", Some(1.0))
    );
    assert_eq!(last.connections(), 1);
}

#[tokio::test]
async fn redirects_end_and_lead_nowhere_forbidden() {
    let circle = Server::start(None, Act::redirect(301, "/again")).await;
    let finding = check(usual(), &circle.target()).await;
    assert_eq!((why(&finding), circle.connections()), ("it answered 301, and 2xx is wanted", 11));
    assert_eq!(value(&finding, "probe_http_redirects"), Some(11.0));
    for (location, expected) in [
        ("http://169.254.169.254/latest/meta-data/", "where clouds give credentials"),
        ("file:///etc/passwd", "neither http:// nor https://"),
    ] {
        let server = Server::start(None, Act::redirect(307, location)).await;
        let finding = check(usual(), &server.target()).await;
        assert!(why(&finding).contains(expected), "{}", why(&finding));
    }
}

#[tokio::test]
async fn patterns_of_body_and_headers_are_judged() {
    let server = Server::start(None, answer("X-State: good\r\nX-State: very good\r\n", b"all is well")).await;
    let header = |pattern: &str, header: &str, allow_missing| {
        vec![HeaderRule { header: header.to_owned(), pattern: Regex::new(pattern).unwrap(), allow_missing }]
    };
    let base = HttpCheck::default;
    for (check_of, expected) in [
        (HttpCheck { fail_if_body_matches: pattern("error"), ..base() }, None),
        (HttpCheck { fail_if_body_matches: pattern("well"), ..base() }, Some("the body matches well")),
        (HttpCheck { fail_if_body_not_matches: pattern("^all"), ..base() }, None),
        (HttpCheck { fail_if_body_not_matches: pattern("bad"), ..base() }, Some("the body does not match bad")),
        (
            HttpCheck { fail_if_header_matches: header("^very", "x-state", false), ..base() },
            Some("the header x-state matches ^very"),
        ),
        (HttpCheck { fail_if_header_not_matches: header("^very", "X-State", false), ..base() }, None),
        (
            HttpCheck { fail_if_header_not_matches: header("^bad", "X-State", false), ..base() },
            Some("the header X-State does not match ^bad"),
        ),
        (HttpCheck { fail_if_header_matches: header(".", "X-None", true), ..base() }, None),
        (
            HttpCheck { fail_if_header_matches: header(".", "X-None", false), ..base() },
            Some("it answered without the header X-None"),
        ),
    ] {
        let finding = check(http(check_of), &server.target()).await;
        match expected {
            None => assert_good(&finding),
            Some(expected) => assert_eq!(why(&finding), expected),
        }
        let by_pattern = f64::from(u8::from(expected.is_some()));
        assert_eq!(value(&finding, "probe_failed_due_to_regex"), Some(by_pattern), "{expected:?}");
    }
}

#[tokio::test]
async fn packed_bodies_are_unpacked_within_their_limit() {
    let packed = |octets: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(octets).unwrap();
        packer.finish().unwrap()
    };
    let module = |body_limit, text: &str| {
        let compression = Some(Compression::Gzip);
        http(HttpCheck { compression, body_limit, fail_if_body_not_matches: pattern(text), ..HttpCheck::default() })
    };
    let whole = packed(b"hello hello hello hello");
    let server = Server::start(None, answer("Content-Encoding: gzip\r\n", &whole)).await;
    let finding = check(module(1_000, "^hello"), &server.target()).await;
    assert_good(&finding);
    assert_eq!(value(&finding, "probe_http_uncompressed_body_length"), Some(23.0));
    assert_eq!(value(&finding, "probe_http_content_length"), Some(whole.len() as f64));
    let bomb = Server::start(None, answer("", &packed(&vec![0; 32 << 20]))).await;
    let finding = check(module(1 << 20, "x"), &bomb.target()).await;
    assert_eq!(why(&finding), "the body is longer than 1048576 octets");
    assert_eq!(value(&finding, "probe_http_uncompressed_body_length"), Some(f64::from(1 << 20)));
    for octets in [&whole[..whole.len() - 4], b"not gzip at all, but long enough"] {
        let server = Server::start(None, answer("", octets)).await;
        let finding = check(module(1_000, "x"), &server.target()).await;
        assert!(why(&finding).contains("cannot be unpacked"), "{}", why(&finding));
    }
}

#[tokio::test]
async fn tls_is_told_and_wanted_or_not() {
    let authority = Authority::new();
    let acceptor = authority.sign_until("localhost", 2_049).acceptor();
    let server = Server::start(Some(acceptor), Act::ok("hello")).await;
    let target = format!("https://localhost:{}/", server.address.port());
    let module = |fail_if_tls| http(HttpCheck { tls: trusting(&authority), fail_if_tls, ..HttpCheck::default() });
    let finding = check(module(false), &target).await;
    assert_good(&finding);
    assert_eq!(
        (value(&finding, "probe_http_ssl"), value(&finding, "probe_ssl_earliest_cert_expiry")),
        (Some(1.0), Some(2_508_624_000.0))
    );
    let cipher = [("cipher", "TLS_AES_256_GCM_SHA384")];
    assert_eq!(value_of(&finding, "probe_tls_cipher_info", &cipher), Some(1.0));
    assert_eq!(why(&check(module(true), &target).await), "it answered by TLS, and should not");
    let plain = Server::start(None, Act::ok("hello")).await;
    let wanted = http(HttpCheck { fail_if_not_tls: true, ..HttpCheck::default() });
    assert_eq!(why(&check(wanted, &plain.target()).await), "it answered without TLS, and should not");
    let finding = check(usual(), &target).await;
    assert!(why(&finding).contains("TLS: "), "{}", why(&finding));
    assert_eq!(value(&finding, "probe_http_status_code"), Some(0.0));
}

#[tokio::test]
async fn versions_are_judged() {
    let old = Server::start(None, Act::Answer(b"HTTP/1.0 200 OK\r\n\r\nhello".to_vec())).await;
    let wanted = |version: &str| http(HttpCheck { valid_versions: vec![version.to_owned()], ..HttpCheck::default() });
    let finding = check(wanted("HTTP/1.0"), &old.target()).await;
    assert_good(&finding);
    assert_eq!(
        (value(&finding, "probe_http_version"), value(&finding, "probe_http_content_length")),
        (Some(1.0), Some(-1.0))
    );
    assert!(why(&check(wanted("HTTP/1.1"), &old.target()).await).contains("HTTP/1.0, which is not among those wanted"));
}

#[tokio::test]
async fn hostile_servers_are_left_within_their_bounds() {
    let limited = || http(HttpCheck { body_limit: 100_000, ..HttpCheck::default() });
    for (act, expected) in [
        (Act::Hang(Vec::new()), "not done within"),
        (Act::Hang(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal".to_vec()), "not done within"),
        (Act::say("\x00\x01garbage\r\n\r\n"), "not HTTP/1.1"),
        (Act::Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal".to_vec()), "reading the answer"),
        (Act::Answer(Vec::new()), "closed the connection before its answer was complete"),
        (Act::Endless(b"HTTP/1.1 100 Continue\r\n\r\n"), "not done within"),
        (Act::EndlessAnswer("HTTP/1.1 200 OK\r\n", b"X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"), ""),
        (Act::EndlessAnswer("HTTP/1.1 200 OK\r\n\r\n", &[b'a'; 4096]), "longer than 100000 octets"),
        (Act::EndlessAnswer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"), ""),
    ] {
        let server = Server::start(None, act.clone()).await;
        let is_endless = expected.is_empty() || expected == "not done within";
        let limit = if is_endless { SHORT * 5 } else { LONG };
        let finding = check_within(limit, limited(), &server.target()).await;
        assert!(why(&finding).contains(expected), "{expected} in {}", why(&finding));
    }
}

#[tokio::test]
async fn http2_is_spoken_with_those_who_speak_it() {
    let authority = Authority::new();
    let server = super::server::http2(&authority.sign("localhost")).await;
    let target = format!("https://localhost:{}/a?b", server.port());
    for (http2, method, expected, version) in [
        (true, "GET", "GET /a HTTP/2.0 shop.example", 2.0),
        (true, "POST", "POST /a HTTP/2.0 shop.example", 2.0),
        (false, "GET", "GET /a HTTP/1.1 shop.example", 1.1),
    ] {
        let tls = trusting(&authority).with_server_name("localhost").unwrap();
        let check_it = HttpCheck {
            http2,
            tls,
            method: method.to_owned(),
            headers: vec![("Host".to_owned(), Secret::new("shop.example"))],
            body: Some(Secret::new("x")),
            fail_if_body_not_matches: vec![Regex::new(&format!("^{expected}$")).unwrap()],
            valid_versions: vec![if http2 { "HTTP/2.0" } else { "HTTP/1.1" }.to_owned()],
            reach: crate::Reach { preferred: crate::IpVersion::V4, ..crate::Reach::default() },
            ..HttpCheck::default()
        };
        let finding = check(Prober::Http(Box::new(check_it)), &target).await;
        assert_good(&finding);
        assert_eq!(value(&finding, "probe_http_version"), Some(version));
        assert_eq!(value(&finding, "probe_http_content_length"), Some(expected.len() as f64));
    }
}
