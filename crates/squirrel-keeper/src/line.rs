//! The connection to a keeper: one question after the other, each with a time limit, also over the deaths of keepers.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use squirrel_sys::courier::{Courier, Patience};
use squirrel_wire::ledger::SocketRecord;
use squirrel_wire::{Malformed, Reader};

use crate::record;
use crate::words::{Answer, Question, read_text};

/// Longest wait for a whole answer: meanwhile the accounting stands still.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// Parts of the ledger, each with the reason why it is missing.
pub(crate) type Parts = Vec<(String, Option<String>)>;

/// Takes one item of an answer.
pub(crate) type Each<'a> = &'a mut dyn FnMut(&mut Reader<'_>) -> Result<(), Malformed>;

/// What became of a question.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The last number, and the descriptor beside it.
    Answered(u64, Option<OwnedFd>),
    /// What the keeper answered instead.
    Refused { number: i32, call: String, subject: String, text: String },
}

/// Whether a keeper answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does, as far as it was asked.
    Answers,
    /// It has not yet answered an earlier question in time.
    Late,
    /// It has gone, or what it says is not understood.
    Gone,
}

/// The connection, and what of earlier answers is still to come or to be handed over.
#[derive(Debug)]
pub(crate) struct Line {
    courier: Option<Courier>,
    /// Longest wait for a whole answer.
    pub(crate) patience: Duration,
    /// A question whose answer did not come in time: it comes before any other.
    late: Option<Question>,
    /// Sockets that ended, in an answer that came late: they are told only once.
    ended: Vec<SocketRecord>,
    /// Ends that were lost, by the same answer.
    lost: u64,
    /// The parts of the ledger, once they were told.
    pub(crate) parts: Option<Parts>,
    /// Keepers that were connected.
    pub(crate) generation: u64,
    /// Questions that were not answered in time.
    pub(crate) timeouts: u64,
}

impl Line {
    pub(crate) fn new(courier: Courier, patience: Duration) -> Self {
        let (ended, parts) = (Vec::new(), None);
        Self { courier: Some(courier), patience, late: None, ended, lost: 0, parts, generation: 1, timeouts: 0 }
    }

    /// Goes on with another keeper. What it needs to begin takes time, so its first answer is not waited for.
    pub(crate) fn replace(&mut self, courier: Courier) {
        self.generation += 1;
        (self.late, self.parts) = (None, None);
        self.courier = Some(courier);
        if self.send(Question::Parts).is_ok() {
            self.late = Some(Question::Parts);
        }
    }

    /// How the keeper stands; takes in what has come meanwhile.
    pub(crate) fn standing(&mut self) -> Standing {
        let _ = self.catch_up();
        match &self.courier {
            None => Standing::Gone,
            Some(courier) if courier.has_gone() => Standing::Gone,
            Some(_) if self.late.is_some() => Standing::Late,
            Some(_) => Standing::Answers,
        }
    }

    /// Asks, and hands each item of the answer over.
    pub(crate) fn ask(&mut self, question: Question, each: Each<'_>) -> io::Result<Outcome> {
        self.ask_within(self.patience, question, each)
    }

    /// The same, for a question that takes longer than others.
    pub(crate) fn ask_within(&mut self, patience: Duration, question: Question, each: Each<'_>) -> io::Result<Outcome> {
        self.catch_up()?;
        self.send(question)?;
        match self.hear(patience, each) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.late = Some(question);
                self.timeouts += 1;
                let limit = format!("it did not answer within {} ms", patience.as_millis());
                Err(io::Error::new(io::ErrorKind::TimedOut, limit))
            }
            outcome => outcome,
        }
    }

    /// What a late answer told of sockets that ended, and how many ends were lost.
    pub(crate) fn take_ended(&mut self) -> (Vec<SocketRecord>, u64) {
        (std::mem::take(&mut self.ended), std::mem::take(&mut self.lost))
    }

    /// Takes in a late answer as far as it has come, without waiting.
    fn catch_up(&mut self) -> io::Result<()> {
        let Some(question) = self.late else { return Ok(()) };
        let (mut ended, mut parts) = (Vec::new(), Vec::new());
        let heard = self.hear(Duration::ZERO, &mut |reader| match question {
            Question::Ended => {
                ended.push(record::read(reader.take(record::LENGTH)?).ok_or_else(|| reader.malformed())?);
                Ok(())
            }
            Question::Parts => {
                parts.push(read_part(reader)?);
                Ok(())
            }
            _ => reader.skip(reader.rest().len()),
        });
        // An answer may come in pieces.
        self.ended.append(&mut ended);
        if question == Question::Parts {
            self.parts.get_or_insert_default().append(&mut parts);
        }
        let outcome = match heard {
            Ok(outcome) => outcome,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let busy = "it has not answered an earlier question yet";
                return Err(io::Error::new(io::ErrorKind::TimedOut, busy));
            }
            Err(error) => return Err(error),
        };
        self.late = None;
        if let (Question::Ended, Outcome::Answered(lost, _)) = (question, outcome) {
            self.lost += lost;
        }
        Ok(())
    }

    fn send(&mut self, question: Question) -> io::Result<()> {
        let courier = self.courier.take().ok_or_else(gone)?;
        let mut message = Vec::new();
        question.put(&mut message);
        // Whoever has not yet taken the question before takes no further one.
        courier.set_patience(self.patience)?;
        courier.send(&message, None)?;
        self.courier = Some(courier);
        Ok(())
    }

    /// Hears an answer to its end. An answer that breaks off ends the connection, for what came next would belong to
    /// no question; `WouldBlock` leaves it, and the rest is heard later.
    fn hear(&mut self, patience: Duration, each: Each<'_>) -> io::Result<Outcome> {
        // Out of its place until the answer is understood: a panic in between leaves no connection that is confused.
        let courier = self.courier.take().ok_or_else(gone)?;
        let patience = Patience::of(patience);
        let mut message = Vec::new();
        loop {
            let beside = match courier.receive_within(&patience, &mut message) {
                Ok(Some(beside)) => beside,
                Ok(None) => return Err(gone()),
                Err(error) => {
                    if error.kind() == io::ErrorKind::WouldBlock {
                        self.courier = Some(courier);
                    }
                    return Err(error);
                }
            };
            let mut reader = Reader::new("answer of the keeper", &message);
            let heard = Answer::read(&mut reader, each).map_err(io::Error::other)?;
            let outcome = match heard {
                Answer::More => continue,
                Answer::Done(number) => Outcome::Answered(number, beside),
                Answer::Failed { number, call, subject, text } => Outcome::Refused { number, call, subject, text },
            };
            self.courier = Some(courier);
            return Ok(outcome);
        }
    }
}

/// One part of the ledger.
pub(crate) fn read_part(reader: &mut Reader<'_>) -> Result<(String, Option<String>), Malformed> {
    let part = read_text(reader)?;
    let is_missing = reader.u8()? != 0;
    let why = read_text(reader)?;
    Ok((part, is_missing.then_some(why)))
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "it has ended")
}
