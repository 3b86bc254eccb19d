//! Sockets that several processes hold: forking servers, workers of one port, sockets shared and passed.

use std::io::{IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Child;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketType, bind, getsockname, listen, recvmsg, sendmsg, socket,
};

use super::{Moved, Outcome, join, start};

/// Children accept from one listener, which was the parent's.
pub(crate) fn prefork(moved: &mut Moved, children: usize, connections: usize) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let to = listener.local_addr()?;
    let workers: Outcome<Vec<Child>> =
        (0..children).map(|_| start("worker", &[], OwnedFd::from(listener.try_clone()?))).collect();
    drop(listener);
    drive(moved, to, connections, workers?)
}

/// Each worker has a listener of its own for the same port.
pub(crate) fn reuse_port(moved: &mut Moved, workers: usize, connections: usize) -> Outcome {
    let mut to = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut children = Vec::new();
    for _ in 0..workers {
        let listener = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        rustix::net::sockopt::set_socket_reuseport(&listener, true)?;
        bind(&listener, &to)?;
        listen(&listener, 128)?;
        to = SocketAddr::try_from(getsockname(&listener)?)?;
        children.push(start("worker", &[], listener)?);
    }
    drive(moved, to, connections, children)
}

/// The client of workers: sends 10 bytes on each connection and takes 20. At last it ends the workers, one by one.
fn drive(moved: &mut Moved, to: SocketAddr, connections: usize, mut workers: Vec<Child>) -> Outcome {
    for _ in 0..connections {
        let mut stream = TcpStream::connect(to)?;
        stream.write_all(b"g123456789")?;
        moved.sent += 10;
        moved.receive(&stream, 20)?;
    }
    while !workers.is_empty() {
        // A worker that is just ending may still have a listener, whose connections are reset.
        if let Ok(mut stream) = TcpStream::connect(to)
            && stream.write_all(b"q").is_ok()
        {
            moved.sent += 1;
            let _ = stream.read(&mut [0; 1]);
        }
        let mut running = Vec::new();
        for mut worker in workers {
            match worker.try_wait()? {
                Some(status) if !status.success() => return Err("a worker failed".into()),
                Some(_) => {}
                None => running.push(worker),
            }
        }
        workers = running;
    }
    Ok(())
}

pub(crate) fn worker(moved: &mut Moved, listener: &OwnedFd) -> Outcome {
    let listener = TcpListener::from(listener.try_clone()?);
    loop {
        let (mut stream, _) = listener.accept()?;
        let mut word = [0; 1];
        stream.read_exact(&mut word)?;
        moved.received += 1;
        if &word == b"q" {
            return Ok(());
        }
        moved.receive(&stream, 9)?;
        moved.send(&stream, 20)?;
    }
}

/// A connected socket that children use too, one after the other.
pub(crate) fn shared(moved: &mut Moved, length: usize, children: usize) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let to = listener.local_addr()?;
    let sink = start("sink", &[], OwnedFd::from(listener))?;
    let stream = TcpStream::connect(to)?;
    moved.send(&stream, length)?;
    for _ in 0..children {
        join([start("shared-second", &[(length / 2).to_string()], OwnedFd::from(stream.try_clone()?))?])?;
    }
    moved.send(&stream, 10)?;
    drop(stream);
    join([sink])
}

pub(crate) fn second(moved: &mut Moved, socket: OwnedFd, length: usize) -> Outcome {
    moved.send(&TcpStream::from(socket), length)
}

pub(crate) fn sink(moved: &mut Moved, listener: OwnedFd) -> Outcome {
    let (stream, _) = TcpListener::from(listener).accept()?;
    moved.receive_all(&stream)
}

/// A socket that one process accepts and another one, which is no child of it in the way of forks, is given.
pub(crate) fn passed(moved: &mut Moved, length: usize) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let to = listener.local_addr()?;
    let (ours, theirs) = UnixStream::pair()?;
    let taker = start("passed-to", &[length.to_string()], OwnedFd::from(theirs))?;
    let client = TcpStream::connect(to)?;
    let (accepted, _) = listener.accept()?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [accepted.as_fd()];
    ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(&ours, &[IoSlice::new(b"!")], &mut ancillary, SendFlags::empty())?;
    drop(accepted);
    moved.send(&client, length)?;
    moved.receive(&client, length)?;
    drop(client);
    join([taker])
}

pub(crate) fn passed_to(moved: &mut Moved, channel: &OwnedFd, length: usize) -> Outcome {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    recvmsg(channel, &mut [IoSliceMut::new(&mut [0; 1])], &mut ancillary, RecvFlags::empty())?;
    let descriptor = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    let stream = TcpStream::from(descriptor.ok_or("no descriptor came")?);
    moved.receive(&stream, length)?;
    moved.send(&stream, length)?;
    moved.receive_all(&stream)
}

/// A child accepts and closes without a call that moves anything.
pub(crate) fn idle(moved: &mut Moved, connections: usize) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let to = listener.local_addr()?;
    let child = start("idle-child", &[connections.to_string()], OwnedFd::from(listener))?;
    for _ in 0..connections {
        moved.receive_all(&TcpStream::connect(to)?)?;
    }
    join([child])
}

pub(crate) fn idle_child(listener: OwnedFd, connections: usize) -> Outcome {
    let listener = TcpListener::from(listener);
    for _ in 0..connections {
        drop(listener.accept()?);
    }
    Ok(())
}
