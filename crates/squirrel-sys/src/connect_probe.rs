//! Connections that ask the network: opened with a time to live, so that hosts on the way answer, and reset at once
//! when they stand. They need no privilege.
//!
//! Source: tcp(7), ip(7); `tcp_v4_err` and `tcp_v6_err` of the kernel put what hosts on the way say of a connection that
//! does not stand yet on the queue of errors since Linux 5.8.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use squirrel_wire::icmp::Family;

use crate::linux::raw::probe_socket as raw;
use crate::probe_socket::{Error, Inbox, SocketOptions, by_family, unspecified};

/// A port of this host that nobody else is given, from which connections to one target are opened one after another:
/// to routers that spread traffic they are one flow.
#[derive(Debug)]
pub struct ReservedPort {
    // Held for the port alone.
    _socket: OwnedFd,
    address: SocketAddr,
}

impl ReservedPort {
    /// Takes a port that is free.
    ///
    /// # Errors
    /// No port is free; a source address that this host does not have.
    pub fn take(family: Family, options: &SocketOptions) -> io::Result<Self> {
        let socket = open(family)?;
        raw::bind(socket.as_fd(), SocketAddr::new(options.source.unwrap_or(unspecified(family)), 0))?;
        let address = raw::local_address(socket.as_fd())?;
        Ok(Self { _socket: socket, address })
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.address.port()
    }
}

/// What became of a connection.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing yet.
    Open,
    /// It stands: somebody listens there.
    Accepted,
    /// The target refused it.
    Refused,
    /// A host on the way said something, and quoted these octets of the segment, from its header on.
    Told(Error, Vec<u8>),
    /// This host gave it up.
    Failed(io::Error),
}

/// A connection on its way. When it is dropped, it is reset: neither end keeps anything of it.
#[derive(Debug)]
pub struct ConnectProbe(TcpStream);

impl ConnectProbe {
    /// Opens a connection from a reserved port; none other of that port to this target may be on its way.
    ///
    /// # Errors
    /// What the kernel refuses: no route, an option, an address in use.
    pub fn start(
        family: Family,
        options: &SocketOptions,
        from: &ReservedPort,
        ttl: u8,
        to: SocketAddr,
    ) -> io::Result<Self> {
        let socket = open(family)?;
        let set = |(level, name): (i32, i32), value: i32| raw::set(socket.as_fd(), level, name, value);
        options.apply(family, socket.as_fd())?;
        set(by_family(family, libc::IP_TTL, libc::IPV6_UNICAST_HOPS), i32::from(ttl))?;
        // Asked once more at most, which is after a second.
        let _ = set((libc::IPPROTO_TCP, libc::TCP_SYNCNT), 1);
        // `struct linger`: on, for no time. So no connection waits for its end (TIME_WAIT).
        let linger = [1_i32, 0].map(i32::to_ne_bytes).concat();
        raw::set_octets(socket.as_fd(), libc::SOL_SOCKET, libc::SO_LINGER, &linger)?;
        raw::bind(socket.as_fd(), from.address)?;
        raw::connect(socket.as_fd(), to)?;
        Ok(Self(TcpStream::from(socket)))
    }

    /// What became of it so far.
    ///
    /// # Errors
    /// A failure of the socket itself.
    pub fn outcome(&self, inbox: &mut Inbox) -> io::Result<Outcome> {
        let count = inbox.0.receive(self.as_fd(), true)?;
        for index in 0..count {
            if let Some(error) = inbox.0.beside(index).error.filter(|error| error.offender.is_some()) {
                return Ok(Outcome::Told(error, inbox.0.octets(index).0.to_vec()));
            }
        }
        Ok(match self.0.take_error()? {
            Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => Outcome::Refused,
            Some(error) => Outcome::Failed(error),
            None if self.0.peer_addr().is_ok() => Outcome::Accepted,
            None => Outcome::Open,
        })
    }
}

impl AsFd for ConnectProbe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn open(family: Family) -> io::Result<OwnedFd> {
    let domain = match family {
        Family::V4 => libc::AF_INET,
        Family::V6 => libc::AF_INET6,
    };
    let socket = raw::open(domain, libc::SOCK_STREAM, libc::IPPROTO_TCP)?;
    // Several sockets have the port, one after another, and the one that holds it.
    raw::set(socket.as_fd(), libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use crate::probe_socket::wait_each;

    fn settled(probe: &ConnectProbe) -> Outcome {
        let ready = wait_each(&[(probe.as_fd(), true)], Some(std::time::Duration::from_secs(60)));
        assert!(ready.expect("it can be waited for")[0].any());
        probe.outcome(&mut Inbox::new()).expect("an outcome")
    }

    #[test]
    fn a_port_is_asked_again_and_again_and_nothing_is_left() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let to = listener.local_addr().expect("its address");
        let options = SocketOptions { source: Some(Ipv4Addr::LOCALHOST.into()), ..SocketOptions::default() };
        let port = ReservedPort::take(Family::V4, &options).expect("a port");
        for _ in 0..3 {
            let probe = ConnectProbe::start(Family::V4, &options, &port, 64, to).expect("it starts");
            assert!(matches!(settled(&probe), Outcome::Accepted));
            assert_eq!(probe.0.local_addr().expect("an address").port(), port.number());
        }
        drop(listener);
        let probe = ConnectProbe::start(Family::V4, &options, &port, 64, to).expect("nothing waits for its end");
        assert!(matches!(settled(&probe), Outcome::Refused));
    }
}
