//! The largest packet that a path takes whole: a search that believes routers that say so, and does without those
//! that are silent (RFC 8899 describes the idea, RFC 1191 and RFC 8201 what routers say).

/// What became of a packet of some size that nobody may cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Fits,
    /// A router, or this host, said that it is too large, and perhaps what the next link takes.
    TooBig(Option<u16>),
    /// No answer, however often it was sent: a router drops it and says nothing, or the path is broken.
    Silent,
}

/// The search, in octets of IP packets with their headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// Largest size that was answered.
    fits: Option<u16>,
    /// Smallest size to try at all.
    least: u16,
    /// Smallest size that is known not to fit.
    too_big: u32,
    /// Size that a router named; it is tried first, and when it fits the next larger one, which should not.
    told: Option<u16>,
    /// Whether a size was lost without a word.
    silent: bool,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The largest packet; `silent` if some router drops larger ones without a word, which breaks programs that rely
    /// on being told (a black hole).
    Mtu {
        /// Octets with the IP header.
        octets: u16,
        /// Whether larger packets vanish without a word.
        silent: bool,
    },
    /// Not even the smallest packet was answered.
    Unreachable,
}

impl Search {
    /// A search from `least` octets, which every link must take, to `most`.
    pub fn new(least: u16, most: u16) -> Self {
        Self { fits: None, least, too_big: u32::from(most) + 1, told: None, silent: false }
    }

    /// The size to try next; none when the answer is known.
    pub fn next_size(&self) -> Option<u16> {
        let Some(fits) = self.fits else { return (u32::from(self.least) < self.too_big).then_some(self.least) };
        let (low, high) = (u32::from(fits) + 1, self.too_big);
        if low >= high {
            return None;
        }
        let inside = |size: u32| (low..high).contains(&size);
        // What links have most often, before halving: it is right at once on nearly all paths.
        let usual = [1500, 1492, 9000, 1480, 1420, 1400].into_iter().find(|usual| inside(*usual) && (high - low) > 64);
        let told = self.told.map(|told| if told == fits { low } else { u32::from(told) });
        let size = told.filter(|told| inside(*told)).or(usual).unwrap_or(low + (high - low) / 2);
        u16::try_from(size).ok()
    }

    /// Takes in what became of a size.
    pub fn outcome(&mut self, size: u16, outcome: Outcome) {
        match outcome {
            Outcome::Fits => self.fits = self.fits.max(Some(size)),
            Outcome::TooBig(next) => {
                self.too_big = self.too_big.min(u32::from(size));
                self.told = next.filter(|next| *next < size).or(self.told);
            }
            Outcome::Silent => {
                self.silent = true;
                self.too_big = self.too_big.min(u32::from(size));
            }
        }
    }

    /// What was found, when there is nothing left to try.
    pub fn found(&self) -> Found {
        self.fits.map_or(Found::Unreachable, |octets| Found::Mtu { octets, silent: self.silent })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Searches a path of this size, and says what was found and how many packets it took.
    fn search(mtu: u16, answer: impl Fn(u16) -> Outcome) -> (Found, u32) {
        let mut search = Search::new(68, 65_535);
        let mut packets = 0;
        while let Some(size) = search.next_size() {
            search.outcome(size, if size <= mtu { Outcome::Fits } else { answer(size) });
            packets += 1;
            assert!(packets < 40, "no end");
        }
        (search.found(), packets)
    }

    #[test]
    fn a_router_that_says_its_size_is_believed_and_checked() {
        let (found, packets) = search(1_450, |_| Outcome::TooBig(Some(1_450)));
        assert_eq!(found, Found::Mtu { octets: 1_450, silent: false });
        assert!(packets <= 5, "{packets} packets");
        let liar = search(1_300, |_| Outcome::TooBig(Some(1_400))).0;
        assert_eq!(liar, Found::Mtu { octets: 1_300, silent: false });
    }

    #[test]
    fn nobody_at_all_is_told_from_a_small_path() {
        let mut search = Search::new(1_280, 1_500);
        assert_eq!(search.next_size(), Some(1_280));
        search.outcome(1_280, Outcome::Silent);
        assert_eq!((search.next_size(), search.found()), (None, Found::Unreachable));
    }

    proptest! {
        #[test]
        fn every_size_is_found_also_behind_a_black_hole(mtu in 68_u16..=65_535) {
            prop_assert_eq!(search(mtu, |_| Outcome::Silent).0, Found::Mtu { octets: mtu, silent: mtu < 65_535 });
            prop_assert_eq!(search(mtu, |_| Outcome::TooBig(None)).0, Found::Mtu { octets: mtu, silent: false });
        }
    }
}
