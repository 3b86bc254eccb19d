//! Squirrel at both ends: what iperf3 does not have.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use squirrel_testkit::skip;
use squirrel_throughput::latency::Source;
use squirrel_throughput::protocol::Parameters;
use squirrel_throughput::report::Direction;
use squirrel_throughput::verdict::Limit;
use squirrel_throughput::{Client, Echo, Limits, Plan, Stop};

use crate::support::{Iperf3, Own, missing, plan, run, settled, tcp, udp};

#[test]
fn latency_is_measured_idle_and_loaded() {
    let server = Own::serve(Limits::default());
    let report = run(Plan { latency: true, ..plan(server.address.port(), tcp()) }).unwrap();
    let latency = report.latency.expect("latency was measured");
    assert_eq!((latency.source, report.error), (Source::Server, None));
    assert!(latency.idle.is_some() && latency.answered > 0 && latency.rpm > 0.0, "{latency:?}");
}

#[test]
fn a_server_of_iperf3_is_asked_by_the_given_echo() {
    if let Some(reason) = missing() {
        return skip("a_server_of_iperf3_is_asked_by_the_given_echo", reason);
    }
    let server = Iperf3::serve();
    let wanted = Plan { latency: true, ..plan(server.port, tcp()) };
    let echo: Echo = Box::new(|_, _| Some(Duration::from_millis(3)));
    let report = Client::new(wanted, Arc::new(Stop::default()), Some(echo)).run(&mut |_| {}, &mut |_| {}).unwrap();
    let latency = report.latency.expect("latency was measured");
    assert_eq!((latency.source, latency.idle), (Source::Icmp, Some(Duration::from_millis(3))));
    drop(server);
    let server = Own::serve(Limits::default());
    assert_eq!(run(plan(server.address.port(), tcp())).unwrap().latency, None, "nobody asked for it");
}

#[test]
fn datagrams_that_the_receiver_did_not_fetch_are_its_own_loss() {
    let server = Own::serve(Limits::default());
    // A buffer of a few datagrams, and many at once: the receiving thread cannot be there for each.
    let parameters = Parameters { bandwidth: 0, window: 2304, len: 1000, parallel: 2, ..udp() };
    let report = run(plan(server.address.port(), parameters)).unwrap();
    let (_, verdict) = &report.verdicts[0];
    assert_eq!(verdict.limit, Limit::ReceiverSocket, "{verdict:?}");
    let drops = report.peer.unwrap().squirrel.unwrap().socket_drops;
    assert!(drops > 0);
}

#[test]
fn every_way_works_with_ipv6_and_from_a_given_address() {
    let server = Own::serve_on("[::]:0", Limits::default(), None);
    for (host, source) in [("::1", "::1"), ("127.0.0.1", "127.0.0.2")] {
        for parameters in [tcp(), Parameters { bidirectional: true, ..udp() }] {
            let plan = Plan {
                host: host.into(),
                source: Some(source.parse().unwrap()),
                zero_copy: true,
                ..plan(server.address.port(), Parameters { tos: 0x28, ..parameters })
            };
            let report = run(plan).unwrap_or_else(|error| panic!("{host}: {error}"));
            assert_eq!(report.error, None, "{host}");
            assert_eq!(report.start.connected[0].1.unwrap().ip().to_string(), source);
            assert!(report.total(Direction::Sent).unwrap().received.unwrap() > 0, "{host}");
        }
    }
}

#[test]
fn offloaded_datagrams_are_counted_one_by_one() {
    let server = Own::serve(Limits::default());
    let parameters = Parameters { time: 0, num: 1_000_000, len: 1000, bandwidth: 40_000_000, ..udp() };
    let total = settled(
        || {
            let report = run(plan(server.address.port(), parameters.clone())).unwrap();
            let total = report.total(Direction::Sent).unwrap();
            assert_eq!((total.datagrams, total.sent), (1000, Some(1_000_000)), "{total:?}");
            total
        },
        |total| total.received.unwrap() + total.lost * 1000 == 1_000_000,
    );
    assert_eq!(total.received.unwrap() + total.lost * 1000, 1_000_000, "{total:?}");
}

#[test]
fn an_interrupt_gives_what_there_is() {
    let server = Own::serve(Limits::default());
    let stop = Arc::new(Stop::default());
    let when = stop.clone();
    let wanted = plan(server.address.port(), Parameters { time: 60, bandwidth: 8_000_000, ..tcp() });
    let report = Client::new(wanted, stop, None).run(&mut |_| {}, &mut |_| when.set()).unwrap();
    assert!(report.interrupted && report.intervals.len() <= 3);
    assert!(report.total(Direction::Sent).unwrap().sent.unwrap() > 0);
    assert_eq!(report.document("", "")["error"], "interrupt - the client has terminated by signal");
}

#[test]
fn a_port_in_use_is_said_in_words() {
    let server = Own::serve(Limits::default());
    let again = squirrel_throughput::Server::bind(server.address, Limits::default(), None, Arc::new(Stop::default()));
    let text = again.err().expect("the port is in use").to_string();
    assert!(text.contains("in use") && !text.contains("os error"), "{text}");
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = run(plan(nobody, tcp())).unwrap_err().to_string();
    assert!(text.contains("refused") && !text.contains("os error"), "{text}");
}
