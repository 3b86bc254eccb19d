//! Applications that tell the daemon about themselves: who they are, how they do, and their numbers on
//! the way to the store.
//!
//! ```text
//! POST /api/applications ─► check ─► one slot for each instance ─► the loop's tick ─► the store
//!                                     newest wins                  [`Applications::due`]
//! ```
//!
//! The queue before the store is a slot for each instance, so it cannot grow: a report that comes before
//! the one before it was kept takes its place, as it says the same with newer numbers. Replaced ones are
//! counted.
//!
//! An application cannot speak for another or for Squirrel: its series carry `job="application"`,
//! `application` and `instance`, which only the daemon sets (its own labels of these names become
//! `exported_…`), and a metric that the daemon itself declares is refused, since questions about
//! the host seldom name a job. Samples carry the daemon's time; what the sender's clock says is only shown.

mod adopt;
mod bucket;
mod counters;
mod declared;
mod instance;
mod known;
mod limits;
mod series;
mod status;
#[cfg(test)]
mod tests;
mod token;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use squirrel_api::application::{ApplicationReceipt, ApplicationReport};
use squirrel_api::applications::{ApplicationList, ApplicationRefusal, ApplicationStatus};
use squirrel_model::{Batch, Catalogue, Elapsed, Labels, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use counters::Counters;
pub(crate) use counters::Outcome;
pub use declared::{APPLICATION_METRICS, METRICS as OWN_METRICS};
use instance::Instance;
use known::Known;
pub use limits::ApplicationLimits;
pub use token::Token;

/// The label `job` of everything that applications tell.
pub(crate) const JOB: &str = "application";

/// Longest name of an application or an instance, in octets.
const NAME_BYTES: usize = 255;

/// Refused reports that are remembered, for the page.
const REFUSALS: usize = 16;

/// An instance that is silent for so long is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(24);

/// How far two clocks may differ.
const CLOCK_SLACK: Duration = Duration::from_mins(5);

/// Time for a report to arrive: it comes from this host, or from near.
pub(crate) const REPORT_TIME: Duration = Duration::from_secs(5);

/// How many of the largest reports have room while they arrive.
const BODIES: usize = 4;

/// A report that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) outcome: Outcome,
    /// Why, and what to do.
    pub(crate) sentence: String,
}

impl Refusal {
    pub(crate) fn new(outcome: Outcome, sentence: impl Into<String>) -> Self {
        Self { outcome, sentence: sentence.into() }
    }
}

/// All applications that this daemon knows of. Shared by the server, which takes reports and shows them,
/// and the loop, which brings their samples to the store.
pub struct Applications {
    limits: ApplicationLimits,
    /// What the daemon itself measures: no application may use these names.
    reserved: Catalogue,
    token: Option<Token>,
    known: Mutex<Known>,
    counters: Counters,
    bodies: Arc<Semaphore>,
    turn: Semaphore,
}

impl Applications {
    /// Nobody yet. `reserved` holds the names that applications may not use: what the daemon itself
    /// declares, without [`APPLICATION_METRICS`].
    pub fn new(limits: ApplicationLimits, reserved: Catalogue) -> Self {
        let bodies = (BODIES * limits.report_bytes).min(Semaphore::MAX_PERMITS);
        let known = Known::new(&limits);
        Self {
            limits,
            reserved,
            token: None,
            known: Mutex::new(known),
            counters: Counters::default(),
            bodies: Arc::new(Semaphore::new(bodies)),
            turn: Semaphore::new(1),
        }
    }

    /// Asks for this token with each report, from wherever it comes. Without one, reports are taken from
    /// this host only.
    #[must_use]
    pub fn with_token(mut self, token: Option<Token>) -> Self {
        self.token = token;
        self
    }

    /// Whether the token fits; none when there is no token to fit.
    pub(crate) fn token_fits(&self, authorization: Option<&[u8]>) -> Option<bool> {
        self.token.as_ref().map(|token| authorization.is_some_and(|sent| token.fits(sent)))
    }

    /// Room for `bytes` of a body, if there is.
    pub(crate) fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.bodies).try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
    }

    /// The turn to be read: one report at a time.
    pub(crate) fn turn(&self) -> &Semaphore {
        &self.turn
    }

    pub(crate) fn limits(&self) -> &ApplicationLimits {
        &self.limits
    }

    /// Whether a report may come at all, before its body is read.
    pub(crate) fn admit(&self, now: Elapsed) -> Result<(), Refusal> {
        if !self.limits.enabled {
            let sentence = "this daemon takes no reports of applications: enabled = true under [applications] in its \
                            configuration changes that";
            return Err(Refusal::new(Outcome::Disabled, sentence));
        }
        if !self.known().reports.take(now, 1.0) {
            let most = self.limits.reports_a_second;
            return Err(Refusal::new(
                Outcome::Rate,
                format!("more than {most} reports a second arrive from all applications together: report less often"),
            ));
        }
        Ok(())
    }

    /// Takes a report that came at `at`. What it says is kept at the loop's next tick.
    pub(crate) fn take(
        &self,
        report: ApplicationReport,
        at: Timestamp,
        now: Elapsed,
    ) -> Result<ApplicationReceipt, Refusal> {
        report.check().map_err(|error| Refusal::new(Outcome::Malformed, error.to_string()))?;
        // The process that was started last speaks for an instance: none may be it for ever.
        let ahead = report.started - at.seconds();
        if ahead > CLOCK_SLACK.as_secs_f64() {
            let sentence = format!(
                "started lies {ahead:.0} s in the future: set the clock of the application's host, or of this one"
            );
            return Err(Refusal::new(Outcome::Malformed, sentence));
        }
        for (what, name) in [("application", &report.application), ("instance", &report.instance)] {
            if name.len() > NAME_BYTES {
                let found = name.len();
                let sentence = format!("{what} has {found} octets, and a name has at most {NAME_BYTES}");
                return Err(Refusal::new(Outcome::Malformed, sentence));
            }
        }
        // Before the lock, for it takes longest.
        let offered = series::offered(&report, &self.reserved);
        let mut guard = self.known();
        let known = &mut *guard;
        let key = (report.application.clone(), report.instance.clone());
        if !known.instances.contains_key(&key) {
            if !known.make_room(self.limits.instances, now) {
                return Err(Refusal::new(
                    Outcome::Full,
                    format!(
                        "{} instances of applications report already, and that is the limit: raise max_instances under \
                         [applications] in the daemon's configuration",
                        self.limits.instances
                    ),
                ));
            }
            tracing::debug!(application = %squirrel_model::Untrusted(&key.0), "an application reports for the first time");
            known.instances.insert(key.clone(), Instance::new(&report, at, now));
        }
        let elsewhere = known.series();
        let Some(instance) = known.instances.get_mut(&key) else {
            return Err(Refusal::new(Outcome::Busy, "the application was forgotten at this moment: report again"));
        };
        instance.may_report(&report, now)?;
        let free = self.limits.all_series.saturating_sub(elsewhere - instance.series());
        let room = self.limits.series.min(free);
        let taken = instance.report(report, offered, at, now, room, &mut known.new_series);
        let receipt = taken.receipt();
        self.counters.report(Outcome::Taken);
        if taken.replaced {
            self.counters.report(Outcome::Replaced);
        }
        for (reason, count) in taken.refused {
            self.counters.refused(reason, count);
        }
        Ok(receipt)
    }

    /// Counts a report that was not taken, and remembers it for the page.
    pub(crate) fn refused(&self, refusal: &Refusal, application: &str, at: Timestamp) {
        self.counters.report(refusal.outcome);
        let mut known = self.known();
        // A flood says the same again and again: the page shows what differs.
        known.refusals.retain(|old| old.sentence != refusal.sentence || old.application != application);
        known.refusals.truncate(REFUSALS - 1);
        known.refusals.push_front(ApplicationRefusal {
            at: at.seconds(),
            application: application.chars().take(NAME_BYTES).collect(),
            sentence: refusal.sentence.clone(),
        });
    }

    /// What the store is to keep at the tick of `at`: the newest numbers of each instance, and the end of
    /// the series of those that fell silent.
    pub fn due(&self, at: Timestamp, now: Elapsed, step_ms: i64) -> Vec<(Labels, Timestamp, f64)> {
        let mut known = self.known();
        let mut out: Vec<_> =
            known.left.drain(..).map(|(labels, at, value)| (labels, at.floor_to(step_ms), value)).collect();
        for instance in known.instances.values_mut() {
            instance.due(at, now, step_ms, &mut out);
        }
        known.instances.retain(|_, instance| !instance.is_silent_for(now, FORGOTTEN_AFTER));
        self.counters.samples(out.len());
        out
    }

    /// The end of all series, for a clean stop at `at`.
    pub fn close(&self, at: Timestamp, step_ms: i64) -> Vec<(Labels, Timestamp, f64)> {
        let mut out = Vec::new();
        for instance in self.known().instances.values_mut() {
            instance.drain(step_ms, &mut out);
            instance.end(at.floor_to(step_ms).plus_ms(step_ms), &mut out);
        }
        out
    }

    /// Counts samples that the store did not take.
    pub fn lost(&self, samples: usize) {
        self.counters.lost(samples);
    }

    pub(crate) fn list(&self, at: Timestamp, now: Elapsed) -> ApplicationList {
        let known = self.known();
        status::list(&known.instances, known.refusals.iter().cloned().collect(), self.limits.enabled, at, now)
    }

    pub(crate) fn one(&self, application: &str, now: Elapsed) -> Option<ApplicationStatus> {
        status::one(&self.known().instances, application, now)
    }

    /// Adds the rows of [`OWN_METRICS`] as they stand now.
    pub fn rows(&self, out: &mut Batch) {
        let known = self.known();
        let silent = known.instances.values().filter(|one| one.is_silent()).count();
        let live = known.instances.len() - silent;
        let alerts = known.instances.values().filter(|one| !one.is_silent()).map(Instance::alerts).sum();
        self.counters.rows(&counters::Gauges { live, silent, series: known.series(), alerts }, out);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
