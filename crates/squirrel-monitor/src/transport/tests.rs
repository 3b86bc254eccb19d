//! Connections that are told of by hand: phases, errors and guards.

use super::*;
use crate::NetworkConfig;

#[test]
fn errors_are_counted_by_kind_and_again_is_none() {
    let recorder = Recorder::new(&NetworkConfig::default());
    let kinds = [
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::WouldBlock,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::Interrupted,
        io::ErrorKind::Other,
        io::ErrorKind::TimedOut,
        io::ErrorKind::Unsupported,
    ];
    for kind in kinds {
        recorder.record_io_error(kind);
    }
    let told = recorder.transport_metrics().io_errors;
    assert_eq!(told, [("connection_reset", 2), ("timed_out", 1), ("other", 2)]);
}

#[tokio::test(start_paused = true)]
async fn the_phases_of_an_attempt_are_told_apart() {
    let recorder = Recorder::new(&NetworkConfig::default());
    let mut attempt = recorder.begin_connect();
    for (phase, ms) in [(ConnectPhase::Dns, 30), (ConnectPhase::Tcp, 20), (ConnectPhase::Tls, 50)] {
        attempt.enter(phase);
        tokio::time::advance(Duration::from_millis(ms)).await;
    }
    attempt.succeed();
    let told = recorder.transport_metrics().connect_phases;
    let means: Vec<_> = told.iter().map(|phase| (phase.phase.name(), phase.time.mean(), phase.failures)).collect();
    let ms = |ms| Some(Duration::from_millis(ms));
    assert_eq!(means, [("dns", ms(30), 0), ("tcp", ms(20), 0), ("tls", ms(50), 0)]);
    let connections = recorder.connection_metrics();
    assert_eq!(connections.avg_connection_time, Duration::from_millis(100));
    assert_eq!((connections.successful_connections, connections.failed_connections), (1, 0));
}

#[test]
fn requests_are_in_flight_until_their_guard_is_dropped() {
    let recorder = Recorder::new(&NetworkConfig::default());
    let guards = [recorder.begin_request(), recorder.begin_request()];
    assert_eq!(recorder.transport_metrics().requests_in_flight, 2);
    drop(guards);
    let told = recorder.transport_metrics();
    assert_eq!((told.requests, told.requests_in_flight), (2, 0));
}

#[test]
fn wrapped_connections_are_added_to_those_that_are_told() {
    let recorder = Recorder::new(&NetworkConfig::default());
    recorder.update_active_connections(3);
    let wrapped = recorder.open_connection();
    assert_eq!(recorder.connection_metrics().active_connections, 4);
    recorder.update_active_connections(0);
    assert_eq!(recorder.connection_metrics().active_connections, 1);
    drop(wrapped);
    assert_eq!(recorder.connection_metrics().active_connections, 0);
}
