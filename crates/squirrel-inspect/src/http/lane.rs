//! One direction of a connection: where heads and bodies end.

use super::head::{First, Head, chunk_size};
use crate::Conformance;
use crate::event::Faults;
use crate::json::text::Text;
use crate::octets::find;

/// Octets of a line that are kept while it is read; what matters stands in the first ones.
const LINE: usize = 256;

/// What has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// All octets are taken.
    More,
    /// The head is complete: its owner says what the body is, by [`Lane::body`].
    Head,
    /// A part of the body.
    Body(&'a [u8]),
    /// The message is complete.
    Message,
    /// Not HTTP: nothing more is read.
    Lost,
    /// Octets of another protocol, after an upgrade.
    Tunnel(&'a [u8]),
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Length(u64),
    Chunked,
    UntilClose,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    First,
    Fields,
    /// The head is complete, and nobody has said yet what follows.
    Decide,
    Left(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    UntilClose,
    Complete,
    Tunnel,
    Lost,
}

/// The machine.
#[derive(Debug, Default)]
pub(super) struct Lane {
    state: State,
    line: Text<LINE>,
    head_length: usize,
    pub(super) head: Head,
    /// Octets of the message so far.
    pub(super) size: u64,
    pub(super) work: u64,
}

impl Lane {
    /// Whether a message has begun and not ended.
    pub(super) fn is_inside(&self) -> bool {
        self.size > 0 && !matches!(self.state, State::Tunnel | State::Lost)
    }

    /// Whether the end of the stream is the end of the message.
    pub(super) fn ends_with_stream(&self) -> bool {
        self.state == State::UntilClose
    }

    /// Says what follows the head.
    pub(super) fn body(&mut self, body: Body) {
        self.state = match body {
            Body::None | Body::Length(0) => State::Complete,
            Body::Length(length) => State::Left(length),
            Body::Chunked => State::ChunkSize,
            Body::UntilClose => State::UntilClose,
        };
    }

    /// From now on, the octets are not HTTP.
    pub(super) fn tunnel(&mut self) {
        self.state = State::Tunnel;
    }

    /// Whether [`step`](Self::step) has something to say without more octets.
    pub(super) fn is_due(&self) -> bool {
        self.state == State::Complete
    }

    /// Makes ready for the next message.
    pub(super) fn reset(&mut self) {
        *self = Self { work: self.work, ..Self::default() };
    }

    /// Goes on through `octets`, which become what is left of them.
    pub(super) fn step<'a>(&mut self, octets: &mut &'a [u8], max_head: usize) -> Step<'a> {
        loop {
            self.work += 1;
            match self.state {
                State::Complete => return Step::Message,
                State::Lost => {
                    *octets = &[];
                    return Step::More;
                }
                _ if octets.is_empty() => return Step::More,
                State::Tunnel => return Step::Tunnel(std::mem::take(octets)),
                State::Decide => return Step::Head,
                State::UntilClose => return Step::Body(self.take(octets, u64::MAX)),
                State::Left(left) => {
                    let taken = self.take(octets, left);
                    let left = left - taken.len() as u64;
                    self.state = if left == 0 { State::Complete } else { State::Left(left) };
                    return Step::Body(taken);
                }
                State::Chunk(left) => {
                    let taken = self.take(octets, left);
                    let left = left - taken.len() as u64;
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                    return Step::Body(taken);
                }
                State::First | State::Fields | State::ChunkSize | State::ChunkEnd | State::Trailers => {
                    if !self.line(octets, max_head) {
                        continue;
                    }
                    if let Some(step) = self.line_ended() {
                        return step;
                    }
                }
            }
        }
    }

    fn take<'a>(&mut self, octets: &mut &'a [u8], most: u64) -> &'a [u8] {
        let (taken, rest) = octets.split_at(usize::try_from(most).unwrap_or(usize::MAX).min(octets.len()));
        *octets = rest;
        self.size = self.size.saturating_add(taken.len() as u64);
        taken
    }

    /// Takes octets up to the end of a line; whether it is there.
    fn line(&mut self, octets: &mut &[u8], max_head: usize) -> bool {
        let room = max_head.saturating_sub(self.head_length).saturating_add(1);
        let visible = octets.get(..room).unwrap_or(octets);
        let newline = find(visible, b'\n');
        let taken = self.take(octets, newline.map_or(visible.len(), |place| place + 1) as u64);
        let line = taken.strip_suffix(b"\n").unwrap_or(taken);
        let room = LINE - self.line.octets().len();
        match line.get(..room) {
            Some(start) if line.len() > room => {
                self.line.push(start);
                self.line.push(b"x");
            }
            _ => self.line.push(line),
        }
        self.head_length = self.head_length.saturating_add(taken.len());
        if self.head_length > max_head {
            self.head.faults.add(Conformance::LongHead);
            self.state = State::Lost;
            return true;
        }
        newline.is_some()
    }

    fn line_ended(&mut self) -> Option<Step<'static>> {
        let whole = !self.line.is_overflown();
        let line = self.line;
        let text = line.octets();
        let text = if whole { text.strip_suffix(b"\r").unwrap_or(text) } else { text };
        self.line.clear();
        match self.state {
            State::First if text.is_empty() => self.reset(),
            State::First => {
                self.head.first(text, whole);
                self.state = State::Fields;
                if self.head.first.is_none() {
                    return Some(self.lost(Faults::default()));
                }
            }
            State::Fields if text.is_empty() => {
                self.state = State::Decide;
                return Some(Step::Head);
            }
            State::Fields => self.head.field(text, whole),
            State::ChunkSize => {
                self.head_length = 0;
                match chunk_size(text) {
                    Some(0) => self.state = State::Trailers,
                    Some(size) => self.state = State::Chunk(size),
                    None => return Some(self.bad_chunk()),
                }
            }
            State::ChunkEnd if text.is_empty() => self.state = State::ChunkSize,
            State::ChunkEnd => return Some(self.bad_chunk()),
            State::Trailers if text.is_empty() => self.state = State::Complete,
            State::Lost => return Some(Step::Lost),
            _ => {}
        }
        None
    }

    fn bad_chunk(&mut self) -> Step<'static> {
        let mut faults = Faults::default();
        faults.add(Conformance::BadChunk);
        self.lost(faults)
    }

    fn lost(&mut self, faults: Faults) -> Step<'static> {
        faults.each().for_each(|kind| self.head.faults.add(kind));
        self.state = State::Lost;
        Step::Lost
    }

    /// What answers a request of this head has the body that the head says.
    pub(super) fn said_body(&self) -> Option<Body> {
        match (self.head.coded, self.head.length) {
            (Some(true), _) => Some(Body::Chunked),
            (Some(false), _) => Some(Body::UntilClose),
            (None, Some(length)) => Some(Body::Length(length)),
            (None, None) => None,
        }
    }

    /// Whether the head is that of a request.
    pub(super) fn is_request(&self) -> bool {
        matches!(self.head.first, Some(First::Request(_)))
    }
}
