//! Why a run could not be.

use std::io;

use crate::protocol::ProtocolError;

/// Why a run could not be, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ThroughputError {
    /// A name has no address of the wanted kind.
    #[error("{host:?} has no address: {why}")]
    NoAddress {
        /// The name.
        host: String,
        /// What the system says.
        why: String,
    },
    /// A socket could not be made, connected or listened on.
    #[error("{what}: {}", words(source))]
    Socket {
        /// What was tried, with the address.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// The system does not take an option of a socket.
    #[error("{option} cannot be set: {}", words(source))]
    Option {
        /// Which one, with its value.
        option: String,
        /// What the system says.
        source: io::Error,
    },
    /// The other side broke the protocol, or refused.
    #[error("{peer}: {source}")]
    Protocol {
        /// Who.
        peer: String,
        /// What it did.
        source: ProtocolError,
    },
    /// The other side says nothing.
    #[error(
        "{peer} said nothing for {seconds} s while {phase}: is it an iperf3 server, and does nothing on the way hold it up?"
    )]
    Silent {
        /// Who.
        peer: String,
        /// How long it was waited for.
        seconds: u64,
        /// What was going on.
        phase: &'static str,
    },
    /// The other side closed the control connection.
    #[error("{peer} closed the connection while {phase}")]
    Closed {
        /// Who.
        peer: String,
        /// What was going on.
        phase: &'static str,
    },
    /// Nothing moved any more in a run that ends by octets.
    #[error("nothing was moved for {seconds} s, and the run would never end")]
    Stalled {
        /// How long.
        seconds: u64,
    },
    /// What was asked for cannot be.
    #[error("{0}")]
    Unfit(String),
}

/// What the system says, without its number.
pub(crate) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
