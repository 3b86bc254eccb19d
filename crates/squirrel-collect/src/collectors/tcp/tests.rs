//! Sockets are counted, spread and never named.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use squirrel_testkit::{FakeKernel, Messages};

use super::*;
use crate::testing::check_reading;

/// A socket's message: `inet_diag_msg`, `tcp_info`, and memory with drops.
#[derive(Clone, Copy, Default)]
struct Socket {
    state: u8,
    timer: u8,
    queues: (u32, u32),
    rtt_us: u32,
    min_rtt_us: u32,
    bytes: (u64, u64),
    retrans: u32,
    backoff: u8,
    unacked: u32,
    drops: u32,
}

impl Socket {
    fn message(self) -> Vec<u8> {
        let mut octets = vec![0; 72];
        octets[..3].copy_from_slice(&[AF_INET, self.state, self.timer]);
        octets[56..60].copy_from_slice(&self.queues.0.to_ne_bytes());
        octets[60..64].copy_from_slice(&self.queues.1.to_ne_bytes());
        let mut info = vec![0; 248];
        info[4] = self.backoff;
        info[24..28].copy_from_slice(&self.unacked.to_ne_bytes());
        info[36..40].copy_from_slice(&self.retrans.to_ne_bytes());
        info[68..72].copy_from_slice(&self.rtt_us.to_ne_bytes());
        info[148..152].copy_from_slice(&self.min_rtt_us.to_ne_bytes());
        info[200..208].copy_from_slice(&self.bytes.0.to_ne_bytes());
        info[208..216].copy_from_slice(&self.bytes.1.to_ne_bytes());
        let mut memory = vec![0; 36];
        memory[32..36].copy_from_slice(&self.drops.to_ne_bytes());
        for (kind, value) in [(2u16, info), (7, memory)] {
            octets.extend((value.len() as u16 + 4).to_ne_bytes());
            octets.extend(kind.to_ne_bytes());
            octets.extend(value);
        }
        octets
    }
}

/// A kernel that answers the request for both families with these messages.
fn kernel(messages: Vec<Vec<u8>>) -> FakeKernel {
    FakeKernel::default().on_dump(move |family, kind, payload| {
        assert_eq!((family, kind, payload.len()), (Netlink::SockDiag, TCPDIAG_GETSOCK, 60));
        Ok(messages.iter().map(|octets| (kind, octets.clone())).collect())
    })
}

fn sockets(sockets: &[Socket]) -> FakeKernel {
    kernel(sockets.iter().map(|socket| socket.message()).collect())
}

#[test]
fn every_state_is_counted_and_those_without_sockets_are_zero() {
    let states = [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
    let list = states.map(|state| Socket { state, queues: (10, 1), ..Socket::default() });
    let seen = check_reading(&DESC, &sockets(&list));
    let count = |seen: &crate::testing::Seen, state| seen.value("node_tcp_connection_states", &[("state", state)]);
    assert_eq!(count(&seen, "established"), Some(2.0));
    for state in [
        "syn_sent",
        "syn_recv",
        "fin_wait1",
        "fin_wait2",
        "time_wait",
        "close",
        "close_wait",
        "last_ack",
        "listen",
        "closing",
    ] {
        assert_eq!(count(&seen, state), Some(1.0), "{state}");
    }
    assert_eq!((count(&seen, "rx_queued_bytes"), count(&seen, "tx_queued_bytes")), (Some(120.0), Some(12.0)));
    assert_eq!(count(&check_reading(&DESC, &sockets(&[])), "time_wait"), Some(0.0));
}

#[test]
fn the_spread_shows_the_worst_and_not_the_average() {
    let mut list = vec![Socket { state: 1, rtt_us: 1000, min_rtt_us: 900, bytes: (1000, 0), ..Socket::default() }; 99];
    list.push(Socket { state: 1, rtt_us: 265_000, min_rtt_us: u32::MAX, bytes: (1000, 90), ..Socket::default() });
    // Not established, or without a measurement: not part of the spread.
    list.push(Socket { state: 8, rtt_us: 9_000_000, ..Socket::default() });
    list.push(Socket { state: 1, ..Socket::default() });
    let seen = check_reading(&DESC, &sockets(&list));
    let at = |name: &str, p: &str| seen.value(name, &[("percentile", p)]);
    let near = |got: Option<f64>, want: f64| (got.unwrap() - want).abs() <= want / 128.0;
    assert_eq!(at("squirrel_tcp_round_trip_time_seconds", "100"), Some(0.265));
    assert_eq!(at("squirrel_tcp_round_trip_time_seconds", "0"), Some(0.001));
    assert!(near(at("squirrel_tcp_round_trip_time_seconds", "99"), 0.001));
    assert_eq!(at("squirrel_tcp_min_round_trip_time_seconds", "100"), Some(0.0009));
    assert_eq!(at("squirrel_tcp_retransmitted_ratio", "100"), Some(0.09));
    assert_eq!(at("squirrel_tcp_retransmitted_ratio", "50"), Some(0.0));
}

#[test]
fn without_established_sockets_there_is_no_spread_rather_than_a_false_zero() {
    let seen = check_reading(&DESC, &sockets(&[Socket { state: 10, ..Socket::default() }]));
    assert!(!seen.has("squirrel_tcp_round_trip_time_seconds") && !seen.has("squirrel_tcp_retransmitted_ratio"));
}

#[test]
fn trouble_is_counted_by_its_kind() {
    let open = Socket { state: 1, ..Socket::default() };
    let seen = check_reading(
        &DESC,
        &sockets(&[
            Socket { retrans: 3, drops: 4, ..open },
            Socket { backoff: 2, unacked: 1, ..open },
            // Keep-alive probes back off too, with nothing on the way.
            Socket { backoff: 2, timer: 2, ..open },
            Socket { timer: 4, ..open },
            Socket { state: 10, queues: (3, 2), drops: 2, ..open },
            Socket { state: 10, queues: (1, 127), ..open },
        ]),
    );
    let value = |name: &str| seen.value(&format!("squirrel_tcp_{name}"), &[]);
    assert_eq!(value("retransmitting_sockets"), Some(1.0));
    assert_eq!(value("backing_off_sockets"), Some(1.0));
    assert_eq!(value("zero_window_sockets"), Some(1.0));
    assert_eq!(value("socket_drops"), Some(6.0));
    assert_eq!(value("accept_queue_connections"), Some(4.0));
    assert_eq!((value("accept_queue_fill_ratio"), value("full_listeners")), (Some(1.0), Some(1.0)));
}

#[test]
fn older_kernels_tell_less_and_cut_messages_are_a_fault() {
    let whole = Socket { state: 1, rtt_us: 5, bytes: (10, 1), ..Socket::default() }.message();
    // A tcp_info of 104 octets, as Linux 4.1 sent it.
    let mut old = whole[..72 + 4 + 104].to_vec();
    old[72..74].copy_from_slice(&108u16.to_ne_bytes());
    let seen = check_reading(&DESC, &kernel(vec![old, whole[..40].to_vec()]));
    assert_eq!(seen.value("squirrel_tcp_round_trip_time_seconds", &[("percentile", "100")]), Some(0.000_005));
    assert!(!seen.has("squirrel_tcp_retransmitted_ratio") && !seen.has("squirrel_tcp_min_round_trip_time_seconds"));
    assert_eq!(seen.batch.faults.len(), 1);
    assert_eq!(seen.value("node_tcp_connection_states", &[("state", "established")]), Some(1.0));
}

#[test]
fn a_kernel_without_the_older_request_is_asked_for_each_family() {
    let socket = |state| (SOCK_DIAG_BY_FAMILY, Socket { state, ..Socket::default() }.message());
    let kernel = FakeKernel::default().on_dump(move |_, kind, payload| match (kind, payload[0]) {
        (SOCK_DIAG_BY_FAMILY, AF_INET) => Ok(vec![socket(1), socket(10)]),
        (SOCK_DIAG_BY_FAMILY, AF_INET6) => Ok(vec![socket(1)]),
        _ => Err(io::Error::from_raw_os_error(95)),
    });
    let seen = check_reading(&DESC, &kernel);
    assert_eq!(seen.value("node_tcp_connection_states", &[("state", "established")]), Some(2.0));
    assert_eq!(seen.value("node_tcp_connection_states", &[("state", "listen")]), Some(1.0));
}

#[test]
fn a_kernel_without_sock_diag_is_told_what_it_lacks() {
    let why = (DESC.open)(&FakeKernel::default()).err().unwrap().to_string();
    assert!(why.contains("modprobe tcp_diag"), "{why}");
}

#[test]
fn a_failed_dump_gives_a_fault_and_no_half_counts() {
    let opened = AtomicBool::new(false);
    let kernel = FakeKernel::default().on_dump(move |_, _, _| {
        if opened.swap(true, Ordering::Relaxed) { Err(io::Error::from_raw_os_error(105)) } else { Ok(Messages::new()) }
    });
    let mut collector = (DESC.open)(&kernel).unwrap();
    let mut batch = Batch::default();
    collector.collect(&kernel, Elapsed::default(), &mut batch);
    assert_eq!((batch.rows.len(), batch.faults.len()), (0, 1));
}

proptest! {
    #[test]
    fn any_octets_survive(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..4), state: u8) {
        let mut messages = messages;
        for message in &mut messages {
            if let [family, at, ..] = &mut message[..] {
                (*family, *at) = (AF_INET, state % 14);
            }
        }
        check_reading(&DESC, &kernel(messages));
    }
}
