//! The conversation with a client, within time limits.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use squirrel_sys::clock;

use super::door::Place;
use crate::ThroughputError;
use crate::control::{Control, Heard, PATIENCE};
use crate::login::Access;
use crate::protocol::{
    Parameters, ProtocolError, Refusal, Results, ServerAction, ServerMachine, Token, UnfitParameters,
};
use crate::run::{Interval, Run, Socket};
use crate::sockets::LOOK_AROUND;
use crate::stream::Stop;

/// How much longer than it was to be a run may be: its end comes from the client, over the same network.
const GRACE: Duration = Duration::from_secs(15);
/// Time of an interval of a server's own record.
const INTERVAL: Duration = Duration::from_secs(1);
/// Intervals that a server keeps of one run.
const MOST_INTERVALS: usize = 4000;
/// How long after it came a login is refused. No key that can be used takes a tenth of it.
const REFUSED_AFTER: Duration = Duration::from_secs(1);

/// The conversation with a client.
pub(super) struct Talk {
    pub(super) control: Control,
    pub(super) machine: ServerMachine,
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
    pub(super) fn refuse(&mut self, refusal: Refusal) -> ThroughputError {
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

    pub(super) fn parameters(&mut self, stop: &Stop) -> Result<Parameters, ThroughputError> {
        let began = clock::now();
        loop {
            match self.step(LOOK_AROUND)?.pop() {
                Some(ServerAction::Parameters(parameters)) => return Ok(*parameters),
                Some(_) => return Err(self.abandoned()),
                None => self.patience(began.elapsed(), stop)?,
            }
        }
    }

    /// Lets in whom this server knows. Whatever is wrong with a login is answered at the same time after it came: see
    /// [`crate::login`].
    pub(super) fn log_in(
        &mut self,
        token: Option<&Token>,
        access: Option<&Access>,
        stop: &Stop,
    ) -> Result<(), ThroughputError> {
        let Some(access) = access else { return Ok(()) };
        let began = clock::now();
        let Err(why) = access.judge(token, clock::wall()) else { return Ok(()) };
        // On a machine that is so busy that it took longer, at the next multiple.
        let whole = began.elapsed().as_micros() / REFUSED_AFTER.as_micros() + 1;
        let at = REFUSED_AFTER.saturating_mul(u32::try_from(whole).unwrap_or(u32::MAX));
        while !stop.is_set() && began.elapsed() < at {
            stop.wait(at.saturating_sub(began.elapsed()));
        }
        self.refuse(Refusal::LOGIN);
        Err(ThroughputError::Unfit(format!("refused: {why}")))
    }

    /// Waits for all streams; those on which the client sends come first.
    pub(super) fn streams(
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
    pub(super) fn watch(
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
    pub(super) fn results(&mut self, own: &Results, stop: &Stop) -> Result<Results, ThroughputError> {
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
