//! What is known of all targets. It has no clock and no socket: results come in, samples and views go out.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use squirrel_api::probes::{Probe, ProbeState, ProbedPath};
use squirrel_check::{Finding, IpVersion};
use squirrel_model::{Elapsed, Timestamp};
use tokio::sync::oneshot;

use crate::Target;
use crate::entry::{Echo, Entry, Traced};
use crate::series::Sample;

/// Samples that may wait for the loop, which takes them each second: some seconds of the most targets there can be.
const MOST_WAITING: usize = 1_000_000;
/// How often what is told once a minute is told of a target; which second of it is a target's own.
const SECONDS: u64 = 60;

/// A target that came, went or is to be asked in another way.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) index: u32,
    /// None for one that went.
    pub(crate) target: Option<Arc<Target>>,
    /// Whether when it runs is as before.
    pub(crate) runs_on: bool,
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) pings: u64,
    pub(crate) lost_samples: u64,
    pub(crate) refused_series: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Board {
    slots: Vec<Option<Entry>>,
    /// The slots in the order of the configuration.
    order: Vec<u32>,
    samples: Vec<Sample>,
    told: Option<u64>,
    pub(crate) counts: Counts,
    /// Rises with each change of what is to be remembered.
    pub(crate) revision: u64,
}

impl Board {
    /// Takes targets as they are written now; gives what is different.
    pub(crate) fn arrange(&mut self, targets: Vec<Arc<Target>>, at: Timestamp) -> Vec<Change> {
        let name = |target: &Target| (target.job.clone(), target.instance.clone());
        let there: HashMap<(String, String), u32> =
            (0..).zip(&self.slots).filter_map(|(index, slot)| Some((name(&slot.as_ref()?.target), index))).collect();
        let wanted: HashSet<(String, String)> = targets.iter().map(|target| name(target)).collect();
        let mut changes = Vec::new();
        for (key, index) in &there {
            if !wanted.contains(key)
                && let Some(entry) = self.slots.get_mut(*index as usize).and_then(Option::take)
            {
                entry.end(at, &mut self.samples);
                changes.push(Change { index: *index, target: None, runs_on: false });
            }
        }
        // The lowest numbers first, so that their turns stay even.
        changes.sort_by_key(|change| change.index);
        let mut free: Vec<u32> =
            (0..).zip(&self.slots).filter(|(_, slot)| slot.is_none()).map(|(index, _)| index).collect();
        free.reverse();
        self.order.clear();
        for target in targets {
            let known = there.get(&name(&target)).copied();
            let index = known.or_else(|| free.pop()).unwrap_or(self.slots.len() as u32);
            if self.slots.len() <= index as usize {
                self.slots.push(None);
            }
            let Some(slot) = self.slots.get_mut(index as usize) else { continue };
            let runs_on = slot.as_ref().is_some_and(|entry| entry.target.runs_like(&target));
            if let Some(entry) = slot {
                entry.replace(Arc::clone(&target), at, &mut self.samples);
            } else {
                *slot = Some(Entry::new(Arc::clone(&target)));
            }
            self.order.push(index);
            changes.push(Change { index, target: Some(target), runs_on });
        }
        self.revision += 1;
        changes
    }

    fn entry(&mut self, index: u32) -> Option<&mut Entry> {
        self.slots.get_mut(index as usize)?.as_mut()
    }

    /// The target with this number, if it is still there.
    pub(crate) fn target(&self, index: u32) -> Option<&Arc<Target>> {
        self.slots.get(index as usize)?.as_ref().map(|entry| &entry.target)
    }

    /// The number of a target.
    pub(crate) fn find(&self, job: &str, instance: &str) -> Option<u32> {
        let is_it =
            |index: &&u32| self.target(**index).is_some_and(|target| target.job == job && target.instance == instance);
        self.order.iter().find(is_it).copied()
    }

    /// The entry of a target, unless its number has become another's.
    fn entry_of(&mut self, index: u32, target: &Target) -> Option<(&mut Entry, &mut Vec<Sample>)> {
        let entry = self.slots.get_mut(index as usize)?.as_mut()?;
        let now = &entry.target;
        let same = now.job == target.job && now.instance == target.instance && now.kind() == target.kind();
        same.then_some((entry, &mut self.samples))
    }

    /// Takes what became of an echo.
    pub(crate) fn echo(&mut self, index: u32, target: &Target, echo: Echo) {
        let Some((entry, samples)) = self.entry_of(index, target) else { return };
        let changed = entry.echo(echo, samples);
        self.counts.pings += 1;
        self.revision += u64::from(changed);
        self.bound();
    }

    /// Takes what a check found that began at `at`.
    pub(crate) fn finding(&mut self, index: u32, target: &Target, at: Timestamp, finding: &Finding) {
        let Some((entry, samples)) = self.entry_of(index, target) else { return };
        let (changed, refused) = entry.finding(at, finding, samples);
        self.revision += u64::from(changed);
        self.counts.refused_series += refused as u64;
        self.bound();
    }

    /// Takes what a check by hand found that began at `at`. It may take longer than the interval: what the schedule
    /// began later and ended before is newer, and samples are kept in the order of their times.
    pub(crate) fn by_hand(&mut self, index: u32, target: &Target, at: Timestamp, finding: &Finding) {
        let is_newest = self.entry(index).is_some_and(|entry| entry.began.is_none_or(|began| began < at));
        if is_newest {
            self.finding(index, target, at, finding);
        }
    }

    /// Takes a trace that began at `at`, or why there is none.
    pub(crate) fn traced(&mut self, index: u32, target: &Target, at: Timestamp, traced: Result<Traced, String>) {
        let Some((entry, samples)) = self.entry_of(index, target) else { return };
        let changed = entry.traced(at, traced, samples);
        self.revision += u64::from(changed);
        self.bound();
    }

    /// Lets somebody know what becomes of the next echo.
    pub(crate) fn wait_for(&mut self, index: u32, waiter: oneshot::Sender<Echo>) {
        if let Some(entry) = self.entry(index) {
            // Those who gave up waiting make room.
            entry.waiters.retain(|one| !one.is_closed());
            entry.waiters.push(waiter);
        }
    }

    /// The oldest go first: a loop that does not take them has stopped. Many at a time, since the rest is moved.
    fn bound(&mut self) {
        if self.samples.len() > MOST_WAITING {
            let over = self.samples.len() - MOST_WAITING + MOST_WAITING / 10;
            self.samples.drain(..over);
            self.counts.lost_samples += over as u64;
        }
    }

    /// All samples since the last call; with them what is told of each target once a minute, each second of a sixtieth
    /// of them.
    pub(crate) fn due(&mut self, at: Timestamp, now: Elapsed) -> Vec<Sample> {
        let second = now.0.as_secs();
        let first = self.told.map_or(second, |told| (told + 1).max((second + 1).saturating_sub(SECONDS)));
        for turn in first..=second {
            let mine = usize::try_from(turn % SECONDS).unwrap_or(0);
            for entry in self.slots.iter_mut().skip(mine).step_by(SECONDS as usize).flatten() {
                entry.tell(at, &mut self.samples);
            }
        }
        self.told = Some(self.told.map_or(second, |told| told.max(second)));
        std::mem::take(&mut self.samples)
    }

    /// The end of all series, for a clean stop.
    pub(crate) fn close(&mut self, at: Timestamp) -> Vec<Sample> {
        for entry in self.slots.drain(..).flatten() {
            entry.end(at, &mut self.samples);
        }
        self.order.clear();
        std::mem::take(&mut self.samples)
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.order.iter().filter_map(|index| self.slots.get(*index as usize)?.as_ref())
    }

    /// Instances of which every probe that says anything says that they are down.
    fn down(&self) -> HashSet<&str> {
        let mut known: HashMap<&str, bool> = HashMap::new();
        for entry in self.entries() {
            if let Some((is_up, _)) = entry.standing.known() {
                *known.entry(&entry.target.instance).or_insert(true) &= !is_up;
            }
        }
        known.into_iter().filter(|(_, down)| *down).map(|(instance, _)| instance).collect()
    }

    /// Whether there is no target.
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// How it stands with all, in the order of the configuration.
    pub(crate) fn all(&self) -> Vec<Probe> {
        let down = self.down();
        self.entries().map(|entry| shown(entry, &down)).collect()
    }

    /// How many there are in each state.
    pub(crate) fn states(&self) -> [(ProbeState, usize); 4] {
        let down = self.down();
        let mut states =
            [ProbeState::Up, ProbeState::Down, ProbeState::Unreachable, ProbeState::Unknown].map(|state| (state, 0));
        for entry in self.entries() {
            let own = state(entry, &down);
            if let Some((_, count)) = states.iter_mut().find(|(state, _)| *state == own) {
                *count += 1;
            }
        }
        states
    }

    /// The last trace of a path, and its changes; none for a target whose path is not traced.
    pub(crate) fn path(&self, job: &str, instance: &str) -> Option<(Option<Arc<Traced>>, ProbedPath)> {
        let entry = self.entries().find(|entry| entry.target.job == job && entry.target.instance == instance)?;
        matches!(entry.target.work, crate::Work::Path { .. }).then(|| {
            let changes = entry.history.changes.iter().cloned().collect();
            (entry.traced.clone(), ProbedPath { document: None, changes, forgotten: entry.history.forgotten })
        })
    }

    /// All targets, for what is remembered over a restart.
    pub(crate) fn remembered(&self) -> impl Iterator<Item = &Entry> {
        self.entries()
    }

    /// The same, to be told what was remembered.
    pub(crate) fn forgetful(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.slots.iter_mut().flatten()
    }

    /// Whether somebody is pinged.
    pub(crate) fn pings(&self) -> bool {
        self.entries().any(|entry| entry.target.is_ping())
    }
}

fn state(entry: &Entry, down: &HashSet<&str>) -> ProbeState {
    entry.standing.word(entry.target.parents.iter().any(|parent| down.contains(parent.as_str())))
}

fn shown(entry: &Entry, down: &HashSet<&str>) -> Probe {
    let target = &entry.target;
    Probe {
        job: target.job.clone(),
        instance: target.instance.clone(),
        kind: target.kind().to_owned(),
        module: target.module.clone(),
        ip: target.ip.map(IpVersion::number),
        group: target.group.clone(),
        parents: target.parents.clone(),
        interval: target.interval.as_secs_f64(),
        state: state(entry, down),
        since: entry.standing.known().map(|(_, since)| since.seconds()),
        at: entry.last.at.map(Timestamp::seconds),
        seconds: entry.last.seconds,
        address: entry.last.address,
        why: entry.last.why.clone(),
        minute: entry.told.clone(),
        objective: target.objective,
        window: target.objective.map(|_| target.window.as_secs_f64()),
    }
}
