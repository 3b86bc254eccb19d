//! Sockets of a run, with the options that its parameters ask for.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::ThroughputError;
use crate::protocol::Parameters;

/// Connections that wait to be accepted: all streams of a large run come at once.
const BACKLOG: i32 = 512;
/// How long a blocked thread waits before it looks whether it shall stop.
pub(crate) const LOOK_AROUND: Duration = Duration::from_millis(100);
/// How long unacknowledged data of the control connection may wait.
const USER_TIMEOUT: Duration = Duration::from_secs(20);

fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> ThroughputError {
    let what = what.into();
    move |source| ThroughputError::Socket { what, source }
}

fn unset(option: impl Into<String>) -> impl FnOnce(io::Error) -> ThroughputError {
    let option = option.into();
    move |source| ThroughputError::Option { option, source }
}

/// A listener for connections, and one for datagrams on the same port. An unspecified address of IPv6 takes IPv4 too.
pub(crate) fn listeners(address: SocketAddr) -> Result<(TcpListener, UdpSocket), ThroughputError> {
    // The port that the system chooses for connections may be somebody else's for datagrams: then it chooses again.
    let tries = if address.port() == 0 { 20 } else { 1 };
    let mut outcome = listeners_on(address);
    for _ in 1..tries {
        if outcome.is_ok() {
            break;
        }
        outcome = listeners_on(address);
    }
    outcome
}

fn listeners_on(address: SocketAddr) -> Result<(TcpListener, UdpSocket), ThroughputError> {
    let domain = Domain::for_address(address);
    let open = |kind: Type, protocol: Protocol| -> io::Result<Socket> {
        let socket = Socket::new(domain, kind, Some(protocol))?;
        if domain == Domain::IPV6 {
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        socket.set_reuse_address(true)?;
        Ok(socket)
    };
    let tcp = open(Type::STREAM, Protocol::TCP)
        .and_then(|socket| socket.bind(&address.into()).map(|()| socket))
        .and_then(|socket| socket.listen(BACKLOG).map(|()| socket));
    let tcp: TcpListener = tcp.map_err(failed(format!("cannot listen on {address}")))?.into();
    // Port 0 lets the system choose; datagrams come to the same one.
    let bound = tcp.local_addr().map_err(failed("cannot listen"))?;
    let udp = open(Type::DGRAM, Protocol::UDP).and_then(|socket| socket.bind(&bound.into()).map(|()| socket));
    let udp: UdpSocket = udp.map_err(failed(format!("cannot receive datagrams on {bound}")))?.into();
    tcp.set_nonblocking(true).map_err(failed("cannot listen"))?;
    udp.set_nonblocking(true).map_err(failed("cannot receive datagrams"))?;
    Ok((tcp, udp))
}

/// Connects by TCP within `patience`.
pub(crate) fn connect(
    to: SocketAddr,
    source: Option<IpAddr>,
    parameters: Option<&Parameters>,
    patience: Duration,
) -> Result<TcpStream, ThroughputError> {
    let what = || format!("cannot connect to {to}");
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP)).map_err(failed(what()))?;
    if let Some(source) = source {
        let name = SocketAddr::new(source, 0);
        socket.bind(&name.into()).map_err(failed(format!("cannot send from {source}")))?;
    }
    if let Some(parameters) = parameters {
        if parameters.mss > 0 {
            let value = parameters.mss;
            socket.set_tcp_mss(value).map_err(unset(format!("a segment size of {value} octets")))?;
        }
        prepare(&SockRef::from(&socket), parameters)?;
    } else {
        prepare_control(&SockRef::from(&socket));
    }
    socket.connect_timeout(&to.into(), patience).map_err(failed(what()))?;
    Ok(socket.into())
}

/// Options that hasten the control connection, and end it when the other side is gone. None is needed.
pub(crate) fn prepare_control(socket: &SockRef<'_>) {
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_keepalive(true);
    let _ = socket.set_tcp_user_timeout(Some(USER_TIMEOUT));
}

/// Sets what the parameters ask of a stream's socket.
pub(crate) fn prepare(socket: &SockRef<'_>, parameters: &Parameters) -> Result<(), ThroughputError> {
    if parameters.window > 0 {
        let size = parameters.window as usize;
        let set = socket.set_recv_buffer_size(size).and_then(|()| socket.set_send_buffer_size(size));
        set.map_err(unset(format!("a buffer of {size} octets")))?;
    }
    if parameters.tcp {
        if parameters.nodelay {
            socket.set_tcp_nodelay(true).map_err(unset("no delay"))?;
        }
        if let Some(name) = &parameters.congestion {
            let known = || "see /proc/sys/net/ipv4/tcp_available_congestion_control";
            socket
                .set_tcp_congestion(name.as_bytes())
                .map_err(unset(format!("the congestion control {name:?} ({})", known())))?;
        }
    }
    if parameters.tos > 0 {
        // A socket of IPv6 may carry IPv4 too, and has a class for each.
        let tos = u32::from(parameters.tos);
        let (v4, v6) = (socket.set_tos_v4(tos), socket.set_tclass_v6(tos));
        v4.or(v6).map_err(unset(format!("a class of {tos}")))?;
    }
    Ok(())
}

/// Time limits after which a stream's thread looks around.
pub(crate) fn look_around(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(LOOK_AROUND))?;
    socket.set_write_timeout(Some(LOOK_AROUND))
}

/// A socket for the datagrams of one stream.
pub(crate) fn datagrams(
    to: SocketAddr,
    local: SocketAddr,
    shares_port: bool,
    parameters: &Parameters,
) -> Result<UdpSocket, ThroughputError> {
    let what = || format!("cannot exchange datagrams with {to}");
    let socket = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP)).map_err(failed(what()))?;
    prepare(&SockRef::from(&socket), parameters)?;
    if parameters.window == 0 {
        // Datagrams that come while the receiving thread is not scheduled would be lost by this host alone, and who
        // measures a network does not want that. The system gives as much as its limit allows.
        let _ = socket.set_recv_buffer_size(4 << 20);
    }
    if shares_port {
        socket.set_reuse_address(true).map_err(failed(what()))?;
    }
    socket.bind(&local.into()).map_err(failed(format!("cannot send from {local}")))?;
    socket.connect(&to.into()).map_err(failed(what()))?;
    Ok(socket.into())
}

/// Which congestion control a connection has.
pub(crate) fn congestion_control(stream: &TcpStream) -> Option<String> {
    let name = SockRef::from(stream).tcp_congestion().ok()?;
    let end = name.iter().position(|octet| *octet == 0).unwrap_or(name.len());
    String::from_utf8(name[..end].to_vec()).ok()
}
