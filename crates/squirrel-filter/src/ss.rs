//! The filter language of the tool `ss` (ss(8), "STATE-FILTER" and "EXPRESSION"), for those who know it by heart.
//!
//! ```text
//! state established exclude time-wait ( sport = :ssh or dport > :1024 ) and not dst 10.0.0.0/8
//! ```
//!
//! As with `ss`, `and` and `or` bind equally and are read from left to right; conditions beside each other must
//! both hold. Unlike there, operators and parentheses need no blanks around them. Names of hosts are not looked
//! up, and what the kernel does not tell of a socket is refused with the reason.

mod parser;
mod states;

use std::net::IpAddr;

use crate::condition::is_within;
use crate::{FilterError, Services};

pub use states::{ALL, CONNECTED, LISTENING, OPEN};

/// What a filter asks of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// This side's address.
    pub local: IpAddr,
    /// This side's port.
    pub local_port: u16,
    /// The other side's address.
    pub remote: IpAddr,
    /// The other side's port.
    pub remote_port: u16,
    /// The interface that the socket is bound to; 0 for none.
    pub interface: u32,
    /// Whether the kernel chose the local port. Only asked where [`SsFilter::needs_autobound`].
    pub autobound: bool,
}

/// What names in a filter mean on this host.
pub struct Names<'a> {
    /// Names of ports.
    pub services: &'a Services,
    /// The index of an interface.
    pub interface: &'a dyn Fn(&str) -> Option<u32>,
}

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Local,
    Remote,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Host { side: Side, network: Option<(IpAddr, u8)>, port: Option<u16> },
    AtLeast(Side, u16),
    AtMost(Side, u16),
    Interface(u32),
    Autobound,
}

/// A filter that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct SsFilter {
    /// The states that were named, as bits by the kernel's numbers; `None` when no state was named.
    pub states: Option<u32>,
    root: Option<Node>,
    needs_autobound: bool,
}

impl SsFilter {
    /// Reads a filter; an empty text chooses everything.
    ///
    /// # Errors
    /// The column of the mistake and what to write instead.
    pub fn parse(text: &str, names: &Names<'_>) -> Result<Self, FilterError> {
        parser::parse(text, names)
    }

    /// Whether [`Subject::autobound`] is looked at.
    pub fn needs_autobound(&self) -> bool {
        self.needs_autobound
    }

    /// Whether anything but states is looked at.
    pub fn has_expression(&self) -> bool {
        self.root.is_some()
    }

    /// Whether a socket fulfils the expression. States are judged by [`SsFilter::states`].
    pub fn matches(&self, subject: &Subject) -> bool {
        self.root.as_ref().is_none_or(|root| holds(root, subject))
    }
}

fn holds(node: &Node, subject: &Subject) -> bool {
    let port = |side| if side == Side::Local { subject.local_port } else { subject.remote_port };
    match node {
        Node::And(a, b) => holds(a, subject) && holds(b, subject),
        Node::Or(a, b) => holds(a, subject) || holds(b, subject),
        Node::Not(node) => !holds(node, subject),
        Node::Host { side, network, port: wanted } => {
            let address = if *side == Side::Local { subject.local } else { subject.remote };
            network.is_none_or(|(network, bits)| is_within(address, network, bits))
                && wanted.is_none_or(|wanted| wanted == port(*side))
        }
        Node::AtLeast(side, least) => port(*side) >= *least,
        Node::AtMost(side, most) => port(*side) <= *most,
        Node::Interface(index) => subject.interface == *index,
        Node::Autobound => subject.autobound,
    }
}

#[cfg(test)]
mod tests;
