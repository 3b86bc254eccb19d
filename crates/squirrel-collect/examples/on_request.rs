//! Collects when it is asked, and scrapes a node_exporter beside it: the half of the test
//! `beside_node_exporter` that runs inside a network namespace.
//!
//! `on_request ADDRESS:PORT` reads one word a line from standard input: `collect` answers with our
//! rows, `scrape` with those of the node_exporter at that address, `traffic` opens sockets and sends.
//! Each answer stands between a line `# BEGIN` and a line `# END`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};

use squirrel_collect::Schedule;
use squirrel_model::{Batch, Elapsed, exposition};
use squirrel_sys::Linux;
use squirrel_sys::clock::Monotonic;

fn main() {
    let exporter = std::env::args().nth(1).expect("the first argument is the address of node_exporter");
    let kernel = Linux::open().expect("netlink sockets open");
    let clock = Monotonic::start();
    let mut schedule = Schedule::open::<&str>(&kernel, &[], Elapsed::default());
    let mut batch = Batch::default();
    let mut held = Vec::new();
    let mut connection = None;
    for question in std::io::stdin().lines() {
        let answer = match question.expect("questions are text").as_str() {
            "collect" => {
                batch.clear();
                schedule.tick(&kernel, &|| clock.elapsed(), &mut batch);
                let mut text = String::new();
                exposition::write_batch(&mut text, &batch);
                let faults = batch.faults.iter().map(|fault| format!("# fault: {}: {}\n", fault.subject, fault.reason));
                text.extend(faults);
                text
            }
            // One connection is kept, so that the sockets in the namespace stay the same.
            "scrape" => {
                scrape(connection.get_or_insert_with(|| {
                    BufReader::new(TcpStream::connect(&exporter).expect("node_exporter listens"))
                }))
            }
            "traffic" => {
                held.push(traffic().expect("sockets work inside the namespace"));
                String::new()
            }
            other => panic!("{other:?} is no question"),
        };
        print!("\n# BEGIN\n{answer}\n# END\n");
        std::io::stdout().flush().expect("the other half listens");
    }
}

/// Sockets that stay open: some with full queues, some that wait, and counters that moved.
fn traffic() -> std::io::Result<(Vec<UdpSocket>, Vec<TcpListener>, Vec<TcpStream>)> {
    let (mut datagrams, mut listeners, mut streams) = (Vec::new(), Vec::new(), Vec::new());
    for (ours, theirs) in [("192.0.2.1:0", "192.0.2.2:9"), ("[2001:db8::1]:0", "[2001:db8::2]:9")] {
        let socket = UdpSocket::bind(ours)?;
        for size in 0..20 {
            // Nobody listens there: an ICMP message comes back, and the next send may report it.
            let _ = socket.send_to(&vec![0; 50 * size], theirs);
        }
        // Refused by the peer.
        let _ = TcpStream::connect(theirs);
        datagrams.push(socket);
    }
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let unread = UdpSocket::bind(address)?;
        let sender = UdpSocket::bind(address)?;
        for _ in 0..5 {
            sender.send_to(&[7; 1000], unread.local_addr()?)?;
        }
        let listener = TcpListener::bind(address)?;
        let mut client = TcpStream::connect(listener.local_addr()?)?;
        // Never accepted and never read.
        client.write_all(&[7; 5000])?;
        let closed = TcpStream::connect(listener.local_addr()?)?;
        drop(closed);
        datagrams.extend([unread, sender]);
        listeners.push(listener);
        streams.push(client);
    }
    Ok((datagrams, listeners, streams))
}

/// One `GET /metrics`; the connection stays open.
fn scrape(connection: &mut BufReader<TcpStream>) -> String {
    connection.get_mut().write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("the request is sent");
    let line = |connection: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        connection.read_line(&mut line).expect("the answer can be read");
        line.trim_end().to_owned()
    };
    let status = line(connection);
    assert!(status.contains("200"), "node_exporter answers {status}");
    let mut length = None;
    loop {
        let header = line(connection).to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        length = length.or_else(|| header.strip_prefix("content-length: ")?.parse().ok());
    }
    let mut body = Vec::new();
    let mut take = |connection: &mut BufReader<TcpStream>, octets: usize| {
        let start = body.len();
        body.resize(start + octets, 0);
        connection.read_exact(&mut body[start..]).expect("the answer is complete");
    };
    if let Some(length) = length {
        take(connection, length);
    } else {
        loop {
            let size = usize::from_str_radix(&line(connection), 16).expect("a chunk begins with its size");
            take(connection, size);
            line(connection);
            if size == 0 {
                break;
            }
        }
    }
    String::from_utf8(body).expect("metrics are text")
}
