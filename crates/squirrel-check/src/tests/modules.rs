//! Modules files: what is accepted and refused, here and by blackbox_exporter, and what they mean.

use std::process::Command;

use squirrel_testkit::skip;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::server::{Act, Server};
use super::{assert_good, value, value_of, why};
use crate::{BUILT_IN, CheckKind, Checker, ModuleError, Modules, Prober, Wanted};

const PROGRAM: &str = "prometheus-blackbox-exporter";

fn read(text: &str) -> Result<Modules, Vec<String>> {
    let files = |name: &str| match name {
        "secret" => Ok(b"sesame\n".to_vec()),
        _ => Err(format!("{name} is not there")),
    };
    Modules::read(text, &files)
        .map_err(|problems| problems.iter().map(|one| format!("{} {}", one.place, one.message)).collect())
}

/// One module of this kind with these settings.
fn one(kind: &str, settings: &str) -> String {
    format!("modules:\n  a:\n    prober: {kind}\n    {kind}: {{{settings}}}\n")
}

/// What stands in a file, what is wrong with it here (nothing when it is accepted), and whether Debian's
/// blackbox_exporter accepts it.
fn cases() -> Vec<(String, Option<&'static str>, bool)> {
    let whole = |text: &str, wrong, there| (text.to_owned(), wrong, there);
    let of = |kind, settings, wrong, there| (one(kind, settings), wrong, there);
    vec![
        whole("", Some("1:1 the file is empty"), false),
        whole("modules:\n", None, true),
        whole("modules: {}\nx: 1\n", Some("2:1 \"x\" is no field of a modules file"), false),
        whole("modules: [a]\n", Some("1:10 modules is a mapping"), false),
        whole("modules: {a: {prober: tcp}, a: {prober: tcp}}\n", Some("given twice"), false),
        whole("modules:\n\ta: 1\n", Some("no YAML"), false),
        whole("modules: {b: &x {prober: tcp}, a: {<<: *x, timeout: 5s}}\n", None, true),
        whole("modules: {a: {prober: icmp, timeout: 1.5s, tcp: {tls: yes}}}\n", None, true),
        whole("modules: {a: {prober: tcp, http: {x: 1}}}\n", Some("1:35 \"x\" is no field of http"), false),
        whole("modules: {a: {prober: tcp, timeout: 5}}\n", Some("1:37 timeout is a span of time"), false),
        whole("modules: {a: {prober: tcp, timeout: 1d}}\n", Some("timeout is a span of time"), false),
        of("tcp", "tls: 'true'", Some("tls is true or false"), false),
        of("tcp", "tls: 1", Some("tls is true or false"), false),
        of("tcp", "tls: Yes", None, true),
        of("tcp", "query_response: [{expect: a, send: b, starttls: true}, null]", None, true),
        of("tcp", "query_response: {expect: a}", Some("query_response is a list"), false),
        of("tcp", "tls_config: {min_version: TLS13, server_name: a, insecure_skip_verify: true}", None, true),
        of("tcp", "tls_config: {min_version: TLS14}", Some("min_version is TLS12 or TLS13"), false),
        of("http", "valid_status_codes: [200, 0x1F4], valid_http_versions: [HTTP/2.0], method: HEAD", None, true),
        of("http", "valid_status_codes: ['200']", Some("a status is a whole number"), false),
        of("http", "valid_status_codes: 200", Some("valid_status_codes is a list"), false),
        of("http", "headers: {Host: a, X: 5, Y: }, body: x, body_size_limit: 10MB, compression: gzip", None, true),
        of("http", "headers: {a: [b]}", Some("header \"a\" is a text"), false),
        of("http", "body_size_limit: 10", Some("body_size_limit is a number of octets"), false),
        of("http", "compression: gzip, headers: {accept-encoding: br}", Some("Accept-Encoding"), false),
        of("http", "basic_auth: {username: a, password: b}, follow_redirects: false, enable_http2: off", None, true),
        of("http", "basic_auth: {username: a}, bearer_token: x", Some("say twice who asks"), false),
        of("http", "basic_auth: {password: x, password_file: y}", Some("two words for one thing"), false),
        of("http", "authorization: {credentials: x}, bearer_token: y", Some("say twice who asks"), false),
        of("http", "authorization: {type: Basic, credentials: x}", Some("is written as basic_auth"), false),
        of("http", r#"fail_if_body_matches_regexp: ['{"a":1}', '[[]', '\Q(\E']"#, None, true),
        of("http", "fail_if_body_not_matches_regexp: ['(']", Some("4:46 the pattern cannot be read"), false),
        of("http", r"fail_if_body_matches_regexp: ['(a)\1']", Some("the pattern cannot be read"), false),
        of("http", "fail_if_header_matches: [{header: A, regexp: b, allow_missing: true}]", None, true),
        of("http", "fail_if_header_matches: [{header: A}]", Some("needs header: with its name and regexp"), false),
        of("dns", "query_name: a, query_type: MX, query_class: CH, valid_rcodes: [NXDOMAIN]", None, true),
        of("dns", "", Some("dns needs query_name"), false),
        of("dns", "query_name: a, query_type: mx", Some("4:38 query_type: \"mx\" is none"), false),
        of("dns", "query_name: a, query_class: FOO", Some("query_class: \"FOO\" is none"), false),
        of("dns", "query_name: a, validate_answer_rrs: {fail_if_matches_regexp: [x]}", None, true),
        of("dns", "query_name: a, validate_answer_rrs: {fail_if_matches_regexp: x}", Some("is a list"), false),
        of("icmp", "ttl: 5, payload_size: 100, dont_fragment: true, source_ip_address: 127.0.0.1", None, true),
        of("icmp", "ttl: 256", Some("ttl is a number from 0 to 255"), false),
        of("icmp", "ttl: -1", Some("ttl is a number from 0 to 255"), false),
        of("grpc", "service: a, tls: true, preferred_ip_protocol: ip4", None, true),
        of("grpc", "services: a", Some("\"services\" is no field of grpc"), false),
        of("http", "proxy_url: 'http://a'", None, true),
        of("http", "compression: br", None, true),
        of("tcp", "tls_config: {min_version: TLS10}", None, true),
        // Told here when the file is read, there at each probe.
        whole("modules: {a: {}}\n", Some("the module has no prober"), true),
        whole("modules: {a: {prober: ftp}}\n", Some("1:23 \"ftp\" is no prober"), true),
        whole("modules: {a: {prober: dns}}\n", Some("a dns module needs dns:"), true),
        whole("modules: {a: {prober: tcp, timeout: -5s}}\n", Some("above zero"), true),
        of("tcp", "preferred_ip_protocol: ipv4", Some("ip4 or ip6"), true),
        of("tcp", "source_ip_address: here", Some("an address of this machine"), true),
        of("tcp", "tls_config: {ca_file: /nowhere}", Some("/nowhere is not there"), true),
        of("tcp", "tls_config: {cert_file: secret}", Some("go together"), true),
        of("dns", "query_name: a, transport_protocol: sctp", Some("udp or tcp"), true),
        of("dns", "query_name: a, dns_over_tls: true", Some("transport_protocol: tcp"), true),
        of("dns", "query_name: a, valid_rcodes: [FOO]", Some("\"FOO\" is none"), true),
        of("dns", "query_name: a, validate_answer_rrs: {fail_if_matches_regexp: ['(']}", Some("pattern"), true),
        of("http", "compression: zip", Some("compression is gzip"), true),
        of("icmp", "payload_size: -1", Some("payload_size is a number"), true),
        // Of later versions, or of this program's own.
        of("ntp", "max_offset: 100ms, max_stratum: 3", None, false),
        of("http", "body_file: secret", None, false),
        of("tcp", "query_response: [{expect_bytes: a}, {expect: a, labels: [{name: x, value: '${1}'}]}]", None, false),
    ]
}

#[test]
fn files_are_accepted_or_refused_with_the_place() {
    for (text, wrong, _) in cases() {
        match (read(&text), wrong) {
            (Ok(_), None) => {}
            (Err(problems), Some(wrong)) => {
                assert!(problems.iter().any(|one| one.contains(wrong)), "{text}: {wrong} in {problems:?}");
            }
            (result, wrong) => panic!("{text}: {wrong:?}, but {result:?}"),
        }
    }
}

#[test]
fn blackbox_exporter_accepts_and_refuses_the_same() {
    if Command::new(PROGRAM).arg("--version").output().is_err() {
        skip("blackbox_exporter_accepts_and_refuses_the_same", "prometheus-blackbox-exporter is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("modules.yml");
    let built_in = BUILT_IN.replace("  ntp:\n    prober: ntp\n", "");
    for (text, expected) in cases().into_iter().map(|(text, _, there)| (text, there)).chain([(built_in, true)]) {
        std::fs::write(&file, &text).unwrap();
        let checked =
            Command::new(PROGRAM).arg(format!("--config.file={}", file.display())).arg("--config.check").output();
        let checked = checked.unwrap();
        assert_eq!(checked.status.success(), expected, "{text}: {}", String::from_utf8_lossy(&checked.stderr));
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let problems = read("modules:\n  a: {prober: tcp, tcp: {tsl: true}}\n  b: {prober: htp}\n").unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("2:26 ") && problems[1].starts_with("3:15 "), "{problems:?}");
}

#[test]
fn what_there_is_not_takes_the_other_modules_nothing() {
    let text = "modules:\n  rpc: {prober: grpc}\n  old: {prober: tcp, tcp: {tls_config: {min_version: TLS11}}}\n  \
                web: {prober: http, tcp: {tls_config: {min_version: TLS11}}}\n";
    let modules = read(text).unwrap();
    assert_eq!(modules.warnings.len(), 2);
    assert_eq!(modules.warnings[0].place.line, 2);
    assert!(modules.get("web").is_ok(), "a section of another prober");
    let said = |name: &str| modules.get(name).unwrap_err().to_string();
    assert!(said("rpc").starts_with("the module rpc cannot be carried out: there is no prober for gRPC"));
    assert!(said("old").contains("below TLS 1.2"));
    assert_eq!(said("x\u{1b}"), "there is no module \"x\\u{1b}\"; there are old, rpc, web");
}

#[test]
fn those_that_are_there_can_be_carried_out_and_replaced() {
    let modules = read(BUILT_IN).unwrap();
    assert_eq!((modules.warnings.len(), modules.iter().count()), (0, 17));
    assert!(modules.iter().all(|(_, module)| module.is_some()));
    let modules = Modules::built_in().and(read("modules: {http_2xx: {prober: icmp}}").unwrap());
    assert!(matches!(modules.get("http_2xx").unwrap().prober, Prober::Icmp(_)));
    assert!(matches!(modules.get("ntp").unwrap().prober, Prober::Ntp(_)));
    assert!(matches!(Modules::default().get("icmp"), Err(ModuleError::Unknown { .. })));
}

#[test]
fn no_secret_of_a_file_is_in_any_text() {
    let text = one("http", "basic_auth: {username: u, password_file: secret}, headers: {X: sesame}, body: sesame");
    let modules = read(&text).unwrap();
    let shown = format!("{modules:?}");
    assert!(shown.contains("basic_auth") && !shown.contains("sesame"), "{shown}");
    let Prober::Http(check) = &modules.get("a").unwrap().prober else { panic!("http") };
    assert_eq!(
        check.basic_auth.as_ref().map(|(user, password)| (user.as_str(), password.expose())),
        Some(("u", "sesame"))
    );
}

#[tokio::test]
async fn a_conversation_of_the_file_is_carried_out() {
    let server = Server::start(None, Act::Converse(vec!["220 mail.example ESMTP\r\n", "221 bye\r\n"])).await;
    let text = "modules:\n  mail:\n    prober: tcp\n    timeout: 20s\n    tcp:\n      preferred_ip_protocol: ip4\n      \
                query_response:\n      - expect: '^220 ([^ ]+) {0,1}ESMTP'\n        labels: [{name: host, value: '${1}'}]\n        \
                send: \"QUIT ${1}\\r\"\n      - expect: '^221'\n";
    let module = read(text).unwrap().get("mail").unwrap();
    let finding = Checker::new().check(&module, &server.target()).await;
    assert_good(&finding);
    assert_eq!(value_of(&finding, "probe_expect_info", &[("host", "mail.example")]), Some(1.0));
    assert_eq!(value(&finding, "probe_timeout_seconds"), Some(20.0));
    assert_eq!(server.heard(), ["QUIT mail.example\r\n"]);
    let server = Server::start(None, Act::say("220 mail.example\r\n")).await;
    let module = read(&one("tcp", "query_response: [{expect: '^221'}]")).unwrap().get("a").unwrap();
    assert!(why(&Checker::new().check(&module, &server.target()).await).contains("no line matches ^221"));
}

/// A mail server: its greeting, STARTTLS, TLS, and a goodbye. Answers each command with the next of these.
async fn mail(acceptor: tokio_rustls::TlsAcceptor) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220-mail.example\r\n220 ESMTP\r\n").await.unwrap();
        let mut heard = [0; 100];
        for answer in ["250-mail.example\r\n250-STARTTLS\r\n250 SIZE 1000\r\n", "220 go ahead\r\n"] {
            assert!(stream.read(&mut heard).await.unwrap() > 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        let mut stream = acceptor.accept(stream).await.unwrap();
        let read = stream.read(&mut heard).await.unwrap();
        assert!(heard[..read].starts_with(b"EHLO "), "who began TLS says anew who he is");
        stream.write_all(b"250-mail.example\r\n250 AUTH PLAIN\r\n").await.unwrap();
        let read = stream.read(&mut heard).await.unwrap();
        assert_eq!(&heard[..read], b"QUIT\r\n");
    });
    target
}

#[tokio::test]
async fn a_mail_server_is_spoken_with_by_its_own_protocol() {
    let authority = squirrel_testkit::Authority::new();
    let target = mail(authority.sign_until("mail.example", 2_049).acceptor()).await;
    let wanted = Wanted { insecure: true, ..Wanted::of(CheckKind::Smtp, super::LONG) };
    let finding = Checker::new().check(&wanted.module().unwrap(), &target).await;
    assert_good(&finding);
    assert!(finding.log.iter().any(|line| line == "it says: 250-STARTTLS"), "{:?}", finding.log);
    assert_eq!(value(&finding, "probe_ssl_earliest_cert_expiry"), Some(2_508_624_000.0));
}

proptest::proptest! {
    #[test]
    fn any_file_is_survived(text in "modules: \\{a: \\{prober: (http|tcp|dns|icmp|ntp), (http|tcp|dns|icmp): \\{[a-z_]{1,12}: .{0,20}\\}\\}\\}|\\PC{0,60}") {
        let _ = read(&text);
    }
}
