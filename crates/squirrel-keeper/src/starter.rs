//! The process that starts keepers: the daemon has given up what that needs, so it asks for a new one when the old
//! one has died.
//!
//! It hears one octet for the word and one for the part, starts or ends a process, and does nothing else: no
//! capability is in force in it, it reads no file, and what it starts is this program with arguments that stand in
//! it.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use squirrel_sys::SysError;
use squirrel_sys::courier::Courier;
use squirrel_wire::{Malformed, Reader};

use crate::words::{answer, put_text, read_text};

/// Longest wait for an answer: a process is made in milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// A process that the starter can start, one of each at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Answers what needs a privilege; see [`serve`](crate::serve).
    Keeper,
    /// Counts the frames of interfaces, while somebody looks.
    Frames,
}

/// What the starter is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// Whether one is to be there afterwards. One that is there already is ended before.
    pub(crate) start: bool,
    pub(crate) part: Part,
}

impl Order {
    pub(crate) fn put(self) -> [u8; 2] {
        let part = match self.part {
            Part::Keeper => 1,
            Part::Frames => 2,
        };
        [u8::from(self.start), part]
    }

    pub(crate) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("order to the starter", message);
        let start = match reader.u8()? {
            0 => false,
            1 => true,
            _ => return Err(reader.malformed()),
        };
        let part = match reader.u8()? {
            1 => Part::Keeper,
            2 => Part::Frames,
            _ => return Err(reader.malformed()),
        };
        if reader.is_empty() { Ok(Self { start, part }) } else { Err(reader.malformed()) }
    }
}

/// Makes and ends the processes. The real one starts this program; a test keeps a list.
pub trait Processes {
    /// Ends the process of this part if there is one, and answers how it ended, for people.
    fn end(&mut self, part: Part) -> Option<String>;

    /// Starts the process of this part, and answers our end of the connection to it.
    ///
    /// # Errors
    /// When there can be none.
    fn start(&mut self, part: Part) -> io::Result<OwnedFd>;
}

/// Obeys until the other end goes away, and then ends what it has started.
///
/// # Errors
/// When the connection fails otherwise, or the other end does not speak these words.
pub fn serve_starter(courier: &Courier, processes: &mut dyn Processes) -> io::Result<()> {
    let outcome = obey(courier, processes);
    for part in [Part::Keeper, Part::Frames] {
        processes.end(part);
    }
    outcome
}

fn obey(courier: &Courier, processes: &mut dyn Processes) -> io::Result<()> {
    let mut message = Vec::new();
    while courier.receive(&mut message)?.is_some() {
        let order = Order::read(&message).map_err(io::Error::other)?;
        let before = processes.end(order.part);
        let started = order.start.then(|| processes.start(order.part)).transpose();
        let mut reply = vec![answer::DONE];
        put_text(before.as_deref().unwrap_or_default(), &mut reply);
        if let Err(error) = &started {
            *reply.first_mut().unwrap_or(&mut 0) = answer::FAILED;
            put_text(&error.to_string(), &mut reply);
        }
        let beside = started.ok().flatten();
        courier.send(&reply, beside.as_ref().map(|descriptor| descriptor.as_fd()))?;
    }
    Ok(())
}

/// The way to the starter.
#[derive(Debug)]
pub struct Starter {
    courier: Mutex<Option<Courier>>,
}

/// What came of an order.
#[derive(Debug)]
pub struct Obeyed {
    /// How the process that was there before ended, for people; `None` when there was none.
    pub before: Option<String>,
    /// The connection to the new process; `None` when none was ordered.
    pub courier: Option<Courier>,
}

impl Starter {
    /// Talks to the starter at the other end.
    ///
    /// # Errors
    /// When the connection cannot be given a time limit.
    pub fn new(courier: Courier) -> io::Result<Self> {
        courier.set_patience(PATIENCE)?;
        Ok(Self { courier: Mutex::new(Some(courier)) })
    }

    /// Starts the process of a part; one that is there already is ended.
    ///
    /// # Errors
    /// When it cannot be started, or the starter has gone.
    pub fn start(&self, part: Part) -> Result<Obeyed, SysError> {
        self.order(Order { start: true, part })
    }

    /// Ends the process of a part, if there is one.
    ///
    /// # Errors
    /// When the starter has gone.
    pub fn end(&self, part: Part) -> Result<Obeyed, SysError> {
        self.order(Order { start: false, part })
    }

    /// Whether orders are still obeyed.
    pub fn is_there(&self) -> bool {
        let courier = self.courier.lock().unwrap_or_else(PoisonError::into_inner);
        courier.as_ref().is_some_and(|courier| !courier.has_gone())
    }

    fn order(&self, order: Order) -> Result<Obeyed, SysError> {
        let failed = |source| SysError::new("start", "the process with privileges", source);
        let mut held = self.courier.lock().unwrap_or_else(PoisonError::into_inner);
        // Put back when all went well: else what comes next would belong to no order.
        let courier = held.take().ok_or_else(|| failed(gone()))?;
        let mut message = Vec::new();
        courier.send(&order.put(), None).map_err(failed)?;
        let beside = courier.receive(&mut message).map_err(failed)?.ok_or_else(|| failed(gone()))?;
        let (before, refused) = reply(&message).map_err(|error| failed(io::Error::other(error)))?;
        *held = Some(courier);
        match refused {
            Some(refused) => Err(failed(io::Error::other(refused))),
            None => Ok(Obeyed { before, courier: beside.map(Courier::from) }),
        }
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the process that starts it has ended")
}

/// How the process before ended, and why there is no new one.
fn reply(message: &[u8]) -> Result<(Option<String>, Option<String>), Malformed> {
    let mut reader = Reader::new("answer of the starter", message);
    let word = reader.u8()?;
    let before = Some(read_text(&mut reader)?).filter(|text| !text.is_empty());
    let refused = match word {
        answer::DONE => None,
        answer::FAILED => Some(read_text(&mut reader)?),
        _ => return Err(reader.malformed()),
    };
    if reader.is_empty() { Ok((before, refused)) } else { Err(reader.malformed()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Notes what it is told; its processes end at once.
    #[derive(Default)]
    struct Listed {
        lives: Vec<Part>,
        refuses: bool,
    }

    impl Processes for &mut Listed {
        fn end(&mut self, part: Part) -> Option<String> {
            let before = self.lives.len();
            self.lives.retain(|lives| *lives != part);
            (self.lives.len() < before).then(|| format!("{part:?} was ended"))
        }

        fn start(&mut self, part: Part) -> io::Result<OwnedFd> {
            if self.refuses {
                return Err(io::Error::other("no more processes"));
            }
            self.lives.push(part);
            Ok(Courier::pair()?.1)
        }
    }

    #[test]
    fn there_is_one_of_each_part_and_none_when_the_daemon_has_gone() {
        let (ours, theirs) = Courier::pair().unwrap();
        let starting = std::thread::spawn(move || {
            let mut listed = Listed::default();
            let outcome = serve_starter(&Courier::from(theirs), &mut &mut listed);
            (outcome.is_ok(), listed.lives)
        });
        let starter = Starter::new(ours).unwrap();
        let first = starter.start(Part::Keeper).unwrap();
        assert!(first.before.is_none() && first.courier.is_some());
        let second = starter.start(Part::Keeper).unwrap();
        assert_eq!(second.before.as_deref(), Some("Keeper was ended"));
        assert!(starter.start(Part::Frames).unwrap().before.is_none());
        let ended = starter.end(Part::Frames).unwrap();
        assert!(ended.before.is_some() && ended.courier.is_none());
        assert!(starter.end(Part::Frames).unwrap().before.is_none());
        assert!(starter.is_there());
        drop(starter);
        assert_eq!(starting.join().unwrap(), (true, Vec::new()));
    }

    #[test]
    fn what_cannot_be_started_is_told_and_a_starter_that_has_gone_is_an_error() {
        let (ours, theirs) = Courier::pair().unwrap();
        let starting = std::thread::spawn(move || {
            let mut listed = Listed { refuses: true, ..Listed::default() };
            serve_starter(&Courier::from(theirs), &mut &mut listed)
        });
        let starter = Starter::new(ours).unwrap();
        for _ in 0..2 {
            let error = starter.start(Part::Keeper).unwrap_err().to_string();
            assert!(error.contains("no more processes"), "{error}");
        }
        drop(starter);
        assert!(starting.join().unwrap().is_ok());
        let (ours, theirs) = Courier::pair().unwrap();
        drop(theirs);
        let starter = Starter::new(ours).unwrap();
        assert!(!starter.is_there());
        assert!(starter.start(Part::Keeper).is_err());
        assert!(starter.end(Part::Keeper).unwrap_err().to_string().contains("has ended"));
    }

    proptest! {
        #[test]
        fn an_order_is_read_as_it_was_written_and_nothing_else_is_one(octets in prop::collection::vec(any::<u8>(), 0..5)) {
            if let Ok(order) = Order::read(&octets) {
                prop_assert_eq!(order.put().to_vec(), octets);
            }
        }

        #[test]
        fn any_reply_is_survived(octets in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = reply(&octets);
        }
    }
}
