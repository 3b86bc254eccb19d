//! Time servers that are right, wrong, unwilling, and not asked.

use std::time::Duration;

use squirrel_sys::clock;
use squirrel_wire::ntp::NtpTime;

use super::server::datagrams;
use super::{SHORT, assert_good, check, check_within, value, why};
use crate::{NtpCheck, Prober};

/// An answer of a server whose clock is `ahead` by so many seconds.
fn answer(query: &[u8], ahead: i64, first: u8, stratum: u8) -> Vec<u8> {
    let now = NtpTime::from_unix_nanos(clock::wall_nanos()).0;
    let now = now.wrapping_add_signed(ahead << 32).to_be_bytes();
    let mut packet = vec![0; 48];
    (packet[0], packet[1], packet[3]) = (first, stratum, 0xe9);
    packet[12..16].copy_from_slice(b"RATE");
    packet[24..32].copy_from_slice(&query[40..48]);
    packet[32..40].copy_from_slice(&now);
    packet[40..].copy_from_slice(&now);
    packet
}

#[tokio::test]
async fn the_difference_of_the_clocks_is_told() {
    for ahead in [0, 100, -100] {
        let server = datagrams(move |query| vec![answer(query, ahead, 0x24, 2)]).await;
        let finding = check(Prober::Ntp(NtpCheck::default()), &server.to_string()).await;
        assert_good(&finding);
        let (offset, round_trip) = (
            value(&finding, "probe_ntp_offset_seconds").unwrap(),
            value(&finding, "probe_ntp_round_trip_seconds").unwrap(),
        );
        assert!((offset - ahead as f64).abs() <= round_trip / 2.0 + 1e-3, "{offset} of {ahead} within {round_trip}");
        assert!(round_trip > 0.0 && round_trip < finding.duration.as_secs_f64() + 1e-6);
        assert_eq!((value(&finding, "probe_ntp_stratum"), value(&finding, "probe_ntp_leap")), (Some(2.0), Some(0.0)));
    }
}

#[tokio::test]
async fn bad_servers_are_said_to_be_such() {
    let limits = NtpCheck { most_offset: Some(Duration::from_secs(1)), most_stratum: Some(3), ..NtpCheck::default() };
    for (ahead, first, stratum, expected) in [
        (0, 0xe4, 0, "the server does not want to answer: RATE"),
        (0, 0xe4, 2, "the server itself does not know the time"),
        (0, 0x24, 16, "the server itself does not know the time"),
        (0, 0x24, 4, "its stratum is 4, and at most 3 is wanted"),
        (100, 0x24, 2, "more than 1 s"),
    ] {
        let server = datagrams(move |query| vec![answer(query, ahead, first, stratum)]).await;
        let finding = check(Prober::Ntp(limits.clone()), &server.to_string()).await;
        assert!(why(&finding).contains(expected), "{expected} in {}", why(&finding));
    }
}

#[tokio::test]
async fn made_up_answers_are_passed_over() {
    let server = datagrams(|query| {
        let mut replayed = answer(query, 1_000, 0x24, 1);
        replayed[24..32].copy_from_slice(&[0; 8]);
        vec![replayed, answer(query, 1_000, 0x23, 1), vec![0x24; 47], Vec::new(), answer(query, 0, 0x24, 2)]
    })
    .await;
    let finding = check(Prober::Ntp(NtpCheck::default()), &server.to_string()).await;
    assert_good(&finding);
    // What was made up is a thousand seconds ahead.
    assert!(value(&finding, "probe_ntp_offset_seconds").unwrap().abs() < 100.0);
    let silent = datagrams(|_| Vec::new()).await;
    let finding = check_within(SHORT, Prober::Ntp(NtpCheck::default()), &silent.to_string()).await;
    assert_eq!(why(&finding), "ntp: not done within 0.3 s");
}
