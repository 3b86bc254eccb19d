//! Values of the members that matter.

use super::found::{is_number, literal_id, small, text_id, whole};
use super::place::Field;
use super::{Id, Scanner, State};
use crate::{Conformance, Limits};

impl Scanner {
    /// The last of several members of one name counts, also when it has another type.
    pub(super) fn forget_earlier(&mut self) {
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

    pub(super) fn wants_text(&self) -> bool {
        use Field::{Id, MetaRevision, Method, Name, RequestId, Revision, Uri, Version};
        matches!(self.field, Version | Id | Method | Name | Uri | RequestId | Revision | MetaRevision)
    }

    /// A text in pieces, or with escapes, has ended: a key or a value.
    pub(super) fn text_ended(&mut self) {
        let (scratch, is_whole) = (self.scratch, !self.scratch.is_overflown());
        if self.state == State::InKey {
            let field = if is_whole { self.place.field(scratch.octets()) } else { Field::None };
            self.key_ended(field);
            return;
        }
        self.text_is(scratch.octets(), is_whole);
    }

    /// The text of the present field, its escapes resolved. `is_whole` says whether all of it is here.
    pub(super) fn text_is(&mut self, octets: &[u8], is_whole: bool) {
        self.state = State::AfterValue;
        let found = &mut self.found;
        match self.field {
            Field::Version => found.version = octets == b"2.0",
            Field::Id => found.id = text_id(octets, is_whole),
            Field::RequestId => found.request_id = text_id(octets, is_whole),
            Field::Method => found.method.get_or_insert_default().replace(octets, is_whole),
            Field::Name => found.name.get_or_insert_default().replace(octets, is_whole),
            Field::Uri => found.uri.get_or_insert_default().replace(octets, is_whole),
            Field::Revision => found.revision.get_or_insert_default().replace(octets, is_whole),
            Field::MetaRevision => found.meta_revision.get_or_insert_default().replace(octets, is_whole),
            _ => {}
        }
    }

    /// A literal in pieces has ended.
    pub(super) fn literal_ended(&mut self) {
        let scratch = self.scratch;
        self.literal_is(scratch.octets(), !scratch.is_overflown());
    }

    /// The number or word of the present field.
    pub(super) fn literal_is(&mut self, text: &[u8], is_whole: bool) {
        let good = match text.first() {
            Some(b't') => text == b"true",
            Some(b'f') => text == b"false",
            Some(b'n') => text == b"null",
            // A number of more digits than we keep is not looked at.
            _ => !is_whole || text.len() > Limits::MAX_ID || small(text).is_some() || is_number(text),
        };
        if !good {
            self.found.faults.add(Conformance::Malformed);
        }
        let found = &mut self.found;
        match self.field {
            Field::Id => found.id = literal_id(text, is_whole),
            Field::RequestId => found.request_id = literal_id(text, is_whole),
            Field::Code => found.code = if is_whole { whole(text) } else { None },
            Field::IsError => found.is_error = text == b"true",
            // Version 1.0 of JSON-RPC writes both, one as null.
            Field::Error if text == b"null" => found.error = false,
            _ => {}
        }
    }
}
