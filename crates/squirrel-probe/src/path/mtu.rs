//! How large a packet comes as far as each place of a path: a search from place to place, each beginning with what the
//! place before took.

use std::collections::VecDeque;

use super::AHEAD;
use crate::path_mtu::{Found, Outcome, Search};

/// Largest packet that is tried.
const MOST: u16 = u16::MAX;

/// What was found for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopMtu {
    /// The place.
    pub ttl: u8,
    /// Octets of the largest packet that came as far, with its IP header; none when nobody answers there.
    pub octets: Option<u16>,
    /// Whether larger ones vanish without a word.
    pub silent: bool,
}

/// The search along a path.
#[derive(Clone, Debug)]
pub struct HopSearch {
    least: u16,
    max_ttl: u8,
    ttl: u8,
    /// What the place before took.
    most: u16,
    /// What a place before took at most, when larger ones vanished: tried early, since it is likely right here too.
    vanished: Option<u16>,
    search: Option<Search>,
    found: VecDeque<HopMtu>,
    /// Places in a row where nobody answers.
    silent: u8,
    done: bool,
}

impl HopSearch {
    /// A search of the places from `first_ttl` to `max_ttl`, none of whose links takes less than `least` octets.
    pub fn new(least: u16, first_ttl: u8, max_ttl: u8) -> Self {
        Self {
            least,
            max_ttl,
            ttl: first_ttl,
            most: MOST,
            vanished: None,
            search: None,
            found: VecDeque::new(),
            silent: 0,
            done: first_ttl > max_ttl,
        }
    }

    /// The place and the size to try next; none when all is known.
    pub fn next(&self) -> Option<(u8, u16)> {
        if self.done {
            return None;
        }
        let size = self.search.as_ref().map_or(Some(self.most), Search::next_size)?;
        Some((self.ttl, size))
    }

    /// Takes in what became of a size at the place, and whether it was the target that answered.
    pub fn outcome(&mut self, size: u16, outcome: Outcome, target: bool) {
        let Some(search) = &mut self.search else {
            if outcome == Outcome::Fits {
                self.settle(Some(size), false, target);
                return;
            }
            let mut search = Search::new(self.least, self.most);
            search.outcome(size, outcome);
            if let Some(vanished) = self.vanished.filter(|vanished| *vanished < size && outcome == Outcome::Silent) {
                search.outcome(size, Outcome::TooBig(Some(vanished)));
            }
            self.search = Some(search);
            return;
        };
        search.outcome(size, outcome);
        if search.next_size().is_some() {
            return;
        }
        match search.found() {
            Found::Mtu { octets, silent } => self.settle(Some(octets), silent, target),
            Found::Unreachable => self.settle(None, false, false),
        }
    }

    fn settle(&mut self, octets: Option<u16>, silent: bool, target: bool) {
        self.found.push_back(HopMtu { ttl: self.ttl, octets, silent });
        self.silent = if octets.is_some() { 0 } else { self.silent + 1 };
        if let Some(octets) = octets {
            // What a farther place took, the nearer ones let pass: they only did not answer large questions.
            for before in self.found.iter_mut().filter(|before| before.octets.is_some_and(|before| before < octets)) {
                (before.octets, before.silent) = (Some(octets), false);
            }
            if silent {
                self.vanished = Some(octets);
            } else {
                (self.most, self.vanished) = (octets, None);
            }
        }
        self.search = None;
        self.done = target || self.silent >= AHEAD || self.ttl >= self.max_ttl;
        self.ttl = self.ttl.saturating_add(1);
    }

    /// What was found so far, the nearest first.
    pub fn found(&self) -> impl Iterator<Item = &HopMtu> {
        self.found.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A link of a made-up path: what it takes, and whether the host before it says so. The host behind it answers
    /// packets of up to this size.
    #[derive(Clone, Copy)]
    struct Link {
        mtu: u16,
        says: bool,
        answers: u16,
    }

    const WIDE: Link = Link { mtu: 1500, says: true, answers: MOST };

    /// Searches a path of these links, the last leading to the target; what was found, and how many packets it took.
    fn search(links: &[Link]) -> (Vec<(Option<u16>, bool)>, u32) {
        let mut search = HopSearch::new(68, 1, 30);
        let mut packets = 0;
        while let Some((ttl, size)) = search.next() {
            packets += 1;
            assert!(packets < 300, "no end");
            let way = &links[..usize::from(ttl).min(links.len())];
            let outcome = match way.iter().find(|link| link.mtu < size) {
                Some(narrow) if narrow.says => Outcome::TooBig(Some(narrow.mtu)),
                Some(_) => Outcome::Silent,
                None if way.last().is_some_and(|last| last.answers < size) => Outcome::Silent,
                None => Outcome::Fits,
            };
            search.outcome(size, outcome, usize::from(ttl) >= links.len());
        }
        (search.found().map(|one| (one.octets, one.silent)).collect(), packets)
    }

    #[test]
    fn a_narrow_link_is_found_where_it_is_with_few_packets() {
        let (found, packets) = search(&[WIDE, WIDE, Link { mtu: 1400, ..WIDE }, WIDE]);
        assert_eq!(found, [(Some(1500), false), (Some(1500), false), (Some(1400), false), (Some(1400), false)]);
        assert!(packets <= 12, "{packets} packets");
    }

    #[test]
    fn a_black_hole_is_told_and_every_place_behind_it_shows_it() {
        let (found, packets) = search(&[WIDE, Link { mtu: 1450, says: false, ..WIDE }, WIDE, WIDE]);
        assert_eq!(found, [(Some(1500), false), (Some(1450), true), (Some(1450), true), (Some(1450), true)]);
        assert!(packets <= 30, "{packets} packets");
    }

    #[test]
    fn a_host_that_answers_small_questions_only_or_none_narrows_nothing() {
        let (found, _) = search(&[WIDE, Link { answers: 600, ..WIDE }, Link { answers: 0, ..WIDE }, WIDE]);
        assert_eq!(found, [(Some(1500), false), (Some(1500), false), (None, false), (Some(1500), false)]);
    }

    #[test]
    fn silence_has_an_end() {
        let nobody = Link { answers: 0, ..WIDE };
        assert_eq!(search(&[nobody; 20]).0, [(None, false); AHEAD as usize]);
    }
}
