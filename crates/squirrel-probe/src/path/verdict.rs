//! What the figures of a path mean, in words: where loss begins, who merely does not answer each time, where time is
//! spent.
//!
//! A packet that a farther host answered has passed all nearer ones. So the loss on the way to a place is at most the
//! smallest loss that any place from there on shows; what a host loses beyond that, it does not answer.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use squirrel_wire::icmp::ErrorKind;

use super::report::{Address, Report};

/// Longer times than these are told of; shorter ones are noise or a matter of course.
const LEAST_DELAY: Duration = Duration::from_millis(5);
/// A difference of two shares that is larger than so many standard errors is not taken for chance, the other being
/// nothing.
const SURE: f64 = 2.0;
/// The same if the other is something: it is the smallest of several, and so below the truth.
const SURER: f64 = 3.0;

/// What is to be said of one host of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Nothing is wrong with it.
    Good,
    /// Nobody answers here; that alone is no fault.
    Silent,
    /// Answers come late here and not behind it: it passes packets on at once.
    SlowToAnswer,
    /// Much of the whole delay arises here, and stays.
    LatencyRises,
    /// Loss here and not behind it: it limits its answers, or they take a lossy way back of their own.
    LimitsAnswers,
    /// Too little was asked to tell chance from loss.
    Unclear,
    /// The loss of a nearer place, which goes on here.
    LossGoesOn,
    /// The loss begins here, and goes on to the end.
    LossBegins,
    /// It passes nothing on.
    Refuses,
}

impl Verdict {
    /// A word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Silent => "silent",
            Self::SlowToAnswer => "slow_to_answer",
            Self::LatencyRises => "latency_rises",
            Self::LimitsAnswers => "limits_answers",
            Self::Unclear => "unclear",
            Self::LossGoesOn => "loss_goes_on",
            Self::LossBegins => "loss_begins",
            Self::Refuses => "refuses",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "",
            Self::Silent => "does not answer",
            Self::SlowToAnswer => "only slow to answer",
            Self::LatencyRises => "latency rises here and stays",
            Self::LimitsAnswers => "only limits its answers",
            Self::Unclear => "too few questions to tell",
            Self::LossGoesOn => "loss from before",
            Self::LossBegins => "loss is real and begins here",
            Self::Refuses => "passes nothing on",
        })
    }
}

/// What is to be said of the whole path.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The target answers, and nothing is lost.
    Good,
    /// Nobody has answered at all.
    Nobody,
    /// Some losses, too few to tell where.
    Unclear {
        /// The target's loss, 0 to 1.
        loss: f64,
    },
    /// Packets are lost from a place on.
    Loss {
        /// The target's loss, 0 to 1.
        loss: f64,
        /// The first place that shows it.
        ttl: u8,
        /// Who stands there.
        by: IpAddr,
        /// Whether that is the target: it may only limit its answers.
        at_target: bool,
    },
    /// The target does not answer, and the last host that does is this.
    TargetSilent {
        /// The last place with an answer.
        ttl: u8,
        /// Who stands there.
        by: IpAddr,
    },
    /// Somebody refuses to pass questions on.
    Refused {
        /// The place.
        ttl: u8,
        /// Who.
        by: IpAddr,
        /// Why.
        kind: ErrorKind,
    },
    /// Packets go round between hosts until their time is over.
    Loop {
        /// The first place of the round.
        ttl: u8,
        /// Who stands there.
        by: IpAddr,
    },
}

/// What is to be said of a path and of each of its hosts.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Of the path: the worst of its flows.
    pub outcome: Outcome,
    /// Flows of which that is to be said.
    pub flows: u16,
    /// Of each host at its place, if it stands there now.
    pub verdicts: BTreeMap<(u8, Option<IpAddr>), Verdict>,
    /// Where most of the delay arises, if it is much: the place, by how much, and the target's median.
    pub rise: Option<(u8, Duration, Duration)>,
}

/// Judges a path.
pub fn judge(report: &Report) -> Judgement {
    let first = report.hops.first().map_or(1, |hop| hop.ttl);
    let mut judgement = Judgement { outcome: Outcome::Good, flows: 0, verdicts: BTreeMap::new(), rise: None };
    for chain in &report.flows {
        let flow = Chain::of(chain, first);
        for (place, verdict) in flow.verdicts() {
            let kept = judgement.verdicts.entry(place).or_insert(verdict);
            *kept = (*kept).max(verdict);
        }
        let outcome = flow.outcome(report);
        match rank(&outcome).total_cmp(&rank(&judgement.outcome)) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => judgement.flows += 1,
            std::cmp::Ordering::Greater => (judgement.outcome, judgement.flows) = (outcome, 1),
        }
        judgement.rise = judgement.rise.max(flow.rise().map(|(_, rise)| rise));
    }
    for address in report.hops.iter().flat_map(|hop| hop.addresses.iter().map(move |address| (hop.ttl, address))) {
        let (ttl, address) = address;
        if address.current && !address.refused.is_empty() {
            judgement.verdicts.insert((ttl, address.address), Verdict::Refuses);
        }
    }
    judgement
}

/// How bad an outcome is.
fn rank(outcome: &Outcome) -> f64 {
    match outcome {
        Outcome::Good => 0.0,
        Outcome::Unclear { loss } => 1.0 + loss,
        Outcome::Loss { loss, .. } => 3.0 + loss,
        Outcome::TargetSilent { .. } => 5.0,
        Outcome::Refused { .. } => 6.0,
        Outcome::Loop { .. } => 7.0,
        Outcome::Nobody => 8.0,
    }
}

/// One flow's hosts, with what is known of the way to each.
struct Chain<'a> {
    hosts: Vec<(u8, &'a Address)>,
    /// Of each place the smallest loss from there on: the host that shows it.
    through: Vec<Option<&'a Address>>,
}

impl<'a> Chain<'a> {
    fn of(chain: &'a [Address], first: u8) -> Self {
        let hosts: Vec<_> = (first..).zip(chain).collect();
        let mut through: Vec<Option<&Address>> = Vec::new();
        for (_, host) in hosts.iter().rev() {
            let before = through.last().copied().flatten();
            let smaller = |one: &&Address| before.is_none_or(|other| ratio(one) < ratio(other));
            through.push(Some(*host).filter(|one| one.received > 0).filter(smaller).or(before));
        }
        through.reverse();
        Self { hosts, through }
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

    fn verdicts(&self) -> Vec<((u8, Option<IpAddr>), Verdict)> {
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

    fn outcome(&self, report: &Report) -> Outcome {
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
    fn rise(&self) -> Option<(usize, (u8, Duration, Duration))> {
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

#[cfg(test)]
mod tests;
