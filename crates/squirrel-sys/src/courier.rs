//! A connection between two processes of this host that carries messages, and descriptors beside them.
//!
//! It is how a part of the program that holds a privilege serves the part that holds none.
//!
//! Source: `unix(7)`, `SCM_RIGHTS`.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use crate::linux::raw::courier;

/// The longest message in bytes. Larger answers are sent as several messages.
pub const LONGEST: usize = 32 * 1024;

/// How long a message may take to be sent or received: the other end is on this host, and answers at once or is
/// in trouble.
const PATIENCE_SECONDS: i64 = 10;

/// One end of the connection.
#[derive(Debug)]
pub struct Courier(OwnedFd);

/// An end that somebody else made; it waits without limit.
impl From<OwnedFd> for Courier {
    fn from(end: OwnedFd) -> Self {
        Self(end)
    }
}

impl Courier {
    /// Both ends. The second is to become the standard input of another process.
    ///
    /// # Errors
    /// When a limit on descriptors was reached.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = courier::pair()?;
        courier::set_patience(ours.as_fd(), PATIENCE_SECONDS)?;
        Ok((Self(ours), theirs))
    }

    /// The end that this process was started with as its standard input. It waits for messages without limit.
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated.
    pub fn from_standard_input() -> io::Result<Self> {
        io::stdin().as_fd().try_clone_to_owned().map(Self)
    }

    /// Sends one message of 1 to [`LONGEST`] bytes, with a descriptor beside it if one is given.
    ///
    /// # Errors
    /// When the other end has gone or takes nothing for ten seconds, or the length is not allowed.
    pub fn send(&self, message: &[u8], descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
        if message.is_empty() || message.len() > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a message has 1 to 32,768 bytes"));
        }
        courier::send(self.0.as_fd(), message, descriptor)
    }

    /// Replaces `message` by the next message, and answers the descriptor beside it. `None` when the other end has
    /// gone.
    ///
    /// # Errors
    /// When nothing came for ten seconds, or something that is no message of ours.
    pub fn receive(&self, message: &mut Vec<u8>) -> io::Result<Option<Option<OwnedFd>>> {
        message.resize(LONGEST, 0);
        let (len, descriptor) = match courier::receive(self.0.as_fd(), message) {
            // The other end died with unread messages of ours.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => (0, None),
            other => other?,
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
    fn lengths_that_cannot_travel_are_refused() {
        let (one, other) = ends();
        for length in [0, LONGEST + 1] {
            assert_eq!(one.send(&vec![0; length], None).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        courier::send(one.0.as_fd(), &vec![0; LONGEST + 1], None).unwrap();
        assert_eq!(other.receive(&mut Vec::new()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
