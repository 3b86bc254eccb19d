//! Name servers over each transport, those that lie, and those that make no sense.

use regex::bytes::Regex;
use squirrel_testkit::Authority;
use squirrel_wire::dns::{Class, Rcode, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::server::datagrams;
use super::{SHORT, assert_good, check, check_within, trusting, value, value_of, why};
use crate::tls::Stream;
use crate::{DnsCheck, DnsTransport, Prober, RecordRules};

fn dns(check: DnsCheck) -> Prober {
    Prober::Dns(Box::new(check))
}

fn of(record_type: u16) -> DnsCheck {
    DnsCheck::of("Example.org", RecordType(record_type))
}

/// An answer with records, each with its section (0 to 2), type and data.
fn answer(query: &[u8], rcode: u8, records: &[(usize, u8, &[u8])]) -> Vec<u8> {
    let mut octets = query.to_vec();
    octets[2] |= 0x80;
    octets[3] = 0x80 | rcode;
    for (section, record_type, data) in records {
        octets[7 + 2 * section] += 1;
        octets.extend([0xc0, 12, 0, *record_type, 0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()]);
        octets.extend(*data);
    }
    octets
}

fn two_addresses(query: &[u8]) -> Vec<u8> {
    answer(query, 0, &[(0, 1, &[192, 0, 2, 1]), (0, 1, &[192, 0, 2, 2]), (1, 2, &[0xc0, 12]), (2, 16, b"\x02hi")])
}

#[tokio::test]
async fn an_answer_is_counted_by_its_parts() {
    let server = datagrams(|query| vec![two_addresses(query)]).await;
    let finding = check(dns(of(1)), &server.to_string()).await;
    assert_good(&finding);
    for (name, expected) in [
        ("probe_dns_answer_rrs", 2.0),
        ("probe_dns_authority_rrs", 1.0),
        ("probe_dns_additional_rrs", 1.0),
        ("probe_dns_query_succeeded", 1.0),
    ] {
        assert_eq!(value(&finding, name), Some(expected), "{name}");
    }
    assert!(value_of(&finding, "probe_dns_duration_seconds", &[("phase", "request")]).unwrap() > 0.0);
    assert!(finding.log.iter().any(|line| line == "answer: Example.org. 60 IN A 192.0.2.1"), "{:?}", finding.log);
}

#[tokio::test]
async fn the_serial_of_a_zone_is_told() {
    let soa = [&[0, 0][..], &2_026_112_101_u32.to_be_bytes(), &[0; 16]].concat();
    let server = datagrams(move |query| vec![answer(query, 0, &[(0, 6, &soa)])]).await;
    let finding = check(dns(of(6)), &server.to_string()).await;
    assert_eq!(value(&finding, "probe_dns_serial"), Some(2_026_112_101.0));
}

#[tokio::test]
async fn outcomes_and_records_are_judged() {
    let refused = datagrams(|query| vec![answer(query, 3, &[])]).await.to_string();
    let finding = check(dns(of(1)), &refused).await;
    assert_eq!(why(&finding), "it answered NXDOMAIN, which is not among those wanted");
    assert_eq!(value(&finding, "probe_dns_query_succeeded"), Some(1.0));
    assert_good(&check(dns(DnsCheck { valid_rcodes: vec![Rcode(3)], ..of(1) }), &refused).await);
    let good = datagrams(|query| vec![two_addresses(query)]).await.to_string();
    let pattern = |text: &str| vec![Regex::new(text).unwrap()];
    let none = RecordRules::default;
    for (rules, expected) in [
        (RecordRules { fail_if_matches: pattern("192.0.2.2$"), ..none() }, Some("matches 192.0.2.2$")),
        (RecordRules { fail_if_matches: pattern("\tAAAA\t"), ..none() }, None),
        (
            RecordRules { fail_if_not_matches: pattern("192.0.2.1$"), ..none() },
            Some("192.0.2.2 does not match 192.0.2.1$"),
        ),
        (RecordRules { fail_if_not_matches: pattern("\tIN\tA\t192.0.2"), ..none() }, None),
        (RecordRules { fail_if_all_match: pattern("192.0.2"), ..none() }, None),
        (RecordRules { fail_if_all_match: pattern("192.0.2.1"), ..none() }, Some("does not match")),
        (RecordRules { fail_if_none_matches: pattern("192.0.2.1"), ..none() }, None),
        (RecordRules { fail_if_none_matches: pattern("192.0.2.9"), ..none() }, Some("answer records: none matches")),
    ] {
        let finding = check(dns(DnsCheck { rules: [rules, none(), none()], ..of(1) }), &good).await;
        match expected {
            None => assert_good(&finding),
            Some(expected) => assert!(why(&finding).contains(expected), "{expected} in {}", why(&finding)),
        }
    }
    let wanted = RecordRules { fail_if_none_matches: pattern("."), ..none() };
    let empty = datagrams(|query| vec![answer(query, 0, &[])]).await.to_string();
    let finding = check(dns(DnsCheck { rules: [none(), none(), wanted], ..of(1) }), &empty).await;
    assert_eq!(why(&finding), "additional records: there are none, and some have to match");
}

#[tokio::test]
async fn made_up_answers_are_passed_over() {
    let server = datagrams(|query| {
        let (mut wrong_id, mut wrong_name, mut question) = (two_addresses(query), two_addresses(query), query.to_vec());
        wrong_id[0] ^= 1;
        wrong_name[13] ^= 1;
        question.truncate(query.len());
        vec![wrong_id, wrong_name, question, b"x".to_vec(), Vec::new(), answer(query, 0, &[(0, 1, &[192, 0, 2, 9])])]
    })
    .await;
    let finding = check(dns(of(1)), &server.to_string()).await;
    assert_good(&finding);
    assert_eq!(value(&finding, "probe_dns_answer_rrs"), Some(1.0));
    let liar = datagrams(|query| {
        let mut wrong = two_addresses(query);
        wrong[0] ^= 1;
        vec![wrong; 120]
    })
    .await;
    assert!(!check_within(SHORT * 5, dns(of(1)), &liar.to_string()).await.success);
}

#[tokio::test]
async fn hostile_answers_are_said_to_be_such() {
    let silent = datagrams(|_| Vec::new()).await;
    assert_eq!(why(&check_within(SHORT, dns(of(1)), &silent.to_string()).await), "dns: not done within 0.3 s");
    let looping = datagrams(|query| {
        let at = u8::try_from(query.len() + 12).unwrap();
        vec![answer(query, 0, &[(0, 5, &[0xc0, at])])]
    })
    .await;
    let finding = check(dns(of(5)), &looping.to_string()).await;
    assert!(why(&finding).starts_with("the answer cannot be read: "), "{}", why(&finding));
    let lying = datagrams(|query| {
        let mut octets = two_addresses(query);
        octets[6] = 0xff;
        vec![octets]
    })
    .await;
    assert!(why(&check(dns(of(1)), &lying.to_string()).await).starts_with("the answer cannot be read: "));
    let cut = datagrams(|query| {
        let mut octets = two_addresses(query);
        octets[2] |= 2;
        octets.truncate(query.len() + 20);
        vec![octets]
    })
    .await;
    let finding = check(dns(of(1)), &cut.to_string()).await;
    assert_good(&finding);
    assert_eq!(value(&finding, "probe_dns_answer_rrs"), Some(1.0));
    let finding = check(dns(DnsCheck::of("a..b", RecordType(1))), "127.0.0.1:1").await;
    assert!(why(&finding).contains("no name that DNS could have"));
}

/// Answers one question on a stream, in pieces of one octet when `slow`.
async fn serve(mut stream: Box<dyn Stream>, cut: bool) -> std::io::Result<()> {
    let length = usize::from(stream.read_u16().await?);
    let mut query = vec![0; length];
    stream.read_exact(&mut query).await?;
    let answer = two_addresses(&query);
    stream.write_u16(u16::try_from(answer.len()).unwrap()).await?;
    stream.write_all(&answer[..if cut { 20 } else { answer.len() }]).await?;
    stream.shutdown().await
}

#[tokio::test]
async fn questions_are_carried_by_connections_and_tls() {
    let authority = Authority::new();
    for (is_tls, cut) in [(false, false), (false, true), (true, false)] {
        let acceptor = authority.sign("localhost").acceptor();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = format!("localhost:{}", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            if is_tls {
                serve(Box::new(acceptor.accept(stream).await?), cut).await
            } else {
                serve(Box::new(stream), cut).await
            }
        });
        let transport = if is_tls { DnsTransport::Tls(trusting(&authority)) } else { DnsTransport::Tcp };
        let reach = crate::Reach { preferred: crate::IpVersion::V4, ..crate::Reach::default() };
        let finding = check(dns(DnsCheck { transport, reach, class: Class(1), ..of(1) }), &target).await;
        if cut {
            assert!(why(&finding).contains("closed the connection within its answer"), "{}", why(&finding));
        } else {
            assert_good(&finding);
            assert_eq!(value(&finding, "probe_dns_answer_rrs"), Some(2.0));
        }
    }
}
