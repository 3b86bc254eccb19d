//! One target: what came of its probes, and the samples that they make.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use squirrel_api::probes::ProbeMinute;
use squirrel_check::Finding;
use squirrel_model::{Labels, Timestamp, stale_marker};
use squirrel_probe::path::Report;
use squirrel_probe::path::verdict::{Outcome, judge};
use squirrel_sys::probe_socket::Carrier;
use tokio::sync::oneshot;

use crate::Target;
use crate::history::{PathHistory, Shape};
use crate::minute::{Minute, figures};
use crate::series::{Live, Naming, Sample};
use crate::standing::Standing;

/// What became of one echo.
#[derive(Clone, Debug, PartialEq)]
pub struct Echo {
    /// When it was asked.
    pub at: Timestamp,
    /// The address that was asked.
    pub address: Option<IpAddr>,
    /// The round trip, or why there is none, in words fit for every screen.
    pub outcome: Result<Duration, String>,
    /// How long the outcome took.
    pub took: Duration,
}

/// A trace that ended.
#[derive(Clone, Debug)]
pub struct Traced {
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The address that was asked.
    pub address: IpAddr,
    /// What carried its questions.
    pub carrier: Carrier,
    /// What it found.
    pub report: Report,
    /// Answers to no question of it.
    pub strange: u64,
}

/// The last probe, as it is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Last {
    pub(crate) at: Option<Timestamp>,
    pub(crate) seconds: Option<f64>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) why: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) target: Arc<Target>,
    pub(crate) standing: Standing,
    pub(crate) last: Last,
    /// When the check began that counted last.
    pub(crate) began: Option<Timestamp>,
    pub(crate) told: Option<ProbeMinute>,
    pub(crate) history: PathHistory,
    pub(crate) traced: Option<Arc<Traced>>,
    /// Who wants to know what becomes of the next echo.
    pub(crate) waiters: Vec<oneshot::Sender<Echo>>,
    naming: Naming,
    /// Series of pings, made once: there may be ten thousand each second.
    success: Labels,
    duration: Labels,
    round_trip: Labels,
    answers: bool,
    minute: Minute,
    live: Live,
    live_minute: Live,
}

impl Entry {
    pub(crate) fn new(target: Arc<Target>) -> Self {
        let naming = Naming::of(&target);
        Self {
            success: naming.series("probe_success", &[]),
            duration: naming.series("probe_duration_seconds", &[]),
            round_trip: naming.series("probe_icmp_duration_seconds", &[("phase", "rtt")]),
            naming,
            target,
            standing: Standing::default(),
            last: Last::default(),
            began: None,
            told: None,
            history: PathHistory::default(),
            traced: None,
            waiters: Vec::new(),
            answers: false,
            minute: Minute::default(),
            live: Live::default(),
            live_minute: Live::default(),
        }
    }

    /// Takes a target that was written anew. What is known of the old one stays, unless its series are called
    /// something else from now on.
    pub(crate) fn replace(&mut self, target: Arc<Target>, at: Timestamp, out: &mut Vec<Sample>) {
        let same_kind = self.target.kind() == target.kind();
        if same_kind && self.target.labels == target.labels {
            self.target = target;
            return;
        }
        let before = std::mem::replace(self, Self::new(target));
        if same_kind {
            (self.standing, self.history) = (before.standing, before.history.clone());
        }
        before.end(at, out);
    }

    /// Takes what became of an echo. Says whether its state changed.
    pub(crate) fn echo(&mut self, echo: Echo, out: &mut Vec<Sample>) -> bool {
        let time = echo.outcome.as_ref().ok().copied();
        out.push((self.success.clone(), echo.at, f64::from(u8::from(time.is_some()))));
        out.push((self.duration.clone(), echo.at, echo.took.as_secs_f64()));
        match time {
            Some(time) => out.push((self.round_trip.clone(), echo.at, time.as_secs_f64())),
            // What is not answered has no round trip: neither the last one nor none.
            None if self.answers => out.push((self.round_trip.clone(), echo.at, stale_marker())),
            None => {}
        }
        self.answers = time.is_some();
        self.minute.add(time);
        let changed = self.standing.note(echo.at, time.is_some(), self.target.patience());
        for waiter in self.waiters.drain(..) {
            // Nobody waits any more.
            let _ = waiter.send(echo.clone());
        }
        self.last = Last {
            at: Some(echo.at.plus_ms(i64::try_from(echo.took.as_millis()).unwrap_or(0))),
            seconds: Some(echo.took.as_secs_f64()),
            address: echo.address.or(self.last.address),
            why: echo.outcome.err(),
        };
        changed
    }

    /// Takes what a check found. Says whether its state changed, and how many of its numbers were too many.
    pub(crate) fn finding(&mut self, at: Timestamp, finding: &Finding, out: &mut Vec<Sample>) -> (bool, usize) {
        let (rows, refused) = self.naming.of_finding(finding);
        self.live.publish(at, rows, out);
        self.began = Some(at);
        let changed = self.standing.note(at, finding.success, self.target.patience());
        self.last = Last {
            at: Some(at.plus_ms(i64::try_from(finding.duration.as_millis()).unwrap_or(0))),
            seconds: Some(finding.duration.as_secs_f64()),
            address: None,
            why: if finding.success { None } else { finding.log.last().cloned() },
        };
        (changed, refused)
    }

    /// Takes a trace, or why there is none. Says whether its state or the path changed.
    pub(crate) fn traced(&mut self, at: Timestamp, traced: Result<Traced, String>, out: &mut Vec<Sample>) -> bool {
        let success = traced.as_ref().is_ok_and(|traced| traced.report.distance.is_some());
        let mut changed = self.standing.note(at, success, self.target.patience());
        let mut rows = vec![(self.success.clone(), f64::from(u8::from(success)))];
        self.last = Last { at: Some(at), ..Last::default() };
        match traced {
            Err(why) => self.last.why = Some(why),
            Ok(traced) => {
                let took = i64::try_from(traced.took.as_millis()).unwrap_or(0);
                self.last.at = Some(at.plus_ms(took));
                self.last.address = Some(traced.address);
                self.last.seconds = target_time(&traced.report);
                changed |= self.history.note(at.plus_ms(took), &Shape::of(&traced.report));
                if !success {
                    self.last.why = Some(why_silent(&traced.report));
                }
                self.path_rows(&traced, &mut rows);
                self.told = target_minute(&traced.report);
                self.traced = Some(Arc::new(traced));
            }
        }
        self.live.publish(at, rows, out);
        changed
    }

    fn path_rows(&self, traced: &Traced, rows: &mut Vec<(Labels, f64)>) {
        rows.push((self.duration.clone(), traced.took.as_secs_f64()));
        let chain = traced.report.flows.first().map(Vec::as_slice).unwrap_or_default();
        let hops = traced.report.distance.map_or_else(
            || chain.iter().rposition(|host| host.received > 0).map_or(0, |place| place + 1),
            |(near, _)| usize::from(near),
        );
        rows.push((self.naming.series("squirrel_path_hops", &[]), hops as f64));
        rows.push((self.naming.series("squirrel_path_changes_total", &[]), self.history.total() as f64));
        for (number, host) in (1..).zip(chain) {
            // A place where nobody answers has neither loss nor time: it passes packets on, and says nothing.
            let Some(loss) = host.loss_ratio().filter(|_| host.received > 0) else { continue };
            let number: u32 = number;
            let hop = number.to_string();
            rows.push((self.naming.series("squirrel_path_hop_loss_ratio", &[("hop", &hop)]), loss));
            for (percentile, share) in [("50", 0.5), ("95", 0.95)] {
                let own = [("hop", hop.as_str()), ("percentile", percentile)];
                let time = host.times.percentile(share).map(|time| time.as_secs_f64());
                let series = self.naming.series("squirrel_path_hop_round_trip_seconds", &own);
                rows.extend(time.map(|time| (series, time)));
            }
        }
    }

    /// Tells what came since it was told last.
    pub(crate) fn tell(&mut self, at: Timestamp, out: &mut Vec<Sample>) {
        let mut rows = self.naming.of_target(&self.target);
        if self.target.is_ping() {
            self.told = self.minute.finish();
            rows.extend(self.told.iter().flat_map(|told| self.naming.of_minute(told)));
        }
        self.live_minute.publish(at, rows, out);
    }

    /// Ends all its series.
    pub(crate) fn end(mut self, at: Timestamp, out: &mut Vec<Sample>) {
        self.live.end(at, out);
        self.live_minute.end(at, out);
        if self.target.is_ping() && self.last.at.is_some() {
            let series = [&self.success, &self.duration, &self.round_trip];
            out.extend(series.map(|labels| (labels.clone(), at, stale_marker())));
        }
    }
}

fn why_silent(report: &Report) -> String {
    match judge(report).outcome {
        Outcome::Nobody => "nobody answers, not even the first hop".to_owned(),
        Outcome::TargetSilent { ttl, by } => format!("no answer; hop {ttl}, {by}, is the last that answers"),
        Outcome::Refused { ttl, by, .. } => format!("hop {ttl}, {by}, passes nothing on"),
        Outcome::Loop { ttl, by } => format!("packets go round from hop {ttl}, {by}, on"),
        _ => "no answer".to_owned(),
    }
}

fn target_place(report: &Report) -> Option<&squirrel_probe::path::Address> {
    let (near, _) = report.distance?;
    report.flows.iter().find_map(|chain| chain.get(usize::from(near).checked_sub(1)?))
}

fn target_time(report: &Report) -> Option<f64> {
    target_place(report)?.times.percentile(0.5).map(|time| time.as_secs_f64())
}

/// The figures of the target's own answers.
fn target_minute(report: &Report) -> Option<ProbeMinute> {
    let place = target_place(report)?;
    let jitter = place.times.variation().map(|variation| variation.as_secs_f64());
    (place.sent() > 0).then(|| figures(place.sent(), &place.times, jitter))
}
