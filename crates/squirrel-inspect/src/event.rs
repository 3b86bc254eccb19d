//! What an inspector tells.

use std::time::Duration;

use crate::Field;

/// Which way octets went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the client, who opened the conversation, to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }

    /// `to_server` or `to_client`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ToServer => "to_server",
            Self::ToClient => "to_client",
        }
    }
}

/// What part a message has in the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It wants an answer.
    Request,
    /// It is an answer.
    Response,
    /// It wants none.
    Notification,
    /// It is none of these: broken, or not of this protocol.
    Invalid,
}

/// One message, complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The protocol, as [`Inspector::protocol`](crate::Inspector::protocol) says.
    pub protocol: &'static str,
    /// Which way it went.
    pub direction: Direction,
    /// Its part.
    pub kind: Kind,
    /// Its type: bounded, see the crate's documentation. An answer has the type of its request.
    pub label: &'a str,
    /// More of the type: the tool's name, for MCP's `tools/call`. Bounded like the label.
    pub detail: Option<&'a str>,
    /// Octets, without what separates messages.
    pub size: u64,
    /// Whether this answer found its request.
    pub matched: bool,
    /// From the end of the request to the end of the answer. `None` when this is no answer, when it
    /// found no request, and when the clock went back in between.
    pub latency: Option<Duration>,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    /// The protocol.
    pub protocol: &'static str,
    /// Which way the message went that failed or says so. For [`FailureKind::Unanswered`], the
    /// way of the request.
    pub direction: Direction,
    /// The type of the message, bounded.
    pub label: &'a str,
    /// More of the type, as in [`Message::detail`].
    pub detail: Option<&'a str>,
    /// What it is.
    pub kind: FailureKind,
}

/// How something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The protocol's own error: a code of JSON-RPC, a status of HTTP from 400 on, a close code of
    /// WebSocket other than normal.
    Code(i64),
    /// The tool of an MCP server failed: the answer is good, and says `isError`.
    Tool,
    /// No answer came within [`Limits::answer_within`](crate::Limits::answer_within).
    Unanswered,
    /// The message is not as the protocol wants it.
    Conformance(Conformance),
}

impl FailureKind {
    /// A word for a label, from a closed list: what OpenTelemetry calls `error.type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Code(-32_700) => "parse_error",
            Self::Code(-32_600) => "invalid_request",
            Self::Code(-32_601) => "method_not_found",
            Self::Code(-32_602) => "invalid_params",
            Self::Code(-32_603) => "internal_error",
            Self::Code(-32_020) => "header_mismatch",
            Self::Code(-32_021) => "missing_capability",
            Self::Code(-32_022) => "unsupported_version",
            Self::Code(-32_099..=-32_000) => "server_error",
            Self::Code(400..=499) => "client_error",
            Self::Code(500..=599) => "server_failure",
            Self::Code(1_000..=4_999) => "close_code",
            Self::Code(_) => "other_code",
            Self::Tool => "tool_error",
            Self::Unanswered => "unanswered",
            Self::Conformance(kind) => kind.name(),
        }
    }
}

/// The protocol's version was seen, and it is not the one seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version<'a> {
    /// The protocol.
    pub protocol: &'static str,
    /// The version, bounded: an unknown one is [`OTHER`](crate::OTHER).
    pub version: &'a str,
}

/// What an inspector tells, in the order of the octets.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A message is complete.
    Message(Message<'a>),
    /// Something went wrong; follows the message that it belongs to.
    Failure(Failure<'a>),
    /// The protocol's version.
    Version(Version<'a>),
    /// The value of a field that was asked for.
    Field(Field<'a>),
}

macro_rules! conformance {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Ways in which a message is not as its protocol wants it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Conformance {
            $($(#[$doc])* $variant,)*
        }

        impl Conformance {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// A word for a label.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

conformance! {
    /// Not JSON, or JSON that is no object where one must be.
    Malformed = "malformed",
    /// The message ended too early.
    Truncated = "truncated",
    /// More follows after the message's end.
    Trailing = "trailing",
    /// Not UTF-8.
    InvalidUtf8 = "invalid_utf8",
    /// Longer than [`Limits::max_message`](crate::Limits::max_message).
    Oversized = "oversized",
    /// Deeper than [`Limits::max_depth`](crate::Limits::max_depth).
    TooDeep = "too_deep",
    /// A member that matters is there twice. The last one counts.
    DuplicateKey = "duplicate_key",
    /// `jsonrpc` is missing or is not `"2.0"`.
    BadVersion = "bad_version",
    /// An identifier that is no string and no number, or a `null` where an answer is wanted.
    BadId = "bad_id",
    /// An identifier too long to be matched.
    LongId = "long_id",
    /// Neither method, nor result, nor error; or both a method and an outcome.
    NoMethod = "no_method",
    /// Both a result and an error.
    ResultAndError = "result_and_error",
    /// An error without a whole number as its code.
    NoErrorCode = "no_error_code",
    /// A request with the identifier of one that is not answered yet.
    DuplicateId = "duplicate_id",
    /// An answer to nothing that was asked, or to what is forgotten: see
    /// [`Counts::evicted`](crate::Counts::evicted) and [`Counts::expired`](crate::Counts::expired).
    UnknownId = "unknown_id",
    /// A message that only the other side may send.
    WrongDirection = "wrong_direction",
    /// A request without an identifier.
    MissingId = "missing_id",
    /// A notification with an identifier.
    UnwantedId = "unwanted_id",
    /// A batch of nothing.
    EmptyBatch = "empty_batch",
    /// A batch in a revision that has none.
    UnwantedBatch = "unwanted_batch",
    /// A header that repeats a part of the body is missing in a revision that wants it.
    MissingHeader = "missing_header",
    /// A header that repeats a part of the body says something else.
    WrongHeader = "wrong_header",
    /// A head of HTTP that is none.
    BadHead = "bad_head",
    /// A head longer than [`Limits::max_head`](crate::Limits::max_head).
    LongHead = "long_head",
    /// A length that is no number, that contradicts another, or is written in too many octets.
    BadLength = "bad_length",
    /// Both a length and chunks: readers may disagree about where the message ends.
    AmbiguousLength = "ambiguous_length",
    /// A chunk without a size, or without its end.
    BadChunk = "bad_chunk",
    /// A frame of a client without a mask, or of a server with one.
    BadMask = "bad_mask",
    /// A reserved bit of a frame is set.
    ReservedBits = "reserved_bits",
    /// A frame of an unknown type.
    BadOpcode = "bad_opcode",
    /// A control frame in fragments.
    FragmentedControl = "fragmented_control",
    /// A control frame with more than 125 octets.
    LongControl = "long_control",
    /// A fragment that continues nothing, or a new message before the last one's end.
    BadContinuation = "bad_continuation",
    /// A close with half a code, or one that must not be sent.
    BadClose = "bad_close",
    /// A frame after the close.
    AfterClose = "after_close",
}

/// Kinds of conformance errors, each at most once for a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults(u64);

impl Faults {
    pub(crate) fn add(&mut self, kind: Conformance) {
        self.0 |= 1 << kind as u64;
    }

    pub(crate) fn has(self, kind: Conformance) -> bool {
        self.0 & (1 << kind as u64) != 0
    }

    pub(crate) fn each(self) -> impl Iterator<Item = Conformance> {
        Conformance::ALL.iter().copied().filter(move |kind| self.has(*kind))
    }
}
