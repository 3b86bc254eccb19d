//! The conversation with the server, within time limits.

use std::time::Duration;

use squirrel_sys::clock;

use crate::ThroughputError;
use crate::control::{Control, Heard, PATIENCE};
use crate::protocol::{ClientAction, ClientMachine, ProtocolError, Results};
use crate::sockets::LOOK_AROUND;
use crate::stream::Stop;

/// The conversation with the server.
pub(super) struct Talk {
    pub(super) control: Control,
    pub(super) machine: ClientMachine,
    /// Whether the server said that it is Squirrel too.
    pub(super) squirrel: bool,
}

impl Talk {
    /// Listens for at most so long, when nothing is expected but bad news.
    pub(super) fn listen(&mut self, wait: Duration) -> Result<(), ThroughputError> {
        self.step(wait).map(|_| ())
    }

    /// One look at what came; gives the actions that are not the conversation's own.
    fn step(&mut self, wait: Duration) -> Result<Vec<ClientAction>, ThroughputError> {
        let heard = match self.control.hear(wait)? {
            Heard::Octets(octets) => self.machine.receive(octets),
            Heard::Nothing => Ok(Vec::new()),
            Heard::Closed => {
                let peer = self.control.peer().to_owned();
                return Err(match self.machine.closed() {
                    Some(source) => ThroughputError::Protocol { peer, source },
                    None => ThroughputError::Closed { peer, phase: self.machine.phase() },
                });
            }
        };
        let broken = |source: ProtocolError| ThroughputError::Protocol { peer: self.control.peer().to_owned(), source };
        let mut left = Vec::new();
        for action in heard.map_err(broken)? {
            match action {
                ClientAction::Send(octets) => self.control.say(&octets)?,
                ClientAction::ServerIsSquirrel => self.squirrel = true,
                other => left.push(other),
            }
        }
        Ok(left)
    }

    /// Waits until the server says what is to be done next.
    pub(super) fn wait_for(&mut self, wanted: &ClientAction, stop: &Stop) -> Result<(), ThroughputError> {
        let began = clock::now();
        loop {
            if self.step(LOOK_AROUND)?.contains(wanted) {
                return Ok(());
            }
            self.check_patience(began.elapsed(), stop)?;
        }
    }

    pub(super) fn results(&mut self, own: &Results, stop: &Stop) -> Result<Results, ThroughputError> {
        let began = clock::now();
        loop {
            for action in self.step(LOOK_AROUND)? {
                match action {
                    ClientAction::GiveResults => {
                        let octets = self.machine.results(own);
                        self.control.say(&octets)?;
                    }
                    ClientAction::Finished(results) => return Ok(*results),
                    _ => {}
                }
            }
            self.check_patience(began.elapsed(), stop)?;
        }
    }

    fn check_patience(&self, waited: Duration, stop: &Stop) -> Result<(), ThroughputError> {
        if waited < PATIENCE && !stop.is_set() {
            return Ok(());
        }
        let peer = self.control.peer().to_owned();
        Err(ThroughputError::Silent { peer, seconds: waited.as_secs(), phase: self.machine.phase() })
    }
}
