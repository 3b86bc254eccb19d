//! Protocol inspection: shown the octets of one conversation, an [`Inspector`] tells its messages by
//! type, how long each answer took, and what went wrong.
//!
//! An inspector only looks. It is handed a borrowed slice, so it cannot change a message; it does no
//! I/O, so it cannot delay one; and nothing that it is shown makes it panic. Time is an argument: a
//! [`Duration`](std::time::Duration) since any moment that the caller keeps fixed.
//!
//! Bounds, each with a test:
//! - *Time*: linear in the octets shown; [`Counts::work`] counts the steps.
//! - *Memory*: fixed by [`Limits`]; no payload is kept, not even a message that is cut in two. What is
//!   kept is a name of at most [`Limits::MAX_NAME`] octets, an identifier until its answer comes, and
//!   a number.
//! - *Labels*: a type is from a closed list, or one of the first [`Limits::max_labels`] seen;
//!   everything else is [`OTHER`].
//! - *Allocation*: none per message, but when a table grows to its bound or a name is seen first.
//!
//! Beside messages, an inspector tells the values of [fields](FieldPaths) that somebody asked for by
//! [`Inspector::read_fields`]; and [`McpSessions`] join connections of MCP over HTTP that speak in one session.
//!
//! ```
//! use std::time::Duration;
//! use squirrel_inspect::{Direction, Event, Inspector, Limits, McpInspector};
//!
//! let mut inspector = McpInspector::new(Limits::default());
//! let mut told = Vec::new();
//! let mut events = |event: Event<'_>| {
//!     if let Event::Message(message) = event {
//!         told.push((message.label.to_string(), message.latency));
//!     }
//! };
//! let (asked, answered) = (Duration::from_millis(5), Duration::from_millis(12));
//! inspector.stream(Direction::ToServer, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n", asked, &mut events);
//! inspector.stream(Direction::ToClient, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n", answered, &mut events);
//! assert_eq!(told, [("ping".to_string(), None), ("ping".to_string(), Some(Duration::from_millis(7)))]);
//! ```
#![forbid(unsafe_code)]

mod event;
mod field;
mod http;
mod inspector;
mod json;
mod label;
mod limits;
mod octets;
mod pending;
mod rpc;
#[cfg(test)]
mod testing;
mod websocket;

pub use event::{Conformance, Direction, Event, Failure, FailureKind, Kind, Message, Version};
pub use field::{BadPath, Field, FieldPaths, FieldValue};
pub use http::{HttpInspector, McpHttpInspector, McpSessions};
pub use inspector::{Builder, Counts, INSPECTORS, Inspector, Inspectors, NameTaken};
pub use label::OTHER;
pub use limits::Limits;
pub use rpc::{JsonRpcInspector, McpInspector};
pub use websocket::WebSocketInspector;
