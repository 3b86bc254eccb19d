//! What every inspector can do, and the table of those that are built in.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::http::{HttpInspector, McpHttpInspector};
use crate::rpc::{JsonRpcInspector, McpInspector};
use crate::websocket::WebSocketInspector;
use crate::{Direction, Event, FieldPaths, Limits};

/// Watches one conversation: the octets of both directions of one connection or pair of pipes.
///
/// Whoever writes an inspector of his own keeps the promises that the crate's documentation makes:
/// linear time, bounded memory, bounded labels, no panic on any octets.
pub trait Inspector: Send {
    /// The protocol's name, as events tell it.
    fn protocol(&self) -> &'static str;

    /// Shows the next octets of a stream. They may be cut anywhere: any two ways to cut the same
    /// stream give the same events.
    fn stream(&mut self, direction: Direction, octets: &[u8], at: Duration, events: &mut dyn FnMut(Event<'_>));

    /// Shows one whole message, which something else has framed already. Independent of what
    /// [`stream`](Self::stream) was shown but for the matching of answers.
    fn message(&mut self, direction: Direction, octets: &[u8], at: Duration, events: &mut dyn FnMut(Event<'_>));

    /// The stream of this direction has ended: what is not complete never will be.
    fn end(&mut self, direction: Direction, at: Duration, events: &mut dyn FnMut(Event<'_>));

    /// Reports and forgets requests that waited too long. The other methods do so too for what they
    /// touch; this is for conversations that have fallen silent.
    fn tick(&mut self, at: Duration, events: &mut dyn FnMut(Event<'_>));

    /// From now on tells the values of these fields, of messages that are JSON. An inspector that reads
    /// no JSON does nothing here.
    fn read_fields(&mut self, _fields: &FieldPaths) {}

    /// What was lost, and what it costs.
    fn counts(&self) -> Counts;
}

/// An inspector's own figures. All but [`pending`](Self::pending) and [`labels`](Self::labels) only
/// grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages told.
    pub messages: u64,
    /// Octets shown.
    pub octets: u64,
    /// Requests that await an answer now.
    pub pending: usize,
    /// Names that are told apart now.
    pub labels: usize,
    /// Requests forgotten because too many waited.
    pub evicted: u64,
    /// Requests forgotten because they waited too long.
    pub expired: u64,
    /// Times that a name became [`OTHER`](crate::OTHER).
    pub folded: u64,
    /// Answers that came before their request, by the clock that the caller uses.
    pub clock_steps: u64,
    /// Steps of work: at most a fixed number for each octet and call.
    pub work: u64,
}

impl Counts {
    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            messages: self.messages + other.messages,
            octets: self.octets + other.octets,
            pending: self.pending + other.pending,
            labels: self.labels + other.labels,
            evicted: self.evicted + other.evicted,
            expired: self.expired + other.expired,
            folded: self.folded + other.folded,
            clock_steps: self.clock_steps + other.clock_steps,
            work: self.work + other.work,
        }
    }
}

/// How an inspector is made.
pub struct Builder {
    /// The name that configurations use.
    pub name: &'static str,
    /// What it inspects, in one sentence.
    pub about: &'static str,
    /// Makes one for one conversation.
    pub build: fn(&Limits) -> Box<dyn Inspector>,
}

/// The inspectors that are built in, by name.
pub static INSPECTORS: &[Builder] = &[
    Builder {
        name: "http",
        about: "HTTP/1.1, and WebSocket after a handshake.",
        build: |limits| Box::new(HttpInspector::new(*limits)),
    },
    Builder {
        name: "jsonrpc",
        about: "JSON-RPC 2.0, one message in a line.",
        build: |limits| Box::new(JsonRpcInspector::new(*limits)),
    },
    Builder {
        name: "mcp",
        about: "Model Context Protocol over stdio, one message in a line.",
        build: |limits| Box::new(McpInspector::new(*limits)),
    },
    Builder {
        name: "mcp-http",
        about: "Model Context Protocol over streamable HTTP.",
        build: |limits| Box::new(McpHttpInspector::new(*limits)),
    },
    Builder {
        name: "websocket",
        about: "WebSocket after its handshake.",
        build: |limits| Box::new(WebSocketInspector::new(*limits)),
    },
];

type BuildOwn = Box<dyn Fn(&Limits) -> Box<dyn Inspector> + Send + Sync>;

/// The built-in inspectors and the user's own, by name.
#[derive(Default)]
pub struct Inspectors {
    own: BTreeMap<String, BuildOwn>,
}

impl Inspectors {
    /// Adds one.
    ///
    /// # Errors
    /// When the name is taken, by a built-in one or by another.
    pub fn add(
        &mut self,
        name: &str,
        build: impl Fn(&Limits) -> Box<dyn Inspector> + Send + Sync + 'static,
    ) -> Result<(), NameTaken> {
        if self.names().any(|taken| taken == name) {
            return Err(NameTaken(name.to_string()));
        }
        self.own.insert(name.to_string(), Box::new(build));
        Ok(())
    }

    /// All names: the built-in ones first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        INSPECTORS.iter().map(|builder| builder.name).chain(self.own.keys().map(String::as_str))
    }

    /// A new inspector of that name, for one conversation.
    pub fn build(&self, name: &str, limits: &Limits) -> Option<Box<dyn Inspector>> {
        let built_in = INSPECTORS.iter().find(|builder| builder.name == name);
        built_in.map(|builder| (builder.build)(limits)).or_else(|| self.own.get(name).map(|build| build(limits)))
    }
}

/// An inspector of this name is there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameTaken(pub String);

impl fmt::Display for NameTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an inspector named `{}` is there already; choose another name", self.0)
    }
}

impl Error for NameTaken {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::McpInspector;

    #[test]
    fn an_inspector_of_the_users_own_stands_beside_the_built_in_ones() {
        let mut inspectors = Inspectors::default();
        let patience = Duration::from_secs(7);
        let build = move |limits: &Limits| -> Box<dyn Inspector> {
            Box::new(McpInspector::new(Limits { answer_within: patience, ..*limits }))
        };
        assert_eq!(inspectors.add("acme", build), Ok(()));
        assert_eq!(inspectors.add("acme", build), Err(NameTaken("acme".to_string())));
        assert_eq!(inspectors.add("mcp", build), Err(NameTaken("mcp".to_string())));
        let names: Vec<_> = inspectors.names().collect();
        assert_eq!(names, ["http", "jsonrpc", "mcp", "mcp-http", "websocket", "acme"]);
        let protocol = |name| inspectors.build(name, &Limits::default()).map(|inspector| inspector.protocol());
        assert_eq!((protocol("acme"), protocol("jsonrpc"), protocol("none")), (Some("mcp"), Some("jsonrpc"), None));
    }

    #[test]
    fn no_inspector_fails_on_nothing() {
        for builder in INSPECTORS {
            let mut inspector = (builder.build)(&Limits {
                max_pending: 0,
                answer_within: Duration::ZERO,
                max_labels: 0,
                max_message: 0,
                max_depth: 0,
                max_head: 0,
            });
            let mut told = Vec::new();
            let mut events = |event: Event<'_>| told.push(crate::testing::line(&event));
            for at in [Duration::MAX, Duration::ZERO] {
                inspector.stream(Direction::ToServer, b"", at, &mut events);
                inspector.message(Direction::ToClient, b"", at, &mut events);
                inspector.tick(at, &mut events);
                inspector.end(Direction::ToClient, at, &mut events);
            }
            assert_eq!(told, [""; 0], "{}", builder.name);
            inspector.stream(Direction::ToServer, b"{\"method\":\"m\",\"id\":1}\n\x01\x80", Duration::MAX, &mut |_| {});
            assert!(inspector.counts().pending <= 1, "{}", builder.name);
        }
    }
}
