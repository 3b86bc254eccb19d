//! Silences: which alerts somebody does not want to hear of, from when to when, and why.

use std::collections::BTreeMap;

use squirrel_model::{Labels, Timestamp};

use crate::Matchers;
use crate::observed::Digest;

/// Most silences that are kept, those that are over among them.
pub const MAX_SILENCES: usize = 1_000;
/// Most octets of an author's name, and of a comment.
const MAX_AUTHOR_BYTES: usize = 200;
const MAX_COMMENT_BYTES: usize = 4_000;
/// How long one that is over is still shown: Alertmanager's five days.
const KEPT_MS: i64 = 5 * 86_400_000;

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSilence {
    /// The silence that it replaces.
    pub replaces: Option<String>,
    /// Which alerts.
    pub matchers: Matchers,
    /// When it begins; one in the past begins now.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Who asks.
    pub author: String,
    /// Why.
    pub comment: String,
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// What it is called by, in the form of a UUID, as Alertmanager's API wants it.
    pub id: String,
    /// Which alerts.
    pub matchers: Matchers,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Who asked.
    pub author: String,
    /// Why.
    pub comment: String,
}

/// Where a silence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SilenceState {
    /// It silences.
    Active,
    /// It will.
    Pending,
    /// It did.
    Expired,
}

impl SilenceState {
    /// As Alertmanager's API writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Expired => "expired",
        }
    }
}

impl Silence {
    /// Where it stands at a moment.
    pub fn state(&self, at: Timestamp) -> SilenceState {
        if at >= self.ends_at {
            SilenceState::Expired
        } else if at < self.starts_at {
            SilenceState::Pending
        } else {
            SilenceState::Active
        }
    }
}

/// Why a silence was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SilenceError {
    /// It would silence everything.
    #[error(
        "the silence would take alerts whatever their labels: write at least one condition that an alert without labels does not fulfil, such as alertname=\"LinkDown\""
    )]
    Everything,
    /// It ends before it begins, or has ended.
    #[error("the silence ends before it begins, or is over already: choose a later end")]
    Ends,
    /// No author, or too long a name.
    #[error("a silence names its author, in at most {MAX_AUTHOR_BYTES} octets")]
    Author,
    /// Too long a comment.
    #[error("the comment is longer than {MAX_COMMENT_BYTES} octets")]
    Comment,
    /// As many as there may be, and none of them over.
    #[error("there are {MAX_SILENCES} silences already, none of them over: expire one that is not needed")]
    Full,
    /// No silence has this id.
    #[error("no silence is called {0:?}")]
    Unknown(String),
    /// It is over already.
    #[error("the silence {0:?} is over already")]
    Expired(String),
}

/// All silences by their id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Silences {
    pub(crate) all: BTreeMap<String, Silence>,
    /// How many were ever made, so that ids differ.
    pub(crate) made: u64,
    /// Changes whenever which alerts a silence takes may have changed.
    pub(crate) revision: u64,
}

impl Silences {
    /// Adds a silence, or changes the one it replaces: where the conditions and the begin of one that is active stay,
    /// it keeps its id, else it ends and another begins (as Alertmanager does, so that what was silenced stays known).
    pub(crate) fn set(&mut self, at: Timestamp, new: NewSilence) -> Result<String, SilenceError> {
        if new.matchers.match_nothing_in_particular() {
            return Err(SilenceError::Everything);
        }
        if new.author.trim().is_empty() || new.author.len() > MAX_AUTHOR_BYTES {
            return Err(SilenceError::Author);
        }
        if new.comment.len() > MAX_COMMENT_BYTES {
            return Err(SilenceError::Comment);
        }
        let starts_at = new.starts_at.max(at);
        if new.ends_at <= starts_at {
            return Err(SilenceError::Ends);
        }
        let mut old = None;
        if let Some(id) = &new.replaces {
            let found = self.all.get_mut(id).ok_or_else(|| SilenceError::Unknown(id.clone()))?;
            let begun = found.state(at) == SilenceState::Active;
            let same_begin = if begun { new.starts_at <= at } else { found.starts_at == new.starts_at };
            if found.matchers == new.matchers && same_begin && found.state(at) != SilenceState::Expired {
                found.ends_at = new.ends_at;
                found.author = new.author;
                found.comment = new.comment;
                found.updated_at = at;
                return Ok(id.clone());
            }
            old = Some(id.clone());
        }
        self.make_room(at)?;
        if let Some(old) = old.and_then(|id| self.all.get_mut(&id)) {
            old.ends_at = old.ends_at.min(at);
            old.updated_at = at;
        }
        self.made += 1;
        let id = self.new_id(at, &new);
        let silence = Silence {
            id: id.clone(),
            matchers: new.matchers,
            starts_at,
            ends_at: new.ends_at,
            updated_at: at,
            author: new.author,
            comment: new.comment,
        };
        self.all.insert(id.clone(), silence);
        self.revision += 1;
        Ok(id)
    }

    /// A number in the form of a UUID (RFC 9562, version 8: made as the maker sees fit).
    fn new_id(&self, at: Timestamp, new: &NewSilence) -> String {
        let mut digest = Digest::new();
        digest.add(&at.millis().to_be_bytes()).add(&self.made.to_be_bytes()).add(new.matchers.joined().as_bytes());
        let high = digest.value();
        let low = digest.add(new.author.as_bytes()).add(new.comment.as_bytes()).value();
        let number = (u128::from(high) << 64 | u128::from(low)) & !(0xf << 76) & !(0x3 << 62) | 0x8 << 76 | 0x2 << 62;
        let text = format!("{number:032x}");
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| text.get(part).unwrap_or_default());
        parts.join("-")
    }

    fn make_room(&mut self, at: Timestamp) -> Result<(), SilenceError> {
        if self.all.len() < MAX_SILENCES {
            return Ok(());
        }
        let over = self.all.values().filter(|one| one.state(at) == SilenceState::Expired);
        let oldest = over.min_by_key(|one| (one.ends_at, one.id.clone())).map(|one| one.id.clone());
        self.all.remove(&oldest.ok_or(SilenceError::Full)?);
        self.revision += 1;
        Ok(())
    }

    /// Ends a silence now.
    pub(crate) fn expire(&mut self, at: Timestamp, id: &str) -> Result<(), SilenceError> {
        let found = self.all.get_mut(id).ok_or_else(|| SilenceError::Unknown(id.to_owned()))?;
        if found.state(at) == SilenceState::Expired {
            return Err(SilenceError::Expired(id.to_owned()));
        }
        found.starts_at = found.starts_at.min(at);
        found.ends_at = at;
        found.updated_at = at;
        Ok(())
    }

    /// Forgets those that have been over for days. Answers whether there were any.
    pub(crate) fn forget(&mut self, at: Timestamp) -> bool {
        let before = self.all.len();
        self.all.retain(|_, one| at.millis().saturating_sub(one.ends_at.millis()) < KEPT_MS);
        let changed = before != self.all.len();
        self.revision += u64::from(changed);
        changed
    }

    /// Ids of those whose conditions these labels fulfil, whenever they silence.
    pub(crate) fn fitting(&self, labels: &Labels) -> Vec<String> {
        self.all.values().filter(|one| one.matchers.matches(labels)).map(|one| one.id.clone()).collect()
    }

    /// Whether the silence of this id silences now.
    pub(crate) fn is_active(&self, id: &str, at: Timestamp) -> bool {
        self.all.get(id).is_some_and(|one| one.state(at) == SilenceState::Active)
    }

    /// The next moment when one begins or ends.
    pub(crate) fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        self.all.values().flat_map(|one| [one.starts_at, one.ends_at]).filter(|moment| *moment > at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(condition: &str, from: i64, to: i64) -> NewSilence {
        NewSilence {
            replaces: None,
            matchers: Matchers::parse(&[condition]).expect(condition),
            starts_at: Timestamp(from),
            ends_at: Timestamp(to),
            author: "ada".to_owned(),
            comment: String::new(),
        }
    }

    #[test]
    fn ids_have_the_form_of_a_uuid_and_differ() {
        let mut silences = Silences::default();
        let first = silences.set(Timestamp(0), new("a=b", 0, 9)).expect("good");
        let second = silences.set(Timestamp(0), new("a=b", 0, 9)).expect("good");
        assert_ne!(first, second);
        let lengths: Vec<_> = first.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(first.as_bytes().get(14), Some(&b'8'), "{first}");
        assert!(matches!(first.as_bytes().get(19), Some(b'8' | b'9' | b'a' | b'b')), "{first}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let mut silences = Silences::default();
        let refused = |silences: &mut Silences, new| silences.set(Timestamp(10), new).expect_err("no sense");
        assert_eq!(refused(&mut silences, new("a!=b", 0, 99)), SilenceError::Everything);
        assert_eq!(refused(&mut silences, new("a=b", 0, 10)), SilenceError::Ends);
        assert_eq!(refused(&mut silences, new("a=b", 50, 40)), SilenceError::Ends);
        let author = |author: &str| NewSilence { author: author.to_owned(), ..new("a=b", 0, 99) };
        assert_eq!(refused(&mut silences, author(" ")), SilenceError::Author);
        let comment = NewSilence { comment: "x".repeat(4_001), ..new("a=b", 0, 99) };
        assert_eq!(refused(&mut silences, comment), SilenceError::Comment);
        let replaces = NewSilence { replaces: Some("x".to_owned()), ..new("a=b", 0, 99) };
        assert_eq!(refused(&mut silences, replaces), SilenceError::Unknown("x".to_owned()));
        assert_eq!(silences.expire(Timestamp(0), "x"), Err(SilenceError::Unknown("x".to_owned())));
    }

    #[test]
    fn a_longer_end_keeps_the_id_and_other_conditions_make_another() {
        let mut silences = Silences::default();
        let id = silences.set(Timestamp(0), new("a=b", 0, 100)).expect("good");
        let longer = NewSilence { replaces: Some(id.clone()), ..new("a=b", 0, 500) };
        assert_eq!(silences.set(Timestamp(50), longer), Ok(id.clone()));
        let other = NewSilence { replaces: Some(id.clone()), ..new("a=c", 0, 500) };
        let second = silences.set(Timestamp(60), other).expect("good");
        assert_ne!(second, id);
        assert!(!silences.is_active(&id, Timestamp(60)) && silences.is_active(&second, Timestamp(60)));
        assert_eq!(silences.expire(Timestamp(61), &id), Err(SilenceError::Expired(id)));
    }

    #[test]
    fn there_is_an_end_to_their_number_and_old_ones_make_room() {
        let mut silences = Silences::default();
        for number in 0..MAX_SILENCES as i64 {
            silences.set(Timestamp(0), new("a=b", 0, 1_000 + number)).expect("room");
        }
        assert_eq!(silences.set(Timestamp(0), new("a=b", 0, 9)), Err(SilenceError::Full));
        silences.set(Timestamp(1_001), new("a=b", 0, 9_999)).expect("the first two are over");
        assert_eq!(silences.all.len(), MAX_SILENCES);
        assert!(silences.forget(Timestamp(KEPT_MS + 9_999)) && silences.all.is_empty());
    }
}
