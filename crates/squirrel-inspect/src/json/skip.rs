//! Passing over a value that is of no interest, a block at a time.

use crate::octets::{BLOCK, Classes, escaped, is_plain_text, parity};

/// A string or a container that is being passed over.
///
/// Brackets are counted and not paired: `[}` passes. An inspector is no validator, and the message is
/// not ours to refuse.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Skip {
    /// Open brackets; zero for a string.
    depth: u32,
    in_text: bool,
    /// Whether the next octet is escaped.
    escaped: bool,
}

/// The depth that skipping has reached, and the steps it took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    /// Levels that are left.
    pub(crate) levels: u32,
    pub(crate) too_deep: bool,
    pub(crate) work: u64,
}

impl Skip {
    /// After the quotation mark that opens a string.
    pub(crate) fn text() -> Self {
        Self { depth: 0, in_text: true, escaped: false }
    }

    /// After the bracket that opens a container.
    pub(crate) fn container() -> Self {
        Self { depth: 1, in_text: false, escaped: false }
    }

    /// Goes on through `octets`: how many belong to the value, and whether it ended.
    pub(crate) fn advance(&mut self, octets: &[u8], meter: &mut Meter) -> (usize, bool) {
        let mut used = 0;
        loop {
            let rest = octets.get(used..).unwrap_or_default();
            let (classes, length) = if let Some(block) = rest.first_chunk::<BLOCK>() {
                if self.in_text && is_plain_text(block) {
                    meter.work += 1;
                    self.escaped = false;
                    used += BLOCK;
                    continue;
                }
                (Classes::of(block), BLOCK)
            } else if rest.is_empty() {
                return (used, false);
            } else {
                let mut padded = [b' '; BLOCK];
                if let Some(room) = padded.get_mut(..rest.len()) {
                    room.copy_from_slice(rest);
                }
                (Classes::of(&padded), rest.len())
            };
            meter.work += 1;
            if let Some(last) = self.block(&classes, length, meter) {
                return (used + last as usize + 1, true);
            }
            used += length;
        }
    }

    /// The place of the value's last octet, when it is in this block.
    #[inline]
    fn block(&mut self, classes: &Classes, length: usize, meter: &mut Meter) -> Option<u32> {
        if classes.is_plain() {
            self.escaped = false;
            return None;
        }
        let (escaped, after) = escaped(classes.backslashes(), self.escaped);
        let quotes = classes.quotes() & !escaped;
        if self.depth == 0 {
            if quotes != 0 {
                return Some(quotes.trailing_zeros());
            }
        } else if !self.in_text || quotes != 0 {
            let outside = !parity(quotes) ^ if self.in_text { u64::MAX } else { 0 };
            if let Some(last) = self.brackets(classes.opening() & outside, classes.closing() & outside, meter) {
                return Some(last);
            }
            self.in_text = (outside >> (length - 1)) & 1 == 0;
        }
        self.escaped = if length == BLOCK { after } else { (escaped >> length) & 1 == 1 };
        None
    }

    #[inline]
    fn brackets(&mut self, opening: u64, closing: u64, meter: &mut Meter) -> Option<u32> {
        let highest = self.depth.saturating_add(opening.count_ones());
        if closing.count_ones() < self.depth && highest <= meter.levels {
            self.depth = highest - closing.count_ones();
            return None;
        }
        let mut left = opening | closing;
        while left != 0 {
            let place = left.trailing_zeros();
            meter.work += 1;
            if (opening >> place) & 1 == 1 {
                self.depth = self.depth.saturating_add(1);
                meter.too_deep |= self.depth > meter.levels;
            } else {
                self.depth -= 1;
                if self.depth == 0 {
                    return Some(place);
                }
            }
            left &= left - 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, read one octet at a time.
    fn slowly(octets: &[u8], container: bool) -> Option<usize> {
        let (mut depth, mut in_text, mut escaped) = (u32::from(container), !container, false);
        for (at, octet) in octets.iter().enumerate() {
            let now = std::mem::take(&mut escaped);
            match octet {
                b'\\' => escaped = !now,
                b'"' if !now => in_text = !in_text,
                b'{' | b'[' if !in_text && container => depth += 1,
                b'}' | b']' if !in_text && container => depth -= 1,
                _ => {}
            }
            if !in_text && depth == 0 {
                return Some(at + 1);
            }
        }
        None
    }

    fn quickly(octets: &[u8], container: bool, cut: usize) -> Option<usize> {
        let mut skip = if container { Skip::container() } else { Skip::text() };
        let mut meter = Meter { levels: 1_000, ..Meter::default() };
        let mut before = 0;
        for piece in octets.chunks(cut) {
            let (used, ended) = skip.advance(piece, &mut meter);
            before += used;
            if ended {
                return Some(before);
            }
        }
        None
    }

    proptest! {
        #[test]
        fn a_value_ends_where_reading_each_octet_ends_it(
            picks in proptest::collection::vec(0_usize..14, 0..400),
            container in any::<bool>(),
            cut in 1_usize..200,
        ) {
            let octets: Vec<u8> = picks.iter().map(|pick| b"aaaaaaa\"\\{}[]\""[*pick]).collect();
            prop_assert_eq!(quickly(&octets, container, cut), slowly(&octets, container));
        }

        #[test]
        fn long_texts_full_of_escapes_end_where_they_end(
            picks in proptest::collection::vec(0_usize..40, 0..800),
            cut in 1_usize..200,
        ) {
            let octets: Vec<u8> = picks.iter().map(|pick| if *pick == 0 { b'"' } else if *pick < 6 { b'\\' } else { b'[' }).collect();
            prop_assert_eq!(quickly(&octets, false, cut), slowly(&octets, false));
        }
    }

    #[test]
    fn an_escape_reaches_over_the_border_of_a_block_and_of_a_piece() {
        for before in 0..140 {
            for backslashes in 1..4 {
                let inside = "a".repeat(before) + &"\\".repeat(backslashes) + "\"a\"]";
                for (octets, container) in [(inside.clone(), false), (format!("\"{inside}"), true)] {
                    let expected = slowly(octets.as_bytes(), container);
                    for cut in [1, 7, 64, 1_000] {
                        let found = quickly(octets.as_bytes(), container, cut);
                        assert_eq!(found, expected, "{before} {backslashes} {container} {cut}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_deepest_level_is_told_exactly() {
        for (depth, too_deep) in [(9, false), (10, true), (500, true)] {
            let mut octets = vec![b'['; depth];
            octets.extend(vec![b']'; depth + 1]);
            let mut meter = Meter { levels: 10, ..Meter::default() };
            let ended = Skip::container().advance(&octets, &mut meter);
            assert_eq!((ended, meter.too_deep), ((octets.len(), true), too_deep), "{depth}");
        }
    }
}
