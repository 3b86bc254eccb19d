//! Squirrel's client and iperf3's server.

use squirrel_throughput::protocol::Parameters;
use squirrel_throughput::report::Direction;

use crate::support::{BETWEEN, Iperf3, missing, plan, run, tcp, udp};

type Case = (&'static str, Parameters);

fn modes() -> Vec<Case> {
    vec![
        ("forward", tcp()),
        ("reverse", Parameters { reverse: true, ..tcp() }),
        ("both ways", Parameters { bidirectional: true, ..tcp() }),
        ("parallel", Parameters { parallel: 3, ..tcp() }),
        ("both ways, parallel", Parameters { bidirectional: true, parallel: 2, ..tcp() }),
        ("by octets", Parameters { time: 0, num: 5_000_000, bandwidth: 0, ..tcp() }),
        ("by blocks", Parameters { time: 0, blockcount: 50, len: 10_000, ..tcp() }),
        ("reverse by octets", Parameters { time: 0, num: 5_000_000, bandwidth: 0, reverse: true, ..tcp() }),
        ("omit", Parameters { omit: 1, ..tcp() }),
        (
            "window, segment, class, no delay",
            Parameters { window: 100_000, mss: 1000, tos: 0x28, nodelay: true, ..tcp() },
        ),
        ("congestion control", Parameters { congestion: Some("cubic".into()), ..tcp() }),
        ("datagrams", udp()),
        ("datagrams reverse", Parameters { reverse: true, ..udp() }),
        ("datagrams both ways", Parameters { bidirectional: true, parallel: 2, ..udp() }),
        ("datagrams, 32 bits", Parameters { udp_counters_64bit: 0, len: 1400, ..udp() }),
        ("datagrams by octets", Parameters { time: 0, num: 140_000, len: 1400, ..udp() }),
    ]
}

#[test]
fn every_mode_is_carried_and_both_ends_agree() {
    if let Some(reason) = missing() {
        return squirrel_testkit::skip("every_mode_is_carried_and_both_ends_agree", reason);
    }
    for (name, parameters) in modes() {
        let server = Iperf3::serve();
        let report = run(plan(server.port, parameters.clone())).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(report.error, None, "{name}");
        let both = [Direction::Sent, Direction::Received];
        let totals: Vec<_> = both.into_iter().filter_map(|direction| report.total(direction)).collect();
        assert_eq!(totals.len(), if parameters.bidirectional { 2 } else { 1 }, "{name}");
        for total in totals {
            let (sent, received) = (total.sent.unwrap(), total.received.unwrap());
            assert!(sent > 0 && received > 0, "{name}: {total:?}");
            // What is sent and not received is in buffers of the system, or was lost.
            assert!(sent.abs_diff(received) < BETWEEN, "{name}: {total:?}");
            if parameters.udp {
                assert!(total.datagrams > 0 && total.jitter >= 0.0, "{name}: {total:?}");
            }
        }
        if let (Some(all), false) = (parameters.octets(), parameters.reverse) {
            let total = report.total(Direction::Sent).unwrap();
            assert_eq!((total.sent, total.received), (Some(all), Some(all)), "{name}");
        }
        if parameters.omit > 0 {
            let total = report.total(Direction::Sent).unwrap();
            // The first second does not count: twice as much would have been sent with it.
            assert!((8_000_000..18_000_000).contains(&total.sent.unwrap()), "{total:?}");
            assert!(report.intervals.iter().any(|one| one.omitted) && report.intervals.iter().any(|one| !one.omitted));
        }
        if parameters.congestion.is_some() {
            assert_eq!(report.peer.as_ref().unwrap().congestion_used.as_deref(), Some("cubic"), "{name}");
        }
        assert!(!report.verdicts.is_empty(), "{name}");
    }
}

#[test]
fn a_bitrate_is_kept() {
    if let Some(reason) = missing() {
        return squirrel_testkit::skip("a_bitrate_is_kept", reason);
    }
    for parameters in [Parameters { bandwidth: 40_000_000, ..tcp() }, Parameters { bandwidth: 40_000_000, ..udp() }] {
        let server = Iperf3::serve();
        let report = run(plan(server.port, parameters)).unwrap();
        let total = report.total(Direction::Sent).unwrap();
        let rate = total.sent.unwrap() as f64 * 8.0 / total.sent_seconds;
        assert!((36e6..44e6).contains(&rate), "{rate}");
    }
}
