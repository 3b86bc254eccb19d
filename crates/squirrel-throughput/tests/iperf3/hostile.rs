//! Peers that lie, hang or speak another protocol.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use squirrel_throughput::protocol::{Cookie, Parameters, Purpose};
use squirrel_throughput::{Event, Limits};

use crate::support::{Own, plan, run, tcp};

/// What the client says of a server that sends these octets and then closes, or waits.
fn told_of(octets: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it listens").port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the client comes");
        let mut cookie = [0; Cookie::LEN];
        stream.read_exact(&mut cookie).expect("a cookie comes");
        assert_eq!(Cookie::read(cookie).map(|(_, purpose)| purpose), Some(Purpose::Run));
        let _ = stream.write_all(octets);
        // Reads until the client goes; what it says does not matter.
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let text = run(plan(port, tcp())).expect_err("there was no run").to_string();
    server.join().expect("the server ends well");
    text
}

#[test]
fn a_server_that_lies_is_said_in_words() {
    let cases: [(&[u8], &str); 9] = [
        (b"", "closed the connection while the parameters were to be asked for"),
        (b"HTTP/1.1 400", "it said 72"),
        (&[255], "busy with another run"),
        (&[254, 0, 0, 0, 27, 0, 0, 0, 0], "the bitrate is over what it allows"),
        (&[254, 0, 0, 0, 142, 0, 0, 0, 0], "a user name and a password by RSA"),
        (&[254, 0, 0, 0, 142], "a user name and a password by RSA"),
        (&[254, 0, 0, 0], "closed the connection while the server told of a failure"),
        (&[9, 13], "it said 13 while the parameters were looked at"),
        (&[11], "the server was stopped"),
    ];
    for (octets, expected) in cases {
        let text = told_of(octets);
        assert!(text.contains(expected), "{octets:?}: {text}");
    }
}

#[test]
fn a_client_that_lies_harms_nobody() {
    let server = Own::serve(Limits::default());
    let document = |text: &str| [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat();
    let lies = [
        vec![0xFF; 4],
        document("{}"),
        document("null"),
        document("[[[[["),
        document(&"[".repeat(100_000)),
        document(r#"{"tcp":true,"time":1,"parallel":4000000000,"len":131072}"#),
        document(r#"{"tcp":true,"time":0,"parallel":1,"len":1000}"#),
        document(r#"{"tcp":true,"time":-1,"parallel":1,"len":1000}"#),
    ];
    for (number, lie) in (0..).zip(&lies) {
        // Each has a cookie of its own: with that of a run that is just being left, it would be a stream of that one.
        let cookie = Cookie::new([number; 36]).octets(Purpose::Run);
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        stream.write_all(&cookie).unwrap();
        let _ = stream.write_all(lie);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(
            answer.first_chunk::<2>(),
            Some(&[9, 254]),
            "{:?}: {answer:?}",
            String::from_utf8_lossy(&lie[..lie.len().min(60)])
        );
    }
    // One who says nothing, and one who presents no cookie, hold nobody up.
    let _silent = TcpStream::connect(server.address).unwrap();
    TcpStream::connect(server.address).unwrap().write_all(b"GET / HTTP/1.1\r\nHost: squirrel.example\r\n\r\n").unwrap();
    let report = run(plan(server.address.port(), Parameters { time: 0, num: 1000, ..tcp() })).unwrap();
    assert_eq!(report.error, None);
    let failed = server.end().iter().filter(|event| matches!(event, Event::Failed { .. })).count();
    assert_eq!(failed, lies.len());
}

#[test]
fn a_server_that_hangs_is_left_within_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let began = squirrel_sys::clock::now();
    let text = run(plan(listener.local_addr().unwrap().port(), tcp())).unwrap_err().to_string();
    // Whole seconds, 10 of them or, on a busy machine, a few more.
    let (_, rest) = text.split_once("said nothing for ").expect("how long it waited");
    let (seconds, rest) = rest.split_once(" s ").expect("seconds");
    assert!(seconds.parse::<u64>().is_ok_and(|seconds| (10..60).contains(&seconds)), "{text}");
    assert!(rest.contains("while the parameters were to be asked for"), "{text}");
    assert!((Duration::from_secs(10)..Duration::from_mins(1)).contains(&began.elapsed()), "{text}");
}
