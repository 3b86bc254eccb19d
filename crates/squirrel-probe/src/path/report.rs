//! The figures of a path.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use squirrel_model::Elapsed;
use squirrel_wire::icmp::{ErrorKind, MplsLabel};

use super::Said;
use super::flow::Flow;
use crate::Spread;

/// Another host answers at a place of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When its first answer came.
    pub at: Elapsed,
    /// The flow.
    pub flow: u16,
    /// The place.
    pub ttl: u8,
    /// Who answered before.
    pub from: Option<IpAddr>,
    /// Who answers now.
    pub to: IpAddr,
}

/// What is known of one host at one place of the path, since it was first seen there.
#[derive(Clone, Debug, Default)]
pub struct Address {
    /// The host; none for questions at a place where nobody ever answered.
    pub address: Option<IpAddr>,
    /// Questions that were answered in time.
    pub received: u64,
    /// Questions that were not.
    pub lost: u64,
    /// Answers to questions that had been answered.
    pub duplicates: u64,
    /// Answers to questions that had been given up. They stay lost.
    pub late: u64,
    /// Answers that this program's clock timed.
    pub timed_by_user: u64,
    /// Round-trip times.
    pub times: Spread,
    /// The last outcomes: the time of an answer, or none for a loss.
    pub recent: VecDeque<Option<Duration>>,
    /// Time to live of the last answer.
    pub reply_ttl: Option<u8>,
    /// The flows that it was seen in.
    pub flows: BTreeSet<u16>,
    /// Labels of MPLS with which questions arrived there, outermost first.
    pub labels: Vec<MplsLabel>,
    /// TOS or traffic class with which questions arrived there, if it is known.
    pub tos: Option<u8>,
    /// The largest packet of its next link, as it said.
    pub mtu: Option<u32>,
    /// How often it refused to pass a question on, by the reason.
    pub refused: BTreeMap<ErrorKind, u64>,
    /// Whether a flow leads through it now.
    pub current: bool,
    /// Whether it shares its place with others, one for each packet of a flow.
    pub alternates: bool,
    /// When it was first seen here.
    pub since: Elapsed,
    /// When it was last seen here.
    pub last_seen: Elapsed,
}

impl Address {
    /// Questions whose outcome is known.
    pub fn sent(&self) -> u64 {
        self.received + self.lost
    }

    /// Lost questions as a share; none before an outcome is known.
    pub fn loss_ratio(&self) -> Option<f64> {
        (self.sent() > 0).then(|| self.lost as f64 / self.sent() as f64)
    }

    /// The same of the last questions alone.
    pub fn recent_loss_ratio(&self) -> Option<f64> {
        let lost = self.recent.iter().filter(|outcome| outcome.is_none()).count();
        (!self.recent.is_empty()).then(|| lost as f64 / self.recent.len() as f64)
    }

    fn absorb(&mut self, other: &Self) {
        self.since = if self.sent() == 0 { other.since } else { self.since.min(other.since) };
        self.received += other.received;
        self.lost += other.lost;
        self.duplicates += other.duplicates;
        self.late += other.late;
        self.timed_by_user += other.timed_by_user;
        self.times.absorb(&other.times);
        self.recent.extend(&other.recent);
        self.flows.extend(&other.flows);
        self.reply_ttl = other.reply_ttl.or(self.reply_ttl);
        self.tos = other.tos.or(self.tos);
        self.mtu = other.mtu.or(self.mtu);
        self.current |= other.current;
        self.alternates |= other.alternates;
        self.last_seen = self.last_seen.max(other.last_seen);
        if !other.labels.is_empty() {
            self.labels.clone_from(&other.labels);
        }
        for (kind, count) in &other.refused {
            *self.refused.entry(*kind).or_default() += count;
        }
    }
}

/// A place of the path.
#[derive(Clone, Debug, Default)]
pub struct Hop {
    /// How many hosts away, this one's first router being 1.
    pub ttl: u8,
    /// Who answers there, in any flow; those of now first, then by what they answered most.
    pub addresses: Vec<Address>,
}

/// How it stands with a path.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Rounds that began.
    pub rounds: u32,
    /// All places, the nearest first.
    pub hops: Vec<Hop>,
    /// Of each flow the hosts that it leads through now, one for each place of `hops` that it has.
    pub flows: Vec<Vec<Address>>,
    /// How far the target is, in flows that reach it: the nearest and the farthest.
    pub distance: Option<(u8, u8)>,
    /// Who refuses to pass questions on, at which place and why, in flows that end so.
    pub refused: Option<(u8, IpAddr, ErrorKind)>,
    /// TOS or traffic class with which questions were sent.
    pub sent_tos: u8,
    /// Changes of the path: the first thousand.
    pub changes: Vec<Change>,
    /// How many there were.
    pub changed: u64,
    /// Answers to no question of this run.
    pub strange: u64,
}

pub(super) fn of(flows: &[Flow], target: IpAddr) -> Report {
    let mut hops: BTreeMap<u8, BTreeMap<Option<IpAddr>, Address>> = BTreeMap::new();
    let mut report = Report::default();
    for (number, flow) in (0_u16..).zip(flows) {
        let known = flow.places.iter().rposition(|place| !place.figures.is_empty()).map_or(0, |index| index + 1);
        let answered = flow.places.iter().rposition(|place| place.host().is_some()).map_or(0, |index| index + 1);
        let mut chain = Vec::new();
        for (index, place) in flow.places.iter().enumerate() {
            let ttl = flow.ttl_of(index);
            // Of the silence behind the last host that answers one place is told: nobody knows how many there are.
            if index > answered || index >= known || flow.end.is_some_and(|end| ttl > end.ttl) {
                break;
            }
            for (host, figures) in &place.figures {
                let mut figures = figures.clone();
                figures.flows.insert(number);
                figures.address = *host;
                figures.current = *host == place.host() || place.alternates();
                figures.alternates = place.alternates();
                hops.entry(ttl).or_default().entry(*host).or_default().absorb(&figures);
                if *host == place.host() {
                    figures.current = true;
                    chain.push(figures);
                }
            }
            if chain.len() <= index {
                // Asked, with no outcome yet.
                chain.push(Address::default());
            }
        }
        report.flows.push(chain);
        match flow.end {
            Some(end) if end.said == Said::Reached || end.by == target => {
                let (near, far) = report.distance.unwrap_or((end.ttl, end.ttl));
                report.distance = Some((near.min(end.ttl), far.max(end.ttl)));
            }
            Some(end) => {
                if let Said::Refused(kind) = end.said {
                    report.refused = Some((end.ttl, end.by, kind));
                }
            }
            None => {}
        }
    }
    report.hops = hops
        .into_iter()
        .map(|(ttl, hosts)| {
            let mut addresses: Vec<Address> =
                hosts.into_iter().map(|(address, figures)| Address { address, ..figures }).collect();
            addresses.sort_by_key(|one| (!one.current, one.address.is_none(), std::cmp::Reverse(one.received)));
            Hop { ttl, addresses }
        })
        .collect();
    report
}
