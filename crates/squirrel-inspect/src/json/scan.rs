//! The members of a JSON-RPC message that tell what it is.
//!
//! A machine that is shown octets, cut anywhere, and fills [`Found`]. It knows a few *places* (the
//! message, `params`, `params._meta`, `result`, `error`) and a few members in each; it passes over
//! every other value a block at a time. RFC 8259 and JSON-RPC 2.0 are what it obeys.

use super::skip::{Meter, Skip};
use super::text::{Progress, Text, Unescape};
use super::utf8::Utf8Check;
use crate::event::Faults;
use crate::{Conformance, Limits};

/// A member that matters, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Version,
    Id,
    Method,
    Params,
    Outcome,
    Error,
    Name,
    Uri,
    RequestId,
    Revision,
    Meta,
    MetaRevision,
    IsError,
    Code,
    None,
}

/// An object whose members are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Message,
    Params,
    Meta,
    Outcome,
    Error,
}

impl Place {
    fn field(self, key: &[u8]) -> Field {
        match (self, key) {
            (Self::Message, b"jsonrpc") => Field::Version,
            (Self::Message, b"id") => Field::Id,
            (Self::Message, b"method") => Field::Method,
            (Self::Message, b"params") => Field::Params,
            (Self::Message, b"result") => Field::Outcome,
            (Self::Message, b"error") => Field::Error,
            (Self::Params, b"name") => Field::Name,
            (Self::Params, b"uri") => Field::Uri,
            (Self::Params, b"requestId") => Field::RequestId,
            (Self::Params | Self::Outcome, b"protocolVersion") => Field::Revision,
            (Self::Params, b"_meta") => Field::Meta,
            (Self::Meta, b"io.modelcontextprotocol/protocolVersion") => Field::MetaRevision,
            (Self::Outcome, b"isError") => Field::IsError,
            (Self::Error, b"code") => Field::Code,
            _ => Field::None,
        }
    }

    fn parent(self) -> Option<Self> {
        match self {
            Self::Message => None,
            Self::Meta => Some(Self::Params),
            Self::Params | Self::Outcome | Self::Error => Some(Self::Message),
        }
    }

    /// Levels of nesting at its members.
    fn level(self) -> u32 {
        match self {
            Self::Message => 1,
            Self::Params | Self::Outcome | Self::Error => 2,
            Self::Meta => 3,
        }
    }
}

/// An identifier of JSON-RPC. A number and a string that look alike are different.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Id {
    #[default]
    Absent,
    Null,
    Number(i64),
    /// A string, or a number that is not whole, as it is written.
    Text {
        text: Text<{ Limits::MAX_ID }>,
        number: bool,
    },
    /// Too long to be kept.
    Long,
    /// Neither a string nor a number.
    Bad,
}

/// What a message says.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether one member is there")]
pub(crate) struct Found {
    /// Whether `jsonrpc` is `"2.0"`.
    pub(crate) version: bool,
    pub(crate) id: Id,
    pub(crate) method: Option<Text<{ Limits::MAX_NAME }>>,
    /// A member `result` is there.
    pub(crate) outcome: bool,
    /// A member `error` is there.
    pub(crate) error: bool,
    /// `error.code`.
    pub(crate) code: Option<i64>,
    /// `params.name`.
    pub(crate) name: Option<Text<{ Limits::MAX_NAME }>>,
    /// `params.uri`.
    pub(crate) uri: Option<Text<{ Limits::MAX_ID }>>,
    /// `params.requestId`.
    pub(crate) request_id: Id,
    /// `params.protocolVersion` or `result.protocolVersion`.
    pub(crate) revision: Option<Text<32>>,
    /// `params._meta` says which revision.
    pub(crate) meta_revision: Option<Text<32>>,
    /// `result.isError` is `true`.
    pub(crate) is_error: bool,
    pub(crate) faults: Faults,
    seen: u16,
}

impl Found {
    /// As new, but without touching the texts.
    fn clear(&mut self) {
        (self.version, self.outcome, self.error, self.is_error) = (false, false, false, false);
        (self.id, self.request_id) = (Id::Absent, Id::Absent);
        (self.method, self.name, self.uri) = (None, None, None);
        (self.revision, self.meta_revision) = (None, None);
        self.code = None;
        self.faults = Faults::default();
        self.seen = 0;
    }
}

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
                    let length = rest.iter().position(|octet| matches!(octet, b'"' | b'\\')).unwrap_or(rest.len());
                    self.meter.work += length as u64;
                    if rest.get(length) == Some(&b'"') {
                        // Whole and plain, as nearly all are: no copy.
                        let field = self.place.field(rest.get(..length).unwrap_or_default());
                        self.key_ended(field);
                        at += length + 2;
                    } else {
                        self.begin_text();
                        self.state = State::InKey;
                        at += 1;
                    }
                }
                State::Broken => return Stop::All,
                _ if matches!(octet, b' ' | b'\t' | b'\r' | b'\n') => at += 1,
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
            (State::Value, octet) => self.value_begins(octet),
            (State::Done, _) => {
                self.found.faults.add(Conformance::Trailing);
                State::Done
            }
            _ => State::Broken,
        };
        false
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

    fn text_ended(&mut self) {
        if self.state == State::InKey {
            let whole = !self.scratch.is_overflown();
            let field = if whole { self.place.field(self.scratch.octets()) } else { Field::None };
            self.key_ended(field);
            return;
        }
        self.state = State::AfterValue;
        let found = &mut self.found;
        match self.field {
            Field::Version => found.version = self.scratch.octets() == b"2.0",
            Field::Id => found.id = text_id(&self.scratch),
            Field::RequestId => found.request_id = text_id(&self.scratch),
            Field::Method => found.method.get_or_insert_default().set(&self.scratch),
            Field::Name => found.name.get_or_insert_default().set(&self.scratch),
            Field::Uri => found.uri.get_or_insert_default().set(&self.scratch),
            Field::Revision => found.revision.get_or_insert_default().set(&self.scratch),
            Field::MetaRevision => found.meta_revision.get_or_insert_default().set(&self.scratch),
            _ => {}
        }
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

    /// The last of several members of one name counts, also when it has another type.
    fn forget_earlier(&mut self) {
        let found = &mut self.found;
        match self.field {
            Field::Version => found.version = false,
            Field::Id => found.id = Id::Bad,
            Field::RequestId => found.request_id = Id::Bad,
            Field::Method => found.method = None,
            Field::Name => found.name = None,
            Field::Uri => found.uri = None,
            Field::Revision => found.revision = None,
            Field::MetaRevision => found.meta_revision = None,
            Field::Outcome => {
                found.outcome = true;
                (found.is_error, found.revision) = (false, None);
            }
            Field::Error => (found.error, found.code) = (true, None),
            Field::IsError => found.is_error = false,
            Field::Code => found.code = None,
            Field::Params => {
                (found.name, found.uri) = (None, None);
                (found.revision, found.meta_revision) = (None, None);
                found.request_id = Id::Absent;
            }
            Field::Meta | Field::None => {}
        }
    }

    fn wants_text(&self) -> bool {
        use Field::{Id, MetaRevision, Method, Name, RequestId, Revision, Uri, Version};
        matches!(self.field, Version | Id | Method | Name | Uri | RequestId | Revision | MetaRevision)
    }

    fn literal_ended(&mut self) {
        let text = self.scratch.octets();
        let good = match text.first() {
            Some(b't') => text == b"true",
            Some(b'f') => text == b"false",
            Some(b'n') => text == b"null",
            // A number of more digits than we keep is not looked at.
            _ => self.scratch.is_overflown() || is_number(text),
        };
        if !good {
            self.found.faults.add(Conformance::Malformed);
        }
        let found = &mut self.found;
        match self.field {
            Field::Id => found.id = literal_id(&self.scratch),
            Field::RequestId => found.request_id = literal_id(&self.scratch),
            Field::Code => found.code = whole(&self.scratch),
            Field::IsError => found.is_error = text == b"true",
            // Version 1.0 of JSON-RPC writes both, one as null.
            Field::Error if text == b"null" => found.error = false,
            _ => {}
        }
    }
}

fn is_delimiter(octet: u8) -> bool {
    matches!(octet, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' | b'"' | b':' | b'{' | b'[')
}

/// The grammar of RFC 8259, section 6.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &mut &[u8]| {
        let count = text.iter().take_while(|octet| octet.is_ascii_digit()).count();
        *text = text.get(count..).unwrap_or_default();
        count
    };
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    let leading_zero = rest.first() == Some(&b'0');
    let whole = digits(&mut rest);
    if whole == 0 || (leading_zero && whole > 1) {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        rest = fraction;
        if digits(&mut rest) == 0 {
            return false;
        }
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        rest = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        if digits(&mut rest) == 0 {
            return false;
        }
    }
    rest.is_empty()
}

fn text_id(text: &Text<{ Limits::MAX_ID }>) -> Id {
    if text.is_overflown() { Id::Long } else { Id::Text { text: *text, number: false } }
}

fn literal_id(literal: &Text<{ Limits::MAX_ID }>) -> Id {
    match literal.octets() {
        b"null" => Id::Null,
        b"true" | b"false" => Id::Bad,
        _ if literal.is_overflown() => Id::Long,
        text if !is_number(text) => Id::Bad,
        _ => whole(literal).map_or(Id::Text { text: *literal, number: true }, Id::Number),
    }
}

/// A whole number, also when it is written as `1.0` or `1e3`: libraries that know one type of number
/// may give an identifier back in another form.
fn whole(literal: &Text<{ Limits::MAX_ID }>) -> Option<i64> {
    let text = literal.text()?;
    let exactly = text.parse().ok();
    let in_effect = || {
        let number: f64 = text.parse().ok()?;
        (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
    };
    exactly.or_else(in_effect)
}
