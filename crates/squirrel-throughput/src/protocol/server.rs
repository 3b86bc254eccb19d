//! The server's half of the conversation, after the cookie.

use std::fmt;

use super::document::{Document, written};
use super::{Parameters, ProtocolError, Results, State};

/// Why a server refuses or fails, by iperf3's numbers (`iperf_api.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Iperf3's number.
    pub number: u32,
    /// The system's error number, or 0.
    pub errno: u32,
}

impl Refusal {
    /// The run is too long.
    pub const DURATION: Self = Self { number: 5, errno: 0 };
    /// There are too many streams.
    pub const STREAMS: Self = Self { number: 6, errno: 0 };
    /// The blocks have no size that can be.
    pub const BLOCK: Self = Self { number: 7, errno: 0 };
    /// The part that does not count is too long.
    pub const OMIT: Self = Self { number: 12, errno: 0 };
    /// Something that this server does not do.
    pub const UNIMPLEMENTED: Self = Self { number: 13, errno: 0 };
    /// The bitrate is over what this server allows.
    pub const RATE: Self = Self { number: 27, errno: 0 };
    /// The parameters cannot be read.
    pub const PARAMETERS: Self = Self { number: 114, errno: 0 };
    /// The login is missing or wrong.
    pub const LOGIN: Self = Self { number: 142, errno: 0 };
    /// A message that may not be sent now.
    pub const MESSAGE: Self = Self { number: 110, errno: 0 };
    /// The streams were not connected.
    pub const STREAM_ACCEPT: Self = Self { number: 204, errno: 0 };

    pub(super) fn read(octets: [u8; 8]) -> Self {
        let (number, errno) = octets.split_at(4);
        let read = |four: &[u8]| four.first_chunk::<4>().map_or(0, |four| u32::from_be_bytes(*four));
        Self { number: read(number), errno: read(errno) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.number {
            5 => "the run is longer than it allows",
            6 => "it does not allow so many streams",
            7 | 20 => "it does not allow blocks of this size",
            8 | 124 | 130 => "it cannot set buffers of this size",
            10 | 123 => "it cannot set this segment size",
            12 => "it does not allow so long a beginning that does not count",
            13 => "it cannot do what was asked",
            21 | 125 => "it cannot set this class",
            27 => "the bitrate is over what it allows",
            110 | 114 => "it did not understand",
            134 => "it does not have this congestion control",
            142 => {
                "it wants a user name and a password by RSA, or does not take those that it got: both clocks have to be \
                 right, and iperf3 before 3.17 wants --use-pkcs1-padding"
            }
            200..=208 => "the streams could not be connected, or broke",
            number => return write!(f, "iperf3's error {number}, system error {}", self.errno),
        };
        f.write_str(words)
    }
}

/// What the driver shall do.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerAction {
    /// Look at the parameters, which can be; then [`ServerMachine::accept`] or refuse.
    Parameters(Box<Parameters>),
    /// The client has finished: stop, and [`ServerMachine::exchange`].
    End,
    /// The client was stopped. The conversation is over.
    Abandoned,
    /// The client's results; give the own to [`ServerMachine::results`].
    PeerResults(Box<Results>),
    /// The client said goodbye. The conversation is over.
    Done,
}

#[derive(Debug)]
enum Phase {
    Parameters(Document),
    Connecting,
    Running,
    Ending,
    Exchanging(Document),
    Parting,
    Over,
}

impl Phase {
    fn name(&self) -> &'static str {
        match self {
            Self::Parameters(_) => "the parameters were to come",
            Self::Connecting => "the streams were connected",
            Self::Running => "the run went on",
            Self::Ending => "the run was ended",
            Self::Exchanging(_) => "results were exchanged",
            Self::Parting => "the results were shown",
            Self::Over => "nothing was to be said any more",
        }
    }
}

/// The server's half of the conversation, from the parameters to the goodbye.
#[derive(Debug)]
pub struct ServerMachine {
    phase: Phase,
}

impl ServerMachine {
    /// Begins: the octets are to be sent first.
    pub fn new() -> (Self, Vec<u8>) {
        (Self { phase: Phase::Parameters(Document::new("parameters")) }, vec![State::ParamExchange.octet()])
    }

    /// Takes what came on the control connection.
    ///
    /// # Errors
    /// What the client may not say, or parameters that cannot be. Answer with [`ServerMachine::refuse`].
    pub fn receive(&mut self, mut input: &[u8]) -> Result<Vec<ServerAction>, ProtocolError> {
        let mut actions = Vec::new();
        while !input.is_empty() {
            match &mut self.phase {
                Phase::Parameters(document) => {
                    if let Some(parameters) = document.take::<Box<Parameters>>(&mut input)? {
                        parameters.check()?;
                        self.phase = Phase::Connecting;
                        actions.push(ServerAction::Parameters(parameters));
                    }
                }
                Phase::Exchanging(document) => {
                    if let Some(results) = document.take(&mut input)? {
                        self.phase = Phase::Parting;
                        actions.push(ServerAction::PeerResults(results));
                    }
                }
                _ => {
                    let Some((said, rest)) = input.split_first() else { break };
                    input = rest;
                    actions.push(self.hear(*said)?);
                }
            }
        }
        Ok(actions)
    }

    fn hear(&mut self, said: u8) -> Result<ServerAction, ProtocolError> {
        let (phase, action) = match (&self.phase, State::of(said)) {
            (Phase::Running, Some(State::TestEnd)) => (Phase::Ending, ServerAction::End),
            (Phase::Parting, Some(State::IperfDone)) => (Phase::Over, ServerAction::Done),
            (Phase::Over, _) => return Err(ProtocolError::OutOfOrder { said, phase: self.phase.name() }),
            (_, Some(State::ClientTerminate)) => (Phase::Over, ServerAction::Abandoned),
            _ => return Err(ProtocolError::OutOfOrder { said, phase: self.phase.name() }),
        };
        self.phase = phase;
        Ok(action)
    }

    /// The parameters are accepted: what is to be sent so that the client connects its streams.
    pub fn accept(&mut self, squirrel: bool) -> Vec<u8> {
        let mut octets = if squirrel { vec![State::Squirrel.octet()] } else { Vec::new() };
        octets.push(State::CreateStreams.octet());
        octets
    }

    /// All streams are connected: what is to be sent to begin.
    pub fn begin(&mut self) -> Vec<u8> {
        self.phase = Phase::Running;
        vec![State::TestStart.octet(), State::TestRunning.octet()]
    }

    /// The run has ended: what is to be sent to have the client's results.
    pub fn exchange(&mut self) -> Vec<u8> {
        self.phase = Phase::Exchanging(Document::new("results"));
        vec![State::ExchangeResults.octet()]
    }

    /// The results, as they are to be sent.
    pub fn results(&self, results: &Results) -> Vec<u8> {
        let mut octets = written(results);
        octets.push(State::DisplayResults.octet());
        octets
    }

    /// What is to be sent when this server refuses or fails.
    pub fn refuse(&mut self, refusal: Refusal) -> Vec<u8> {
        self.phase = Phase::Over;
        let mut octets = vec![State::ServerError.octet()];
        octets.extend(refusal.number.to_be_bytes());
        octets.extend(refusal.errno.to_be_bytes());
        octets
    }

    /// What is to be sent when this server is stopped.
    pub fn stop(&mut self) -> Vec<u8> {
        self.phase = Phase::Over;
        vec![State::ServerTerminate.octet()]
    }

    /// What is going on, for errors.
    pub fn phase(&self) -> &'static str {
        self.phase.name()
    }
}
