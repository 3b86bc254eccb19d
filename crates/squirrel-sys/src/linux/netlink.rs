//! Netlink dumps over sockets that are kept.

use std::io;
use std::sync::{Mutex, PoisonError};

use squirrel_wire::netlink::{self, HEADER_LEN, Messages, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST};

use super::home::Home;
use super::raw::NetlinkSocket;
use crate::{Netlink, SysError};

/// The kernel sends at most 32 KiB in one datagram of a dump, unless a single message is larger.
const BUFFER_LEN: usize = 32 << 10;
/// Largest buffer for such a message (an interface with hundreds of virtual functions).
const MAX_BUFFER_LEN: usize = 4 << 20;
/// A kernel that does not go on with a dump for this long is not waited for.
const PATIENCE_SECONDS: i64 = 5;

/// Idle sockets of one family. A dump takes one and puts it back; while several dumps run at once
/// (from several threads, or one inside another) there are as many sockets.
#[derive(Debug)]
pub(super) struct Sockets {
    family: Netlink,
    home: Home,
    idle: Mutex<Vec<Socket>>,
}

#[derive(Debug)]
struct Socket {
    door: NetlinkSocket,
    buffer: Vec<u8>,
    sequence: u32,
}

/// What one datagram meant for a dump.
enum Progress {
    More,
    Done,
}

impl Sockets {
    /// With a first socket, in the network namespace of `home`.
    pub(super) fn open(family: Netlink, home: Home) -> Result<Self, SysError> {
        let first = Socket::open(family, &home, BUFFER_LEN)?;
        Ok(Self { family, home, idle: Mutex::new(vec![first]) })
    }

    /// No socket yet: the first dump opens one.
    pub(super) fn closed(family: Netlink) -> Self {
        Self { family, home: Home::default(), idle: Mutex::default() }
    }

    pub(super) fn dump(
        &self,
        message_type: u16,
        payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> Result<(), SysError> {
        self.exchange("netlink dump", NLM_F_DUMP, message_type, payload, each)
    }

    /// A request that does something and is answered by success or an error.
    pub(super) fn act(&self, message_type: u16, payload: &[u8]) -> Result<(), SysError> {
        self.exchange("netlink request", NLM_F_ACK, message_type, payload, &mut |_, _| {})
    }

    fn exchange(
        &self,
        call: &'static str,
        flags: u16,
        message_type: u16,
        payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> Result<(), SysError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut socket = match idle {
            Some(socket) => socket,
            None => Socket::open(self.family, &self.home, BUFFER_LEN)?,
        };
        let outcome = socket.exchange(flags, message_type, payload, each);
        // After an error the rest of the answer may still be on its way, and the kernel may believe the
        // dump to be running: only a new socket begins clean.
        let back = match &outcome {
            Ok(()) => Some(socket),
            Err(_) => Socket::open(self.family, &self.home, socket.buffer.len()).ok(),
        };
        if let Some(socket) = back {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(socket);
        }
        outcome.map_err(|source| {
            SysError::new(call, format!("{} message type {message_type}", self.family.name()), source)
        })
    }
}

impl Socket {
    fn open(family: Netlink, home: &Home, buffer_len: usize) -> Result<Self, SysError> {
        let door = home
            .open(family, PATIENCE_SECONDS)
            .map_err(|source| SysError::new("netlink socket", family.name(), source))?;
        Ok(Self { door, buffer: vec![0; buffer_len], sequence: 0 })
    }

    fn exchange(
        &mut self,
        flags: u16,
        message_type: u16,
        payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let header = netlink::request_header(message_type, NLM_F_REQUEST | flags, self.sequence, payload.len());
        retry_interrupted(|| self.door.send(&header, payload))?;
        loop {
            let len = retry_interrupted(|| self.door.receive(&mut self.buffer))?;
            let Some(datagram) = self.buffer.get(..len) else {
                self.buffer.resize(len.clamp(BUFFER_LEN, MAX_BUFFER_LEN), 0);
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("a message of {len} bytes did not fit; the next dump has room for it"),
                ));
            };
            if let Progress::Done = read_datagram(datagram, self.sequence, each)? {
                return Ok(());
            }
        }
    }
}

/// Hands over the messages of one datagram that answer the request `sequence`.
fn read_datagram(datagram: &[u8], sequence: u32, each: &mut dyn FnMut(u16, &[u8])) -> io::Result<Progress> {
    if datagram.len() < HEADER_LEN {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the kernel's answer is shorter than a header"));
    }
    for message in Messages::new(datagram) {
        let message = message.map_err(|malformed| io::Error::new(io::ErrorKind::InvalidData, malformed))?;
        if message.sequence != sequence {
            continue;
        }
        match message.message_type {
            netlink::NLMSG_NOOP => {}
            netlink::NLMSG_OVERRUN => return Err(io::Error::from_raw_os_error(libc::ENOBUFS)),
            netlink::NLMSG_ERROR | netlink::NLMSG_DONE => {
                return match message.errno() {
                    Some(0) => Ok(Progress::Done),
                    Some(errno) => Err(io::Error::from_raw_os_error(errno)),
                    None => Err(io::Error::new(io::ErrorKind::InvalidData, "an error message without a number")),
                };
            }
            other => each(other, message.payload),
        }
    }
    Ok(Progress::More)
}

fn retry_interrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink::{NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN, aligned, request_header};
    use proptest::prelude::*;

    fn message(kind: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut octets = [&request_header(kind, 0, sequence, payload.len())[..], payload].concat();
        octets.resize(aligned(octets.len()), 0);
        octets
    }

    fn read(datagram: &[u8]) -> (Vec<u16>, io::Result<bool>) {
        let mut seen = Vec::new();
        let outcome = read_datagram(datagram, 7, &mut |kind, _| seen.push(kind));
        (seen, outcome.map(|progress| matches!(progress, Progress::Done)))
    }

    #[test]
    fn answers_to_other_requests_and_fillers_are_passed_over() {
        let datagram = [
            message(16, 6, b"late"),
            message(NLMSG_NOOP, 7, b""),
            message(16, 7, b"mine"),
            message(NLMSG_DONE, 7, &[0; 4]),
        ];
        let (seen, outcome) = read(&datagram.concat());
        assert_eq!((seen, outcome.unwrap()), (vec![16], true));
        assert!(!read(&message(16, 7, b"more follows")).1.unwrap());
    }

    #[test]
    fn each_way_to_fail_has_its_number() {
        let errno = |datagram: Vec<u8>| read(&datagram).1.unwrap_err().raw_os_error();
        assert_eq!(errno(message(NLMSG_ERROR, 7, &(-libc::EOPNOTSUPP).to_ne_bytes())), Some(libc::EOPNOTSUPP));
        assert_eq!(errno(message(NLMSG_DONE, 7, &(-libc::EINVAL).to_ne_bytes())), Some(libc::EINVAL));
        assert_eq!(errno(message(NLMSG_OVERRUN, 7, b"")), Some(libc::ENOBUFS));
        assert_eq!(errno(message(NLMSG_ERROR, 7, b"")), None);
        assert_eq!(read(b"short").1.unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(read(&[0xFF; 64]).1.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    proptest! {
        #[test]
        fn any_datagram_is_survived(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let (seen, outcome) = read(&octets);
            prop_assert!(seen.len() * HEADER_LEN <= octets.len());
            prop_assert!(outcome.is_err() || octets.len() >= HEADER_LEN);
        }
    }
}
