//! Acknowledgements: somebody takes care.

use squirrel_model::Timestamp;

use crate::Matchers;

/// Most octets of a name, and of a comment.
const MAX_WHO_BYTES: usize = 200;
const MAX_COMMENT_BYTES: usize = 4_000;

/// Which alerts somebody takes care of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AckTarget {
    /// The alert with this number.
    Fingerprint(u64),
    /// All that fulfil these conditions now.
    Matching(Matchers),
}

/// Somebody takes care of an alert. It ends when the alert is over, gets worse, or the time is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Who.
    pub who: String,
    /// What they say.
    pub comment: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when at most.
    pub until: Option<Timestamp>,
    /// How bad it was then; an alert that is worse is not meant.
    pub(crate) rank: u8,
}

/// Why an acknowledgement was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AckError {
    /// No alert fires that is meant.
    #[error("no alert that is meant fires: see which do with `squirrel alerts`")]
    NothingFires,
    /// No alert that is meant is acknowledged.
    #[error("no alert that is meant is acknowledged")]
    NothingAcknowledged,
    /// Nobody's name.
    #[error("an acknowledgement names who takes care, in at most {MAX_WHO_BYTES} octets")]
    Who,
    /// Too long a comment.
    #[error("the comment is longer than {MAX_COMMENT_BYTES} octets")]
    Comment,
    /// It would be over already.
    #[error("the acknowledgement would be over already: choose a later end")]
    Until,
}

impl Acknowledgement {
    /// What somebody says at a moment.
    ///
    /// # Errors
    /// No name, texts that are too long, or an end that has passed.
    pub fn new(at: Timestamp, who: &str, comment: &str, until: Option<Timestamp>) -> Result<Self, AckError> {
        if who.trim().is_empty() || who.len() > MAX_WHO_BYTES {
            return Err(AckError::Who);
        }
        if comment.len() > MAX_COMMENT_BYTES {
            return Err(AckError::Comment);
        }
        if until.is_some_and(|until| until <= at) {
            return Err(AckError::Until);
        }
        Ok(Self { who: who.to_owned(), comment: comment.to_owned(), at, until, rank: 0 })
    }
}
