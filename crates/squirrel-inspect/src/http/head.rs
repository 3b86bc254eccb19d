//! A head of HTTP/1.1 (RFC 9112): the little that tells where its message ends.

use super::labels::Method;
pub(super) use super::mirrored::Expected;
use super::mirrored::{NAME, name as mirrored_name};
use crate::event::Faults;
use crate::json::text::Text;
use crate::rpc::{mirrors_body, revision};
use crate::{Conformance, Limits};

/// What a first line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    Request(Method),
    /// A status.
    Answer(u16),
}

impl First {
    pub(super) fn is_delete(self) -> bool {
        matches!(self, Self::Request(method) if method.name() == "DELETE")
    }
}

/// An identifier of a session of MCP.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SessionId(Option<Text<{ Limits::MAX_ID }>>);

impl SessionId {
    /// The identifier, when there is one that is not too long.
    pub(super) fn octets(&self) -> Option<&[u8]> {
        self.0.as_ref().filter(|id| !id.is_overflown()).map(Text::octets)
    }
}

/// What a body holds, as far as anybody asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Content {
    #[default]
    Unknown,
    Json,
    Events,
}

/// A head, line by line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    pub(super) first: Option<First>,
    /// `1.1` or `1.0`, when it is said.
    pub(super) version: Option<&'static str>,
    pub(super) length: Option<u64>,
    /// There is a `Transfer-Encoding`; whether it ends in `chunked`.
    pub(super) coded: Option<bool>,
    pub(super) websocket: bool,
    pub(super) content: Content,
    /// The body is compressed: it cannot be read.
    pub(super) packed: bool,
    /// The revision of MCP that the client says it speaks, from the closed list.
    pub(super) revision: Option<&'static str>,
    /// The session of MCP that the message says it belongs to.
    pub(super) session: SessionId,
    /// What `Mcp-Method` says.
    method: Option<Text<64>>,
    /// What `Mcp-Name` says.
    name: Option<Text<NAME>>,
    pub(super) faults: Faults,
}

impl Head {
    /// Takes the first line. `whole` says whether all of it is here.
    pub(super) fn first(&mut self, line: &[u8], whole: bool) {
        self.first = if line.starts_with(b"HTTP/") { self.status_line(line) } else { self.request_line(line, whole) };
        if self.first.is_none() {
            self.faults.add(Conformance::BadHead);
        }
    }

    fn status_line(&mut self, line: &[u8]) -> Option<First> {
        let (version, rest) = line.split_at_checked(8)?;
        self.version = Some(version_of(version)?);
        let digits = rest.strip_prefix(b" ")?;
        let (status, rest) = digits.split_at_checked(3)?;
        let ends = rest.first().is_none_or(|octet| *octet == b' ');
        let status = number(status).filter(|status| ends && (100..=999).contains(status))?;
        Some(First::Answer(status as u16))
    }

    fn request_line(&mut self, line: &[u8], whole: bool) -> Option<First> {
        let space = line.iter().position(|octet| *octet == b' ')?;
        let method =
            line.get(..space).filter(|method| !method.is_empty() && method.iter().all(|octet| is_token(*octet)))?;
        if whole {
            let version = line.iter().rposition(|octet| *octet == b' ').and_then(|space| line.get(space + 1..))?;
            self.version = Some(version_of(version)?);
        }
        Some(First::Request(Method::of(method)))
    }

    /// Takes a field. `whole` says whether all of the line is here.
    pub(super) fn field(&mut self, line: &[u8], whole: bool) {
        let Some(colon) = line.iter().position(|octet| *octet == b':') else {
            // A name that is too long to be kept is not one of ours.
            if whole {
                self.faults.add(Conformance::BadHead);
            }
            return;
        };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.is_empty() || !name.iter().all(|octet| is_token(*octet)) {
            self.faults.add(Conformance::BadHead);
        } else if name.eq_ignore_ascii_case(b"content-length") {
            self.content_length(value);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let last = value.rsplit(|octet| *octet == b',').next().unwrap_or_default();
            self.coded = Some(last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.websocket = value.eq_ignore_ascii_case(b"websocket");
        } else if name.eq_ignore_ascii_case(b"content-encoding") {
            self.packed = !value.eq_ignore_ascii_case(b"identity");
        } else if name.eq_ignore_ascii_case(b"mcp-protocol-version") {
            self.revision = Some(revision(std::str::from_utf8(value).ok()));
        } else if name.eq_ignore_ascii_case(b"mcp-session-id") {
            set(self.session.0.get_or_insert_default(), value, whole);
        } else if name.eq_ignore_ascii_case(b"mcp-method") {
            set(self.method.get_or_insert_default(), value, whole);
        } else if name.eq_ignore_ascii_case(b"mcp-name") {
            self.name = Some(if whole { mirrored_name(value) } else { too_long() });
        } else if name.eq_ignore_ascii_case(b"content-type") {
            let kind = value.split(|octet| *octet == b';').next().unwrap_or_default().trim_ascii();
            self.content = if kind.eq_ignore_ascii_case(b"application/json") {
                Content::Json
            } else if kind.eq_ignore_ascii_case(b"text/event-stream") {
                Content::Events
            } else {
                Content::Unknown
            };
        }
    }

    /// What the message in the body should be.
    pub(super) fn expected(&self) -> Expected {
        Expected { method: self.method, name: self.name, required: self.revision.is_some_and(mirrors_body) }
    }

    /// A list of equal lengths is one length (RFC 9112, section 6.3).
    fn content_length(&mut self, value: &[u8]) {
        for part in value.split(|octet| *octet == b',') {
            match (number(part.trim_ascii()), self.length) {
                (Some(length), None) => self.length = Some(length),
                (Some(length), Some(before)) if length == before => {}
                _ => self.faults.add(Conformance::BadLength),
            }
        }
    }
}

/// A value that is not whole is only known to be long.
fn set<const N: usize>(text: &mut Text<N>, value: &[u8], whole: bool) {
    *text = if whole { Text::default() } else { too_long() };
    text.push(value);
}

fn too_long<const N: usize>() -> Text<N> {
    let mut text = Text::default();
    text.push(&[0; 256]);
    text
}

fn version_of(text: &[u8]) -> Option<&'static str> {
    match text {
        b"HTTP/1.1" => Some("1.1"),
        b"HTTP/1.0" => Some("1.0"),
        _ => None,
    }
}

/// Digits and nothing else.
fn number(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

/// The size of a chunk, before its extensions.
pub(super) fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|octet| *octet == b';').next()?.trim_ascii();
    let digits = !size.is_empty() && size.iter().all(u8::is_ascii_hexdigit);
    u64::from_str_radix(std::str::from_utf8(size).ok().filter(|_| digits)?, 16).ok()
}

/// RFC 9110, section 5.6.2.
fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}
