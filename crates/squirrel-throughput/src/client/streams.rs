//! The streams of a run, connected from the client's side.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use squirrel_sys::clock;

use crate::ThroughputError;
use crate::client::Plan;
use crate::control::{PATIENCE, is_pause};
use crate::protocol::{Cookie, Purpose};
use crate::run::Socket;
use crate::sockets;
use crate::udp::{ANSWERS, GREETINGS, is_one_of};

/// After so long without an answer the greeting is repeated: a datagram may be lost.
const REPEAT: Duration = Duration::from_secs(2);

/// Connects all streams: first those on which this end sends.
pub(super) fn open(to: SocketAddr, plan: &Plan, cookie: &Cookie) -> Result<Vec<(Socket, bool)>, ThroughputError> {
    let parameters = &plan.parameters;
    let directions = [(true, parameters.from_client()), (false, parameters.from_server())];
    let wanted = directions.into_iter().flat_map(|(sends, count)| (0..count).map(move |_| sends));
    let open = |sends: bool| {
        let socket = if parameters.udp {
            Socket::Udp(greet(to, plan)?)
        } else {
            let mut stream = sockets::connect(to, plan.source, Some(parameters), PATIENCE)?;
            stream
                .write_all(&cookie.octets(Purpose::Run))
                .map_err(|source| ThroughputError::Socket { what: format!("cannot send to {to}"), source })?;
            Socket::Tcp(stream)
        };
        Ok((socket, sends))
    };
    wanted.map(open).collect()
}

fn greet(to: SocketAddr, plan: &Plan) -> Result<UdpSocket, ThroughputError> {
    let any: IpAddr = if to.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let local = SocketAddr::new(plan.source.unwrap_or(any), 0);
    let socket = sockets::datagrams(to, local, false, &plan.parameters)?;
    let failed = |source| ThroughputError::Socket { what: format!("cannot exchange datagrams with {to}"), source };
    socket.set_read_timeout(Some(REPEAT)).map_err(failed)?;
    let began = clock::now();
    let mut answer = [0; 64];
    while began.elapsed() < PATIENCE {
        socket.send(&GREETINGS[0].to_ne_bytes()).map_err(failed)?;
        match socket.recv(&mut answer) {
            Ok(len) if is_one_of(ANSWERS, &answer[..len]) => return Ok(socket),
            Ok(_) => {}
            Err(error) if is_pause(&error) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let phase = "a stream of UDP was greeted (a firewall may let TCP pass alone)";
    Err(ThroughputError::Silent { peer: to.to_string(), seconds: PATIENCE.as_secs(), phase })
}
