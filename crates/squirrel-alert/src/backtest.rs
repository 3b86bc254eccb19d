//! A rule file on the past: what it would have told, had it been in force.

use std::collections::{BTreeMap, BTreeSet};

use squirrel_model::{Figure, Found, Labels, Matcher, Samples, Select, SelectError, Tier, TimeRange, Timestamp};

use crate::memory::Memory;
use crate::{AlertState, Group, Health, RuleFile, RuleGroup, Surroundings};

/// Most evaluations of one group.
const MAX_EVALUATIONS: i64 = 1_000_000;
/// Most alerts that are kept; beyond it they are counted only.
const MAX_EPISODES: usize = 10_000;

/// A time in which an alert would have fired.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// The group of its rule.
    pub group: String,
    /// Name of the alert.
    pub alert: String,
    /// Its labels, `alertname` among them.
    pub labels: Labels,
    /// Since when the condition held.
    pub active_at: Timestamp,
    /// When it would have begun to fire.
    pub fired_at: Timestamp,
    /// When it would have been over; none when it still fired at the end.
    pub resolved_at: Option<Timestamp>,
    /// The greatest and the least value while it fired.
    pub values: (f64, f64),
    /// Its texts as they were last filled in.
    pub annotations: BTreeMap<String, String>,
}

/// What a rule file would have done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backtest {
    /// Alerts that would have fired, by the time at which they began to.
    pub episodes: Vec<Episode>,
    /// Alerts beyond those that are kept.
    pub more: usize,
    /// Evaluations of groups.
    pub evaluations: u64,
    /// Rules that failed, and why: the first failure of each, and how many there were.
    pub failures: BTreeMap<String, (String, u64)>,
}

/// Why a look at the past is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BacktestError {
    /// The range is too long for the interval.
    #[error(
        "group {group:?} would be evaluated {count} times, and at most {MAX_EVALUATIONS} times are tried: look at a shorter time, or take a longer step"
    )]
    TooMany {
        /// The group.
        group: String,
        /// How often.
        count: i64,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Stopped,
}

/// The past, with what the rules of a file would have added to it.
struct Past<'a> {
    store: &'a dyn Select,
    /// Names that the file itself makes: what is stored under them is of another version of it.
    made: BTreeSet<String>,
    results: Memory,
}

impl Past<'_> {
    fn is_made(&self, labels: &Labels) -> bool {
        self.made.contains(labels.metric_name())
    }
}

impl Select for Past<'_> {
    fn find(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Found>, SelectError> {
        let mut found = self.store.find(matchers, range)?;
        found.retain(|one| !self.is_made(&one.labels));
        found.extend(self.results.find(matchers, range)?);
        Ok(found)
    }

    fn read(&self, series: &Found, range: TimeRange, out: &mut Samples) -> Result<(), SelectError> {
        if self.is_made(&series.labels) {
            self.results.read(series, range, out)
        } else {
            self.store.read(series, range, out)
        }
    }

    fn full_from(&self) -> Option<Timestamp> {
        self.store.full_from()
    }

    fn tiers(&self) -> Vec<Tier> {
        self.store.tiers()
    }

    fn read_tier(
        &self,
        tier: usize,
        figure: Figure,
        series: &Found,
        range: TimeRange,
        out: &mut Samples,
    ) -> Result<(), SelectError> {
        if self.is_made(&series.labels) {
            out.clear();
            return Ok(());
        }
        self.store.read_tier(tier, figure, series, range, out)
    }
}

/// Evaluates the groups of a file over `range`, each at its interval, or at `usual_ms` where it says none; `step_ms`
/// stands before both.
///
/// # Errors
/// Too many evaluations, or the wish to stop.
pub fn backtest(
    rules: &RuleFile,
    store: &dyn Select,
    range: TimeRange,
    (step_ms, usual_ms): (Option<i64>, i64),
    around: &Surroundings<'_>,
) -> Result<Backtest, BacktestError> {
    let mut out = Backtest::default();
    let interval = |group: &RuleGroup| step_ms.or(group.interval_ms).unwrap_or(usual_ms).max(1);
    for group in &rules.groups {
        let count = range.end.millis().saturating_sub(range.start.millis()) / interval(group);
        if count > MAX_EVALUATIONS {
            return Err(BacktestError::TooMany { group: group.name.clone(), count });
        }
    }
    let all = rules.groups.iter().flat_map(|group| &group.rules);
    let recorded = all.filter(|rule| rule.alert.is_none()).map(|rule| rule.name.clone());
    let made = recorded.chain(["ALERTS", "ALERTS_FOR_STATE"].map(str::to_owned)).collect();
    let mut past = Past { store, made, results: Memory::default() };
    // All groups go through time together: one may use what another records.
    let mut groups: Vec<(Group, i64, Timestamp)> =
        rules.groups.iter().map(|spec| (Group::new(&rules.name, spec.clone()), interval(spec), range.start)).collect();
    let mut firing: BTreeMap<(usize, usize, Labels), Episode> = BTreeMap::new();
    while let Some((place, (group, interval, next))) = groups
        .iter_mut()
        .enumerate()
        .min_by_key(|(_, (_, _, next))| *next)
        .filter(|(_, (_, _, next))| *next <= range.end)
    {
        if (around.stop)() {
            return Err(BacktestError::Stopped);
        }
        let at = *next;
        *next = at.plus_ms(*interval);
        out.evaluations += 1;
        for sample in group.evaluate(&past, at, around) {
            past.results.append(&sample.labels, sample.time.millis(), sample.value);
        }
        follow(place, group, at, &mut firing, &mut out);
    }
    for episode in firing.into_values() {
        out.keep(episode);
    }
    out.episodes.sort_by(|a, b| (a.fired_at, &a.alert, &a.labels).cmp(&(b.fired_at, &b.alert, &b.labels)));
    Ok(out)
}

/// Takes down what fires now, and what is over.
fn follow(
    place: usize,
    group: &Group,
    at: Timestamp,
    firing: &mut BTreeMap<(usize, usize, Labels), Episode>,
    out: &mut Backtest,
) {
    for (number, status) in group.rules().iter().enumerate() {
        if let Health::Bad(reason) = &status.health {
            let failure = out.failures.entry(status.rule.name.clone()).or_insert_with(|| (reason.clone(), 0));
            failure.1 += 1;
        }
        for alert in status.alerts() {
            let key = (place, number, alert.labels.clone());
            if alert.state == AlertState::Firing {
                let episode = firing.entry(key).or_insert_with(|| Episode {
                    group: group.name.clone(),
                    alert: status.rule.name.clone(),
                    labels: alert.labels.clone(),
                    active_at: alert.active_at,
                    fired_at: alert.fired_at.unwrap_or(at),
                    resolved_at: None,
                    values: (f64::NEG_INFINITY, f64::INFINITY),
                    annotations: BTreeMap::new(),
                });
                episode.values = (episode.values.0.max(alert.value), episode.values.1.min(alert.value));
                episode.annotations.clone_from(&alert.annotations);
            } else if let Some(mut episode) = firing.remove(&key) {
                episode.resolved_at = Some(alert.resolved_at.unwrap_or(at));
                out.keep(episode);
            }
        }
    }
}

impl Backtest {
    fn keep(&mut self, episode: Episode) {
        if self.episodes.len() < MAX_EPISODES {
            self.episodes.push(episode);
        } else {
            self.more += 1;
        }
    }
}
