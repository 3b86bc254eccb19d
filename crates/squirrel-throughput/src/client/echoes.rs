//! Echoes while the network is idle, and beside the load.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use squirrel_sys::clock;

use crate::latency::Samples;
use crate::protocol::{Cookie, Purpose};
use crate::sockets;
use crate::stream::Stop;

/// Asks a host for an echo and waits for it at most so long.
pub type Echo = Box<dyn FnMut(IpAddr, Duration) -> Option<Duration> + Send>;

/// Echoes before the load, and for how long they are asked for at most.
const IDLE: (usize, Duration) = (10, Duration::from_secs(1));
/// Time between two echoes beside the load: each is a few small packets.
const PAUSE: Duration = Duration::from_millis(100);
/// How long an echo may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// Octets of an echo.
const FRAME: [u8; 16] = *b"squirrel's echo\n";
/// Samples that are kept: those of an hour and a half.
const MOST: usize = 50_000;

enum Way {
    Server { to: SocketAddr, source: Option<IpAddr>, cookie: Cookie },
    Icmp { to: IpAddr, echo: Echo },
}

/// Asks for echoes.
pub(super) struct Prober(Way);

/// One that works in a thread of its own.
pub(super) struct Running {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<Samples>>,
}

impl Prober {
    /// By new connections to Squirrel's server.
    pub(super) fn server(to: SocketAddr, source: Option<IpAddr>, cookie: Cookie) -> Self {
        Self(Way::Server { to, source, cookie })
    }

    /// By ICMP.
    pub(super) fn icmp(to: IpAddr, echo: Echo) -> Self {
        Self(Way::Icmp { to, echo })
    }

    /// The handshake's time, where there is one, and the echo's.
    fn ask(&mut self) -> Option<(Option<Duration>, Duration)> {
        match &mut self.0 {
            Way::Icmp { to, echo } => echo(*to, PATIENCE).map(|time| (None, time)),
            Way::Server { to, source, cookie } => {
                let began = clock::now();
                let mut stream = sockets::connect(*to, *source, None, PATIENCE).ok()?;
                let handshake = began.elapsed();
                stream.write_all(&cookie.octets(Purpose::Echo)).ok()?;
                // The first echo tells how fast the server starts to answer, the second how fast the network does.
                echo(&mut stream).and_then(|_| echo(&mut stream)).map(|time| (Some(handshake), time))
            }
        }
    }

    /// Echoes before there is any load.
    pub(super) fn idle(&mut self) -> Vec<Duration> {
        let began = clock::now();
        let mut times = Vec::new();
        for _ in 0..IDLE.0 {
            if began.elapsed() > IDLE.1 {
                break;
            }
            let Some((_, time)) = self.ask() else { break };
            times.push(time);
        }
        times
    }

    /// Asks until it is finished.
    pub(super) fn start(mut self) -> Running {
        let stop = Arc::new(Stop::default());
        let until = stop.clone();
        let work = move || {
            let mut samples = Samples::default();
            while !until.wait(PAUSE) && samples.loaded.len() < MOST {
                match self.ask() {
                    Some((handshake, time)) => {
                        samples.handshakes.extend(handshake);
                        samples.loaded.push(time);
                    }
                    None if !until.is_set() => samples.missed += 1,
                    None => {}
                }
            }
            samples
        };
        // Without a thread there is no measurement, and the run goes on.
        let thread = std::thread::Builder::new().name("echoes".into()).spawn(work).ok();
        Running { stop, thread }
    }
}

impl Running {
    /// Ends it; gives what was measured.
    pub(super) fn finish(mut self) -> Samples {
        self.stop.set();
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

fn echo(stream: &mut TcpStream) -> Option<Duration> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let began = clock::now();
    stream.write_all(&FRAME).ok()?;
    let mut answer = [0; FRAME.len()];
    stream.read_exact(&mut answer).ok()?;
    (answer == FRAME).then(|| began.elapsed())
}
