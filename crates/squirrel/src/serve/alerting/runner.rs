//! A thread that evaluates rules: reads them, asks the store or another engine, keeps what comes of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use squirrel_alert::{Group, NewSample, Surroundings};
use squirrel_model::{Elapsed, Timestamp};
use squirrel_notify::Observed;
use squirrel_promql::engine::Terms;
use squirrel_promql::{Embedded, Engine, EvalOptions};
use squirrel_store::Store;
use squirrel_sys::clock;

use super::charts;
use super::desk::Desk;
use super::metrics::GroupFigures;
use super::running::{Running, facts, is_bad, say, view};
use super::schedule::Slot;
use super::shown::RuleText;
use super::sources::Sources;
use super::{Order, Part, Shared, hold};
use crate::config::Alerts;
use crate::serve::remote::Remote;

/// How often rule files are looked at for a change.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Longest evaluation of one group, Prometheus' limit of a query.
const LONGEST: Duration = Duration::from_mins(2);
/// Shortest time for a group that another engine is asked of; else its interval is. One that hangs keeps no group waiting
/// for longer.
const LEAST_ASKED: Duration = Duration::from_secs(10);
/// Time for the pictures of one round of messages, which wait for them.
const PICTURE_TIME: Duration = Duration::from_millis(300);

/// Everything that the thread has.
pub(super) struct Runner {
    part: Part,
    pub(super) store: Arc<Store>,
    pub(super) monotonic: clock::Monotonic,
    pub(super) shared: Arc<Shared>,
    pub(super) desk: Arc<Desk>,
    pub(super) config: Alerts,
    /// The evaluator over the store.
    own: Embedded,
    /// Who answers the rules of files instead, if somebody does.
    other: Option<Arc<dyn Engine>>,
    /// Who sends on what rules yield.
    remote: Arc<Remote>,
    sources: Sources,
    groups: Vec<Running>,
    looked: Elapsed,
    started: bool,
}

impl Runner {
    pub(super) fn new(
        part: Part,
        store: Arc<Store>,
        (other, remote): (Option<Arc<dyn Engine>>, Arc<Remote>),
        monotonic: clock::Monotonic,
        shared: Arc<Shared>,
        config: Alerts,
    ) -> Self {
        let reader = store.reader();
        Self {
            part,
            own: Embedded::new(move || reader.snapshot(), EvalOptions::default()),
            other,
            remote,
            store,
            monotonic,
            desk: Arc::clone(&shared.desk),
            shared,
            config,
            sources: Sources::default(),
            groups: Vec::new(),
            looked: Elapsed::default(),
            started: false,
        }
    }

    /// Works until it is told to stop.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        self.read();
        loop {
            match orders.recv_timeout(self.until_next()) {
                Ok(Order::Reload(alerts)) => {
                    self.config = *alerts;
                    self.read();
                }
                Ok(Order::Tell(settings, channels, protected)) => {
                    if let Err(error) = self.desk.replace(&settings, channels, protected) {
                        tracing::error!("who is told of alerts stays as it was: {error}");
                    }
                }
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.look();
            self.evaluate_next();
            if self.wake().is_some_and(|wake| wake <= clock::wall()) {
                self.tell(clock::wall(), &[]);
            }
        }
    }

    /// Reads the rules by a configuration that is new.
    fn read(&mut self) {
        self.sources.configure(&self.config);
        if self.part == Part::Files {
            self.sources.refresh(&self.config);
        }
        self.arrange();
    }

    /// When people are to be told although no rule was evaluated.
    fn wake(&self) -> Option<Timestamp> {
        (self.part == Part::Own).then(|| self.desk.next_wake()).flatten()
    }

    fn until_next(&self) -> Duration {
        let now = clock::wall().millis();
        let groups = self.groups.iter().map(|running| running.slot.next());
        let next = groups.chain(self.wake()).min().map_or(i64::MAX, Timestamp::millis);
        Duration::from_millis(next.saturating_sub(now).max(0).unsigned_abs()).min(LOOK_EVERY)
    }

    /// Reads files that were written again, and asks how the channels are.
    fn look(&mut self) {
        let now = self.monotonic.elapsed();
        if now.0.saturating_sub(self.looked.0) < LOOK_EVERY {
            return;
        }
        self.looked = now;
        match self.part {
            Part::Own => self.shared.look_at_channels(),
            Part::Files if self.sources.refresh(&self.config) => self.arrange(),
            Part::Files => {}
        }
    }

    /// Makes the groups those of the files as they are now; what goes on keeps its state.
    fn arrange(&mut self) {
        let now = clock::wall();
        let mut before: HashMap<(String, String), Running> = std::mem::take(&mut self.groups)
            .into_iter()
            .map(|running| ((running.group.file.clone(), running.group.name.clone()), running))
            .collect();
        let usual_ms = i64::try_from(self.config.interval.value.as_millis()).unwrap_or(i64::MAX);
        for file in self.sources.good(self.part) {
            for spec in &file.groups {
                let interval_ms = spec.interval_ms.unwrap_or(usual_ms);
                let old = before.remove(&(file.name.clone(), spec.name.clone()));
                let running = match old {
                    Some(old) if Arc::ptr_eq(&old.source, file) && old.slot.interval_ms() == interval_ms => old,
                    old => {
                        let texts = spec.rules.iter().map(|rule| Arc::new(RuleText::of(rule))).collect();
                        let fresh = old.as_ref().map_or(!self.started, |old| old.fresh);
                        let mut group = if fresh {
                            Group::after_start(&file.name, spec.clone())
                        } else {
                            Group::new(&file.name, spec.clone())
                        };
                        let mut figures = GroupFigures::new(&file.name, &spec.name, spec.rules.len(), interval_ms);
                        if let Some(old) = old {
                            figures.go_on_from(&old.figures);
                            group.take_over(old.group);
                        }
                        let slot = Slot::new(&file.name, &spec.name, interval_ms, now);
                        let source = format!("{};{}", file.name, spec.name);
                        let facts = spec.rules.iter().map(|rule| facts(rule, &source, interval_ms)).collect();
                        Running { group, source: Arc::clone(file), slot, texts, facts, figures, since: now, fresh }
                    }
                };
                self.groups.push(running);
            }
        }
        let ended: Vec<NewSample> = before.into_values().flat_map(|gone| gone.group.farewell(now)).collect();
        self.keep(ended);
        self.started = true;
        let shown = self.groups.iter().map(|running| (view(running), running.figures.clone())).collect();
        *hold(self.shared.part(self.part)) = shown;
        match self.part {
            Part::Own => hold(&self.shared.thresholds).clone_from(&self.config.thresholds),
            Part::Files => *hold(&self.shared.problems) = self.sources.problems(),
        }
    }

    /// Evaluates the group that is due for longest. One at a time, so that orders do not wait for all.
    fn evaluate_next(&mut self) {
        if self.shared.stopping.load(Ordering::Relaxed) {
            return;
        }
        let now = clock::wall();
        self.groups.iter_mut().for_each(|running| running.slot.follow(now));
        let longest = self.groups.iter_mut().enumerate().min_by_key(|(_, running)| running.slot.next());
        let Some((index, running)) = longest else { return };
        if let Some(due) = running.slot.due(now) {
            self.evaluate_one(index, due);
        }
    }

    fn evaluate_one(&mut self, index: usize, (at, missed): (Timestamp, u64)) {
        let Some(running) = self.groups.get_mut(index) else { return };
        let snapshot = self.store.reader().snapshot();
        let monotonic = self.monotonic;
        let other = self.other.as_ref().filter(|_| self.part == Part::Files);
        let time = match other {
            Some(_) => Duration::from_millis(running.slot.interval_ms().unsigned_abs()).clamp(LEAST_ASKED, LONGEST),
            None => LONGEST,
        };
        let until = monotonic.elapsed().0 + time;
        let stopping = &self.shared.stopping;
        let stop = || stopping.load(Ordering::Relaxed) || monotonic.elapsed().0 > until;
        let around = Surroundings {
            external_labels: &self.config.external_labels,
            external_url: &self.config.external_url.value,
            options: &EvalOptions::default(),
            query_offset_ms: 0,
            stop: &stop,
            elapsed: &|| monotonic.elapsed(),
        };
        let was_bad: Vec<bool> = running.group.rules().iter().map(|rule| is_bad(&rule.health)).collect();
        let samples = match other {
            Some(engine) => running.group.evaluate_by(engine.as_ref(), at, &around),
            None => running.group.evaluate(snapshot.as_ref(), at, &around),
        };
        if stopping.load(Ordering::Relaxed) {
            // What was broken off says nothing of the rules.
            return;
        }
        if std::mem::take(&mut running.fresh)
            && let Err(error) = running.group.restore(snapshot.as_ref(), at)
        {
            tracing::warn!("alerts of {} begin anew: {error}", running.group.name);
        }
        say(&running.group, &was_bad);
        let figures = &mut running.figures;
        figures.missed += missed;
        figures.seconds = running.group.took.as_secs_f64();
        figures.evaluations += running.group.rules().len() as u64;
        figures.failures += running.group.rules().iter().filter(|rule| is_bad(&rule.health)).count() as u64;
        self.shared.evaluated(self.part, index, view(running), running.figures.clone());
        let rules = running.group.rules().iter().zip(&running.facts);
        let alerts = rules.flat_map(|(status, facts)| status.alerts().map(|alert| Observed::new(alert, facts)));
        let alerts: Vec<Observed> = alerts.collect();
        if !alerts.is_empty() {
            self.tell(clock::wall(), &alerts);
        }
        self.keep(samples);
    }

    /// Shows alerts to the notifier, and what it says to the channels.
    fn tell(&self, at: Timestamp, alerts: &[Observed]) {
        let until = self.monotonic.elapsed().0 + PICTURE_TIME;
        let stop = || self.monotonic.elapsed().0 > until;
        let terms = Terms { time: PICTURE_TIME, lookback_ms: None, stop: &stop };
        self.desk.observe(at, alerts, |messages| charts::add(messages, &|expr| self.engine_of(expr), at, &terms));
    }

    /// Who answers a rule. Squirrel's own rules are about this host, whose samples are here: they need nobody else.
    fn engine_of(&self, expr: &str) -> &dyn Engine {
        match &self.other {
            Some(engine) if !self.sources.is_own(expr) => engine.as_ref(),
            _ => &self.own,
        }
    }

    /// Appends to the store.
    fn keep(&self, samples: Vec<NewSample>) {
        if samples.is_empty() {
            return;
        }
        let rows: Vec<_> = samples.into_iter().map(|one| (one.labels, one.time, one.value)).collect();
        let lost = match self.store.append_samples(clock::wall(), &rows) {
            Ok(report) => {
                // An evaluation that took long is of a moment that was sent already.
                self.remote.arrived(&rows);
                report.refused
            }
            // Closed: the end of the program, which was said.
            Err(_) => rows.len(),
        };
        self.shared.totals.lost.fetch_add(lost as u64, Ordering::Relaxed);
    }
}
