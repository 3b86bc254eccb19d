//! `[[notify.command]]`: programs that act on alerts.
//!
//! Off unless configured, and then dry until `mode = "run"`: what would run is written down. A trial of the channel is
//! always dry. A program is started by its whole path with its arguments as a list, no shell, an empty environment but
//! for `PATH` and `LANG`, and gets the alert as JSON on standard input; nothing a stranger wrote becomes an argument. One
//! run for each alert that begins, and one of `undo` when it ends or after `undo_after`, whichever comes first. What
//! speaks of something protected is left alone, as is everything beyond `most_per_hour`. A run is written down before it
//! begins: after a crash it is not done twice, but undone in time.

mod process;
mod protected;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use squirrel_model::Timestamp;
use squirrel_notify::{Notification, NotifiedAlert, Reason};
use squirrel_store::dir::Dir;

pub use protected::Protected;
pub use state::{Run, Step};

use crate::queue::{Outcome, QueueError};
use crate::render::alert_value;
use crate::settings::{CommandLine, Mode};
use state::State;

/// A command channel.
#[derive(Clone, Debug)]
pub(crate) struct ResponseSettings {
    pub(crate) command: CommandLine,
    pub(crate) mode: Mode,
    pub(crate) timeout: Duration,
    pub(crate) most_per_hour: u32,
    pub(crate) undo: Option<CommandLine>,
    pub(crate) undo_after: Duration,
    pub(crate) protected: Protected,
}

/// What was done, and is to be undone.
#[derive(Debug)]
pub(crate) struct Responder {
    state: Mutex<State>,
    dir: Arc<dyn Dir>,
    clock: fn() -> Timestamp,
}

/// An alert that a command is run for.
struct Task {
    step: Step,
    fingerprint: u64,
    name: String,
    input: Value,
}

impl Responder {
    pub(crate) fn open(dir: Arc<dyn Dir>, clock: fn() -> Timestamp) -> Result<Self, QueueError> {
        let state = state::read(&*dir).map_err(|reason| QueueError { place: dir.place(), what: "read", reason })?;
        Ok(Self { state: Mutex::new(state), dir, clock })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs and skips, newest first.
    pub(crate) fn runs(&self) -> Vec<Run> {
        self.state().runs.iter().rev().cloned().collect()
    }

    /// When the next effect is to be taken back.
    pub(crate) fn next_undo(&self) -> Option<Timestamp> {
        self.state().actions.values().filter(|action| !action.is_undoing).map(|action| Timestamp(action.undo_ms)).min()
    }

    /// Acts on a message's alerts, one after the other.
    pub(crate) async fn act(&self, settings: &ResponseSettings, host: &Protected, message: &Notification) -> Outcome {
        let mut done = Vec::new();
        for alert in &message.alerts {
            let Some(task) = self.task(settings, host, message, alert) else { continue };
            done.push(match task {
                Ok(task) => self.carry_out(&message.channel, settings, task).await,
                Err(why) => why,
            });
        }
        if done.is_empty() {
            done.push("nothing to do".to_owned());
        }
        Outcome::Delivered { answer: done.join("; ") }
    }

    /// What is to be done about an alert: nothing, a run, or a reason why not, which is written down.
    fn task(
        &self,
        settings: &ResponseSettings,
        host: &Protected,
        message: &Notification,
        alert: &NotifiedAlert,
    ) -> Option<Result<Task, String>> {
        let at = (self.clock)();
        let mut state = self.state();
        let key = (message.channel.clone(), alert.fingerprint);
        let name = alert.labels.get("alertname").cloned().unwrap_or_default();
        let task = |step| Task {
            step,
            fingerprint: alert.fingerprint,
            name: name.clone(),
            input: input(step, &message.channel, alert),
        };
        if !alert.firing {
            return settings.undo.as_ref().filter(|_| state.actions.contains_key(&key)).map(|_| Ok(task(Step::Undo)));
        }
        // A message tells of alerts that an earlier one told of.
        if !state.is_new(&key, alert.starts_at_ms) {
            return None;
        }
        let reason = if let Some(what) = settings.protected.holds(&alert.labels).or_else(|| host.holds(&alert.labels)) {
            format!("not run: {what} is protected")
        } else if settings.mode == Mode::DryRun || message.reason == Reason::Test {
            format!("dry run: would run {}", settings.command)
        } else if !state.take_run(&message.channel, settings.most_per_hour, at) {
            format!("not run: more than {} runs in one hour", settings.most_per_hour)
        } else {
            return Some(Ok(task(Step::Run)));
        };
        state.note(Run::skipped(&message.channel, &task(Step::Run).name, alert.fingerprint, at, &reason));
        let _ = state::write(&*self.dir, &state);
        Some(Err(reason))
    }

    /// Writes down that a command begins, runs it, and writes down how it ended.
    async fn carry_out(&self, channel: &str, settings: &ResponseSettings, task: Task) -> String {
        let at = (self.clock)();
        let key = (channel.to_owned(), task.fingerprint);
        let line = match task.step {
            Step::Run => Some(&settings.command),
            Step::Undo => settings.undo.as_ref(),
        };
        let written = {
            let mut state = self.state();
            match task.step {
                Step::Run if settings.undo.is_some() => {
                    let undo_ms = at.0 + settings.undo_after.as_millis() as i64;
                    state.begin(key.clone(), &task.name, undo_ms, task.input.clone());
                }
                Step::Run => {}
                Step::Undo => state.undoing(&key),
            }
            state::write(&*self.dir, &state)
        };
        let end = match (written, line) {
            (Err(error), _) if task.step == Step::Run => {
                self.state().actions.remove(&key);
                process::End::not_run(&format!("it could not be written down: {error}"))
            }
            (_, Some(line)) => process::run(line, task.input.to_string().into_bytes(), settings.timeout).await,
            (_, None) => process::End::not_run("there is no undo command any more"),
        };
        let mut state = self.state();
        if task.step == Step::Undo {
            state.actions.remove(&key);
        }
        let verdict = end.verdict.clone();
        state.note(Run {
            channel: channel.to_owned(),
            alert: crate::render::one_line(&task.name, 128),
            fingerprint: task.fingerprint,
            step: task.step,
            at_ms: at.0,
            ended_ms: (self.clock)().0,
            verdict: end.verdict,
            output: end.output,
        });
        let _ = state::write(&*self.dir, &state);
        verdict
    }

    /// Takes back what has lasted long enough.
    pub(crate) async fn undo_due(&self, settings_of: impl Fn(&str) -> Option<ResponseSettings>) {
        let at = (self.clock)();
        let due = self.state().take_due(at);
        for (channel, fingerprint, name, mut input) in due {
            if let Some(fields) = input.as_object_mut() {
                fields.insert("action".to_owned(), Step::Undo.word().into());
            }
            let task = Task { step: Step::Undo, fingerprint, name, input };
            if let Some(settings) = settings_of(&channel) {
                self.carry_out(&channel, &settings, task).await;
                continue;
            }
            let mut state = self.state();
            state.actions.remove(&(channel.clone(), fingerprint));
            let reason = "not undone: the channel is no longer configured";
            state.note(Run { step: Step::Undo, ..Run::skipped(&channel, &task.name, fingerprint, at, reason) });
            let _ = state::write(&*self.dir, &state);
        }
    }
}

/// What the program reads.
fn input(step: Step, channel: &str, alert: &NotifiedAlert) -> Value {
    let mut told = alert_value(alert);
    told["value"] = finite(alert.value);
    told["threshold"] = alert.threshold.map_or(Value::Null, finite);
    told["expr"] = alert.expr.as_str().into();
    json!({"version": 1, "action": step.word(), "channel": channel, "alert": told})
}

/// JSON has no infinity.
fn finite(value: f64) -> Value {
    if value.is_finite() { value.into() } else { value.to_string().into() }
}

#[cfg(test)]
mod tests;
