//! Traffic that no table of connections tells of: datagrams that nobody reads or listens for, resets, refused
//! connections, streams that are left unread; with some of the usual kind between.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};

use crate::inside::{say, wait_for_the_end_of_input};

/// Nobody listens on it in a namespace of a test.
const CLOSED: u16 = 9;

/// Holds the other ends: a server that answers and closes, one that reads all, one that never accepts, a socket that
/// answers datagrams and one that never reads any.
pub(crate) fn serve() {
    let [answers, reads, never] = [0; 3].map(|_| TcpListener::bind("[::]:0").expect("a port"));
    let [echo, deaf] = [0; 2].map(|_| UdpSocket::bind("[::]:0").expect("a port"));
    let tcp = [&answers, &reads, &never].map(|socket| socket.local_addr().expect("an address").port());
    let udp = [&echo, &deaf].map(|socket| socket.local_addr().expect("an address").port());
    std::thread::spawn(move || {
        for mut stream in answers.incoming().flatten() {
            let mut word = [0; 64];
            // A client may be gone already, as it is meant to be.
            let _ = stream.read_exact(&mut word).and_then(|()| stream.write_all(&word));
        }
    });
    std::thread::spawn(move || {
        for mut stream in reads.incoming().flatten() {
            let read = std::io::copy(&mut stream, &mut std::io::sink()).expect("all is read");
            stream.write_all(b"!").expect("an answer");
            say(&format!("read {read}"));
        }
    });
    std::thread::spawn(move || {
        let mut buffer = [0; 2_000];
        while let Ok((length, from)) = echo.recv_from(&mut buffer) {
            echo.send_to(&buffer[..length], from).expect("sent");
        }
    });
    let ports: Vec<String> = tcp.iter().chain(&udp).map(u16::to_string).collect();
    say(&format!("ports {}", ports.join(",")));
    wait_for_the_end_of_input();
    drop((never, deaf));
}

/// Calls them: `ports` are those that [`serve`] said.
pub(crate) fn call(address: IpAddr, ports: &str) {
    let ports: Vec<u16> = ports.split(',').map(|port| port.parse().expect("a port")).collect();
    let [answers, reads, never, echo, deaf] = ports[..] else { panic!("five ports: {ports:?}") };
    let to = |port| SocketAddr::new(address, port);
    for number in 0..100 {
        let mut stream = TcpStream::connect(to(answers)).expect("somebody listens");
        stream.write_all(&[7; 64]).expect("sent");
        let mut answer = [0; 64];
        stream.peek(&mut answer).expect("an answer");
        if number % 3 > 0 {
            stream.read_exact(&mut answer).expect("the answer");
        }
        // What is closed before all is read is reset.
    }
    for _ in 0..50 {
        assert!(TcpStream::connect(to(CLOSED)).is_err(), "nobody listens");
    }
    let mut bulk = TcpStream::connect(to(reads)).expect("somebody listens");
    bulk.write_all(&vec![7; 1_000_000]).expect("sent");
    bulk.shutdown(std::net::Shutdown::Write).expect("the end");
    bulk.read_exact(&mut [0]).expect("all was read");
    let mut unread = TcpStream::connect(to(never)).expect("somebody listens");
    unread.write_all(&vec![7; 20_000]).expect("it fits into the buffers");
    let socket = UdpSocket::bind((if address.is_ipv4() { "0.0.0.0" } else { "::" }, 0)).expect("a port");
    let mut buffer = [0; 2_000];
    for _ in 0..200 {
        socket.send_to(&[7; 500], to(echo)).expect("sent");
        assert_eq!(socket.recv(&mut buffer).expect("an answer"), 500);
    }
    // More than the socket has room for.
    for _ in 0..1_000 {
        socket.send_to(&[7; 700], to(deaf)).expect("sent");
    }
    for _ in 0..100 {
        socket.send_to(&[7; 300], to(CLOSED)).expect("sent");
    }
    say("called");
    wait_for_the_end_of_input();
    drop((bulk, unread));
}
