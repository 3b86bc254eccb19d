//! JSON-RPC 2.0, and the Model Context Protocol that is spoken in it.

mod lane;
mod mcp;
mod session;

use std::time::Duration;

use crate::{Counts, Direction, Event, FieldPaths, Inspector, Limits};
pub(crate) use lane::Lane;
pub(crate) use mcp::mirrors_body;
use session::Dialect;
pub(crate) use session::{Session, revision};

/// Both directions of one conversation in JSON-RPC.
#[derive(Debug)]
pub(crate) struct Rpc {
    to_server: Lane,
    to_client: Lane,
    /// For messages that come whole; made when the first does.
    whole: Option<Box<Lane>>,
    fields: Option<FieldPaths>,
    limits: Limits,
    session: Session,
}

impl Rpc {
    pub(crate) fn new(dialect: Dialect, limits: Limits) -> Self {
        let lane = || Lane::new(&limits);
        Self {
            to_server: lane(),
            to_client: lane(),
            whole: None,
            fields: None,
            limits,
            session: Session::new(dialect, limits),
        }
    }

    fn read_fields(&mut self, fields: &FieldPaths) {
        self.whole = None;
        self.to_server.read_fields(fields);
        self.to_client.read_fields(fields);
        self.fields = Some(fields.clone());
    }

    fn lane(&mut self, direction: Direction) -> (&mut Lane, &mut Session) {
        let lane = match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        };
        (lane, &mut self.session)
    }

    /// The message is complete, or never will be.
    pub(crate) fn finish(&mut self, direction: Direction, at: Duration, events: &mut dyn FnMut(Event<'_>)) {
        let (lane, session) = self.lane(direction);
        lane.finish(direction, at, session, events);
    }

    fn lines(&mut self, direction: Direction, octets: &[u8], at: Duration, events: &mut dyn FnMut(Event<'_>)) {
        let (lane, session) = self.lane(direction);
        session.shown(octets.len());
        session.expire(at, events);
        let mut rest = octets;
        while let Some(end) = crate::octets::find(rest, b'\n') {
            let (line, after) = rest.split_at(end);
            lane.push(line, direction, at, session, events);
            lane.finish(direction, at, session, events);
            rest = after.get(1..).unwrap_or_default();
        }
        lane.push(rest, direction, at, session, events);
    }

    fn whole(&mut self, direction: Direction, octets: &[u8], at: Duration, events: &mut dyn FnMut(Event<'_>)) {
        self.session.shown(octets.len());
        self.session.expire(at, events);
        let whole = self.whole.get_or_insert_with(|| {
            let mut lane = Lane::new(&self.limits);
            if let Some(fields) = &self.fields {
                lane.read_fields(fields);
            }
            Box::new(lane)
        });
        whole.push(octets, direction, at, &mut self.session, events);
        whole.finish(direction, at, &mut self.session, events);
    }

    pub(crate) fn counts(&self) -> Counts {
        let work = self.to_server.work() + self.to_client.work() + self.whole.as_ref().map_or(0, |lane| lane.work());
        Counts { work, ..self.session.counts() }
    }
}

macro_rules! by_lines {
    ($(#[$doc:meta])* $name:ident, $dialect:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(Rpc);

        impl $name {
            /// An inspector of one conversation.
            pub fn new(limits: Limits) -> Self {
                Self(Rpc::new($dialect, limits))
            }
        }

        impl Inspector for $name {
            fn protocol(&self) -> &'static str {
                $dialect.protocol()
            }

            fn stream(
                &mut self,
                direction: Direction,
                octets: &[u8],
                at: Duration,
                events: &mut dyn FnMut(Event<'_>),
            ) {
                self.0.lines(direction, octets, at, events);
            }

            fn message(
                &mut self,
                direction: Direction,
                octets: &[u8],
                at: Duration,
                events: &mut dyn FnMut(Event<'_>),
            ) {
                self.0.whole(direction, octets, at, events);
            }

            fn end(&mut self, direction: Direction, at: Duration, events: &mut dyn FnMut(Event<'_>)) {
                self.0.finish(direction, at, events);
            }

            fn tick(&mut self, at: Duration, events: &mut dyn FnMut(Event<'_>)) {
                self.0.session.expire(at, events);
            }

            fn read_fields(&mut self, fields: &FieldPaths) {
                self.0.read_fields(fields);
            }

            fn counts(&self) -> Counts {
                self.0.counts()
            }
        }
    };
}

by_lines! {
    /// JSON-RPC 2.0: requests, notifications, answers and batches, one message in a line.
    /// The type is the method's name; the first [`Limits::max_labels`] are told apart.
    JsonRpcInspector, Dialect::JsonRpc
}

by_lines! {
    /// The Model Context Protocol over stdio, in its revisions from 2024-11-05 to 2026-07-28: one
    /// message in a line. The type is the method, from a closed list; `tools/call` tells the tool's
    /// name too.
    McpInspector, Dialect::Mcp
}

#[cfg(test)]
mod tests;
