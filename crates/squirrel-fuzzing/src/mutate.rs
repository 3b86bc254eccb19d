//! A mutator without coverage: it changes, joins and cuts inputs, and puts in words of a dictionary and numbers at which
//! programs err. The same seed makes the same inputs everywhere.

/// Longest input.
const LONGEST: usize = 4_096;

/// Numbers at the ends of types, in the widths in which formats write lengths.
const ENDS: [u64; 10] = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX];

/// Signs at which texts are parted.
const SIGNS: &[u8] = b"\0\n\r\t \"'\\`(){}[]<>:;,.=!~@%&*+-/_0919aAzZ\x1b\x7f\x80\xc3\xe2\xff";

/// Makes inputs out of others.
#[derive(Clone, Debug)]
pub struct Mutator<'a> {
    state: u64,
    corpus: &'a [Vec<u8>],
    words: &'a [Vec<u8>],
}

impl<'a> Mutator<'a> {
    /// A mutator of these inputs, with the words of a dictionary, from this seed.
    pub fn new(seed: u64, corpus: &'a [Vec<u8>], words: &'a [Vec<u8>]) -> Self {
        Self { state: seed, corpus, words }
    }

    /// The next input.
    pub fn input(&mut self) -> Vec<u8> {
        let mut out = self.pick(self.corpus).cloned().unwrap_or_default();
        for _ in 0..=self.below(6) {
            self.change(&mut out);
        }
        out.truncate(LONGEST);
        out
    }

    /// Steele, Lea and Flood's SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when that is 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap_or(0)
    }

    fn pick<T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// A piece of an input, as long as chance has it.
    fn piece(&mut self, of: &[u8]) -> Vec<u8> {
        let start = self.below(of.len() + 1);
        let length = self.below((of.len() - start).min(64) + 1);
        of[start..start + length].to_vec()
    }

    fn change(&mut self, out: &mut Vec<u8>) {
        let place = self.below(out.len() + 1);
        match self.below(10) {
            0 => {
                if let Some(octet) = out.get_mut(place) {
                    *octet ^= 1 << self.below(8);
                }
            }
            1 => {
                let octet = self.next() as u8;
                out.insert(place, octet);
            }
            2 => {
                let end = (place + 1 + self.below(8)).min(out.len());
                out.drain(place.min(end)..end);
            }
            3 => out.truncate(place),
            4 => {
                let piece = self.piece(&out.clone());
                out.splice(place..place, piece);
            }
            5 => {
                let other = self.pick(self.corpus).cloned().unwrap_or_default();
                let piece = self.piece(&other);
                out.splice(place..place, piece);
            }
            6 => {
                if let Some(word) = self.pick(self.words) {
                    out.splice(place..place, word.iter().copied());
                }
            }
            7 => {
                let octets = ENDS[self.below(ENDS.len())].to_le_bytes();
                let width = [1, 2, 4, 8][self.below(4)];
                let end = (place + width).min(out.len());
                let mut written = octets[..width].to_vec();
                if self.below(2) == 0 {
                    written.reverse();
                }
                out.splice(place..end, written);
            }
            8 => {
                let sign = SIGNS[self.below(SIGNS.len())];
                let times = 1 + self.below(3) * self.below(20);
                out.splice(place..place, std::iter::repeat_n(sign, times));
            }
            _ => {
                // Head of one, tail of another.
                let other = self.pick(self.corpus).cloned().unwrap_or_default();
                let from = self.below(other.len() + 1);
                out.truncate(place);
                out.extend_from_slice(&other[from..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_inputs_and_they_differ_from_each_other() {
        let corpus = [b"rate(a[5m])".to_vec(), b"sum(b)".to_vec()];
        let words = [b"offset".to_vec()];
        let made = |seed| {
            let mut mutator = Mutator::new(seed, &corpus, &words);
            (0..1_000).map(|_| mutator.input()).collect::<Vec<_>>()
        };
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
        let mut all = made(1);
        all.sort();
        all.dedup();
        assert!(all.len() > 800, "{} different inputs", all.len());
        assert!(all.iter().any(|one| one.windows(6).any(|w| w == b"offset")), "words of the dictionary are used");
        assert!(all.iter().all(|one| one.len() <= LONGEST));
    }

    #[test]
    fn nothing_becomes_something() {
        let mut mutator = Mutator::new(7, &[], &[]);
        assert!((0..100).any(|_| !mutator.input().is_empty()));
    }
}
