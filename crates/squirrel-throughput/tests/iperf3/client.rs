//! Squirrel's client and iperf3's server.

use squirrel_throughput::protocol::Parameters;
use squirrel_throughput::report::Direction;

use crate::support::{Iperf3, agree, missing, plan, run, settled, tcp, udp};

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
        let bound = parameters.octets().filter(|_| !parameters.reverse);
        let report = settled(
            || {
                let server = Iperf3::serve();
                run(plan(server.port, parameters.clone())).unwrap_or_else(|error| panic!("{name}: {error}"))
            },
            |report| bound.is_none() || report.total(Direction::Sent).is_some_and(|total| total.received == bound),
        );
        assert_eq!(report.error, None, "{name}");
        let both = [Direction::Sent, Direction::Received];
        let totals: Vec<_> = both.into_iter().filter_map(|direction| report.total(direction)).collect();
        assert_eq!(totals.len(), if parameters.bidirectional { 2 } else { 1 }, "{name}");
        for total in totals {
            let (sent, received) = (total.sent.unwrap(), total.received.unwrap());
            assert!(sent > 0 && received > 0, "{name}: {total:?}");
            // What is sent and not received is in buffers of the system, or was lost.
            assert!(agree(sent, received), "{name}: {total:?}");
            if parameters.udp {
                assert!(total.datagrams > 0 && total.jitter >= 0.0, "{name}: {total:?}");
            }
        }
        if bound.is_some() {
            let total = report.total(Direction::Sent).unwrap();
            assert_eq!((total.sent, total.received), (bound, bound), "{name}");
        }
        if parameters.omit > 0 {
            // The first second does not count.
            let total = report.total(Direction::Sent).unwrap();
            let octets_of = |omitted: bool| -> u64 {
                let intervals = report.intervals.iter().filter(|one| one.omitted == omitted);
                intervals.flat_map(|one| &one.lanes).map(|lane| lane.counters.octets).sum()
            };
            assert!(octets_of(true) > 0, "{total:?}");
            assert_eq!(total.sent, Some(octets_of(false)), "{total:?}");
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
        let rate = settled(
            || {
                let server = Iperf3::serve();
                let total = run(plan(server.port, parameters.clone())).unwrap().total(Direction::Sent).unwrap();
                let rate = total.sent.unwrap() as f64 * 8.0 / total.sent_seconds;
                assert!(rate < 44e6, "{rate}");
                rate
            },
            |rate| *rate >= 36e6,
        );
        assert!(rate >= 36e6, "{rate}");
    }
}
