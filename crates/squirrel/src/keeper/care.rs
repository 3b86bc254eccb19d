//! When a keeper is replaced, and what is said of it: a state machine without a process and without a clock.

use std::time::Duration;

use squirrel_keeper::Standing;
use squirrel_model::{Batch, Elapsed, Kind, Metric, Unit};

static UP: Metric = Metric::new(
    "squirrel_keeper_up",
    Kind::Gauge,
    Unit::None,
    "1 while the process that keeps the privileges answers, 0 while it does not.",
)
.why("Without it other users' sockets have no owner, further network namespaces are not found, and UDP is not counted.")
.check(&["The log of squirrel says how it ended.", "Look at squirrel_keeper_restarts_total."]);

static RESTARTS: Metric = Metric::new(
    "squirrel_keeper_restarts_total",
    Kind::Counter,
    Unit::None,
    "Keepers that were started since the first one, which died or did not answer.",
)
.why("Each is a gap in the counts of UDP. One that dies again and again is killed by somebody, or meets a fault of ours.")
.check(&["The log of squirrel says how each ended.", "The kernel's log, if memory ran out."]);

static TIMEOUTS: Metric = Metric::new(
    "squirrel_keeper_timeouts_total",
    Kind::Counter,
    Unit::None,
    "Questions that the keeper did not answer within a second.",
)
.why("A step of the accounting went on without what it had asked for; it comes with a later one.")
.check(&["Ask whether the host was starved of CPU.", "Look at squirrel_keeper_up."]);

static DOWN: Metric = Metric::new(
    "squirrel_keeper_down_seconds_total",
    Kind::Counter,
    Unit::Seconds,
    "Time in which no keeper answered.",
)
.why("What moved in this time is counted less exactly, and UDP not at all.")
.check(&["Look at squirrel_keeper_restarts_total."]);

/// What is said of the keeper, for the catalogue.
pub(super) static METRICS: &[&Metric] = &[&UP, &RESTARTS, &TIMEOUTS, &DOWN];

/// A keeper that has not answered for so long hangs for good.
const HANGS_AFTER: Duration = Duration::from_secs(15);
/// Wait before the second start in a row; the first is made at once. It doubles with each further one.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// One that answered for so long was well: the next start is a first one again.
const WELL_AFTER: Duration = Duration::from_mins(1);
/// A gap is shown for so long after its end.
const SHOWN_FOR: Duration = Duration::from_mins(5);

/// What it costs while no keeper answers.
const COST: &str = "other users' sockets have no owner, and UDP is not counted";

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    /// It answers again; the sentence for the log.
    Answers(String),
    /// It has gone or hangs: whatever is left of it is to be ended, and [`Care::ended`] told.
    End,
    /// A new one is to be started.
    Start,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Answers, since the moment.
    Well(Elapsed),
    /// Has not answered since.
    Late(Elapsed),
    /// There is none; the next is started at the moment.
    Down { since: Elapsed, next: Elapsed, how: String },
    /// A new one was started and has not answered yet.
    Starting { since: Elapsed, began: Elapsed, how: String },
    /// There is none and never will be.
    Lost { since: Elapsed, how: String },
}

/// How a keeper does.
#[derive(Clone, Debug)]
pub(super) struct Care {
    state: State,
    /// Wait before the next start.
    wait: Duration,
    restarts: u64,
    timeouts: u64,
    /// Of gaps that are over.
    down: Duration,
    /// When the last gap ended, and how long it was.
    gap: Option<(Elapsed, Duration)>,
}

impl Default for Care {
    fn default() -> Self {
        let state = State::Well(Elapsed(Duration::ZERO));
        Self { state, wait: Duration::ZERO, restarts: 0, timeouts: 0, down: Duration::ZERO, gap: None }
    }
}

fn between(from: Elapsed, to: Elapsed) -> Duration {
    to.0.saturating_sub(from.0)
}

impl Care {
    /// What is to be done, now that the keeper stands so.
    pub(super) fn judge(&mut self, standing: Standing, now: Elapsed) -> Step {
        match (&self.state, standing) {
            (State::Lost { .. }, _) => Step::Nothing,
            (State::Down { since, next, how }, _) => {
                if now < *next {
                    return Step::Nothing;
                }
                self.state = State::Starting { since: *since, began: now, how: how.clone() };
                self.restarts += 1;
                self.wait = (self.wait * 2).clamp(SHORTEST_WAIT, LONGEST_WAIT);
                Step::Start
            }
            (_, Standing::Gone) => Step::End,
            (State::Starting { since, .. }, Standing::Answers) => {
                let gap = between(*since, now);
                self.over(gap, now);
                Step::Answers(format!(
                    "the keeper was started again and answers; for {:.1} s {COST}",
                    gap.as_secs_f64()
                ))
            }
            (State::Late(since), Standing::Answers) => {
                let gap = between(*since, now);
                self.over(gap, now);
                Step::Answers(format!("the keeper answers again, after {:.1} s", gap.as_secs_f64()))
            }
            (State::Well(since), Standing::Answers) => {
                if between(*since, now) >= WELL_AFTER {
                    self.wait = Duration::ZERO;
                }
                Step::Nothing
            }
            (State::Well(_), Standing::Late) => {
                self.state = State::Late(now);
                Step::Nothing
            }
            (State::Late(since) | State::Starting { began: since, .. }, Standing::Late) => {
                if between(*since, now) >= HANGS_AFTER { Step::End } else { Step::Nothing }
            }
        }
    }

    fn over(&mut self, gap: Duration, now: Elapsed) {
        self.down += gap;
        self.gap = Some((now, gap));
        self.state = State::Well(now);
    }

    /// The keeper ended as told; `can_start` says whether a new one can be made. Gives the sentence for the log.
    pub(super) fn ended(&mut self, how: &str, can_start: bool, now: Elapsed) -> String {
        let (since, what) = match &self.state {
            State::Late(since) => (*since, format!("the keeper did not answer for {} s", HANGS_AFTER.as_secs())),
            State::Starting { since, .. } => (*since, "the keeper, started again, does not answer".to_owned()),
            State::Well(_) | State::Down { .. } | State::Lost { .. } => (now, "the keeper died".to_owned()),
        };
        let how = format!("{what} ({how})");
        if can_start {
            let next = Elapsed(now.0 + self.wait);
            let said = format!("{how}: until it was started again, in {} s, {COST}", self.wait.as_secs());
            self.state = State::Down { since, next, how };
            said
        } else {
            self.lost(since, &how)
        }
    }

    /// The start was refused. Gives the sentence for the log.
    pub(super) fn refused(&mut self, why: &str, can_start: bool) -> String {
        let State::Starting { since, began, .. } = self.state else { return why.to_owned() };
        self.restarts = self.restarts.saturating_sub(1);
        let how = format!("the keeper cannot be started again: {why}");
        if can_start {
            self.state = State::Down { since, next: Elapsed(began.0 + self.wait), how: how.clone() };
            format!("{how}; the next attempt comes in {} s", self.wait.as_secs())
        } else {
            self.lost(since, &how)
        }
    }

    fn lost(&mut self, since: Elapsed, how: &str) -> String {
        let how = format!("{how}, and the process that could start it again has ended too: restart squirrel");
        self.state = State::Lost { since, how: how.clone() };
        format!("{how}. Until then {COST}")
    }

    /// What is wrong, or was in the last minutes.
    pub(super) fn failure(&self, now: Elapsed) -> Option<String> {
        let for_seconds = |since: Elapsed| format!("{:.0} s", between(since, now).as_secs_f64());
        match &self.state {
            State::Well(_) => {
                let (ended, gap) = self.gap.filter(|(ended, _)| between(*ended, now) < SHOWN_FOR)?;
                let (gap, ago) = (gap.as_secs_f64(), for_seconds(ended));
                Some(format!("the keeper did not answer for {gap:.1} s, until {ago} ago: {COST} in that time"))
            }
            State::Late(since) => Some(format!("the keeper has not answered for {}: {COST}", for_seconds(*since))),
            State::Down { since, how, .. } | State::Starting { since, how, .. } | State::Lost { since, how } => {
                Some(format!("{how}; for {} {COST}", for_seconds(*since)))
            }
        }
    }

    /// Adds the rows; `timeouts` is absent while the keeper is being asked.
    pub(super) fn rows(&mut self, now: Elapsed, timeouts: Option<u64>, out: &mut Batch) {
        self.timeouts = timeouts.unwrap_or(self.timeouts);
        let (up, open) = match &self.state {
            State::Well(_) => (1.0, Duration::ZERO),
            State::Late(since)
            | State::Down { since, .. }
            | State::Starting { since, .. }
            | State::Lost { since, .. } => (0.0, between(*since, now)),
        };
        out.put_plain(&UP, up);
        out.put_plain(&RESTARTS, self.restarts as f64);
        out.put_plain(&TIMEOUTS, self.timeouts as f64);
        out.put_plain(&DOWN, (self.down + open).as_secs_f64());
    }
}

#[cfg(test)]
mod tests;
