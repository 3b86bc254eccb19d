//! The client's half of the conversation.

use super::document::{Document, written};
use super::{Cookie, Parameters, ProtocolError, Purpose, Refusal, Results, State};

/// What the driver shall do.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientAction {
    /// Send these octets on the control connection.
    Send(Vec<u8>),
    /// The server is Squirrel too and answers echoes.
    ServerIsSquirrel,
    /// Connect the streams.
    CreateStreams,
    /// All streams are there.
    Prepare,
    /// Send and receive.
    Run,
    /// Give the results to [`ClientMachine::results`].
    GiveResults,
    /// The server's results. The conversation is over.
    Finished(Box<Results>),
}

#[derive(Debug)]
enum Phase {
    Greeting,
    Preparing,
    Connecting,
    Starting,
    Running,
    Ending,
    Exchanging(Document),
    Receiving,
    Over,
    /// The server failed; so many octets of the two numbers came.
    Failing(Vec<u8>),
}

impl Phase {
    fn name(&self) -> &'static str {
        match self {
            Self::Greeting => "the parameters were to be asked for",
            Self::Preparing => "the parameters were looked at",
            Self::Connecting => "the streams were connected",
            Self::Starting => "the run was to begin",
            Self::Running => "the run went on",
            Self::Ending => "the run was ended",
            Self::Exchanging(_) => "results were exchanged",
            Self::Receiving => "the results were to be shown",
            Self::Over => "nothing was to be said any more",
            Self::Failing(_) => "the server told of a failure",
        }
    }
}

/// The client's half of the conversation, from the cookie to the goodbye.
#[derive(Debug)]
pub struct ClientMachine {
    phase: Phase,
    parameters: Vec<u8>,
    results: Option<Box<Results>>,
}

impl ClientMachine {
    /// Begins: the octets are to be sent first.
    pub fn new(cookie: &Cookie, parameters: &Parameters) -> (Self, Vec<u8>) {
        let machine = Self { phase: Phase::Greeting, parameters: written(parameters), results: None };
        (machine, cookie.octets(Purpose::Run).to_vec())
    }

    /// Takes what came on the control connection.
    ///
    /// # Errors
    /// What the server may not say, or that it refuses. The conversation is over then.
    pub fn receive(&mut self, mut input: &[u8]) -> Result<Vec<ClientAction>, ProtocolError> {
        let mut actions = Vec::new();
        while !input.is_empty() {
            match &mut self.phase {
                Phase::Exchanging(document) => {
                    if let Some(results) = document.take(&mut input)? {
                        self.results = Some(results);
                        self.phase = Phase::Receiving;
                    }
                }
                Phase::Failing(numbers) => {
                    let (mine, _) = input.split_at((8 - numbers.len()).min(input.len()));
                    numbers.extend_from_slice(mine);
                    let Some(eight) = numbers.first_chunk::<8>() else { return Ok(actions) };
                    return Err(ProtocolError::Refused(Refusal::read(*eight)));
                }
                _ => {
                    let Some((said, rest)) = input.split_first() else { break };
                    input = rest;
                    self.hear(*said, &mut actions)?;
                }
            }
        }
        Ok(actions)
    }

    fn hear(&mut self, said: u8, actions: &mut Vec<ClientAction>) -> Result<(), ProtocolError> {
        let state = State::of(said);
        let (phase, action) = match (&self.phase, state) {
            (Phase::Over, _) => return Err(ProtocolError::OutOfOrder { said, phase: self.phase.name() }),
            (_, Some(State::AccessDenied)) => return Err(ProtocolError::Busy),
            (_, Some(State::ServerTerminate)) => return Err(ProtocolError::ServerStopped),
            (_, Some(State::ServerError)) => {
                self.phase = Phase::Failing(Vec::new());
                return Ok(());
            }
            (Phase::Greeting, Some(State::ParamExchange)) => {
                (Phase::Preparing, ClientAction::Send(std::mem::take(&mut self.parameters)))
            }
            (Phase::Preparing, Some(State::Squirrel)) => (Phase::Preparing, ClientAction::ServerIsSquirrel),
            (Phase::Preparing, Some(State::CreateStreams)) => (Phase::Connecting, ClientAction::CreateStreams),
            (Phase::Connecting, Some(State::TestStart)) => (Phase::Starting, ClientAction::Prepare),
            (Phase::Starting, Some(State::TestRunning)) => (Phase::Running, ClientAction::Run),
            (Phase::Ending, Some(State::ExchangeResults)) => {
                (Phase::Exchanging(Document::new("results")), ClientAction::GiveResults)
            }
            (Phase::Receiving, Some(State::DisplayResults)) => {
                actions.push(ClientAction::Send(vec![State::IperfDone.octet()]));
                (Phase::Over, ClientAction::Finished(self.results.take().unwrap_or_default()))
            }
            _ => return Err(ProtocolError::OutOfOrder { said, phase: self.phase.name() }),
        };
        self.phase = phase;
        actions.push(action);
        Ok(())
    }

    /// The server closed the connection: what it told before, if it told of a failure. Iperf3 gives a refused login one
    /// number in place of two.
    pub fn closed(&self) -> Option<ProtocolError> {
        let Phase::Failing(numbers) = &self.phase else { return None };
        let number = u32::from_be_bytes(*numbers.first_chunk::<4>()?);
        Some(ProtocolError::Refused(Refusal { number, errno: 0 }))
    }

    /// The run has reached its bound: what is to be sent.
    pub fn end(&mut self) -> Vec<u8> {
        self.phase = Phase::Ending;
        vec![State::TestEnd.octet()]
    }

    /// The user does not want to go on: what is to be sent, after which nothing is heard any more.
    pub fn abandon(&mut self) -> Vec<u8> {
        self.phase = Phase::Over;
        vec![State::ClientTerminate.octet()]
    }

    /// The results, as they are to be sent.
    pub fn results(&self, results: &Results) -> Vec<u8> {
        written(results)
    }

    /// What is going on, for errors.
    pub fn phase(&self) -> &'static str {
        self.phase.name()
    }
}
