//! A connection between two processes of this host that carries messages, and descriptors beside them.
//!
//! It is how a part of the program that holds a privilege serves the part that holds none.
//!
//! Source: `unix(7)`, `SCM_RIGHTS`.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::clock::Monotonic;
use crate::linux::raw::courier;

/// The longest message in bytes. Larger answers are sent as several messages.
pub const LONGEST: usize = 32 * 1024;

/// How long a message may take to be sent or received if nothing else is said: the other end is on this host, and
/// answers at once or is in trouble.
const PATIENCE: Duration = Duration::from_secs(10);

/// A span of time that several messages share.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    clock: Monotonic,
    most: Duration,
}

impl Patience {
    /// So much time from now on; zero for what is there already.
    pub fn of(most: Duration) -> Self {
        Self { clock: Monotonic::start(), most }
    }

    fn left(&self) -> Duration {
        self.most.saturating_sub(self.clock.elapsed().0)
    }
}

/// One end of the connection.
#[derive(Debug)]
pub struct Courier(OwnedFd);

/// An end that somebody else made; it waits as long as it was told to there.
impl From<OwnedFd> for Courier {
    fn from(end: OwnedFd) -> Self {
        Self(end)
    }
}

/// The end, for another process.
impl From<Courier> for OwnedFd {
    fn from(courier: Courier) -> Self {
        courier.0
    }
}

impl Courier {
    /// Both ends. The second is to become the standard input of another process.
    ///
    /// # Errors
    /// When a limit on descriptors was reached.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = courier::pair()?;
        courier::set_patience(ours.as_fd(), PATIENCE)?;
        Ok((Self(ours), theirs))
    }

    /// The end that this process was started with as its standard input. It waits for messages without limit.
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated.
    pub fn from_standard_input() -> io::Result<Self> {
        io::stdin().as_fd().try_clone_to_owned().map(Self)
    }

    /// Limits how long each further message may take to be sent or received; ten seconds for an end that
    /// [`Courier::pair`] made. Zero hardly waits at all.
    ///
    /// # Errors
    /// When the descriptor is none of a socket.
    pub fn set_patience(&self, patience: Duration) -> io::Result<()> {
        courier::set_patience(self.0.as_fd(), patience)
    }

    /// Whether the other end has gone and everything that it had sent was received. Does not wait.
    pub fn has_gone(&self) -> bool {
        courier::has_gone(self.0.as_fd())
    }

    /// Sends one message of 1 to [`LONGEST`] bytes, with a descriptor beside it if one is given.
    ///
    /// # Errors
    /// When the other end has gone or takes nothing in time, or the length is not allowed.
    pub fn send(&self, message: &[u8], descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
        if message.is_empty() || message.len() > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a message has 1 to 32,768 bytes"));
        }
        courier::send(self.0.as_fd(), message, descriptor)
    }

    /// As [`Courier::receive`], as long as there is patience.
    ///
    /// # Errors
    /// As there.
    pub fn receive_within(&self, patience: &Patience, message: &mut Vec<u8>) -> io::Result<Option<Option<OwnedFd>>> {
        self.set_patience(patience.left())?;
        self.receive(message)
    }

    /// Replaces `message` by the next message, and answers the descriptor beside it. `None` when the other end has
    /// gone.
    ///
    /// # Errors
    /// `WouldBlock` when nothing came in time; something that is no message of ours.
    pub fn receive(&self, message: &mut Vec<u8>) -> io::Result<Option<Option<OwnedFd>>> {
        message.resize(LONGEST, 0);
        let (len, descriptor) = loop {
            match courier::receive(self.0.as_fd(), message) {
                // A signal to this process is no trouble of the other end.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The other end died with unread messages of ours.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break (0, None),
                other => break other?,
            }
        };
        message.truncate(len);
        Ok((len > 0).then_some(descriptor))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, Write as _};

    use super::*;

    fn ends() -> (Courier, Courier) {
        let (one, other) = Courier::pair().expect("a pair");
        (one, Courier(other))
    }

    #[test]
    fn messages_keep_their_bounds_and_an_end_that_goes_is_seen() {
        let (one, other) = ends();
        let mut message = Vec::new();
        one.send(b"first", None).unwrap();
        one.send(&vec![7; LONGEST], None).unwrap();
        assert!(other.receive(&mut message).unwrap().is_some_and(|beside| beside.is_none()));
        assert_eq!(message, b"first");
        assert!(other.receive(&mut message).unwrap().is_some());
        assert!(message.len() == LONGEST && message.iter().all(|octet| *octet == 7));
        drop(one);
        assert!(other.receive(&mut message).unwrap().is_none() && message.is_empty());
        assert!(other.send(b"x", None).is_err());
    }

    #[test]
    fn a_descriptor_travels_beside_a_message() {
        let (one, other) = ends();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"kept").unwrap();
        file.rewind().unwrap();
        one.send(b"here", Some(file.as_fd())).unwrap();
        drop(file);
        let mut message = Vec::new();
        let descriptor = other.receive(&mut message).unwrap().flatten().expect("a descriptor");
        let mut text = String::new();
        std::fs::File::from(descriptor).read_to_string(&mut text).unwrap();
        assert_eq!((message.as_slice(), text.as_str()), (b"here".as_slice(), "kept"));
    }

    #[test]
    fn patience_ends_and_an_end_that_has_gone_is_told_from_one_that_is_silent() {
        let (one, other) = ends();
        one.set_patience(Duration::ZERO).unwrap();
        assert_eq!(one.receive(&mut Vec::new()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(!one.has_gone());
        other.send(b"last", None).unwrap();
        drop(other);
        assert!(!one.has_gone(), "its last message is still there");
        one.receive(&mut Vec::new()).unwrap();
        assert!(one.has_gone());
    }

    #[test]
    fn lengths_that_cannot_travel_are_refused() {
        let (one, other) = ends();
        for length in [0, LONGEST + 1] {
            assert_eq!(one.send(&vec![0; length], None).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        courier::send(one.0.as_fd(), &vec![0; LONGEST + 1], None).unwrap();
        assert_eq!(other.receive(&mut Vec::new()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
