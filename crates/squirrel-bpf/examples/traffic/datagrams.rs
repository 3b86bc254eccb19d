//! UDP: an echo, one datagram at a time so that none is lost.

use std::net::UdpSocket;
use std::process::Stdio;

use rustix::net::RecvFlags;

use super::{Moved, Outcome, join, start};

const LENGTH: usize = 512;

/// Echoes `count` datagrams, and an empty one.
pub(crate) fn echo(moved: &mut Moved, bind: &str, to: &str, count: usize, connected: &str) -> Outcome {
    let socket = UdpSocket::bind((bind, 0))?;
    let to = format!("{to} {}", socket.local_addr()?.port());
    let client = start("datagrams-client", &[to, count.to_string(), connected.to_owned()], Stdio::null())?;
    let mut buffer = [0; 2 * LENGTH];
    for _ in 0..=count {
        // What is only looked at is not received.
        rustix::net::recv(&socket, &mut buffer[..], RecvFlags::PEEK)?;
        let (length, from) = socket.recv_from(&mut buffer)?;
        moved.received += length as u64;
        moved.sent += socket.send_to(&buffer[..length], from)? as u64;
    }
    join([client])
}

pub(crate) fn client(moved: &mut Moved, to: &str, count: usize, connected: &str) -> Outcome {
    let (address, port) = to.split_once(' ').ok_or("an address and a port")?;
    let to = (address, port.parse::<u16>()?);
    let socket = UdpSocket::bind(if address.contains(':') { "[::]:0" } else { "0.0.0.0:0" })?;
    if connected == "connected" {
        socket.connect(to)?;
    }
    let mut buffer = [0; 2 * LENGTH];
    for index in 0..=count {
        let datagram = &[b'x'; LENGTH][..if index == count { 0 } else { LENGTH }];
        moved.sent += match connected {
            "connected" => socket.send(datagram)?,
            _ => socket.send_to(datagram, to)?,
        } as u64;
        moved.received += socket.recv(&mut buffer)? as u64;
    }
    Ok(())
}
