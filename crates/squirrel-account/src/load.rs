//! How much detail the number of connections allows.
//!
//! Up to the limit each connection is followed in each step. Above it, when there are more than `s` times as many (s is
//! a power of two), one connection in s is followed, and its bytes count s times; and the sockets are dumped in every
//! s-th step, at most every eighth. The share is chosen by the connection's cookie, so a connection is followed from its
//! first to its last byte or not at all. Detail comes back when the number has fallen clearly below the threshold.

/// Longest pause between two dumps, in steps.
const LONGEST_PERIOD: u32 = 8;
/// At most one in so many is followed; beyond that rows are refused and counted.
const SPARSEST: u32 = 1 << 16;

/// The present detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    limit: usize,
    /// One connection in so many is followed.
    pub(crate) sampling: u32,
}

impl Load {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), sampling: 1 }
    }

    /// Steps between two dumps.
    pub(crate) fn period(self) -> u32 {
        self.sampling.min(LONGEST_PERIOD)
    }

    /// Adapts to the number of sockets that a dump showed. Answers whether the share changed.
    pub(crate) fn adapt(&mut self, sockets: usize) -> bool {
        let before = self.sampling;
        let room = |sampling: u32| self.limit.saturating_mul(sampling as usize);
        while sockets > room(self.sampling) && self.sampling < SPARSEST {
            self.sampling *= 2;
        }
        // Down only with a fifth to spare, so that a number near the threshold does not go to and fro.
        while self.sampling > 1 && sockets <= room(self.sampling / 2) / 5 * 4 {
            self.sampling /= 2;
        }
        self.sampling != before
    }

    /// What sampling may be wrong by, as a share: the standard error of the sum over connections of like size.
    pub(crate) fn error(self, followed: usize) -> f64 {
        if self.sampling <= 1 || followed == 0 {
            return 0.0;
        }
        let left_out = 1.0 - 1.0 / f64::from(self.sampling);
        (left_out / followed as f64).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn detail_goes_by_steps_and_comes_back_with_some_to_spare() {
        let mut load = Load::new(100);
        let mut at = |sockets| {
            let changed = load.adapt(sockets);
            (load.sampling, load.period(), changed)
        };
        assert_eq!(at(100), (1, 1, false));
        assert_eq!(at(101), (2, 2, true));
        assert_eq!(at(90), (2, 2, false));
        assert_eq!(at(1_000), (16, 8, true));
        assert_eq!(at(80), (1, 1, true));
        assert_eq!(at(usize::MAX), (SPARSEST, 8, true));
    }

    #[test]
    fn the_error_shrinks_with_what_is_followed() {
        let mut load = Load::new(10_000);
        assert_eq!(load.error(10_000), 0.0);
        load.adapt(20_000);
        assert!((load.error(10_000) - 0.00707).abs() < 0.0001);
        assert_eq!(load.error(0), 0.0);
    }

    proptest! {
        #[test]
        fn what_is_followed_stays_near_the_limit(sockets in 1usize..6_000_000, limit in 1_000usize..200_000) {
            let mut load = Load::new(limit);
            load.adapt(sockets);
            prop_assert!(sockets / load.sampling as usize <= limit);
            prop_assert!(!load.adapt(sockets));
        }
    }
}
