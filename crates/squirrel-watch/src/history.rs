//! How the path to a target came to be as it is: each change with its moment.
//!
//! A place where nobody answered says nothing: routers limit how often they answer. So only another host at a place, or
//! a target at another distance, is a change; and what a silent place is found to be later is filled in.

use std::collections::VecDeque;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use squirrel_api::probes::PathChanged;
use squirrel_model::Timestamp;
use squirrel_probe::path::Report;

/// Changes that are kept of one path.
pub const MOST_CHANGES: usize = 200;

/// Who answers at each place, the nearest first; none where nobody does.
pub(crate) type Hosts = Vec<Option<IpAddr>>;

/// A traced path as far as its shape goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Who stands at each place for the flow that is followed.
    pub(crate) hosts: Hosts,
    /// Everybody who answers at each place now: where each packet takes a way of its own there are several.
    pub(crate) all: Vec<Vec<IpAddr>>,
    /// Whether the last place is the target's own.
    pub(crate) reached: bool,
}

impl Shape {
    /// The shape that a trace found.
    pub(crate) fn of(report: &Report) -> Self {
        let chain = report.flows.first().map(Vec::as_slice).unwrap_or_default();
        let all = report
            .hops
            .iter()
            .take(chain.len())
            .map(|hop| hop.addresses.iter().filter(|one| one.current).filter_map(|one| one.address).collect());
        // Who refuses to pass questions on stands before the place that they were meant for.
        let refused = report.refused.map(|(ttl, by, _)| (usize::from(ttl), by));
        let here = |(place, address): (usize, Option<IpAddr>)| {
            address.filter(|address| refused != Some((place, *address)) || place == 1)
        };
        Self {
            hosts: (1..).zip(chain.iter().map(|host| host.address)).map(here).collect(),
            all: all.collect(),
            reached: report.distance.is_some(),
        }
    }

    /// Whether a host stands at a place, as far as is known.
    fn fits(&self, place: usize, host: Option<IpAddr>) -> bool {
        let (Some(host), Some(Some(here))) = (host, self.hosts.get(place)) else { return true };
        *here == host || self.all.get(place).is_some_and(|all| all.contains(&host))
    }
}

/// What is known of one path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PathHistory {
    /// Who stood at each place when it was traced last, silent places as they were known before.
    pub hosts: Vec<Option<IpAddr>>,
    /// Whether the last of them is the target.
    pub reached: bool,
    /// Changes, the newest first.
    pub changes: VecDeque<PathChanged>,
    /// Changes that were forgotten.
    pub forgotten: u64,
}

impl PathHistory {
    /// Changes since it was first traced.
    pub fn total(&self) -> u64 {
        self.forgotten + self.changes.len() as u64
    }

    /// Takes the shape of a trace that ended at `at`. Says whether the path is another than before.
    ///
    /// A trace in which the target did not answer says only of the places before its end who stands there: the path may
    /// be as it was, and the target down.
    pub(crate) fn note(&mut self, at: Timestamp, shape: &Shape) -> bool {
        if shape.hosts.iter().all(Option::is_none) {
            return false;
        }
        let both_reached = self.reached && shape.reached;
        let moved = both_reached && self.hosts.len() != shape.hosts.len();
        let differs = (0..).zip(&self.hosts).any(|(place, host)| !shape.fits(place, *host));
        if moved || (differs && !self.hosts.is_empty()) {
            let from = std::mem::replace(&mut self.hosts, shape.hosts.clone());
            self.reached = shape.reached;
            self.changes.push_front(PathChanged { at: at.seconds(), from, to: self.hosts.clone() });
            if self.changes.len() > MOST_CHANGES {
                self.changes.pop_back();
                self.forgotten += 1;
            }
            return true;
        }
        for (place, host) in shape.hosts.iter().enumerate() {
            match self.hosts.get_mut(place) {
                Some(known) => *known = known.or(*host),
                None if !self.reached => self.hosts.push(*host),
                None => {}
            }
        }
        if shape.reached {
            self.hosts.truncate(shape.hosts.len());
            self.reached = true;
        }
        false
    }

    /// Makes what was read back fit its bounds.
    pub(crate) fn bound(&mut self) {
        self.hosts.truncate(255);
        while self.changes.len() > MOST_CHANGES {
            self.changes.pop_back();
            self.forgotten += 1;
        }
        for change in &mut self.changes {
            change.from.truncate(255);
            change.to.truncate(255);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path as text: hosts by the last octet, `-` for silence, `!` at the end for one that reached its target, and
    /// `1/2` for two hosts at one place, the first of the flow.
    fn shape(text: &str) -> Shape {
        let reached = text.ends_with('!');
        let address = |octet: &str| octet.parse::<u8>().ok().map(|octet| IpAddr::from([192, 0, 2, octet]));
        let places: Vec<&str> = text.trim_end_matches('!').split_whitespace().collect();
        let all: Vec<Vec<IpAddr>> = places.iter().map(|place| place.split('/').filter_map(address).collect()).collect();
        Shape { hosts: all.iter().map(|all| all.first().copied()).collect(), all, reached }
    }

    #[test]
    fn a_change_is_another_host_or_another_distance_and_silence_is_none() {
        for (before, after, changes) in [
            ("1 2 9!", "1 2 9!", false),
            ("1 2 9!", "1 3 9!", true),
            ("1 2 9!", "1 - 9!", false),
            ("1 - 9!", "1 2 9!", false),
            ("1 2 9!", "1 9!", true),
            ("1 2 9!", "1 2 4 9!", true),
            ("1 2 9!", "1 2 -", false),
            ("1 2 9!", "1 2", false),
            ("1 2 9!", "1 3", true),
            ("1 2", "1 2 9!", false),
            ("1 2 9!", "- -", false),
            ("1 2 9!", "", false),
            ("1 2 9!", "1 3/2 9!", false),
            ("", "1 2 9!", false),
        ] {
            let mut history = PathHistory::default();
            history.note(Timestamp(1_000), &shape(before));
            assert_eq!(history.note(Timestamp(2_000), &shape(after)), changes, "{before:?} to {after:?}");
            assert_eq!(history.total(), u64::from(changes));
            assert_eq!(history.changes.front().map(|change| change.at), changes.then_some(2.0));
        }
    }

    #[test]
    fn a_router_that_was_silent_for_a_while_is_not_forgotten() {
        let mut history = PathHistory::default();
        for (text, changed) in
            [("1 2 9!", false), ("1 - 9!", false), ("1 2 9!", false), ("1 - 9!", false), ("1 3 9!", true)]
        {
            assert_eq!(history.note(Timestamp(5), &shape(text)), changed, "{text}");
        }
        let change = history.changes.front().expect("a change");
        assert_eq!((&change.from, &change.to), (&shape("1 2 9!").hosts, &shape("1 3 9!").hosts));
    }

    #[test]
    fn a_path_that_changes_all_the_time_keeps_the_newest_and_counts_the_rest() {
        let mut history = PathHistory::default();
        for number in 0..=500_i64 {
            history.note(Timestamp(number * 1_000), &shape(if number % 2 == 0 { "1 2 9!" } else { "1 3 9!" }));
        }
        assert_eq!((history.changes.len(), history.forgotten, history.total()), (MOST_CHANGES, 300, 500));
        assert_eq!(history.changes.front().map(|change| change.at), Some(500.0));
    }
}
