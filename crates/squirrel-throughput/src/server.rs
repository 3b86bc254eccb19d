//! The server: many runs at once, each with threads of its own and with bounds.

mod door;
mod session;
mod talk;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

use squirrel_sys::probe_socket;

use crate::ThroughputError;
use crate::control::PATIENCE;
use crate::login::Access;
use crate::protocol::{Cookie, Purpose, State};
use crate::report::Report;
use crate::sockets::{self, LOOK_AROUND};
use crate::stream::Stop;
use door::Door;

/// What a server allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Runs at once.
    pub clients: usize,
    /// The longest run.
    pub duration: Duration,
    /// Bits a second of one run in one direction, all streams together; none if 0.
    pub rate: u64,
    /// End after one run.
    pub one_off: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { clients: 16, duration: Duration::from_hours(1), rate: 0, one_off: false }
    }
}

/// What a server tells of.
#[derive(Debug)]
pub enum Event {
    /// A run began.
    Began {
        /// Who.
        peer: SocketAddr,
        /// What it wants, in words.
        what: String,
    },
    /// A run ended, well or not.
    Ended {
        /// Who.
        peer: SocketAddr,
        /// The figures.
        report: Box<Report>,
    },
    /// There was no run.
    Failed {
        /// Who.
        peer: SocketAddr,
        /// Why.
        error: ThroughputError,
    },
}

/// Connections whose cookie is still to come, and runs, have threads. So many wait for cookies at most, beside runs.
const WAITING: usize = 64;
/// How long a cookie may take.
const COOKIE_PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection for echoes may be silent.
const ECHO_PATIENCE: Duration = Duration::from_secs(10);
/// Connections for echoes of one run at once.
const ECHOES: usize = 4;

/// A server that listens.
pub struct Server {
    tcp: TcpListener,
    udp: UdpSocket,
    door: Arc<Door>,
    stop: Arc<Stop>,
}

/// Whom events are told.
pub(crate) type Listener<'a> = dyn Fn(Event) + Send + Sync + 'a;

impl Server {
    /// Listens, until `stop` is set. With `access`, only those that log in are served.
    ///
    /// # Errors
    /// When the address or port is in use or not ours.
    pub fn bind(
        address: SocketAddr,
        limits: Limits,
        access: Option<Access>,
        stop: Arc<Stop>,
    ) -> Result<Self, ThroughputError> {
        let (tcp, udp) = sockets::listeners(address)?;
        Ok(Self { tcp, udp, door: Arc::new(Door::new(limits, access)), stop })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Serves until it is stopped, or, if it is to serve once, until a run has ended. All threads have ended then.
    /// Events are told from several threads.
    ///
    /// # Errors
    /// When the sockets cannot be waited for.
    pub fn run<'a>(&'a self, tell: &'a (dyn Fn(Event) + Send + Sync + 'a)) -> Result<(), ThroughputError> {
        std::thread::scope(|scope| {
            while !self.stop.is_set() {
                let sockets = [self.tcp.as_fd(), self.udp.as_fd()];
                let ready = probe_socket::wait(&sockets, Some(LOOK_AROUND));
                let ready = ready.map_err(|source| ThroughputError::Socket { what: "cannot wait".into(), source })?;
                if ready.get(1) == Some(&true) {
                    self.door.greet(&self.udp);
                }
                if ready.first() == Some(&true) {
                    self.accept(scope, tell);
                }
            }
            Ok(())
        })
    }

    fn accept<'scope>(&'scope self, scope: &'scope std::thread::Scope<'scope, '_>, tell: &'scope Listener<'scope>) {
        // What waits is taken, but the datagrams' turn comes again soon.
        for _ in 0..WAITING {
            let Ok((stream, peer)) = self.tcp.accept() else { return };
            let Some(place) = self.door.waiting(WAITING) else {
                // A crowd that says nothing; who comes next is turned away until some gave up.
                continue;
            };
            let work = move || {
                let cookie = cookie(&stream);
                drop(place);
                if let Some((cookie, purpose)) = cookie {
                    self.meet(stream, plain(peer), cookie, purpose, tell);
                }
            };
            // Without a thread the connection is closed: the client is told, and may try again.
            let _ = std::thread::Builder::new().name("throughput".into()).spawn_scoped(scope, work);
        }
    }

    fn meet(&self, mut stream: TcpStream, peer: SocketAddr, cookie: Cookie, purpose: Purpose, tell: &Listener<'_>) {
        if purpose == Purpose::Echo {
            if let Some(_place) = self.door.echo(&cookie, ECHOES) {
                echo(&mut stream, &self.stop);
            }
            return;
        }
        let Some(stream) = self.door.hand_over(&cookie, stream) else { return };
        let Some(mut place) = self.door.enter(&cookie) else {
            let mut stream = stream;
            let _ = stream
                .set_write_timeout(Some(PATIENCE))
                .and_then(|()| stream.write_all(&[State::AccessDenied.octet()]));
            tell(Event::Failed {
                peer,
                error: ThroughputError::Unfit("turned away: as many runs as are allowed go on".into()),
            });
            return;
        };
        let outcome = session::carry(stream, peer, &cookie, &mut place, &self.stop, tell);
        drop(place);
        match outcome {
            Ok(report) => tell(Event::Ended { peer, report: Box::new(report) }),
            Err(error) => tell(Event::Failed { peer, error }),
        }
        if self.door.limits.one_off {
            self.stop.set();
        }
    }
}

/// Reads what every connection begins with.
fn cookie(stream: &TcpStream) -> Option<(Cookie, Purpose)> {
    let mut octets = [0; Cookie::LEN];
    stream.set_nonblocking(false).ok()?;
    let began = squirrel_sys::clock::now();
    let mut filled = 0;
    // The limit is for all octets together, or one octet after the other would keep a thread for minutes.
    while filled < octets.len() {
        let left = COOKIE_PATIENCE.checked_sub(began.elapsed()).filter(|left| !left.is_zero())?;
        stream.set_read_timeout(Some(left)).ok()?;
        let mut reader = stream;
        match reader.read(&mut octets[filled..]) {
            Ok(0) | Err(_) => return None,
            Ok(len) => filled += len,
        }
    }
    Cookie::read(octets)
}

/// Gives back what comes, until the other side ends, is silent too long, or the server is stopped.
fn echo(stream: &mut TcpStream, stop: &Stop) {
    let mut octets = [0; 64];
    let _ = stream.set_nodelay(true);
    let prepared = stream.set_read_timeout(Some(LOOK_AROUND)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    let mut heard = squirrel_sys::clock::now();
    while prepared.is_ok() && !stop.is_set() && heard.elapsed() < ECHO_PATIENCE {
        match stream.read(&mut octets) {
            Ok(0) => return,
            Ok(len) => {
                heard = squirrel_sys::clock::now();
                if stream.write_all(&octets[..len]).is_err() {
                    return;
                }
            }
            Err(error) if crate::control::is_pause(&error) => {}
            Err(_) => return,
        }
    }
}

/// An address of IPv4 that came by a socket of IPv6, as people know it.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
