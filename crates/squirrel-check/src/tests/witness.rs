//! blackbox_exporter as a witness: the same names, labels and values on the same servers.

use std::collections::{BTreeMap, BTreeSet};

use squirrel_testkit::{Authority, Peer, skip};

use super::server::{Act, Server, datagrams};
use crate::{Checker, Finding, Modules};

/// What measures time, and so differs from run to run.
const TIMES: [&str; 6] = [
    "probe_duration_seconds",
    "probe_dns_lookup_time_seconds",
    "probe_http_duration_seconds",
    "probe_dns_duration_seconds",
    "probe_icmp_duration_seconds",
    "probe_timeout_seconds",
];

/// Metrics that came after the version that Debian has.
const NEWER: [&str; 3] = ["probe_timeout_seconds", "probe_failed_due_to_bytes", "probe_tls_cipher_info"];

/// Metrics of the exporter by name and labels.
async fn probe(exporter: &Peer, module: &str, target: &str) -> BTreeMap<String, f64> {
    let url = format!("http://127.0.0.1:{}/probe?module={module}&target={target}", exporter.port());
    let to = squirrel_outbound::Destination::parse(&url).unwrap().with_timeout(super::LONG);
    let answer = squirrel_outbound::Client::new().send(&to, squirrel_outbound::Request::get()).await.unwrap();
    read(&String::from_utf8(answer.body).unwrap())
}

fn read(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

/// Ours in the same form.
fn rows(finding: &Finding) -> BTreeMap<String, f64> {
    let mut text = String::new();
    squirrel_model::exposition::write_batch(&mut text, &finding.batch);
    read(&text)
}

fn metric_of(row: &str) -> &str {
    row.split('{').next().unwrap()
}

fn assert_same(what: &str, ours: &BTreeMap<String, f64>, theirs: &BTreeMap<String, f64>) {
    let names = |rows: &BTreeMap<String, f64>| -> BTreeSet<String> {
        rows.keys().filter(|row| !NEWER.contains(&metric_of(row))).cloned().collect()
    };
    // Debian's version does not tell a certificate's number.
    let older = |rows: BTreeSet<String>| -> BTreeSet<String> {
        let number = regex::Regex::new(",?serialnumber=\"[^\"]*\"").unwrap();
        rows.into_iter().map(|row| number.replace(&row, "").replace("{,", "{")).collect()
    };
    assert_eq!(older(names(ours)), older(names(theirs)), "{what}");
    for (row, theirs) in theirs {
        let is_comparable = !TIMES.contains(&metric_of(row)) && ours.contains_key(row);
        assert!(!is_comparable || ours[row] == *theirs, "{what}: {row} is {} here and {theirs} there", ours[row]);
    }
}

/// An answer with an address and a mail server.
fn address_record(query: &[u8]) -> Vec<u8> {
    let mut octets = query.to_vec();
    octets[2] |= 0x80;
    octets[7] = 2;
    for (kind, data) in [(1, &[192, 0, 2, 1][..]), (15, b"\x00\x0a\x04mail\xc0\x0c")] {
        octets.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()]);
        octets.extend(data);
    }
    octets
}

#[tokio::test(flavor = "multi_thread")]
async fn names_labels_and_values_are_those_of_the_exporter() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    let modules = format!(
        r#"modules:
  http: {{prober: http, timeout: 60s, http: {{preferred_ip_protocol: ip4, tls_config: {{ca_file: {roots}}}}}}}
  http_body: {{prober: http, timeout: 60s, http: {{preferred_ip_protocol: ip4, fail_if_body_matches_regexp: [hello]}}}}
  http1: {{prober: http, timeout: 60s, http: {{preferred_ip_protocol: ip4, enable_http2: false, tls_config: {{ca_file: {roots}}}}}}}
  icmp: {{prober: icmp, timeout: 60s, icmp: {{preferred_ip_protocol: ip4, ttl: 7}}}}
  tcp: {{prober: tcp, timeout: 60s, tcp: {{preferred_ip_protocol: ip4}}}}
  banner: {{prober: tcp, timeout: 60s, tcp: {{query_response: [{{expect: "^SSH-(.*)"}}]}}}}
  tls: {{prober: tcp, timeout: 60s, tcp: {{preferred_ip_protocol: ip4, tls: true, tls_config: {{ca_file: {roots}}}}}}}
  dns: {{prober: dns, timeout: 60s, dns: {{query_name: example.org, query_type: MX}}}}
"#,
        roots = roots.display()
    );
    let exporter = match Peer::blackbox_exporter(&modules) {
        Ok(exporter) => exporter,
        Err(reason) => return skip("names_labels_and_values_are_those_of_the_exporter", &reason),
    };
    let plain = Server::start(None, Act::ok("hello")).await;
    let identity = authority.sign_until("localhost", 2_049);
    let secure = Server::start(Some(identity.acceptor()), Act::ok("hello")).await;
    let second = super::server::http2(&identity).await;
    let ssh = Server::start(None, Act::say("SSH-2.0-x\r\n")).await;
    let busy = Server::start(None, Act::Answer(b"HTTP/1.1 503 Busy\r\n\r\nhello".to_vec())).await;
    let there = Server::start(None, Act::redirect(302, &format!("http://{}/", plain.target()))).await;
    let names = datagrams(|query| vec![address_record(query)]).await.to_string();
    let secure_url = format!("https://localhost:{}/", secure.address.port());
    let secure_target = format!("localhost:{}", secure.address.port());
    let files = |name: &str| std::fs::read(name).map_err(|error| error.to_string());
    let ours = Modules::read(&modules, &files).unwrap();
    for (what, module, target) in [
        ("a page", "http", plain.target()),
        ("a page by TLS", "http", secure_url),
        ("a page by HTTP/2", "http", format!("https://localhost:{}/", second.port())),
        ("a page by HTTP/1.1 though HTTP/2 is spoken", "http1", format!("https://localhost:{}/", second.port())),
        ("an error", "http", busy.target()),
        ("a redirect", "http", there.target()),
        ("an unwanted body", "http_body", plain.target()),
        ("a connection", "tcp", ssh.target()),
        ("a banner", "banner", ssh.target()),
        ("TLS", "tls", secure_target),
        ("names", "dns", names),
        ("an echo", "icmp", "127.0.0.1".to_owned()),
    ] {
        let ours = Checker::new().check(&ours.get(module).unwrap(), &target).await;
        assert_same(what, &rows(&ours), &probe(&exporter, module, &target).await);
    }
}
