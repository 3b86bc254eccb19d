//! The members of a JSON-RPC message that tell what it is.
//!
//! A machine that is shown octets, cut anywhere, and fills [`Found`]. It knows a few *places* (the
//! message, `params`, `params._meta`, `result`, `error`) and a few members in each; it passes over
//! every other value a block at a time. RFC 8259 and JSON-RPC 2.0 are what it obeys.
//!
//! What is whole and plain, as nearly all keys and short values are, is read where it stands; what is cut or
//! has escapes goes octet by octet through a small buffer.

mod found;
mod place;
mod values;

use super::skip::{Meter, Skip};
use super::text::{Progress, Text, Unescape};
use super::utf8::Utf8Check;
use crate::octets::find_text_end;
use crate::{Conformance, Limits};
use found::is_delimiter;
pub(crate) use found::{Found, Id};
use place::{Field, Place};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    /// In a batch, before a message. `true` after a comma.
    Element(bool),
    AfterElement,
    /// Before a key. `true` after a comma.
    Key(bool),
    InKey,
    Colon,
    Value,
    InText,
    InLiteral,
    Skipping,
    AfterValue,
    Done,
    Broken,
}

/// Octets of a literal that is read where it stands.
const SHORT: usize = 32;

fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Where a push stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// All octets were taken.
    All,
    /// A message of a batch ended after so many octets.
    Element(usize),
}

/// The machine. One for each direction.
#[derive(Clone, Debug)]
pub(crate) struct Scanner {
    state: State,
    place: Place,
    field: Field,
    scratch: Text<{ Limits::MAX_ID }>,
    unescape: Unescape,
    skip: Skip,
    utf8: Utf8Check,
    meter: Meter,
    max_depth: u32,
    /// Whether the messages are members of an array.
    pub(crate) batch: bool,
    pub(crate) found: Found,
}

impl Scanner {
    pub(crate) fn new(max_depth: u32) -> Self {
        Self {
            state: State::Start,
            place: Place::Message,
            field: Field::None,
            scratch: Text::default(),
            unescape: Unescape::default(),
            skip: Skip::default(),
            utf8: Utf8Check::default(),
            meter: Meter::default(),
            max_depth,
            batch: false,
            found: Found::default(),
        }
    }

    /// Makes ready for the next message.
    pub(crate) fn reset(&mut self) {
        self.state = State::Start;
        self.utf8 = Utf8Check::default();
        self.batch = false;
        self.next_element();
    }

    /// Makes ready for the next message of the batch.
    pub(crate) fn next_element(&mut self) {
        self.found.clear();
        self.meter.too_deep = false;
    }

    /// Steps of work so far.
    pub(crate) fn work(&self) -> u64 {
        self.meter.work
    }

    /// Whether nothing but white space has come.
    pub(crate) fn is_untouched(&self) -> bool {
        self.state == State::Start
    }

    /// Shows octets, for the check of UTF-8 alone. Once for each octet, however often
    /// [`push`](Self::push) stops.
    pub(crate) fn check_text(&mut self, octets: &[u8]) {
        self.utf8.push(octets);
    }

    /// No more octets come for this message: adds what is wrong with its end.
    pub(crate) fn finish(&mut self) {
        match self.state {
            State::Done => {}
            State::Broken => self.found.faults.add(Conformance::Malformed),
            _ => self.found.faults.add(Conformance::Truncated),
        }
        if !self.utf8.is_good() {
            self.found.faults.add(Conformance::InvalidUtf8);
        }
    }

    /// Shows the next octets.
    pub(crate) fn push(&mut self, octets: &[u8]) -> Stop {
        let mut at = 0;
        while let Some(octet) = octets.get(at).copied() {
            self.meter.work += 1;
            match self.state {
                State::InKey | State::InText => {
                    let rest = octets.get(at..).unwrap_or_default();
                    match self.unescape.read(rest, &mut self.scratch) {
                        Progress::More => {
                            self.meter.work += rest.len() as u64;
                            return Stop::All;
                        }
                        Progress::Bad => self.state = State::Broken,
                        Progress::Ended(used) => {
                            self.meter.work += used as u64;
                            at += used;
                            self.text_ended();
                        }
                    }
                }
                State::Skipping => {
                    let rest = octets.get(at..).unwrap_or_default();
                    let (used, ended) = self.skip.advance(rest, &mut self.meter);
                    at += used;
                    if ended {
                        self.state = State::AfterValue;
                    }
                }
                State::InLiteral => {
                    let rest = octets.get(at..).unwrap_or_default();
                    let length = rest.iter().position(|octet| is_delimiter(*octet)).unwrap_or(rest.len());
                    self.scratch.push(rest.get(..length).unwrap_or_default());
                    self.meter.work += length as u64;
                    at += length;
                    if length < rest.len() {
                        self.literal_ended();
                        self.state = State::AfterValue;
                    }
                }
                State::Key(_) if octet == b'"' => {
                    let rest = octets.get(at + 1..).unwrap_or_default();
                    let length = find_text_end(rest);
                    self.meter.work += length as u64;
                    if rest.get(length) == Some(&b'"') {
                        let field = self.place.field(rest.get(..length).unwrap_or_default());
                        self.key_ended(field);
                        at += length + 2;
                        if octets.get(at) == Some(&b':') {
                            self.state = State::Value;
                            at += 1;
                        }
                    } else {
                        self.begin_text();
                        self.state = State::InKey;
                        at += 1;
                    }
                }
                State::Value => {
                    let rest = octets.get(at..).unwrap_or_default();
                    match self.plain_value(octet, rest) {
                        Some(used) => at += used,
                        None if is_space(octet) => at += 1,
                        None => {
                            self.state = self.value_begins(octet);
                            at += 1;
                        }
                    }
                }
                State::Broken => return Stop::All,
                _ if is_space(octet) => at += 1,
                _ => {
                    at += 1;
                    if self.structure(octet) {
                        return Stop::Element(at);
                    }
                }
            }
        }
        Stop::All
    }

    /// An octet between keys and values; whether a message of a batch ended.
    fn structure(&mut self, octet: u8) -> bool {
        self.state = match (self.state, octet) {
            (State::Start | State::Element(_), b'{') => {
                self.place = Place::Message;
                State::Key(false)
            }
            (State::Start, b'[') => {
                self.batch = true;
                State::Element(false)
            }
            (State::Element(false), b']') => {
                self.found.faults.add(Conformance::EmptyBatch);
                State::Done
            }
            (State::AfterElement, b',') => State::Element(true),
            (State::AfterElement, b']') => State::Done,
            (State::Key(false) | State::AfterValue, b'}') => return self.object_ended(),
            (State::Colon, b':') => State::Value,
            (State::AfterValue, b',') => State::Key(true),
            (State::Done, _) => {
                self.found.faults.add(Conformance::Trailing);
                State::Done
            }
            _ => State::Broken,
        };
        false
    }

    /// A short value that is whole and plain, read where it stands: how many octets it takes.
    #[inline]
    fn plain_value(&mut self, octet: u8, rest: &[u8]) -> Option<usize> {
        if octet == b'"' {
            if !self.wants_text() {
                return None;
            }
            let inside = rest.get(1..)?;
            let length = find_text_end(inside);
            if inside.get(length) != Some(&b'"') {
                return None;
            }
            self.meter.work += length as u64;
            self.forget_earlier();
            self.text_is(inside.get(..length)?, length <= Limits::MAX_ID);
            return Some(length + 2);
        }
        if !matches!(octet, b'-' | b'0'..=b'9' | b't' | b'f' | b'n') {
            return None;
        }
        let length = rest.iter().take(SHORT).position(|octet| is_delimiter(*octet))?;
        self.meter.work += length as u64;
        self.forget_earlier();
        self.literal_is(rest.get(..length)?, true);
        self.state = State::AfterValue;
        Some(length)
    }

    fn begin_text(&mut self) {
        self.scratch.clear();
        self.unescape = Unescape::default();
    }

    fn object_ended(&mut self) -> bool {
        if let Some(parent) = self.place.parent() {
            self.place = parent;
            self.state = State::AfterValue;
            return false;
        }
        if self.meter.too_deep {
            self.found.faults.add(Conformance::TooDeep);
        }
        self.state = if self.batch { State::AfterElement } else { State::Done };
        self.batch
    }

    fn key_ended(&mut self, field: Field) {
        self.field = field;
        self.state = State::Colon;
        if field != Field::None {
            let bit = 1 << field as u16;
            if self.found.seen & bit != 0 {
                self.found.faults.add(Conformance::DuplicateKey);
            }
            self.found.seen |= bit;
        }
    }

    fn value_begins(&mut self, octet: u8) -> State {
        self.forget_earlier();
        let level = self.place.level();
        match octet {
            b'{' => match self.field {
                Field::Params => self.enter(Place::Params),
                Field::Meta => self.enter(Place::Meta),
                Field::Outcome => self.enter(Place::Outcome),
                Field::Error => self.enter(Place::Error),
                _ => self.pass_over(level),
            },
            b'[' => self.pass_over(level),
            b'"' if self.wants_text() => {
                self.begin_text();
                State::InText
            }
            b'"' => {
                self.skip = Skip::text();
                State::Skipping
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                self.scratch.clear();
                self.scratch.push(&[octet]);
                State::InLiteral
            }
            _ => State::Broken,
        }
    }

    fn enter(&mut self, place: Place) -> State {
        self.place = place;
        self.meter.too_deep |= place.level() > self.max_depth;
        State::Key(false)
    }

    fn pass_over(&mut self, level: u32) -> State {
        self.meter.levels = self.max_depth.saturating_sub(level);
        self.meter.too_deep |= self.meter.levels == 0;
        self.skip = Skip::container();
        State::Skipping
    }
}
