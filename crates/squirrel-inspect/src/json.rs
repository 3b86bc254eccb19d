//! JSON, read without a tree: the few members that tell a message's type, in one pass, from octets
//! that may be cut anywhere.

pub(crate) mod fields;
pub(crate) mod scan;
mod skip;
pub(crate) mod text;
pub(crate) mod utf8;
