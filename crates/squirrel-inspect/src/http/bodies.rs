//! MCP in the bodies of HTTP: which session a body belongs to, and what its head says of it.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::head::{Content, Head};
use super::sessions::{McpSessions, SessionRef};
use super::sse::{Events, Part};
use super::{Sink, side};
use crate::rpc::{Lane, Session};
use crate::{Counts, Direction, FieldPaths, Limits};

/// Both directions of one connection.
#[derive(Debug)]
pub(super) struct Bodies {
    /// For messages that name no session: they are matched within the connection.
    own: SessionRef,
    sessions: Option<McpSessions>,
    lanes: [BodyLane; 2],
    counts: Counts,
}

#[derive(Debug)]
struct BodyLane {
    rpc: Lane,
    events: Events,
    session: SessionRef,
}

fn locked(session: &SessionRef) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Uses a session, and takes what it counted meanwhile as this connection's.
fn using(session: &SessionRef, counts: &mut Counts, work: impl FnOnce(&mut Session)) {
    let mut session = locked(session);
    let before = session.counts();
    work(&mut session);
    let after = session.counts();
    counts.messages += after.messages - before.messages;
    counts.evicted += after.evicted - before.evicted;
    counts.expired += after.expired - before.expired;
    counts.folded += after.folded - before.folded;
    counts.clock_steps += after.clock_steps - before.clock_steps;
}

impl Bodies {
    pub(super) fn new(limits: Limits, sessions: Option<McpSessions>) -> Self {
        let own = McpSessions::session(limits);
        let lane = || BodyLane { rpc: Lane::new(&limits), events: Events::default(), session: SessionRef::clone(&own) };
        Self { lanes: [lane(), lane()], own, sessions, counts: Counts::default() }
    }

    pub(super) fn read_fields(&mut self, fields: &FieldPaths) {
        for lane in &mut self.lanes {
            lane.rpc.read_fields(fields);
        }
    }

    /// The head of a request is complete: the session that its body, and its answer's, belong to.
    pub(super) fn request_begins(&mut self, direction: Direction, head: &Head, events: Sink<'_>) -> Option<SessionRef> {
        let named = self.sessions.as_ref().zip(head.session.octets()).map(|(sessions, id)| sessions.of(id));
        let session = named.unwrap_or_else(|| SessionRef::clone(&self.own));
        if let Some(revision) = head.revision {
            using(&session, &mut self.counts, |session| session.version_said(revision, events));
        }
        let lane = self.lanes.get_mut(side(direction))?;
        lane.session = SessionRef::clone(&session);
        lane.rpc.expect(head.expected());
        Some(session)
    }

    /// The head of an answer is complete. `session` is that of its request.
    pub(super) fn answer_begins(&mut self, direction: Direction, session: Option<SessionRef>) {
        if let Some(lane) = self.lanes.get_mut(side(direction)) {
            lane.session = session.unwrap_or_else(|| SessionRef::clone(&self.own));
        }
    }

    pub(super) fn part(&mut self, direction: Direction, head: &Head, part: &[u8], at: Duration, events: Sink<'_>) {
        let Some(BodyLane { rpc, events: parts, session }) = self.lanes.get_mut(side(direction)) else { return };
        if head.packed {
            return;
        }
        match head.content {
            Content::Json => {
                using(session, &mut self.counts, |session| rpc.push(part, direction, at, session, events));
            }
            Content::Events => using(session, &mut self.counts, |session| {
                parts.push(part, &mut |part| match part {
                    Part::Data(data) => rpc.push(data, direction, at, session, events),
                    Part::Event => rpc.finish(direction, at, session, events),
                });
            }),
            Content::Unknown => {}
        }
    }

    /// The body has ended with the message around it, which was of this size.
    pub(super) fn ended(&mut self, direction: Direction, head: &Head, size: u64, at: Duration, events: Sink<'_>) {
        let Some(BodyLane { rpc, events: parts, session }) = self.lanes.get_mut(side(direction)) else { return };
        using(session, &mut self.counts, |session| {
            if head.packed {
                session.told_by_head(&head.expected(), size, direction, events);
            }
            rpc.finish(direction, at, session, events);
        });
        rpc.expect(super::head::Expected::default());
        *parts = Events::default();
    }

    /// The client has ended its session.
    pub(super) fn session_ended(&self, head: &Head) {
        if let Some((sessions, id)) = self.sessions.as_ref().zip(head.session.octets()) {
            sessions.forget(id);
        }
    }

    pub(super) fn expire(&mut self, at: Duration, events: Sink<'_>) {
        using(&self.own, &mut self.counts, |session| session.expire(at, events));
        for lane in &self.lanes {
            if !SessionRef::ptr_eq(&lane.session, &self.own) {
                using(&lane.session, &mut self.counts, |session| session.expire(at, events));
            }
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let own = locked(&self.own).counts();
        let work = self.lanes.iter().map(|lane| lane.rpc.work()).sum();
        Counts { pending: own.pending, labels: own.labels, work, ..self.counts }
    }
}
