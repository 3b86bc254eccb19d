//! Checks of real servers on the loopback interface, good ones and hostile ones.

mod dns;
mod http;
mod icmp;
mod modules;
mod ntp;
mod plugin;
pub(crate) mod server;
mod tcp;
mod witness;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use squirrel_outbound::{AddressRules, Resolve, Resolving, TlsOptions};
use squirrel_testkit::Authority;

use crate::{Checker, Finding, IpVersion, Module, Prober, Reach, TcpCheck};

/// A time that no good answer on loopback needs.
const LONG: Duration = Duration::from_mins(1);
/// A time that a server which hangs lets pass.
const SHORT: Duration = Duration::from_millis(300);

async fn check(prober: Prober, target: &str) -> Finding {
    check_within(LONG, prober, target).await
}

async fn check_within(timeout: Duration, prober: Prober, target: &str) -> Finding {
    Checker::new().check(&Module { timeout, prober }, target).await
}

fn trusting(authority: &Authority) -> TlsOptions {
    TlsOptions::new().with_roots(authority.pem().as_bytes()).unwrap().without_system_roots()
}

/// The value of a metric; `labels` are looked for among its own.
fn value_of(finding: &Finding, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let is_it = |row: &&squirrel_model::Row| {
        row.metric.name == name && labels.iter().all(|(name, value)| row.labels.get(name) == Some(*value))
    };
    finding.batch.rows.iter().find(is_it).map(|row| row.value)
}

fn value(finding: &Finding, name: &str) -> Option<f64> {
    value_of(finding, name, &[])
}

/// The last line, which says why it failed.
fn why(finding: &Finding) -> &str {
    assert!(!finding.success, "{:?}", finding.log);
    assert_eq!(value(finding, "probe_success"), Some(0.0));
    finding.log.last().map_or("", String::as_str)
}

fn assert_good(finding: &Finding) {
    assert!(finding.success, "{:?}", finding.log);
    assert_eq!(value(finding, "probe_success"), Some(1.0));
    assert_eq!(value(finding, "probe_duration_seconds"), Some(finding.duration.as_secs_f64()));
}

#[tokio::test]
async fn addresses_that_are_not_allowed_are_not_connected_to() {
    let server = server::Server::start(None, server::Act::say("hello\r\n")).await;
    let checker = Checker::new().with_rules(AddressRules::public());
    for target in [server.target(), format!("localhost:{}", server.address.port())] {
        let module = Module { timeout: LONG, prober: Prober::Tcp(Box::default()) };
        let finding = checker.check(&module, &target).await;
        assert!(why(&finding).contains("to which nothing is sent from here"), "{:?}", finding.log);
    }
    for target in ["169.254.169.254:80", "[::ffff:169.254.169.254]:80"] {
        let finding = check(Prober::Tcp(Box::default()), target).await;
        assert!(why(&finding).contains("where clouds give credentials"), "{:?}", finding.log);
    }
    assert_eq!(server.connections(), 0);
}

/// Answers each name with addresses of both versions, but `old` with IPv4's alone.
struct Both;

impl Resolve for Both {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        let all: [IpAddr; 2] = ["::1", "127.0.0.1"].map(|text| text.parse().unwrap());
        let known = all.into_iter().filter(move |address| host != "old" || address.is_ipv4());
        Box::pin(async move { Ok(known.map(|address| (address, port).into()).collect()) })
    }
}

#[tokio::test]
async fn a_version_that_is_asked_for_stands_above_what_a_module_prefers() {
    let server = server::Server::start(None, server::Act::say("hello\r\n")).await;
    let checker = |version| Checker::new().with_resolver(Arc::new(Both)).only_by(version);
    let reach = Reach { preferred: IpVersion::V6, ..Reach::default() };
    let module = Module { timeout: LONG, prober: Prober::Tcp(Box::new(TcpCheck { reach, ..TcpCheck::default() })) };
    let old = format!("old:{}", server.address.port());
    let new = format!("new:{}", server.address.port());
    for (version, target, expected) in [
        (None, &new, 6.0),
        (None, &old, 4.0),
        (Some(IpVersion::V4), &new, 4.0),
        (Some(IpVersion::V4), &old, 4.0),
        (Some(IpVersion::V6), &new, 6.0),
    ] {
        let finding = checker(version).check(&module, target).await;
        assert_eq!(value(&finding, "probe_ip_protocol"), Some(expected), "{version:?} {target}");
        assert_eq!(finding.success, expected < 5.0, "the server is at IPv4 alone: {:?}", finding.log);
    }
    for target in [old, server.target()] {
        let finding = checker(Some(IpVersion::V6)).check(&module, &target).await;
        assert!(why(&finding).ends_with("has no address of IPv6"), "{:?}", finding.log);
    }
}

#[test]
fn no_secret_is_in_any_text() {
    let secret = || squirrel_outbound::Secret::new("sesame");
    let http = crate::HttpCheck {
        headers: vec![("X-Key".to_owned(), secret())],
        basic_auth: Some(("user".to_owned(), secret())),
        authorization: Some(secret()),
        body: Some(secret()),
        ..crate::HttpCheck::default()
    };
    let said = crate::Exchange { send: "PASS sesame".to_owned(), ..crate::Exchange::default() };
    let text = format!("{http:?} {said:?}");
    assert!(text.contains("X-Key") && !text.contains("sesame"), "{text}");
}

#[test]
fn each_metric_says_what_it_is_for() {
    for metric in crate::METRICS {
        assert!(metric.name.starts_with("probe_"), "{}", metric.name);
        assert!(!metric.help.is_empty() && !metric.why.is_empty() && !metric.check.is_empty(), "{}", metric.name);
    }
}
