//! The conversation on the control connection: states as single octets, documents of JSON behind their length.

mod client;
mod document;
mod parameters;
mod results;
mod server;

pub use client::{ClientAction, ClientMachine};
pub use document::{Document, MOST_OCTETS};
pub use parameters::{Parameters, Token, UnfitParameters};
pub use results::{OwnResults, Results, StreamResults};
pub use server::{Refusal, ServerAction, ServerMachine};

/// The port that clients ask and servers listen on when nobody says another.
pub const DEFAULT_PORT: u16 = 5201;
/// Streams that one run may have in one direction (iperf3's own limit).
pub const MOST_STREAMS: u32 = 128;

/// What an octet on the control connection says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The streams are connected; prepare.
    TestStart,
    /// Send.
    TestRunning,
    /// The client has finished.
    TestEnd,
    /// Send the parameters.
    ParamExchange,
    /// Connect the streams.
    CreateStreams,
    /// The server was stopped.
    ServerTerminate,
    /// The client was stopped.
    ClientTerminate,
    /// Send the results, then receive mine.
    ExchangeResults,
    /// You have all that I know.
    DisplayResults,
    /// Reserved for a further run.
    IperfStart,
    /// Goodbye.
    IperfDone,
    /// I am Squirrel too: connections that ask for echoes are answered. Said only to clients that announced themselves.
    Squirrel,
    /// Somebody else is served.
    AccessDenied,
    /// I failed; two numbers follow, of 32 bits each: iperf3's own and the system's.
    ServerError,
}

const STATES: [(u8, State); 14] = [
    (1, State::TestStart),
    (2, State::TestRunning),
    (4, State::TestEnd),
    (9, State::ParamExchange),
    (10, State::CreateStreams),
    (11, State::ServerTerminate),
    (12, State::ClientTerminate),
    (13, State::ExchangeResults),
    (14, State::DisplayResults),
    (15, State::IperfStart),
    (16, State::IperfDone),
    (83, State::Squirrel),
    (0xFF, State::AccessDenied),
    (0xFE, State::ServerError),
];

impl State {
    /// The state that an octet stands for.
    pub fn of(octet: u8) -> Option<Self> {
        STATES.iter().find(|(number, _)| *number == octet).map(|(_, state)| *state)
    }

    /// The octet that stands for it.
    pub fn octet(self) -> u8 {
        STATES.iter().find(|(_, state)| *state == self).map_or(0, |(number, _)| *number)
    }
}

/// What tells the connections of one run from others': 36 characters and an octet that says what a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cookie([u8; Cookie::LEN]);

/// What a connection that presents a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Control or data, as iperf3 has them.
    Run,
    /// Echoes, between two Squirrels.
    Echo,
}

impl Cookie {
    /// Octets on the wire.
    pub const LEN: usize = 37;
    const ECHO: u8 = b'E';

    /// Makes one of randomness, with the characters that iperf3 uses.
    pub fn new(random: [u8; 36]) -> Self {
        const CHARACTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let mut octets = [0; Self::LEN];
        for (octet, random) in octets.iter_mut().zip(random) {
            *octet = CHARACTERS[usize::from(random % 32)];
        }
        Self(octets)
    }

    /// Understands what was presented. Nothing is a cookie but printable characters and the octet behind them.
    pub fn read(octets: [u8; Self::LEN]) -> Option<(Self, Purpose)> {
        let (last, name) = octets.split_last()?;
        let purpose = match *last {
            0 => Purpose::Run,
            Self::ECHO => Purpose::Echo,
            _ => return None,
        };
        let mut own = octets;
        own[Self::LEN - 1] = 0;
        name.iter().all(u8::is_ascii_graphic).then_some((Self(own), purpose))
    }

    /// What is presented for a purpose.
    pub fn octets(&self, purpose: Purpose) -> [u8; Self::LEN] {
        let mut octets = self.0;
        if purpose == Purpose::Echo {
            octets[Self::LEN - 1] = Self::ECHO;
        }
        octets
    }

    /// Its characters.
    pub fn text(&self) -> String {
        self.0[..Self::LEN - 1].iter().map(|octet| char::from(*octet)).collect()
    }
}

/// What the other side did against the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// An octet that says nothing, or nothing that may be said now.
    #[error("it said {said} while {phase}, which iperf3's protocol does not allow: another program may listen there")]
    OutOfOrder {
        /// The octet.
        said: u8,
        /// What was going on.
        phase: &'static str,
    },
    /// A document that is longer than any need to be.
    #[error("it announced {what} of {octets} octets; {} are the most", MOST_OCTETS)]
    TooLong {
        /// Which document.
        what: &'static str,
        /// Its length.
        octets: u32,
    },
    /// A document that cannot be read.
    #[error("its {what} cannot be read (line {line}, column {column})")]
    NotRead {
        /// Which document.
        what: &'static str,
        /// Where.
        line: usize,
        /// Where.
        column: usize,
    },
    /// Parameters of a run that cannot be.
    #[error("{0}")]
    Unfit(#[from] UnfitParameters),
    /// The server serves somebody else.
    #[error("the server is busy with another run, and serves one at a time: try again later")]
    Busy,
    /// The server was stopped.
    #[error("the server was stopped")]
    ServerStopped,
    /// The server failed or refused.
    #[error("the server refused: {0}")]
    Refused(Refusal),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_one_octet_each() {
        for octet in 0..=255 {
            assert!(State::of(octet).is_none_or(|state| state.octet() == octet));
        }
        assert_eq!(STATES.iter().filter(|(octet, _)| State::of(*octet).is_some()).count(), STATES.len());
    }

    #[test]
    fn a_cookie_says_what_a_connection_is_for() {
        let cookie = Cookie::new(std::array::from_fn(|index| index as u8 * 7));
        for purpose in [Purpose::Run, Purpose::Echo] {
            assert_eq!(Cookie::read(cookie.octets(purpose)), Some((cookie, purpose)));
        }
        assert_eq!(cookie.text().len(), 36);
        let mut wrong = cookie.octets(Purpose::Run);
        wrong[3] = 0x1b;
        assert_eq!(Cookie::read(wrong), None);
        assert_eq!(Cookie::read([b'a'; 37]), None);
    }
}
