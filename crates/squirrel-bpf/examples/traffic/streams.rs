//! TCP: bulk, short connections, resets, files.

use std::io::{BufRead as _, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::process::Stdio;

use rustix::net::RecvFlags;

use super::{Moved, Outcome, join, start};

/// Moves so many bytes in each direction over one connection.
pub(crate) fn stream(moved: &mut Moved, address: &str, length: usize) -> Outcome {
    let listener = TcpListener::bind((address, 0))?;
    let port = listener.local_addr()?.port();
    // A listener of both families is reached by IPv4 too: an IPv4 connection of an IPv6 socket.
    let to = if address == "::" { "127.0.0.1".to_owned() } else { address.to_owned() };
    let client = start("stream-client", &[format!("{to} {port}"), length.to_string()], Stdio::null())?;
    let (stream, _) = listener.accept()?;
    // What is only looked at is not received.
    rustix::net::recv(&stream, &mut [0; 16], RecvFlags::PEEK)?;
    moved.receive(&stream, length)?;
    moved.send(&stream, length)?;
    moved.receive_all(&stream)?;
    drop(stream);
    join([client])
}

fn connect(to: &str) -> Outcome<TcpStream> {
    let (address, port) = to.split_once(' ').ok_or("an address and a port")?;
    Ok(TcpStream::connect((address, port.parse()?))?)
}

pub(crate) fn stream_client(moved: &mut Moved, to: &str, length: usize) -> Outcome {
    let stream = connect(to)?;
    moved.send(&stream, length)?;
    // The end is told before the answer is read: the connection closes while bytes wait to be read.
    stream.shutdown(Shutdown::Write)?;
    moved.receive(&stream, length)
}

/// How many client processes run at a time.
const AT_A_TIME: usize = 10;

/// Many processes that live shortly and make many connections of 64 bytes there and 32 back.
pub(crate) fn short(moved: &mut Moved, processes: usize, connections: usize) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let to = format!("127.0.0.1 {}", listener.local_addr()?.port());
    let mut left = processes;
    while left > 0 {
        let now = left.min(AT_A_TIME);
        let clients: Outcome<Vec<_>> =
            (0..now).map(|_| start("short-client", &[to.clone(), connections.to_string()], Stdio::null())).collect();
        for _ in 0..now * connections {
            let (stream, _) = listener.accept()?;
            moved.receive(&stream, 64)?;
            moved.send(&stream, 32)?;
        }
        join(clients?)?;
        left -= now;
    }
    Ok(())
}

pub(crate) fn short_client(moved: &mut Moved, to: &str, connections: usize) -> Outcome {
    for _ in 0..connections {
        let stream = connect(to)?;
        moved.send(&stream, 64)?;
        moved.receive(&stream, 32)?;
    }
    Ok(())
}

/// Connections that the client resets after its bytes were read.
pub(crate) fn reset(moved: &mut Moved, connections: usize) -> Outcome {
    let listener = TcpListener::bind("[::1]:0")?;
    let to = format!("::1 {}", listener.local_addr()?.port());
    let client = start("reset-client", &[to, connections.to_string()], Stdio::null())?;
    for _ in 0..connections {
        let (stream, _) = listener.accept()?;
        moved.receive(&stream, 64)?;
        moved.send(&stream, 32)?;
        let reset = (&stream).read(&mut [0; 8]);
        if reset.is_ok() {
            return Err("the connection was not reset".into());
        }
    }
    join([client])
}

pub(crate) fn reset_client(moved: &mut Moved, to: &str, connections: usize) -> Outcome {
    for _ in 0..connections {
        let stream = connect(to)?;
        rustix::net::sockopt::set_socket_linger(&stream, Some(std::time::Duration::ZERO))?;
        moved.send(&stream, 64)?;
        moved.receive(&stream, 32)?;
    }
    Ok(())
}

/// Sends a file by sendfile to a client that takes it out of the socket by splice.
pub(crate) fn files(moved: &mut Moved, length: usize) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let to = format!("127.0.0.1 {}", listener.local_addr()?.port());
    let client = start("files-client", &[to, length.to_string()], Stdio::null())?;
    let (stream, _) = listener.accept()?;
    let mut file = tempfile::tempfile()?;
    file.write_all(&vec![b'x'; length])?;
    let mut offset = 0;
    while offset < length as u64 {
        rustix::fs::sendfile(&stream, &file, Some(&mut offset), length)?;
    }
    moved.sent = offset;
    drop(stream);
    join([client])
}

pub(crate) fn files_client(moved: &mut Moved, to: &str, length: usize) -> Outcome {
    let stream = connect(to)?;
    let (mut reader, writer) = std::io::pipe()?;
    while moved.received < length as u64 {
        let flags = rustix::pipe::SpliceFlags::empty();
        let got = rustix::pipe::splice(&stream, None, &writer, None, 4096, flags)?;
        if got == 0 {
            return Err("the stream ended early".into());
        }
        reader.read_exact(&mut vec![0; got])?;
        moved.received += got as u64;
    }
    Ok(())
}

/// One socket that connects, moves 100 bytes, disconnects, connects again, moves 200, disconnects, and is refused.
pub(crate) fn again(moved: &mut Moved) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let to = listener.local_addr()?;
    let client = TcpStream::connect(to)?;
    for length in [100, 200] {
        let (server, _) = listener.accept()?;
        moved.send(&client, length)?;
        moved.receive(&server, length)?;
        rustix::net::connect_unspec(&client)?;
        if length == 100 {
            rustix::net::connect(&client, &to)?;
        }
    }
    drop(listener);
    match rustix::net::connect(&client, &to) {
        Err(rustix::io::Errno::CONNREFUSED) => Ok(()),
        other => Err(format!("the closed port answered {other:?}").into()),
    }
}

/// A connection that has moved bytes before the ledger is opened. It says `ready`, waits for a line, and moves
/// 50 bytes more, of which 30 had waited unread. What it prints at the end is what it read and wrote since.
pub(crate) fn late(moved: &mut Moved) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    let mut before = Moved::default();
    before.send(&client, 1000)?;
    before.receive(&server, 970)?;
    println!("ready");
    std::io::stdin().lock().read_line(&mut String::new())?;
    moved.send(&client, 20)?;
    moved.receive(&server, 50)
}

/// The port of the two roles below; they run in namespaces of their own.
const PORT: u16 = 4000;

/// So many datagrams are echoed.
const DATAGRAMS: usize = 100;

/// For a visitor from another namespace: a stream, then an echo of datagrams. It says `ready` when it listens.
pub(crate) fn serve(moved: &mut Moved, address: &str, length: usize) -> Outcome {
    let listener = TcpListener::bind((address, PORT))?;
    let socket = UdpSocket::bind((address, PORT))?;
    println!("ready");
    let (stream, _) = listener.accept()?;
    moved.receive(&stream, length)?;
    moved.send(&stream, length)?;
    moved.receive_all(&stream)?;
    let mut buffer = [0; 1024];
    for _ in 0..DATAGRAMS {
        let (length, from) = socket.recv_from(&mut buffer)?;
        moved.received += length as u64;
        moved.sent += socket.send_to(&buffer[..length], from)? as u64;
    }
    Ok(())
}

/// Visits it, and a port where nobody listens, which the kernel answers.
pub(crate) fn visit(moved: &mut Moved, address: &str, length: usize) -> Outcome {
    stream_client(moved, &format!("{address} {PORT}"), length)?;
    let socket = UdpSocket::bind(if address.contains(':') { "[::]:0" } else { "0.0.0.0:0" })?;
    socket.connect((address, PORT))?;
    let mut buffer = [0; 1024];
    for _ in 0..DATAGRAMS {
        moved.sent += socket.send(&[b'x'; 700])? as u64;
        moved.received += socket.recv(&mut buffer)? as u64;
    }
    let closed = UdpSocket::bind(if address.contains(':') { "[::]:0" } else { "0.0.0.0:0" })?;
    closed.connect((address, PORT + 1))?;
    moved.sent += closed.send(b"?")? as u64;
    match closed.recv(&mut buffer) {
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => Ok(()),
        other => Err(format!("the closed port answered {other:?}").into()),
    }
}
