//! The inspectors of HTTP: of itself, and of MCP over it.

use std::time::Duration;

use super::bodies::Bodies;
use super::sessions::McpSessions;
use super::{Http, Sink};
use crate::{Counts, Direction, FieldPaths, Inspector, Limits};

macro_rules! over_http {
    ($(#[$doc:meta])* $name:ident, $protocol:literal, $bodies:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(Http);

        impl $name {
            /// An inspector of one connection.
            pub fn new(limits: Limits) -> Self {
                let bodies: fn(Limits) -> Option<Bodies> = $bodies;
                Self(Http::new(limits, bodies(limits)))
            }
        }

        impl Inspector for $name {
            fn protocol(&self) -> &'static str {
                $protocol
            }

            fn stream(&mut self, direction: Direction, octets: &[u8], at: Duration, events: Sink<'_>) {
                self.0.stream(direction, octets, at, events);
            }

            /// One or more whole messages.
            fn message(&mut self, direction: Direction, octets: &[u8], at: Duration, events: Sink<'_>) {
                self.0.stream(direction, octets, at, events);
            }

            fn end(&mut self, direction: Direction, at: Duration, events: Sink<'_>) {
                self.0.end(direction, at, events);
            }

            fn tick(&mut self, at: Duration, events: Sink<'_>) {
                self.0.tick(at, events);
            }

            fn read_fields(&mut self, fields: &FieldPaths) {
                if let Some(bodies) = &mut self.0.bodies {
                    bodies.read_fields(fields);
                }
            }

            fn counts(&self) -> Counts {
                self.0.counts()
            }
        }
    };
}

over_http! {
    /// HTTP/1.1 with pipelining, chunks and upgrades; WebSocket after its handshake. The type of a
    /// request is its method, that of an answer the method and the class of status: `GET 2xx`.
    /// Sizes are of head and body. A status from 400 on is a failure.
    HttpInspector, "http", |_| None
}

over_http! {
    /// The Model Context Protocol over streamable HTTP: what [`HttpInspector`] tells, and the messages
    /// in bodies of JSON and of server-sent events as [`McpInspector`](crate::McpInspector) tells
    /// them. Answers are matched within one connection, unless the inspector is
    /// [`in_sessions`](Self::in_sessions). A compressed body is not read; the headers `Mcp-Method` and
    /// `Mcp-Name` tell what it was.
    McpHttpInspector, "mcp", |limits| Some(Bodies::new(limits, None))
}

impl McpHttpInspector {
    /// An inspector of one of several connections: messages with the header `Mcp-Session-Id` are matched
    /// with those of the other inspectors of the same sessions.
    pub fn in_sessions(limits: Limits, sessions: &McpSessions) -> Self {
        Self(Http::new(limits, Some(Bodies::new(limits, Some(sessions.clone())))))
    }
}
