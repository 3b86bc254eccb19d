//! One flow judged: where its loss begins, who limits its answers, where its time is spent.

use std::net::IpAddr;
use std::time::Duration;

use super::{Outcome, Verdict};
use crate::path::report::{Address, Report};

/// Longer times than these are told of; shorter ones are noise or a matter of course.
const LEAST_DELAY: Duration = Duration::from_millis(5);
/// A difference of two shares that is larger than so many standard errors is not taken for chance, the other being
/// nothing.
const SURE: f64 = 2.0;
/// The same if the other is something: it is the smallest of several, and so below the truth.
const SURER: f64 = 3.0;

/// One flow's hosts, with what is known of the way to each.
pub(super) struct Chain<'a> {
    hosts: Vec<(u8, &'a Address)>,
    /// Of each place the smallest loss from there on: the host that shows it.
    through: Vec<Option<&'a Address>>,
    /// TOS or traffic class with which questions were sent.
    sent_tos: u8,
}

impl<'a> Chain<'a> {
    pub(super) fn of(chain: &'a [Address], first: u8, sent_tos: u8) -> Self {
        let hosts: Vec<_> = (first..).zip(chain).collect();
        let mut through: Vec<Option<&Address>> = Vec::new();
        for (_, host) in hosts.iter().rev() {
            let before = through.last().copied().flatten();
            let smaller = |one: &&Address| before.is_none_or(|other| ratio(one) < ratio(other));
            through.push(Some(*host).filter(|one| one.received > 0).filter(smaller).or(before));
        }
        through.reverse();
        Self { hosts, through, sent_tos }
    }

    fn last(&self) -> Option<(u8, &'a Address)> {
        self.hosts.iter().rev().find(|(_, host)| host.received > 0).copied()
    }

    /// The first place whose share of the loss at the end is not chance, and does not come from its host alone.
    fn loss_begins(&self) -> Option<usize> {
        let (_, last) = self.last()?;
        let whole = ratio(last);
        if last.lost < 2 {
            return None;
        }
        (0..self.hosts.len()).find(|index| {
            let here = self.hosts[*index].1;
            here.received > 0
                && self.through[*index].is_some_and(|way| ratio(way) >= whole / 4.0)
                && !self.limits(*index)
        })
    }

    /// Whether a host loses more than the way to it does.
    fn limits(&self, index: usize) -> bool {
        let here = self.hosts[index].1;
        let behind = self.through.get(index + 1).copied().flatten();
        behind.is_some_and(|behind| {
            let sure = if behind.lost == 0 { SURE } else { SURER };
            ratio(here) > ratio(behind) && distance(here, behind) >= sure
        })
    }

    pub(super) fn verdicts(&self) -> Vec<((u8, Option<IpAddr>), Verdict)> {
        let begins = self.loss_begins();
        let rises = self.rise().map(|(index, _)| index);
        let verdict = |(index, (ttl, host)): (usize, &(u8, &Address))| {
            let verdict = if host.received == 0 {
                Verdict::Silent
            } else if self.limits(index) {
                Verdict::LimitsAnswers
            } else if begins == Some(index) {
                Verdict::LossBegins
            } else if host.lost > 0 {
                if begins.is_some_and(|begins| begins < index) { Verdict::LossGoesOn } else { Verdict::Unclear }
            } else if self.remarks(index) {
                Verdict::RemarksDscp
            } else if rises == Some(index) {
                Verdict::LatencyRises
            } else if self.is_slow(index) {
                Verdict::SlowToAnswer
            } else {
                Verdict::Good
            };
            ((*ttl, host.address), verdict)
        };
        self.hosts.iter().enumerate().filter(|(_, (_, host))| host.sent() > 0).map(verdict).collect()
    }

    pub(super) fn outcome(&self, report: &Report) -> Outcome {
        let Some((ttl, last)) = self.last() else { return Outcome::Nobody };
        let by = last.address.unwrap_or(IpAddr::from([0, 0, 0, 0]));
        let ends = |end: u8| end == ttl && self.hosts.last().is_some_and(|(last, _)| *last == end);
        if let Some((end, by, kind)) = report.refused
            && ends(end)
        {
            return Outcome::Refused { ttl: end, by, kind };
        }
        if !report.distance.is_some_and(|(near, far)| (near..=far).contains(&ttl)) {
            return self.round().unwrap_or(Outcome::TargetSilent { ttl, by });
        }
        let loss = ratio(last);
        match self.loss_begins().map(|index| self.hosts[index]) {
            Some((begins, host)) => {
                Outcome::Loss { loss, ttl: begins, by: host.address.unwrap_or(by), at_target: begins == ttl }
            }
            None if last.lost > 0 => Outcome::Unclear { loss },
            None => Outcome::Good,
        }
    }

    /// Whether packets arrive with another class than at the last place before that told it.
    fn remarks(&self, index: usize) -> bool {
        let told = |(_, host): &(u8, &Address)| host.tos.map(|tos| tos >> 2);
        let before = self.hosts.iter().take(index).rev().find_map(told).unwrap_or(self.sent_tos >> 2);
        self.hosts.get(index).and_then(told).is_some_and(|here| here != before)
    }

    /// Where packets go round: a host that comes again after others.
    fn round(&self) -> Option<Outcome> {
        let known: Vec<_> = self.hosts.iter().filter_map(|(ttl, host)| Some((*ttl, host.address?))).collect();
        let again = known.iter().enumerate().find_map(|(index, (ttl, by))| {
            let between = known.get(index + 1).is_some_and(|(_, next)| next != by);
            let comes = known.iter().skip(index + 2).any(|(_, later)| later == by);
            (between && comes).then_some((*ttl, *by))
        });
        again.map(|(ttl, by)| Outcome::Loop { ttl, by })
    }

    /// The smallest median from a place on: no packet is faster on the way to it.
    fn least_delay(&self, index: usize) -> Option<Duration> {
        self.hosts.iter().skip(index).filter_map(|(_, host)| host.times.percentile(0.5)).min()
    }

    fn is_slow(&self, index: usize) -> bool {
        let own = self.hosts[index].1.times.percentile(0.5);
        own.zip(self.least_delay(index)).is_some_and(|(own, least)| own >= least * 3 / 2 + LEAST_DELAY)
    }

    /// The place where the delay rises most, if that is much of the whole: its index, and what is told.
    pub(super) fn rise(&self) -> Option<(usize, (u8, Duration, Duration))> {
        let whole = self.last()?.1.times.percentile(0.5)?;
        let mut before = Duration::ZERO;
        let mut most = None;
        for (index, (ttl, host)) in self.hosts.iter().enumerate() {
            let Some(least) = self.least_delay(index).filter(|_| host.received > 0) else { continue };
            let by = least.saturating_sub(before);
            before = before.max(least);
            if by >= LEAST_DELAY && by * 5 >= whole * 2 && most.is_none_or(|(_, (_, most, _))| by > most) {
                most = Some((index, (*ttl, by, whole)));
            }
        }
        // All delay of a path of one hop arises there.
        most.filter(|_| self.hosts.len() > 1)
    }
}

fn ratio(host: &Address) -> f64 {
    host.loss_ratio().unwrap_or(0.0)
}

/// How far two shares of losses are apart, in standard errors of their difference.
fn distance(one: &Address, other: &Address) -> f64 {
    let (n, m) = (one.sent() as f64, other.sent() as f64);
    let pooled = (one.lost + other.lost) as f64 / (n + m);
    let error = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    if error > 0.0 { (ratio(one) - ratio(other)).abs() / error } else { 0.0 }
}
