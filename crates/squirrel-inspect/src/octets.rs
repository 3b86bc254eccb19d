//! Looking for single octets, many at a time.
//!
//! Plain loops over arrays of a fixed size, which compilers turn into vector instructions, and
//! multiplications that gather one bit of each of eight octets: fast without `unsafe`.

/// Octets that are looked at together.
pub(crate) const BLOCK: usize = 64;

/// Which octets of a block matter to JSON: one octet for each, with a bit for each class.
pub(crate) struct Classes {
    words: [u64; BLOCK / 8],
    any: u64,
}

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const GATHER: u64 = 0x0102_0408_1020_4080;

impl Classes {
    /// Looks at a block.
    #[inline]
    pub(crate) fn of(block: &[u8; BLOCK]) -> Self {
        let mut classes = [0_u8; BLOCK];
        for (class, octet) in classes.iter_mut().zip(block) {
            // Square brackets differ from curly ones in this bit only.
            let bracket = octet | 0x20;
            *class = u8::from(*octet == b'"')
                | (u8::from(*octet == b'\\') << 1)
                | (u8::from(bracket == b'{') << 2)
                | (u8::from(bracket == b'}') << 3);
        }
        let mut words = [0_u64; BLOCK / 8];
        let mut any = 0;
        for (word, octets) in words.iter_mut().zip(classes.chunks_exact(8)) {
            *word = octets.first_chunk().copied().map_or(0, u64::from_le_bytes);
            any |= *word;
        }
        Self { words, any }
    }

    /// Whether none matters.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.any == 0
    }

    /// Quotation marks: bit 0 for the first octet.
    #[inline]
    pub(crate) fn quotes(&self) -> u64 {
        self.gather(0)
    }

    /// Backslashes.
    #[inline]
    pub(crate) fn backslashes(&self) -> u64 {
        if self.any & (LOW_BITS << 1) == 0 { 0 } else { self.gather(1) }
    }

    /// Opening brackets, square and curly.
    #[inline]
    pub(crate) fn opening(&self) -> u64 {
        self.gather(2)
    }

    /// Closing brackets, square and curly.
    #[inline]
    pub(crate) fn closing(&self) -> u64 {
        self.gather(3)
    }

    #[inline]
    fn gather(&self, class: u32) -> u64 {
        let mut mask = 0;
        for (index, word) in self.words.iter().enumerate() {
            // Bit 8·i of the word lands at bit 56 + i of the product; no two bits meet.
            let bits = ((word >> class) & LOW_BITS).wrapping_mul(GATHER) >> 56;
            mask |= bits << (8 * index);
        }
        mask
    }
}

/// For each bit, whether an odd number of bits up to and with it is set.
#[inline]
pub(crate) fn parity(mask: u64) -> u64 {
    (0..6).fold(mask, |mask, power| mask ^ (mask << (1 << power)))
}

/// The octets after a run of backslashes that escapes them, backslashes themselves left out, and
/// whether the octet after the block is escaped. `first` says whether the first octet is, by the
/// block before.
///
/// A run escapes what follows when its length is odd, so when it starts and ends at places of unlike
/// parity. Adding the start of a run to the run carries a bit to the place after its end.
#[inline]
pub(crate) fn escaped(backslashes: u64, first: bool) -> (u64, bool) {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let first = u64::from(first);
    let runs = backslashes & !first;
    let starts = runs & !(runs << 1);
    let after_even = runs.wrapping_add(starts & EVEN) & !runs & !EVEN;
    let (sum, carry) = runs.overflowing_add(starts & !EVEN);
    (after_even | (sum & !runs & EVEN) | first, carry)
}

/// Whether a block holds neither a quotation mark nor a backslash.
#[inline]
pub(crate) fn is_plain_text(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(0, |found, octet| found | u8::from(*octet == b'"') | u8::from(*octet == b'\\')) == 0
}

/// Where the first quotation mark or backslash stands, eight octets at a time; the length when there is none.
#[inline]
pub(crate) fn find_text_end(octets: &[u8]) -> usize {
    let words = octets.chunks_exact(8);
    let (whole, tail) = (words.len(), words.remainder());
    for (index, word) in words.enumerate() {
        let word = word.first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
        let found = zeros(word ^ (LOW_BITS * u64::from(b'"'))) | zeros(word ^ (LOW_BITS * u64::from(b'\\')));
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let end = tail.iter().position(|octet| matches!(octet, b'"' | b'\\')).unwrap_or(tail.len());
    whole * 8 + end
}

/// The highest bit of each octet that is zero. Octets above the first such one may be marked wrongly.
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(LOW_BITS) & !word & (LOW_BITS << 7)
}

/// Where `wanted` stands first.
#[inline]
pub(crate) fn find(octets: &[u8], wanted: u8) -> Option<usize> {
    let blocks = octets.chunks_exact(BLOCK);
    let (whole, tail) = (blocks.len(), blocks.remainder());
    for (index, block) in blocks.enumerate() {
        if block.iter().fold(0_u8, |found, octet| found | u8::from(*octet == wanted)) != 0 {
            return block.iter().position(|octet| *octet == wanted).map(|place| index * BLOCK + place);
        }
    }
    tail.iter().position(|octet| *octet == wanted).map(|place| whole * BLOCK + place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mask(block: &[u8; BLOCK], wanted: &[u8]) -> u64 {
        (0..BLOCK).filter(|at| wanted.contains(&block[*at])).map(|at| 1 << at).sum()
    }

    proptest! {
        #[test]
        fn masks_name_each_octet(seed in proptest::collection::vec(any::<u8>(), BLOCK)) {
            for dense in [false, true] {
                let pick = |octet: &u8| if dense { b"\"\\{}[]a"[usize::from(*octet % 7)] } else { *octet };
                let block: [u8; BLOCK] = std::array::from_fn(|at| pick(&seed[at]));
                let classes = Classes::of(&block);
                prop_assert_eq!(classes.quotes(), mask(&block, b"\""));
                prop_assert_eq!(classes.backslashes(), mask(&block, b"\\"));
                prop_assert_eq!(classes.opening(), mask(&block, b"{["));
                prop_assert_eq!(classes.closing(), mask(&block, b"}]"));
                prop_assert_eq!(classes.is_plain(), mask(&block, b"\"\\{}[]") == 0);
                prop_assert_eq!(is_plain_text(&block), mask(&block, b"\"\\") == 0);
            }
        }

        #[test]
        fn escapes_are_as_read_one_by_one(backslashes in any::<u64>(), more in any::<u64>(), first in any::<bool>()) {
            // Long runs and none, and what escapes a backslash is of no interest.
            let backslashes = if first { backslashes | more } else { backslashes & more };
            let (mut expected, mut next) = (0_u64, first);
            for at in 0..64 {
                expected |= u64::from(next) << at;
                next = !next && backslashes >> at & 1 == 1;
            }
            let (found, after) = escaped(backslashes, first);
            prop_assert_eq!((found & !backslashes, after), (expected & !backslashes, next));
        }

        #[test]
        fn parity_counts_up_to_each_bit(mask in any::<u64>()) {
            let expected = (0..64).filter(|at| (mask << (63 - at)).count_ones() % 2 == 1).map(|at| 1_u64 << at).sum::<u64>();
            prop_assert_eq!(parity(mask), expected);
        }

        #[test]
        fn the_first_is_found(octets in proptest::collection::vec(0_u8..20, 0..300)) {
            prop_assert_eq!(find(&octets, 7), octets.iter().position(|octet| *octet == 7));
            let near = [b'"', b'!', b'#', b'\\', b'[', b']', 0xa2, 0xdc, 0x80, 0, b'a', 0xff];
            let texts: Vec<u8> = octets.iter().map(|octet| near[usize::from(*octet) % (near.len() + 6) % near.len()]).collect();
            let plain: Vec<u8> = texts.iter().copied().filter(|octet| !b"\"\\".contains(octet)).collect();
            let end = texts.iter().position(|octet| b"\"\\".contains(octet)).unwrap_or(texts.len());
            prop_assert_eq!((find_text_end(&texts), find_text_end(&plain)), (end, plain.len()));
        }
    }
}
