//! What the figures of a path mean, in words: where loss begins, who merely does not answer each time, where time is
//! spent.
//!
//! A packet that a farther host answered has passed all nearer ones. So the loss on the way to a place is at most the
//! smallest loss that any place from there on shows; what a host loses beyond that, it does not answer.

mod chain;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use squirrel_wire::icmp::ErrorKind;

use super::report::Report;
use chain::Chain;

/// What is to be said of one host of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Nothing is wrong with it.
    Good,
    /// Nobody answers here; that alone is no fault.
    Silent,
    /// Answers come late here and not behind it: it passes packets on at once.
    SlowToAnswer,
    /// Packets arrive here with another class (DSCP) than at the place before: somebody between the two changes it.
    RemarksDscp,
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
            Self::RemarksDscp => "remarks_dscp",
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
            Self::RemarksDscp => "the class is changed on the way here",
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
        let flow = Chain::of(chain, first, report.sent_tos);
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

#[cfg(test)]
mod tests;
