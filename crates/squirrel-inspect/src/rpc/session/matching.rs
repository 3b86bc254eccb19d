//! Requests and their answers: which belong together, and what is wrong with either.

use std::hash::BuildHasher as _;

use super::telling::Outcome;
use super::{Dialect, Names, Session, Told};
use crate::json::scan::{Found, Id};
use crate::pending::Waiting;
use crate::rpc::mcp::{self, Sender};
use crate::{Conformance, Direction, Kind};

/// An identifier, small. Strings are hashed twice with keys of this session's own, so that nobody can
/// choose two that meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Number(i64),
    Text(u64, u64),
}

/// Where to look for requests that went this way.
pub(super) fn side(direction: Direction) -> usize {
    match direction {
        Direction::ToServer => 0,
        Direction::ToClient => 1,
    }
}

impl Session {
    /// A message that asks, or only notifies.
    pub(super) fn question(&mut self, found: &mut Found, told: Told) -> Outcome {
        let method = found.method.as_ref().and_then(|method| method.text());
        let known =
            method.filter(|_| self.dialect == Dialect::Mcp).and_then(|method| mcp::known(method, &mut self.recent));
        let label = known.map_or_else(|| self.labels.intern(method), |(label, _)| label);
        let mut names = Names { label, ..Names::default() };
        let mut lasting = false;
        let wants_answer = !matches!(found.id, Id::Absent);
        let method = method.unwrap_or_default();
        if self.dialect == Dialect::Mcp {
            if let Some((_, known)) = known {
                lasting = known.lasting;
                let wrong = match known.sender {
                    Sender::Both => false,
                    Sender::Client => told.direction == Direction::ToClient,
                    Sender::Server => told.direction == Direction::ToServer,
                };
                if wrong {
                    found.faults.add(Conformance::WrongDirection);
                }
                let notifies = method.starts_with("notifications/");
                if notifies == wants_answer {
                    found.faults.add(if notifies { Conformance::UnwantedId } else { Conformance::MissingId });
                }
            }
            if method == "tools/call" {
                names.detail = Some(self.details.intern(found.name.as_ref().and_then(|name| name.text())));
            }
            names.initialize = method == "initialize";
            let cancelled = (method == "notifications/cancelled").then(|| self.key(&found.request_id)).flatten();
            if let Some((key, asked)) = cancelled.zip(self.asked.get_mut(side(told.direction))) {
                asked.excuse(key);
            }
        }
        if !wants_answer {
            return Outcome { kind: Kind::Notification, names, ..Outcome::default() };
        }
        match self.key(&found.id) {
            Some(key) => {
                let waiting = Waiting { what: names, sent: told.at, excused: lasting };
                let asked = self.asked.get_mut(side(told.direction));
                if asked.and_then(|asked| asked.insert(key, waiting)).is_some() {
                    found.faults.add(Conformance::DuplicateId);
                }
            }
            None => found.faults.add(bad_id(&found.id)),
        }
        Outcome { kind: Kind::Request, names, ..Outcome::default() }
    }

    /// A message that answers.
    pub(super) fn answer(&mut self, found: &mut Found, told: Told) -> Outcome {
        let mut outcome = Outcome { kind: Kind::Response, ..Outcome::default() };
        if found.outcome && found.error {
            found.faults.add(Conformance::ResultAndError);
        }
        if found.error && found.code.is_none() {
            found.faults.add(Conformance::NoErrorCode);
        }
        let Some(key) = self.key(&found.id) else {
            // Who could not read a request cannot know its identifier, and says null.
            let excused = found.error && matches!(found.id, Id::Null);
            if !excused {
                found.faults.add(bad_id(&found.id));
            }
            return outcome;
        };
        let waiting = self.asked.get_mut(side(told.direction.reversed())).and_then(|asked| asked.take(key));
        let Some(waiting) = waiting else {
            let own = self.asked.get(side(told.direction)).is_some_and(|asked| asked.contains(key));
            if own {
                found.faults.add(Conformance::WrongDirection);
            } else if self.limits.max_pending > 0 {
                found.faults.add(Conformance::UnknownId);
            }
            return outcome;
        };
        outcome.names = waiting.what;
        outcome.matched = true;
        outcome.latency = told.at.checked_sub(waiting.sent);
        self.counts.clock_steps += u64::from(outcome.latency.is_none());
        outcome
    }

    fn key(&self, id: &Id) -> Option<Key> {
        match id {
            Id::Number(number) => Some(Key::Number(*number)),
            Id::Text { text, number } => {
                let [first, second] = &self.hashers;
                let text = (text.octets(), *number);
                Some(Key::Text(first.hash_one(text), second.hash_one(text)))
            }
            Id::Absent | Id::Null | Id::Long | Id::Bad => None,
        }
    }
}

fn bad_id(id: &Id) -> Conformance {
    if matches!(id, Id::Long) { Conformance::LongId } else { Conformance::BadId }
}
