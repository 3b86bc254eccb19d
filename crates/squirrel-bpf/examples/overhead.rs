//! What the ledger costs those who are watched, and those who read it.
//!
//! `cargo run --release -p squirrel-bpf --example overhead`, with `connection PROGRAM…` for that load alone, and
//! without these programs of the ledger
//!
//! For each load it prints the processor time of a unit of work on loopback without and with the ledger, and their
//! ratio: the median over pairs of short rounds, one without and one with, since other work on the machine moves
//! single rounds by far more than the ledger does. `packets` stands for the packet ledger on the loopback besides.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};

use squirrel_bpf::{Ledger, Options, PacketOptions, Packets};
use squirrel_sys::SocketLedger as _;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Rounds of each kind.
const ROUNDS: usize = 21;

/// Processor time of this thread in nanoseconds, softirqs that interrupt it included.
fn spent() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Sends and receives 64 bytes over one connection.
fn tcp_pairs() -> Outcome<impl FnMut() -> Outcome> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    client.set_nodelay(true)?;
    let mut buffer = [0; 64];
    Ok(move || {
        client.write_all(&[b'x'; 64])?;
        server.read_exact(&mut buffer)?;
        Ok(())
    })
}

fn udp_pairs() -> Outcome<impl FnMut() -> Outcome> {
    let (client, server) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    client.connect(server.local_addr()?)?;
    let mut buffer = [0; 64];
    Ok(move || {
        client.send(&[b'x'; 64])?;
        server.recv(&mut buffer)?;
        Ok(())
    })
}

/// Connects, accepts, moves 64 bytes and closes.
fn connections() -> Outcome<impl FnMut() -> Outcome> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let to = listener.local_addr()?;
    let mut buffer = [0; 64];
    Ok(move || {
        let mut client = TcpStream::connect(to)?;
        let (mut server, _) = listener.accept()?;
        client.write_all(&[b'x'; 64])?;
        server.read_exact(&mut buffer)?;
        Ok(())
    })
}

/// Moves 128 KiB at a time, as iperf3 does.
fn bulk() -> Outcome<impl FnMut() -> Outcome> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    let (data, mut buffer) = (vec![b'x'; 128 << 10], vec![0; 128 << 10]);
    Ok(move || {
        client.write_all(&data)?;
        server.read_exact(&mut buffer)?;
        Ok(())
    })
}

/// Nanoseconds of a unit.
fn round(load: &mut dyn FnMut() -> Outcome, units: u32) -> Outcome<f64> {
    for _ in 0..units / 10 {
        load()?;
    }
    let before = spent();
    for _ in 0..units {
        load()?;
    }
    Ok((spent() - before) as f64 / f64::from(units))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn compare(name: &str, load: &mut dyn FnMut() -> Outcome, units: u32, with_packets: bool) -> Outcome {
    let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let off = round(load, units)?;
        let mut ledger = Ledger::open(&Options { without: std::env::args().skip(2).collect(), ..Options::default() })?;
        let mut packets = None;
        if with_packets {
            packets.insert(Packets::open(&PacketOptions::default())?).attach(1, "lo")?;
        }
        let on = round(load, units)?;
        ledger.ended(&mut |_| ())?;
        without.push(off);
        with.push(on);
        ratios.push(on / off);
    }
    let (without, with, ratio) = (median(without), median(with), median(ratios));
    println!("{name} {without:.0} ns without, {with:.0} ns with, ratio {ratio:.3}");
    Ok(())
}

/// Processor time of reading sockets that live.
fn reading(sockets: usize) -> Outcome {
    let mut ledger = Ledger::open(&Options::default())?;
    let mut open = Vec::new();
    for _ in 0..sockets {
        let Ok(socket) = UdpSocket::bind("127.0.0.1:0") else { break };
        socket.connect(socket.local_addr()?)?;
        socket.send(b"x")?;
        open.push(socket);
    }
    let mut times = Vec::new();
    let mut rows = 0;
    for _ in 0..ROUNDS {
        let before = spent();
        rows = 0;
        ledger.living(&mut |_| rows += 1)?;
        times.push((spent() - before) as f64);
    }
    let time = median(times);
    println!(
        "living {rows} rows of {} sockets, {:.2} ms a pass, {:.0} ns a row",
        open.len(),
        time / 1e6,
        time / f64::from(rows)
    );
    Ok(())
}

fn main() -> Outcome {
    if std::env::args().nth(1).as_deref() == Some("reading") {
        return reading(18_000);
    }
    if std::env::args().any(|word| word == "connection") {
        return compare("connection", &mut connections()?, 4_000, false);
    }
    for packets in [false, true] {
        let name = |load: &str| format!("{load}{}", if packets { "+packets" } else { "" });
        compare(&name("tcp_pair"), &mut tcp_pairs()?, 20_000, packets)?;
        compare(&name("udp_pair"), &mut udp_pairs()?, 40_000, packets)?;
        compare(&name("connection"), &mut connections()?, 2_000, packets)?;
        compare(&name("bulk"), &mut bulk()?, 2_000, packets)?;
    }
    reading(10_000)
}
