//! Where in a message we are, and which members matter there.

/// A member that matters, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
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
pub(super) enum Place {
    Message,
    Params,
    Meta,
    Outcome,
    Error,
}

impl Place {
    pub(super) fn field(self, key: &[u8]) -> Field {
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

    pub(super) fn parent(self) -> Option<Self> {
        match self {
            Self::Message => None,
            Self::Meta => Some(Self::Params),
            Self::Params | Self::Outcome | Self::Error => Some(Self::Message),
        }
    }

    /// Levels of nesting at its members.
    pub(super) fn level(self) -> u32 {
        match self {
            Self::Message => 1,
            Self::Params | Self::Outcome | Self::Error => 2,
            Self::Meta => 3,
        }
    }
}
