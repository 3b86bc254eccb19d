//! Echoes of this machine, and of hosts that do not answer.

use squirrel_sys::NetworkNamespace;
use squirrel_testkit::{Namespace, skip};

use super::{LONG, SHORT, assert_good, check, check_within, value, value_of, why};
use crate::{Finding, IcmpCheck, IpVersion, Prober, Reach};

const NEEDED: &str = "echoes need net.ipv4.ping_group_range or CAP_NET_RAW";

/// Whether this user may not send echoes.
fn is_refused(finding: &Finding) -> bool {
    finding.log.iter().any(|line| line.contains("may not send echoes"))
}

fn v4(payload: usize) -> Prober {
    let reach = Reach { preferred: IpVersion::V4, ..Reach::default() };
    Prober::Icmp(IcmpCheck { reach, payload, ..IcmpCheck::default() })
}

#[tokio::test]
async fn a_host_answers_and_its_phases_are_told() {
    for (target, version) in [("127.0.0.1", 4.0), ("localhost", 4.0), ("[::1]", 6.0), ("::1", 6.0)] {
        let finding = check(v4(28), target).await;
        if is_refused(&finding) {
            skip("a_host_answers_and_its_phases_are_told", NEEDED);
            return;
        }
        assert_good(&finding);
        assert_eq!(value(&finding, "probe_ip_protocol"), Some(version), "{target}");
        assert_eq!(value(&finding, "probe_icmp_reply_hop_limit"), Some(64.0), "{target}");
        let phase = |name| value_of(&finding, "probe_icmp_duration_seconds", &[("phase", name)]).unwrap();
        let (setup, rtt) = (phase("setup"), phase("rtt"));
        assert!(rtt > 0.0 && setup > 0.0, "{setup} {rtt}");
        assert!(phase("resolve") + setup + rtt <= finding.duration.as_secs_f64() + 1e-3);
    }
}

#[tokio::test]
async fn the_largest_payload_is_carried() {
    let finding = check(v4(65_507), "127.0.0.1").await;
    if is_refused(&finding) {
        skip("the_largest_payload_is_carried", NEEDED);
    } else {
        assert_good(&finding);
    }
}

/// In a namespace whose only way leads back to itself, which takes nothing for its own.
#[test]
fn who_does_not_answer_is_waited_for_no_longer_than_said() {
    let namespace = match Namespace::create("silent") {
        Ok(namespace) => namespace,
        Err(reason) => return skip("who_does_not_answer_is_waited_for_no_longer_than_said", &reason),
    };
    namespace.ip(&["route", "add", "192.0.2.1", "dev", "lo"]).unwrap();
    let mut inside = NetworkNamespace::found(namespace.inode().unwrap(), Some(namespace.name().to_owned()), None);
    inside.hold().unwrap();
    let look = |timeout| {
        inside.run(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            Ok(runtime.block_on(check_within(timeout, v4(28), "192.0.2.1")))
        })
    };
    let finding = look(SHORT).unwrap();
    assert!(["192.0.2.1 did not answer", "icmp: not done within 0.3 s"].contains(&why(&finding)), "{finding:?}");
    assert!(finding.duration < LONG, "{finding:?}");
    assert_eq!(value_of(&finding, "probe_icmp_duration_seconds", &[("phase", "rtt")]), Some(0.0));
    assert_eq!(value(&finding, "probe_icmp_reply_hop_limit"), None);
    namespace.ip(&["route", "replace", "prohibit", "192.0.2.1"]).unwrap();
    let finding = look(LONG).unwrap();
    assert!(why(&finding).starts_with("192.0.2.1: this host cannot send it"), "{}", why(&finding));
}

#[tokio::test]
async fn what_is_no_host_or_not_ours_is_said() {
    for (target, expected) in [("127.0.0.1:80", "is no host"), ("", "is no host"), ("http://a/", "is no host")] {
        let finding = check_within(LONG, v4(28), target).await;
        assert!(why(&finding).contains(expected), "{target}: {}", why(&finding));
    }
    let reach = Reach { source: Some("192.0.2.1".parse().unwrap()), preferred: IpVersion::V4, ..Reach::default() };
    let finding = check(Prober::Icmp(IcmpCheck { reach, ..IcmpCheck::default() }), "127.0.0.1").await;
    if is_refused(&finding) {
        skip("what_is_no_host_or_not_ours_is_said", NEEDED);
    } else {
        assert!(why(&finding).contains("this host does not have it"), "{}", why(&finding));
    }
}
