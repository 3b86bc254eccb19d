//! Sessions of MCP that several connections share.
//!
//! A client of streamable HTTP may send each request over a connection of its own, and an answer may
//! come in the event stream of another one. What holds them together is the header `Mcp-Session-Id`
//! of the revisions from 2025-03-26 to 2025-11-25; the revision 2026-07-28 has no sessions, and each
//! answer comes where its request went.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{SessionLock, Sink};
use crate::rpc::Session;
use crate::{Counts, Limits};

/// One session, for all connections that speak in it.
pub(super) type SessionRef = Arc<SessionLock>;

/// The sessions that inspectors of several connections share. Cheap to clone.
///
/// A lock is held while a part of a body is looked at, for a session only by those that speak in it. At most
/// as many sessions are kept as were asked for: for a new one that which was silent for longest is forgotten,
/// with the requests that wait in it.
#[derive(Clone, Debug)]
pub struct McpSessions(Arc<Mutex<Registry>>);

#[derive(Debug)]
struct Registry {
    limits: Limits,
    capacity: usize,
    /// By two hashes with keys of our own: nobody can choose two identifiers that meet.
    sessions: HashMap<[u64; 2], (SessionRef, u64)>,
    hashers: [RandomState; 2],
    used: u64,
    forgotten: u64,
}

impl McpSessions {
    /// No session yet, and room for `capacity` of them, each within `limits`.
    pub fn new(limits: Limits, capacity: usize) -> Self {
        Self(Arc::new(Mutex::new(Registry {
            limits,
            capacity,
            sessions: HashMap::new(),
            hashers: [RandomState::new(), RandomState::new()],
            used: 0,
            forgotten: 0,
        })))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.registry().sessions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many were forgotten for want of room.
    pub fn forgotten(&self) -> u64 {
        self.registry().forgotten
    }

    /// Requests that await an answer now, in all sessions.
    pub fn pending(&self) -> usize {
        self.all().iter().map(|session| counts(session).pending).sum()
    }

    /// Reports and forgets requests that waited too long, in all sessions.
    pub fn tick(&self, at: Duration, events: Sink<'_>) {
        for session in self.all() {
            session.lock().unwrap_or_else(PoisonError::into_inner).expire(at, events);
        }
    }

    /// A session of no name.
    pub(super) fn session(limits: Limits) -> SessionRef {
        Arc::new(Mutex::new(Session::mcp(limits)))
    }

    /// The session of this identifier: a new one when it was never heard of.
    pub(super) fn of(&self, id: &[u8]) -> SessionRef {
        let mut registry = self.registry();
        registry.used += 1;
        let (key, used, limits) = (registry.key(id), registry.used, registry.limits);
        if let Some((session, last)) = registry.sessions.get_mut(&key) {
            *last = used;
            return Arc::clone(session);
        }
        let session = Self::session(limits);
        if registry.capacity == 0 {
            registry.forgotten += 1;
            return session;
        }
        if registry.sessions.len() >= registry.capacity {
            let silent = registry.sessions.iter().min_by_key(|(_, (_, last))| *last).map(|(key, _)| *key);
            silent.and_then(|silent| registry.sessions.remove(&silent));
            registry.forgotten += 1;
        }
        registry.sessions.insert(key, (Arc::clone(&session), used));
        session
    }

    pub(super) fn forget(&self, id: &[u8]) {
        let mut registry = self.registry();
        let key = registry.key(id);
        registry.sessions.remove(&key);
    }

    fn all(&self) -> Vec<SessionRef> {
        self.registry().sessions.values().map(|(session, _)| Arc::clone(session)).collect()
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    fn key(&self, id: &[u8]) -> [u64; 2] {
        self.hashers.each_ref().map(|hasher| hasher.hash_one(id))
    }
}

fn counts(session: &SessionRef) -> Counts {
    session.lock().unwrap_or_else(PoisonError::into_inner).counts()
}
