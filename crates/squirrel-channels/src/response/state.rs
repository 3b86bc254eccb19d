//! What was run, what is to be undone, and how many runs there were: written down whole after each change.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use squirrel_model::Timestamp;
use squirrel_store::dir::Dir;

use crate::render::one_line;

const FILE: &str = "responses.json";
const TEMPORARY: &str = "tmp-responses";
/// Runs that are remembered.
const RUNS: usize = 200;
/// Effects that wait to be undone, and alerts that were seen; beyond it nothing is run.
const ACTIONS: usize = 1000;
const SEEN: usize = 10_000;
const HOUR_MS: i64 = 3_600_000;

/// Whether a command acts, or takes its effect back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The command.
    Run,
    /// The undo command.
    Undo,
}

impl Step {
    /// As the program reads it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Undo => "undo",
        }
    }
}

/// A run, or a reason why there was none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The command channel.
    pub channel: String,
    /// The alert's name.
    pub alert: String,
    /// The alert.
    pub fingerprint: u64,
    /// Which command.
    pub step: Step,
    /// When it began, in milliseconds since the epoch.
    pub at_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// `exit status 0`, `killed after 30s`, `dry run: …`, `not run: …`.
    pub verdict: String,
    /// The end of what it wrote: bounded, and harmless to show.
    pub output: String,
}

impl Run {
    pub(super) fn skipped(channel: &str, alert: &str, fingerprint: u64, at: Timestamp, reason: &str) -> Self {
        Self {
            channel: channel.to_owned(),
            alert: one_line(alert, 128),
            fingerprint,
            step: Step::Run,
            at_ms: at.0,
            ended_ms: at.0,
            verdict: one_line(reason, 500),
            output: String::new(),
        }
    }
}

/// An effect that lasts.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Action {
    pub(super) name: String,
    pub(super) undo_ms: i64,
    input: Value,
    #[serde(skip)]
    pub(super) is_undoing: bool,
}

/// Channel and alert.
pub(super) type Key = (String, u64);

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    #[serde(with = "pairs")]
    pub(super) actions: BTreeMap<Key, Action>,
    /// Since when an alert fires that was looked at.
    #[serde(with = "pairs")]
    seen: BTreeMap<Key, i64>,
    /// Moments of the last hour's runs.
    recent: BTreeMap<String, VecDeque<i64>>,
    pub(super) runs: VecDeque<Run>,
}

/// Maps whose keys are no texts, as lists of pairs.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl State {
    /// Whether an alert begins that was not looked at yet; from now on it was.
    pub(super) fn is_new(&mut self, key: &Key, starts_at_ms: i64) -> bool {
        if self.seen.get(key).is_some_and(|seen| *seen == starts_at_ms) {
            return false;
        }
        if self.seen.len() >= SEEN {
            let oldest = self.seen.iter().min_by_key(|(_, starts)| **starts).map(|(key, _)| key.clone());
            oldest.map(|key| self.seen.remove(&key));
        }
        self.seen.insert(key.clone(), starts_at_ms);
        true
    }

    /// Counts a run, if there may be one more.
    pub(super) fn take_run(&mut self, channel: &str, most: u32, at: Timestamp) -> bool {
        let recent = self.recent.entry(channel.to_owned()).or_default();
        // What lies ahead was counted before the clock was set back.
        recent.retain(|ms| (0..HOUR_MS).contains(&(at.0 - ms)));
        let is_allowed = recent.len() < most as usize && self.actions.len() < ACTIONS;
        if is_allowed {
            recent.push_back(at.0);
        }
        is_allowed
    }

    pub(super) fn begin(&mut self, key: Key, name: &str, undo_ms: i64, input: Value) {
        self.actions.insert(key, Action { name: name.to_owned(), undo_ms, input, is_undoing: false });
    }

    pub(super) fn undoing(&mut self, key: &Key) {
        if let Some(action) = self.actions.get_mut(key) {
            action.is_undoing = true;
        }
    }

    /// Effects whose time is over; they are marked as being undone.
    pub(super) fn take_due(&mut self, at: Timestamp) -> Vec<(String, u64, String, Value)> {
        let due = self.actions.iter_mut().filter(|(_, action)| action.undo_ms <= at.0 && !action.is_undoing);
        due.map(|((channel, fingerprint), action)| {
            action.is_undoing = true;
            (channel.clone(), *fingerprint, action.name.clone(), action.input.clone())
        })
        .collect()
    }

    pub(super) fn note(&mut self, run: Run) {
        tracing::info!(
            target: "squirrel::responses",
            "channel={} step={} alert={:?} fingerprint={:016x} verdict={:?}",
            run.channel, run.step.word(), run.alert, run.fingerprint, run.verdict
        );
        self.runs.push_back(run);
        while self.runs.len() > RUNS {
            self.runs.pop_front();
        }
    }
}

/// What was written down; nothing where there is no file.
pub(super) fn read(dir: &dyn Dir) -> io::Result<State> {
    match dir.read(FILE) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{FILE} is damaged: look what of it still has an effect, then remove it"),
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(State::default()),
        Err(error) => Err(error),
    }
}

/// Writes it down: as a whole, or not at all.
pub(super) fn write(dir: &dyn Dir, state: &State) -> io::Result<()> {
    let bytes = serde_json::to_vec(state).map_err(io::Error::other)?;
    let _ = dir.remove(TEMPORARY); // left behind by a crash
    let mut file = dir.create(TEMPORARY)?;
    file.write(&bytes)?;
    file.sync()?;
    dir.rename(TEMPORARY, FILE)?;
    dir.sync_folder("")
}
