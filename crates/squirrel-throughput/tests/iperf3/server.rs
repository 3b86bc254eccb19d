//! Iperf3's client and Squirrel's server.

use squirrel_throughput::report::Direction;
use squirrel_throughput::{Event, Limits};

use crate::support::{Own, agree, iperf3, missing, settled};

#[test]
fn every_mode_is_served_and_both_ends_agree() {
    if let Some(reason) = missing() {
        return squirrel_testkit::skip("every_mode_is_served_and_both_ends_agree", reason);
    }
    let modes: [&[&str]; 18] = [
        &["-t", "1", "-b", "100M"],
        &["-t", "1", "-R", "-b", "100M"],
        &["-t", "1", "--bidir", "-b", "100M"],
        &["-t", "1", "-P", "3", "-b", "100M"],
        &["-t", "1", "-P", "2", "--bidir", "-b", "100M"],
        &["-n", "5M"],
        &["-k", "50"],
        &["-n", "5M", "-R"],
        &["-t", "1", "-O", "1", "-b", "100M"],
        &["-t", "1", "-b", "50M"],
        &["-t", "1", "-w", "100K", "-M", "1000", "-N", "-S", "0x28", "-b", "100M"],
        &["-t", "1", "-C", "cubic", "-b", "100M"],
        &["-t", "1", "-Z", "-b", "100M"],
        &["-t", "1", "-u", "-b", "20M"],
        &["-t", "1", "-u", "-b", "20M", "-R"],
        &["-t", "1", "-u", "-b", "20M", "--bidir", "-P", "2"],
        &["-t", "1", "-u", "-b", "20M", "--udp-counters-64bit", "-l", "1400"],
        &["-n", "140K", "-u", "-b", "20M", "-l", "1400"],
    ];
    let server = Own::serve(Limits::default());
    let mut carried = Vec::new();
    for arguments in modes {
        let is_bounded = arguments.contains(&"-n") && !arguments.contains(&"-R");
        let document = settled(
            || {
                carried.push(arguments);
                iperf3(server.address, arguments)
            },
            |document| !is_bounded || document["end"]["sum_sent"]["bytes"] == document["end"]["sum_received"]["bytes"],
        );
        assert_eq!(document.get("error"), None, "{arguments:?}");
        let end = &document["end"];
        let reverse = if arguments.contains(&"--bidir") { Some("_bidir_reverse") } else { None };
        for suffix in ["", reverse.unwrap_or_default()] {
            let octets = |end_of: &str| end[format!("{end_of}{suffix}")]["bytes"].as_u64().unwrap();
            let (sent, received) = (octets("sum_sent"), octets("sum_received"));
            assert!(sent > 0 && received > 0, "{arguments:?}{suffix}: {end}");
            assert!(agree(sent, received), "{arguments:?}{suffix}: {sent} {received}");
            if is_bounded {
                assert_eq!(sent, received, "{arguments:?}");
            }
            if arguments.contains(&"-u") {
                assert!(end[format!("sum{suffix}")]["packets"].as_u64().unwrap() > 0, "{arguments:?}");
            }
        }
        if arguments.contains(&"cubic") {
            assert_eq!(end["receiver_tcp_congestion"], "cubic");
        }
        assert!(end["cpu_utilization_percent"]["remote_total"].as_f64().unwrap() > 0.0, "{arguments:?}");
    }
    let events = server.end();
    let reports: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Ended { report, .. } => Some(report),
            _ => None,
        })
        .collect();
    assert_eq!(reports.len(), carried.len(), "{events:?}");
    for (report, arguments) in reports.iter().zip(carried) {
        assert_eq!(report.error, None, "{arguments:?}");
        assert!(report.total(Direction::Received).is_some() != arguments.contains(&"-R"), "{arguments:?}");
    }
}

#[test]
fn ten_clients_are_served_at_once() {
    if let Some(reason) = missing() {
        return squirrel_testkit::skip("ten_clients_are_served_at_once", reason);
    }
    let mut events = Vec::new();
    // All were there before the first had gone. On a busy machine ten clients take their time to start: then they stay
    // longer.
    let at_once = ["2", "10", "30"].into_iter().any(|seconds| {
        events = ten_clients(seconds);
        events.iter().position(|event| !matches!(event, Event::Began { .. })) == Some(10)
    });
    assert!(at_once, "{events:?}");
}

/// Ten clients, every second one with datagrams; what the server told of them.
fn ten_clients(seconds: &str) -> Vec<Event> {
    let server = Own::serve(Limits::default());
    let address = server.address;
    let documents: Vec<_> = std::thread::scope(|scope| {
        let start = |udp: bool| {
            scope.spawn(move || {
                let protocol: &[&str] = if udp { &["-u"] } else { &[] };
                iperf3(address, &[&["-t", seconds, "-b", "5M"], protocol].concat())
            })
        };
        let clients: Vec<_> = (0..10).map(|number| start(number % 2 == 1)).collect();
        clients.into_iter().map(|client| client.join().expect("it ends well")).collect()
    });
    for document in &documents {
        assert_eq!(document.get("error"), None, "{document}");
        // Of the 1,250,000 octets of two seconds a busy machine carries a part.
        assert!(document["end"]["sum_received"]["bytes"].as_u64().is_some_and(|octets| octets > 100_000), "{document}");
    }
    server.end()
}

#[test]
fn limits_are_told_to_the_client() {
    if let Some(reason) = missing() {
        return squirrel_testkit::skip("limits_are_told_to_the_client", reason);
    }
    let short = Limits { duration: std::time::Duration::from_secs(5), rate: 10_000_000, clients: 1, one_off: false };
    let server = Own::serve(short);
    let error = |arguments: &[&str]| iperf3(server.address, arguments)["error"].as_str().unwrap_or_default().to_owned();
    assert!(error(&["-t", "6"]).contains("test duration"), "{}", error(&["-t", "6"]));
    assert!(error(&["-t", "1", "-u", "-b", "20M"]).contains("total required bandwidth"));
    let held_back = iperf3(server.address, &["-n", "2M"]);
    assert!(held_back["end"]["sum_received"]["bits_per_second"].as_f64().unwrap() < 14e6, "{held_back}");
}

#[test]
fn an_end_in_the_middle_of_a_block_is_heard() {
    if let Some(reason) = missing() {
        return squirrel_testkit::skip("an_end_in_the_middle_of_a_block_is_heard", reason);
    }
    // Iperf3 reads whole blocks, and at full speed an end cuts one in about half of the runs.
    let server = Own::serve(Limits::default());
    for _ in 0..10 {
        let document = iperf3(server.address, &["-n", "5M", "-R"]);
        assert_eq!(document.get("error"), None);
    }
}
