//! Connections, banners, conversations, and TLS in the midst of them.

use regex::bytes::Regex;
use squirrel_testkit::Authority;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::server::{Act, Server};
use super::{SHORT, assert_good, check, check_within, trusting, value, value_of, why};
use crate::{Exchange, Expect, Prober, TcpCheck};

fn line(pattern: &str) -> Expect {
    Expect::Line { pattern: Regex::new(pattern).unwrap(), labels: Vec::new() }
}

fn expecting(pattern: &str) -> Prober {
    tcp(vec![Exchange { expect: Some(line(pattern)), ..Exchange::default() }])
}

fn tcp(exchanges: Vec<Exchange>) -> Prober {
    Prober::Tcp(Box::new(TcpCheck { exchanges, ..TcpCheck::default() }))
}

#[tokio::test]
async fn a_server_that_takes_connections_is_good() {
    let server = Server::start(None, Act::Hang(Vec::new())).await;
    let finding = check(Prober::Tcp(Box::default()), &server.target()).await;
    assert_good(&finding);
    assert_eq!(
        (value(&finding, "probe_ip_protocol"), value(&finding, "probe_failed_due_to_regex")),
        (Some(4.0), Some(0.0))
    );
    assert_eq!(value(&finding, "probe_ip_addr_hash"), Some(3_668_918_509.0));
}

#[tokio::test]
async fn nobody_there_is_said_so() {
    // A port that is held and not listened on: nobody else gets it meanwhile.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let target = held.local_addr().unwrap().to_string();
    let finding = check(Prober::Tcp(Box::default()), &target).await;
    assert_eq!(why(&finding), format!("{target}: connection refused"));
}

#[tokio::test]
async fn a_conversation_is_held_with_what_patterns_find() {
    let server = Server::start(None, Act::Converse(vec!["motd\r\nPING :42 \x1b[2J\r\n", "welcome\r\n"])).await;
    let finding = check(
        tcp(vec![
            Exchange {
                expect: Some(Expect::Line {
                    pattern: Regex::new("PING :([^ ]+)").unwrap(),
                    labels: vec![("number".to_owned(), "n${1}".to_owned())],
                }),
                send: "PONG ${1}".to_owned(),
                start_tls: false,
            },
            Exchange { expect: Some(line("^welcome$")), ..Exchange::default() },
        ]),
        &server.target(),
    )
    .await;
    assert_good(&finding);
    assert_eq!(server.heard()[0], "PONG 42\n");
    assert_eq!(value_of(&finding, "probe_expect_info", &[("number", "n42")]), Some(1.0));
    assert!(finding.log.iter().any(|line| line == "it says: PING :42 \\u{1b}[2J"), "{:?}", finding.log);
}

#[tokio::test]
async fn a_server_that_says_something_else_is_bad() {
    let server = Server::start(None, Act::say("220 old\r\n\x1b[2Jgoodbye")).await;
    let finding = check(expecting("^250 "), &server.target()).await;
    assert_eq!(value(&finding, "probe_failed_due_to_regex"), Some(1.0));
    assert_eq!(
        why(&finding),
        "no line matches ^250  before the server closed the connection; the last line was \\u{1b}[2Jgoodbye"
    );
    let finding = check(expecting("goodbye$"), &server.target()).await;
    assert_good(&finding);
}

#[tokio::test]
async fn octets_are_compared() {
    let octets =
        |octets: &[u8]| tcp(vec![Exchange { expect: Some(Expect::Octets(octets.to_vec())), ..Exchange::default() }]);
    let server = Server::start(None, Act::Say(vec![0, 1, 0xfe, 9])).await;
    assert_good(&check(octets(&[0, 1, 0xfe]), &server.target()).await);
    let finding = check(octets(&[0, 1, 2]), &server.target()).await;
    assert_eq!(
        (why(&finding), value(&finding, "probe_failed_due_to_bytes")),
        ("expected the octets 000102, got 0001fe", Some(1.0))
    );
    let finding = check(octets(&[0, 1, 0xfe, 9, 9]), &server.target()).await;
    assert!(why(&finding).ends_with("got 0001fe09"), "a server that closes early");
}

#[tokio::test]
async fn hostile_servers_are_left_within_their_bounds() {
    let hangs = Server::start(None, Act::Hang(b"220 wait".to_vec())).await;
    let finding = check_within(SHORT, expecting("never"), &hangs.target()).await;
    assert_eq!(why(&finding), "tcp: not done within 0.3 s");
    assert_eq!(value(&finding, "probe_ip_protocol"), Some(4.0), "what was found before stays");
    let no_line = Server::start(None, Act::Endless(&[b'a'; 4096])).await;
    assert!(why(&check(expecting("never"), &no_line.target()).await).contains("longer than 65536 octets"));
    let lines = Server::start(None, Act::Endless(b"a\n\n\r\n\x00\xff\n")).await;
    let finding = check(expecting("never"), &lines.target()).await;
    assert!(why(&finding).contains("4194304 octets were read"), "{}", why(&finding));
    assert!(finding.log.len() <= 100);
}

#[tokio::test]
async fn tls_is_agreed_on_and_told() {
    let authority = Authority::new();
    let server =
        Server::start(Some(authority.sign_until("localhost", 2_049).acceptor()), Act::say("+OK ready\r\n")).await;
    let target = format!("localhost:{}", server.address.port());
    let check_of = |tls| {
        let exchanges = vec![Exchange { expect: Some(line("^\\+OK")), ..Exchange::default() }];
        Prober::Tcp(Box::new(TcpCheck { is_tls: true, tls, exchanges, ..TcpCheck::default() }))
    };
    let finding = check(check_of(trusting(&authority)), &target).await;
    assert_good(&finding);
    let expiry = Some(2_508_624_000.0);
    assert_eq!(value(&finding, "probe_ssl_earliest_cert_expiry"), expiry);
    assert_eq!(value(&finding, "probe_ssl_last_chain_expiry_timestamp_seconds"), expiry);
    assert_eq!(value_of(&finding, "probe_tls_version_info", &[("version", "TLS 1.3")]), Some(1.0));
    assert_eq!(value_of(&finding, "probe_ssl_last_chain_info", &[("subject", "CN=localhost")]), Some(1.0));
    let finding = check(check_of(trusting(&Authority::new())), &target).await;
    assert!(why(&finding).contains("unknown issuer"), "{}", why(&finding));
    let finding = check(check_of(squirrel_outbound::TlsOptions::new().insecure_skip_verify()), &target).await;
    assert_good(&finding);
    assert_eq!(value(&finding, "probe_ssl_last_chain_expiry_timestamp_seconds"), Some(-62_135_596_800.0));
    let plain = Server::start(None, Act::say("+OK ready\r\n")).await;
    let finding = check(check_of(trusting(&authority)), &format!("localhost:{}", plain.address.port())).await;
    assert_eq!(why(&finding), "TLS: the server does not speak TLS on this port");
}

/// A mail server that has STARTTLS. What it says too early must not count as said within TLS.
#[tokio::test]
async fn a_mail_server_goes_over_to_tls() {
    let authority = Authority::new();
    let acceptor = authority.sign("localhost").acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 mail ESMTP\r\n").await.unwrap();
        let mut heard = [0; 64];
        let mut read = stream.read(&mut heard).await.unwrap();
        assert_eq!(&heard[..read], b"EHLO check\r\n");
        stream.write_all(b"250-mail\r\n250 STARTTLS\r\n").await.unwrap();
        read = stream.read(&mut heard).await.unwrap();
        assert_eq!(&heard[..read], b"STARTTLS\r\n");
        stream.write_all(b"220 go ahead\r\n250 AUTH injected\r\n").await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        read = stream.read(&mut heard).await.unwrap();
        assert_eq!(&heard[..read], b"EHLO check\r\n");
        stream.write_all(b"250 AUTH PLAIN\r\n").await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let step =
        |expect: &str, send: &str, start_tls| Exchange { expect: Some(line(expect)), send: send.to_owned(), start_tls };
    let exchanges = vec![
        step("^220 .*ESMTP", "EHLO check\r", false),
        step("^250.STARTTLS", "STARTTLS\r", false),
        step("^220", "", true),
        Exchange { send: "EHLO check\r".to_owned(), ..Exchange::default() },
        Exchange {
            expect: Some(Expect::Line {
                pattern: Regex::new("^250.AUTH (.*)").unwrap(),
                labels: vec![("auth".to_owned(), "$1".to_owned())],
            }),
            ..Exchange::default()
        },
    ];
    let module = Prober::Tcp(Box::new(TcpCheck { tls: trusting(&authority), exchanges, ..TcpCheck::default() }));
    let finding = check(module, &target).await;
    assert_good(&finding);
    assert_eq!(value_of(&finding, "probe_expect_info", &[("auth", "PLAIN")]), Some(1.0), "{:?}", finding.log);
    assert!(value(&finding, "probe_ssl_earliest_cert_expiry").is_some());
}
