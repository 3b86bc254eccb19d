//! Who is inside: which runs go on, which wait for their streams, and to which a new connection belongs.

use std::collections::{HashMap, VecDeque};
use std::net::TcpStream;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Limits;
use crate::login::Access;
use crate::protocol::{Cookie, MOST_STREAMS, Parameters};
use crate::run::Socket;
use crate::sockets;
use crate::udp::{ANSWERS, GREETINGS, is_one_of};

/// Greetings taken at once; the rest waits in the socket.
const GREETED: usize = 64;

/// Which runs there are.
pub(super) struct Door {
    pub(super) limits: Limits,
    /// Whom it lets in; everybody without it.
    pub(super) access: Option<Access>,
    inside: Mutex<Inside>,
    /// Somebody stopped waiting for datagrams.
    turn: Condvar,
    waiting: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Inside {
    runs: HashMap<Cookie, Run>,
    /// Hosts whose run waits for streams of UDP. A greeting says nothing but where it comes from, so that there is one
    /// such run of a host at a time.
    greeted: HashMap<IpAddr, Greeted>,
}

struct Run {
    streams: SyncSender<Socket>,
    echoes: Arc<AtomicUsize>,
}

struct Greeted {
    streams: SyncSender<Socket>,
    parameters: Parameters,
    local: SocketAddr,
}

/// A counted place; it is free again when this is dropped.
pub(super) struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn take(counter: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let more = |count| (count < most).then_some(count + 1);
        counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Self(counter.clone()))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A run's place inside.
pub(super) struct Place<'a> {
    door: &'a Door,
    cookie: Cookie,
    pub(super) streams: Receiver<Socket>,
    greets: Option<IpAddr>,
}

impl Door {
    pub(super) fn new(limits: Limits, access: Option<Access>) -> Self {
        Self { limits, access, inside: Mutex::default(), turn: Condvar::new(), waiting: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection whose cookie is to come.
    pub(super) fn waiting(&self, most: usize) -> Option<Counted> {
        Counted::take(&self.waiting, most)
    }

    /// A place for a connection that wants echoes, beside a run.
    pub(super) fn echo(&self, cookie: &Cookie, most: usize) -> Option<Counted> {
        Counted::take(&self.lock().runs.get(cookie)?.echoes, most)
    }

    /// Gives a connection to the run that it belongs to, or back if there is none. What a run did not ask for is closed.
    pub(super) fn hand_over(&self, cookie: &Cookie, stream: TcpStream) -> Option<TcpStream> {
        match self.lock().runs.get(cookie) {
            Some(run) => {
                let _ = run.streams.try_send(Socket::Tcp(stream));
                None
            }
            None => Some(stream),
        }
    }

    /// Lets a new run in, if there is room.
    pub(super) fn enter(&self, cookie: &Cookie) -> Option<Place<'_>> {
        let mut inside = self.lock();
        if inside.runs.len() >= self.limits.clients || inside.runs.contains_key(cookie) {
            return None;
        }
        let (sender, streams) = sync_channel(2 * MOST_STREAMS as usize);
        inside.runs.insert(*cookie, Run { streams: sender, echoes: Arc::default() });
        Some(Place { door: self, cookie: *cookie, streams, greets: None })
    }

    /// Takes greetings of new streams of UDP, and answers those that a run waits for.
    pub(super) fn greet(&self, listener: &UdpSocket) {
        let mut octets = [0; 64];
        let mut strays = VecDeque::new();
        for _ in 0..GREETED {
            let Ok((len, peer)) = listener.recv_from(&mut octets) else { break };
            if is_one_of(GREETINGS, &octets[..len]) {
                strays.push_back(peer);
            }
            while let Some(peer) = strays.pop_front() {
                self.welcome(peer, &mut strays);
            }
        }
    }

    /// Makes a socket for a stream and answers from it. Between its birth and its being connected it may catch greetings
    /// of others, which join `strays`.
    fn welcome(&self, peer: SocketAddr, strays: &mut VecDeque<SocketAddr>) {
        let inside = self.lock();
        let Some(run) = inside.greeted.get(&peer.ip().to_canonical()) else { return };
        let Ok(socket) = sockets::datagrams(peer, run.local, true, &run.parameters) else { return };
        let mut octets = [0; 64];
        if socket.set_nonblocking(true).is_err() {
            return;
        }
        for _ in 0..GREETED {
            let Ok((len, from)) = socket.recv_from(&mut octets) else { break };
            if from != peer && is_one_of(GREETINGS, &octets[..len]) {
                strays.push_back(from);
            }
        }
        if socket.send(&ANSWERS[0].to_ne_bytes()).is_ok() {
            let _ = run.streams.try_send(Socket::Udp(socket));
        }
    }
}

impl Place<'_> {
    /// Waits for the turn to be greeted by datagrams of this host. Says whether it came in time.
    pub(super) fn await_greetings(
        &mut self,
        host: IpAddr,
        local: SocketAddr,
        parameters: &Parameters,
        patience: Duration,
    ) -> bool {
        let inside = self.door.lock();
        let taken = |inside: &mut Inside| inside.greeted.contains_key(&host);
        let waited = self.door.turn.wait_timeout_while(inside, patience, taken);
        let (mut inside, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
        let Some(streams) = inside.runs.get(&self.cookie).map(|run| run.streams.clone()) else { return false };
        if outcome.timed_out() {
            return false;
        }
        inside.greeted.insert(host, Greeted { streams, parameters: parameters.clone(), local });
        self.greets = Some(host);
        true
    }

    /// All streams are there: the next run of the host may be greeted.
    pub(super) fn greeted(&mut self) {
        if let Some(host) = self.greets.take() {
            self.door.lock().greeted.remove(&host);
            self.door.turn.notify_all();
        }
    }

    /// Whom the server lets in; everybody without it.
    pub(super) fn access(&self) -> Option<&Access> {
        self.door.access.as_ref()
    }

    /// What the server allows.
    pub(super) fn limits(&self) -> Limits {
        self.door.limits
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.greeted();
        self.door.lock().runs.remove(&self.cookie);
    }
}
