//! One run, from the server's side.

use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use squirrel_sys::clock;

use super::door::Place;
use super::{Event, Listener};
use crate::ThroughputError;
use crate::control::{Control, Heard, PATIENCE};
use crate::protocol::{
    Cookie, Parameters, ProtocolError, Refusal, Results, ServerAction, ServerMachine, UnfitParameters,
};
use crate::report::{Report, Start};
use crate::run::{Bounds, Interval, Run, Socket};
use crate::sockets::LOOK_AROUND;
use crate::stream::Stop;

/// How much longer than it was to be a run may be: its end comes from the client, over the same network.
const GRACE: Duration = Duration::from_secs(15);
/// The longest that the server waits for octets that the client has sent and the network still carries.
const TAIL: Duration = Duration::from_secs(2);
/// Time of an interval of a server's own record.
const INTERVAL: Duration = Duration::from_secs(1);
/// Intervals that a server keeps of one run.
const MOST_INTERVALS: usize = 4000;

/// Carries one run.
pub(super) fn carry(
    stream: TcpStream,
    peer: SocketAddr,
    cookie: &Cookie,
    place: &mut Place<'_>,
    stop: &Stop,
    tell: &Listener<'_>,
) -> Result<Report, ThroughputError> {
    let local = stream.local_addr().unwrap_or(peer);
    let (machine, greeting) = ServerMachine::new();
    let mut talk = Talk { control: Control::new(stream, peer.to_string())?, machine };
    talk.control.say(&greeting)?;
    let parameters = talk.parameters(stop)?;
    if let Some(refusal) = refusal(&parameters, place) {
        return Err(talk.refuse(refusal));
    }
    if parameters.udp && !place.await_greetings(peer.ip(), local, &parameters, PATIENCE) {
        return Err(talk.refuse(Refusal::STREAM_ACCEPT));
    }
    let octets = talk.machine.accept(parameters.squirrel > 0);
    talk.control.say(&octets)?;
    let streams = talk.streams(&parameters, place, stop)?;
    place.greeted();
    tell(Event::Began { peer, what: described(&parameters) });
    let start = Start::accepted(&parameters, peer, cookie, &streams);
    let octets = talk.machine.begin();
    talk.control.say(&octets)?;
    let bounds = Bounds { rate: place.limits().rate / u64::from(parameters.parallel.max(1)), zero_copy: false };
    let mut run = Run::start(streams, &parameters, bounds, false)?;
    let mut intervals = Vec::new();
    let ended = talk.watch(&mut run, place.limits().duration, &mut intervals, stop);
    if ended.is_ok() {
        await_tail(&run, &parameters, stop);
    }
    run.end();
    intervals.push(run.interval(false));
    run.close();
    let peer = match ended {
        Ok(()) => talk.results(&run.results(), stop),
        Err(error) => Err(error),
    };
    let (peer, error) = match peer {
        Ok(results) => (Some(results), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let mut report = Report::new(start, intervals, &run, peer);
    report.error = error;
    Ok(report)
}

/// Why this server does not do what is wanted, if it does not.
fn refusal(parameters: &Parameters, place: &Place<'_>) -> Option<Refusal> {
    let limits = place.limits();
    if Duration::from_secs(parameters.time + parameters.omit) > limits.duration {
        return Some(Refusal::DURATION);
    }
    let asked = parameters.bandwidth.saturating_mul(parameters.parallel.into());
    // Connections of TCP are held back; whoever sends datagrams can only be asked not to.
    let over = asked == 0 || asked > limits.rate;
    (parameters.udp && limits.rate > 0 && over).then_some(Refusal::RATE)
}

/// What a client wants, in words.
fn described(parameters: &Parameters) -> String {
    let protocol = if parameters.udp { "UDP" } else { "TCP" };
    let way = match (parameters.reverse, parameters.bidirectional) {
        (true, _) => "from here",
        (_, true) => "both ways",
        _ => "to here",
    };
    let streams = match parameters.parallel {
        1 => "one stream".to_owned(),
        more => format!("{more} streams"),
    };
    format!("{protocol} {way}, {streams}")
}

/// With a bound in octets, the last ones may still be on their way when the client says that it has sent them.
fn await_tail(run: &Run, parameters: &Parameters, stop: &Stop) {
    let Some(all) = parameters.octets().filter(|_| parameters.tcp && !parameters.reverse && parameters.omit == 0)
    else {
        return;
    };
    let began = clock::now();
    while run.moved().1 < all && began.elapsed() < TAIL && !stop.wait(Duration::from_millis(2)) {}
}

/// The conversation with a client.
struct Talk {
    control: Control,
    machine: ServerMachine,
}

impl Talk {
    /// One look at what came. What the client may not say is answered.
    fn step(&mut self, wait: Duration) -> Result<Vec<ServerAction>, ThroughputError> {
        let heard = match self.control.hear(wait)? {
            Heard::Octets(octets) => self.machine.receive(octets),
            Heard::Nothing => Ok(Vec::new()),
            Heard::Closed => {
                let peer = self.control.peer().to_owned();
                return Err(ThroughputError::Closed { peer, phase: self.machine.phase() });
            }
        };
        heard.map_err(|source| {
            let refusal = match &source {
                ProtocolError::Unfit(UnfitParameters::Protocol | UnfitParameters::Direction) => Refusal::UNIMPLEMENTED,
                ProtocolError::Unfit(UnfitParameters::Streams(_)) => Refusal::STREAMS,
                ProtocolError::Unfit(UnfitParameters::Duration) => Refusal::DURATION,
                ProtocolError::Unfit(UnfitParameters::Omit(_)) => Refusal::OMIT,
                ProtocolError::Unfit(UnfitParameters::Block(_)) => Refusal::BLOCK,
                ProtocolError::TooLong { .. } | ProtocolError::NotRead { .. } => Refusal::PARAMETERS,
                _ => Refusal::MESSAGE,
            };
            let octets = self.machine.refuse(refusal);
            let _ = self.control.say(&octets);
            ThroughputError::Protocol { peer: self.control.peer().to_owned(), source }
        })
    }

    /// Tells the client that it is refused; gives the same as an error.
    fn refuse(&mut self, refusal: Refusal) -> ThroughputError {
        let octets = self.machine.refuse(refusal);
        let _ = self.control.say(&octets);
        ThroughputError::Unfit(format!("refused: {refusal}"))
    }

    fn patience(&mut self, waited: Duration, stop: &Stop) -> Result<(), ThroughputError> {
        if stop.is_set() {
            return Err(self.stopped());
        }
        if waited < PATIENCE {
            return Ok(());
        }
        let peer = self.control.peer().to_owned();
        Err(ThroughputError::Silent { peer, seconds: waited.as_secs(), phase: self.machine.phase() })
    }

    fn stopped(&mut self) -> ThroughputError {
        let octets = self.machine.stop();
        let _ = self.control.say(&octets);
        ThroughputError::Unfit("this server was stopped".into())
    }

    fn abandoned(&self) -> ThroughputError {
        ThroughputError::Unfit(format!("{} was stopped by its user", self.control.peer()))
    }

    fn parameters(&mut self, stop: &Stop) -> Result<Parameters, ThroughputError> {
        let began = clock::now();
        loop {
            match self.step(LOOK_AROUND)?.pop() {
                Some(ServerAction::Parameters(parameters)) => return Ok(*parameters),
                Some(_) => return Err(self.abandoned()),
                None => self.patience(began.elapsed(), stop)?,
            }
        }
    }

    /// Waits for all streams; those on which the client sends come first.
    fn streams(
        &mut self,
        parameters: &Parameters,
        place: &Place<'_>,
        stop: &Stop,
    ) -> Result<Vec<(Socket, bool)>, ThroughputError> {
        let directions = [(false, parameters.from_client()), (true, parameters.from_server())];
        let wanted: Vec<bool> =
            directions.into_iter().flat_map(|(sends, count)| (0..count).map(move |_| sends)).collect();
        let mut streams = Vec::with_capacity(wanted.len());
        let began = clock::now();
        for sends in wanted {
            let socket = loop {
                match place.streams.recv_timeout(LOOK_AROUND) {
                    Ok(socket) => break socket,
                    Err(RecvTimeoutError::Timeout) => {
                        if !self.step(Duration::ZERO)?.is_empty() {
                            return Err(self.abandoned());
                        }
                        if began.elapsed() >= PATIENCE {
                            self.refuse(Refusal::STREAM_ACCEPT);
                        }
                        self.patience(began.elapsed(), stop)?;
                    }
                    Err(RecvTimeoutError::Disconnected) => return Err(self.refuse(Refusal::STREAM_ACCEPT)),
                }
            };
            if let Socket::Tcp(stream) = &socket {
                crate::sockets::prepare(&socket2::SockRef::from(stream), parameters)
                    .inspect_err(|_| drop(self.refuse(Refusal::STREAM_ACCEPT)))?;
            }
            streams.push((socket, sends));
        }
        Ok(streams)
    }

    /// Looks after the run until the client ends it, or it has gone on for too long.
    fn watch(
        &mut self,
        run: &mut Run,
        longest: Duration,
        intervals: &mut Vec<Interval>,
        stop: &Stop,
    ) -> Result<(), ThroughputError> {
        let omit = Duration::from_secs(run.parameters.omit);
        let end = match run.parameters.time {
            0 => longest,
            seconds => omit + Duration::from_secs(seconds) + GRACE,
        };
        let (mut counting, mut next) = (omit.is_zero(), INTERVAL);
        loop {
            let now = run.elapsed();
            let next_omit = if counting { Duration::MAX } else { omit };
            let wait = LOOK_AROUND.min(next.min(next_omit).saturating_sub(now));
            match self.step(wait)?.pop() {
                Some(ServerAction::End) => return Ok(()),
                Some(_) => return Err(self.abandoned()),
                None => {}
            }
            let now = run.elapsed();
            if stop.is_set() {
                return Err(self.stopped());
            }
            if now > end {
                return Err(self.refuse(Refusal::DURATION));
            }
            if !counting && now >= omit {
                run.omit_until_now();
                (counting, next) = (true, now + INTERVAL);
            }
            if now >= next {
                next += INTERVAL;
                if intervals.len() < MOST_INTERVALS {
                    intervals.push(run.interval(!counting));
                }
            }
        }
    }

    /// Exchanges results, and waits for the client's goodbye.
    fn results(&mut self, own: &Results, stop: &Stop) -> Result<Results, ThroughputError> {
        let octets = self.machine.exchange();
        self.control.say(&octets)?;
        let began = clock::now();
        let mut peer = None;
        loop {
            match self.step(LOOK_AROUND) {
                Ok(actions) => {
                    for action in actions {
                        match action {
                            ServerAction::PeerResults(results) => {
                                peer = Some(*results);
                                let octets = self.machine.results(own);
                                self.control.say(&octets)?;
                            }
                            _ => return peer.ok_or_else(|| self.abandoned()),
                        }
                    }
                }
                // Who has all it wanted may go without a word.
                Err(error) => return peer.ok_or(error),
            }
            if let Err(error) = self.patience(began.elapsed(), stop) {
                return peer.ok_or(error);
            }
        }
    }
}
