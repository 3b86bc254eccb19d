//! Which steps of a column hold a value.

/// One bit for each step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bitmap {
    words: Vec<u64>,
    len: usize,
}

impl Bitmap {
    /// `len` bits, all clear.
    pub(crate) fn clear(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    /// `len` bits, all set.
    pub(crate) fn full(len: usize) -> Self {
        let mut words = vec![u64::MAX; len.div_ceil(64)];
        if let (Some(last), rest @ 1..) = (words.last_mut(), len % 64) {
            *last = (1 << rest) - 1;
        }
        Self { words, len }
    }

    pub(crate) fn set(&mut self, i: usize) {
        if let Some(word) = self.words.get_mut(i / 64) {
            *word |= 1 << (i % 64);
        }
    }

    pub(crate) fn unset(&mut self, i: usize) {
        if let Some(word) = self.words.get_mut(i / 64) {
            *word &= !(1 << (i % 64));
        }
    }

    pub(crate) fn has(&self, i: usize) -> bool {
        self.words.get(i / 64).is_some_and(|word| word >> (i % 64) & 1 == 1)
    }

    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.count() == self.len
    }

    /// Keeps what `f` makes of each pair of words.
    fn combine(&mut self, other: &Self, f: impl Fn(u64, u64) -> u64) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word = f(*word, *other);
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.combine(other, |a, b| a | b);
    }

    pub(crate) fn keep(&mut self, other: &Self) {
        self.combine(other, |a, b| a & b);
    }

    pub(crate) fn remove(&mut self, other: &Self) {
        self.combine(other, |a, b| a & !b);
    }

    /// What both have set.
    pub(crate) fn common(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.keep(other);
        both
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(a, b)| a & b != 0)
    }

    /// Indexes of the set bits, rising.
    pub(crate) fn ones(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(w, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(w * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_set_counted_and_walked_across_words() {
        let mut map = Bitmap::clear(130);
        for i in [0, 63, 64, 129] {
            map.set(i);
        }
        assert_eq!(map.ones().collect::<Vec<_>>(), [0, 63, 64, 129]);
        map.unset(63);
        assert!(!map.has(63) && map.has(129) && map.count() == 3 && !map.is_full());
        assert!(Bitmap::full(130).is_full() && Bitmap::full(128).is_full() && Bitmap::full(0).is_full());
        let mut rest = Bitmap::full(130);
        rest.remove(&map);
        assert_eq!(rest.count(), 127);
        assert!(!rest.overlaps(&map));
    }
}
