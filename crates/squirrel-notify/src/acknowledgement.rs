//! Acknowledgements: somebody takes care.

use squirrel_model::Timestamp;

use crate::Matchers;
use crate::history::Event;
use crate::notifier::Notifier;
use crate::record::Record;

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

impl Notifier {
    /// Notes that somebody takes care of the alerts that fire and are meant: they are not repeated, and nobody else
    /// is told, until they are over, get worse, or the time is up. Answers how many alerts are meant.
    ///
    /// # Errors
    /// No such alert fires.
    pub fn acknowledge(
        &mut self,
        at: Timestamp,
        target: &AckTarget,
        said: &Acknowledgement,
    ) -> Result<usize, AckError> {
        let meant = self.meant(target);
        if meant.is_empty() {
            return Err(AckError::NothingFires);
        }
        for (number, subject, rank, labels) in &meant {
            // Two alerts of one subject: it holds for the worse.
            let rank = self
                .acknowledgements
                .get(subject)
                .filter(|old| old.at == said.at)
                .map_or(*rank, |old| old.rank.max(*rank));
            self.acknowledgements.insert(*subject, Acknowledgement { rank, ..said.clone() });
            self.history.add(
                at,
                Event::Acknowledged,
                Some(*number),
                labels,
                &format!("{}: {}", said.who, said.comment),
            );
        }
        self.changed(at);
        Ok(meant.len())
    }

    /// Takes acknowledgements back. Answers how many alerts are meant.
    ///
    /// # Errors
    /// None of them is acknowledged.
    pub fn unacknowledge(&mut self, at: Timestamp, target: &AckTarget, who: &str) -> Result<usize, AckError> {
        let subjects: Vec<_> = self.meant(target).into_iter().map(|(_, subject, _, _)| subject).collect();
        let ended = subjects.iter().filter(|subject| self.acknowledgements.contains_key(subject)).count();
        if ended == 0 {
            return Err(AckError::NothingAcknowledged);
        }
        for subject in subjects {
            self.end_acknowledgement(at, subject, &format!("taken back by {who}"));
        }
        self.changed(at);
        Ok(ended)
    }

    /// Firing alerts: number, subject, rank, labels as text.
    fn meant(&self, target: &AckTarget) -> Vec<(u64, u64, u8, String)> {
        let fits = |record: &&Record| match target {
            AckTarget::Fingerprint(number) => record.facts.fingerprint == *number,
            AckTarget::Matching(matchers) => matchers.matches(&record.labels),
        };
        let trouble = self.records.values().filter(|record| record.is_trouble()).filter(fits);
        trouble.map(|one| (one.facts.fingerprint, one.facts.subject, one.facts.rank, one.labels.to_string())).collect()
    }

    pub(crate) fn acknowledgement_of(&self, record: &Record) -> Option<&Acknowledgement> {
        self.acknowledgements.get(&record.facts.subject).filter(|said| said.rank >= record.facts.rank)
    }

    /// Ends an acknowledgement; the escalation of what it was about begins anew.
    pub(crate) fn end_acknowledgement(&mut self, at: Timestamp, subject: u64, why: &str) {
        let Some(said) = self.acknowledgements.remove(&subject) else { return };
        let now_ms = self.awake.ms;
        let mut text = String::new();
        for record in self.records.values_mut().filter(|record| record.facts.subject == subject) {
            record.told_ms = record.told_ms.map(|_| now_ms);
            record.steps = 0;
            text = record.labels.to_string();
        }
        self.history.add(at, Event::AcknowledgementEnded, None, &text, &format!("{}: {why}", said.who));
        self.revision += 1;
    }
}
