//! Whole numbers bit-packed in blocks of 64.
//!
//! A block begins with a base (zigzag varint) and a head byte. By the head's upper bits the rest is
//!
//! * `00`: the differences to the base, which is the least number, in as many bits as the lower
//!   bits say;
//! * `10`: the same, and exceptions: how many, then for each its position and the bits that did not
//!   fit. A few outliers thus do not widen the other numbers;
//! * `11`: a bitmap of the numbers that are not zero, and their zigzag forms, less one, in as many
//!   bits as the lower bits say: what changes now and then. The base is zero;
//! * `01` and zero: the differences as 8 bytes each;
//! * `01` and else: Golomb-Rice codes, for numbers that scatter around a middle. The base is that middle, written as
//!   the difference to the one of such a block before; the lower bits, less one, say how many low bits of each zigzag
//!   distance come first for all, and what is above them follows as so many zero bits and a one. (Since format 2.)
//!
//! Noise around a middle takes about a bit less in codes than in a width that holds its extremes, and the middle need
//! not be told anew for each block. So does whatever has rare large values on both sides.

mod read;

use crate::bytes::{put_varint, put_zigzag, zigzag};
pub(crate) use read::read;

const BLOCK: usize = 64;
const EXCEPTIONS: u8 = 0x80;
const SPARSE: u8 = 0xc0;
const WIDTH: u8 = 0x3f;
const MAX_EXCEPTIONS: usize = 10;
/// Widest that one unaligned 64-bit read can serve; wider numbers are written as eight bytes.
const MAX_WIDTH: u8 = 57;
const WHOLE: u8 = 64;
/// Most low bits of a Golomb-Rice code: the lower bits of the head are one more.
const MAX_LOW: u8 = MAX_WIDTH - 1;
/// Most zero bits of such a code: any more would be an outlier, for which exceptions are better.
const MAX_HIGH: u64 = 32;

/// Writes to `out` the differences of an order: 0 to the first number, 1 to the number before, 2
/// to the difference before. The first number itself stands elsewhere.
pub(crate) fn difference(ints: &[i64], order: u8, out: &mut Vec<i64>) {
    out.clear();
    let Some((&first, rest)) = ints.split_first() else { return };
    match order {
        0 => out.extend(rest.iter().map(|n| n.wrapping_sub(first))),
        1 => out.extend(ints.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]))),
        _ => {
            let mut before = 0i64;
            out.extend(ints.windows(2).map(|pair| {
                let delta = pair[1].wrapping_sub(pair[0]);
                let second = delta.wrapping_sub(before);
                before = delta;
                second
            }));
        }
    }
}

/// The order whose differences take the fewest bytes, judged by one block of a short column and by
/// three of a long one.
pub(crate) fn choose_order(ints: &[i64], effort: Effort, scratch: &mut Vec<i64>) -> u8 {
    /// A block this short is not worth a search.
    const SHORT: usize = 6;
    let last = ints.len().saturating_sub(BLOCK + 1);
    let starts: &[usize] = if ints.len() <= 3 * BLOCK { &[last / 2] } else { &[0, last / 2, last] };
    let mut best = (usize::MAX, 0);
    for order in [1, 0, 2] {
        let mut cost = 0;
        for &start in starts {
            let end = (start + BLOCK + 1).min(ints.len());
            difference(ints.get(start..end).unwrap_or_default(), order, scratch);
            cost += plan(scratch.get(..scratch.len().min(BLOCK)).unwrap_or_default(), effort, None).cost;
        }
        if cost < best.0 {
            best = (cost, order);
        }
        if best.0 <= SHORT * starts.len() {
            break;
        }
    }
    best.1
}

/// How hard to look for the form that takes the fewest bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Effort {
    /// All forms: for what is written once and kept for long.
    #[default]
    Full,
    /// Without codes, which take about twice as long to choose and to read: for what is in memory for a while.
    Quick,
}

struct Plan {
    base: i64,
    form: Form,
    /// About how many bytes the block takes.
    cost: usize,
}

/// How the numbers of a block are written.
enum Form {
    /// In so many bits, with so many exceptions.
    Packed { width: u8, exceptions: usize },
    /// A bitmap of those that are not zero, and these in so many bits.
    Sparse { width: u8 },
    /// As Golomb-Rice codes with so many low bits.
    Codes { low: u8 },
}

fn bits(n: u64) -> usize {
    64 - n.leading_zeros() as usize
}

/// Bytes of a number as a zigzag varint.
fn varint_bytes(n: i64) -> usize {
    bits(zigzag(n)).div_ceil(7).max(1)
}

/// Chooses the low bits of codes around a middle that take the fewest bytes, and tells these. `None` when numbers lie
/// too far from it.
fn codes(block: &[i64], base: i64) -> Option<(u8, usize)> {
    let distance = |n: &i64| zigzag(n.wrapping_sub(base));
    let farthest = block.iter().map(distance).max().unwrap_or(0);
    if bits(farthest) > usize::from(MAX_WIDTH) {
        return None;
    }
    // The sum of 64 such distances fits. Best is the logarithm of their mean, or one less.
    let mean = block.iter().map(distance).sum::<u64>() / block.len().max(1) as u64;
    let about = bits(mean).saturating_sub(1) as u8;
    let sizes = (about.saturating_sub(1)..=about.min(MAX_LOW)).filter(|low| farthest >> low <= MAX_HIGH);
    let size = |low: u8| {
        let high: u64 = block.iter().map(|n| (distance(n) >> low) + 1).sum();
        (block.len() * usize::from(low)).div_ceil(8) + (high as usize).div_ceil(8)
    };
    sizes.map(|low| (low, size(low))).min_by_key(|(_, size)| *size)
}

/// Chooses the form of a block that takes the fewest bytes. The middle of the codes before it is known, or, when
/// only the size is asked for, taken to be right.
fn plan(block: &[i64], effort: Effort, middle: Option<i64>) -> Plan {
    let (mut base, mut changed, mut zigzags) = (i64::MAX, 0, 0);
    for &n in block {
        base = base.min(n);
        changed += usize::from(n != 0);
        zigzags |= zigzag(n).wrapping_sub(u64::from(n != 0));
    }
    let mut histogram = [0u8; 65];
    let mut widest = 0;
    for &n in block {
        let len = bits(n.wrapping_sub(base) as u64);
        histogram[len.min(64)] += 1;
        widest = widest.max(len);
    }
    let packed = |width: usize| (block.len() * width).div_ceil(8);
    let start = if widest > usize::from(MAX_WIDTH) { usize::from(WHOLE) } else { widest };
    let mut best = (packed(start), start, 0);
    let mut exceptions = 0;
    for width in (0..widest).rev() {
        exceptions += usize::from(histogram[width + 1]);
        if exceptions > MAX_EXCEPTIONS {
            break;
        }
        if width > usize::from(MAX_WIDTH) {
            continue;
        }
        let cost = packed(width) + 1 + exceptions * (1 + (widest - width).div_ceil(7));
        if cost < best.0 {
            best = (cost, width, exceptions);
        }
    }
    let cost = best.0 + bits(zigzag(base)).div_ceil(7).max(1) + 1;
    let mut plan = Plan { base, form: Form::Packed { width: best.1 as u8, exceptions: best.2 }, cost };
    let width = bits(zigzags);
    let sparse_cost = 2 + block.len().div_ceil(8) + (changed * width).div_ceil(8);
    if sparse_cost < plan.cost && width <= usize::from(MAX_WIDTH) {
        plan = Plan { base: 0, form: Form::Sparse { width: width as u8 }, cost: sparse_cost };
    }
    // Few bits a number leave nothing to gain.
    if effort == Effort::Full && plan.cost > block.len() / 4 && widest < usize::from(MAX_WIDTH) {
        let above: u64 = block.iter().map(|n| n.wrapping_sub(base) as u64).sum();
        let mean = base.wrapping_add((above / block.len().max(1) as u64) as i64);
        for base in [Some(mean), middle].into_iter().flatten() {
            let Some((low, size)) = codes(block, base) else { continue };
            let cost = size + 1 + middle.map_or(1, |middle| varint_bytes(base.wrapping_sub(middle)));
            if cost < plan.cost {
                plan = Plan { base, form: Form::Codes { low }, cost };
            }
        }
    }
    plan
}

/// Packs numbers.
pub(crate) fn put(numbers: &[i64], effort: Effort, out: &mut Vec<u8>) {
    let mut middle = 0;
    for block in numbers.chunks(BLOCK) {
        put_block(block, effort, &mut middle, out);
    }
}

fn put_block(block: &[i64], effort: Effort, middle: &mut i64, out: &mut Vec<u8>) {
    let plan = plan(block, effort, Some(*middle));
    match plan.form {
        Form::Packed { width, exceptions } => {
            put_zigzag(out, plan.base);
            put_packed(block, plan.base, width, exceptions, out);
        }
        Form::Sparse { width } => {
            put_zigzag(out, plan.base);
            out.push(SPARSE | width);
            put_bits(block.iter().map(|n| u64::from(*n != 0)), 1, out);
            put_bits(block.iter().filter(|n| **n != 0).map(|n| zigzag(*n) - 1), width, out);
        }
        Form::Codes { low } => {
            put_zigzag(out, plan.base.wrapping_sub(*middle));
            *middle = plan.base;
            out.push(WHOLE | (low + 1));
            let distances = || block.iter().map(|n| zigzag(n.wrapping_sub(plan.base)));
            put_bits(distances(), low, out);
            put_unary(distances().map(|distance| distance >> low), out);
        }
    }
}

fn put_packed(block: &[i64], base: i64, width: u8, exceptions: usize, out: &mut Vec<u8>) {
    out.push(width | if exceptions > 0 { EXCEPTIONS } else { 0 });
    let offset = |n: &i64| n.wrapping_sub(base) as u64;
    if width == WHOLE {
        for n in block {
            out.extend_from_slice(&offset(n).to_le_bytes());
        }
        return;
    }
    put_bits(block.iter().map(offset), width, out);
    if exceptions > 0 {
        put_varint(out, exceptions as u64);
        for (i, n) in block.iter().enumerate() {
            let high = offset(n) >> width;
            if high != 0 {
                out.push(i as u8);
                put_varint(out, high);
            }
        }
    }
}

/// Writes numbers up to [`MAX_HIGH`] as so many zero bits and a one, the lowest bit first.
fn put_unary(numbers: impl Iterator<Item = u64>, out: &mut Vec<u8>) {
    let (mut buffer, mut filled) = (0u64, 0u32);
    for n in numbers {
        // At most 7 bits are left over and 33 come.
        filled += n.min(MAX_HIGH) as u32;
        buffer |= 1 << filled;
        filled += 1;
        let whole = filled / 8;
        out.extend_from_slice(buffer.to_le_bytes().get(..whole as usize).unwrap_or_default());
        buffer >>= whole * 8;
        filled %= 8;
    }
    if filled > 0 {
        out.push(buffer as u8);
    }
}

/// Writes the low bits of numbers one behind the other, the lowest bit first.
fn put_bits(numbers: impl Iterator<Item = u64>, width: u8, out: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let mask = (1u64 << width) - 1;
    let (mut buffer, mut filled) = (0u64, 0u32);
    for n in numbers {
        buffer |= (n & mask) << filled;
        filled += u32::from(width);
        // At most 7 bits are left over and 57 come: the buffer never overflows.
        let whole = (filled / 8) as usize;
        out.extend_from_slice(buffer.to_le_bytes().get(..whole).unwrap_or_default());
        // A shift by all 64 bits is not one that a processor knows.
        buffer = buffer.checked_shr(whole as u32 * 8).unwrap_or(0);
        filled %= 8;
    }
    if filled > 0 {
        out.push(buffer as u8);
    }
}
