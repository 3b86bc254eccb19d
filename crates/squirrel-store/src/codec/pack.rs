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
//! * `01`: the differences as 8 bytes each.

use crate::bytes::{Reader, put_varint, put_zigzag, unzigzag, zigzag};

const BLOCK: usize = 64;
const EXCEPTIONS: u8 = 0x80;
const SPARSE: u8 = 0xc0;
const WIDTH: u8 = 0x3f;
const MAX_EXCEPTIONS: usize = 10;
/// Widest that one unaligned 64-bit read can serve; wider numbers are written as eight bytes.
const MAX_WIDTH: u8 = 57;
const WHOLE: u8 = 64;

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
pub(crate) fn choose_order(ints: &[i64], scratch: &mut Vec<i64>) -> u8 {
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
            cost += plan(scratch.get(..scratch.len().min(BLOCK)).unwrap_or_default()).cost;
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

struct Plan {
    base: i64,
    width: u8,
    exceptions: usize,
    sparse: bool,
    /// About how many bytes the block takes.
    cost: usize,
}

fn bits(n: u64) -> usize {
    64 - n.leading_zeros() as usize
}

/// Chooses the form of a block that takes the fewest bytes.
fn plan(block: &[i64]) -> Plan {
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
    let width = bits(zigzags);
    let sparse_cost = 2 + block.len().div_ceil(8) + (changed * width).div_ceil(8);
    if sparse_cost < cost && width <= usize::from(MAX_WIDTH) {
        return Plan { base: 0, width: width as u8, exceptions: 0, sparse: true, cost: sparse_cost };
    }
    Plan { base, width: best.1 as u8, exceptions: best.2, sparse: false, cost }
}

/// Packs numbers.
pub(crate) fn put(numbers: &[i64], out: &mut Vec<u8>) {
    for block in numbers.chunks(BLOCK) {
        put_block(block, out);
    }
}

fn put_block(block: &[i64], out: &mut Vec<u8>) {
    let plan = plan(block);
    put_zigzag(out, plan.base);
    if plan.sparse {
        out.push(SPARSE | plan.width);
        put_bits(block.iter().map(|n| u64::from(*n != 0)), 1, out);
        put_bits(block.iter().filter(|n| **n != 0).map(|n| zigzag(*n) - 1), plan.width, out);
        return;
    }
    out.push(plan.width | if plan.exceptions > 0 { EXCEPTIONS } else { 0 });
    let offset = |n: &i64| n.wrapping_sub(plan.base) as u64;
    if plan.width == WHOLE {
        for n in block {
            out.extend_from_slice(&offset(n).to_le_bytes());
        }
        return;
    }
    put_bits(block.iter().map(offset), plan.width, out);
    if plan.exceptions > 0 {
        put_varint(out, plan.exceptions as u64);
        for (i, n) in block.iter().enumerate() {
            let high = offset(n) >> plan.width;
            if high != 0 {
                out.push(i as u8);
                put_varint(out, high);
            }
        }
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

/// Reads `count` numbers, the first of which is `first`, and hands each to `each`.
#[inline]
pub(crate) fn read(
    reader: &mut Reader<'_>,
    first: i64,
    count: usize,
    order: u8,
    mut each: impl FnMut(i64),
) -> Option<()> {
    if count == 0 {
        return Some(());
    }
    each(first);
    let mut left = count - 1;
    let (mut last, mut delta) = (first, 0i64);
    let mut offsets = [0u64; BLOCK];
    while left > 0 {
        let n = left.min(BLOCK);
        let base = read_block(reader, n, &mut offsets)?;
        let block = offsets.iter().take(n).map(|offset| base.wrapping_add(*offset as i64));
        match order {
            0 => block.for_each(|n| each(first.wrapping_add(n))),
            1 => block.for_each(|n| {
                last = last.wrapping_add(n);
                each(last);
            }),
            2 => block.for_each(|n| {
                delta = delta.wrapping_add(n);
                last = last.wrapping_add(delta);
                each(last);
            }),
            _ => return None,
        }
        left -= n;
    }
    Some(())
}

fn read_block(reader: &mut Reader<'_>, n: usize, offsets: &mut [u64; BLOCK]) -> Option<i64> {
    let base = reader.zigzag()?;
    let head = reader.u8()?;
    let width = head & WIDTH;
    if head == WHOLE {
        for offset in offsets.iter_mut().take(n) {
            *offset = reader.u64()?;
        }
        return Some(base);
    }
    if head & SPARSE == SPARSE {
        return read_sparse(reader, n, width, offsets).map(|()| base);
    }
    if head & WHOLE != 0 {
        return None;
    }
    read_bits(reader, n, width, offsets)?;
    if head & EXCEPTIONS != 0 {
        for _ in 0..reader.count().filter(|n| *n <= BLOCK)? {
            let at = usize::from(reader.u8()?);
            let high = reader.varint()?;
            *offsets.get_mut(at)? |= high.checked_shl(u32::from(width))?;
        }
    }
    Some(base)
}

fn read_bits(reader: &mut Reader<'_>, n: usize, width: u8, out: &mut [u64; BLOCK]) -> Option<()> {
    if width > MAX_WIDTH {
        return None;
    }
    let packed = reader.take((n * usize::from(width)).div_ceil(8))?;
    // A copy with room behind it, so that every number is one 8-byte read.
    let mut bytes = [0u8; BLOCK * 8 + 8];
    bytes.get_mut(..packed.len())?.copy_from_slice(packed);
    let mask = (1u64 << width) - 1;
    let mut at = 0usize;
    for number in out.iter_mut().take(n) {
        let word = bytes.get(at / 8..at / 8 + 8)?.first_chunk::<8>()?;
        *number = (u64::from_le_bytes(*word) >> (at % 8)) & mask;
        at += usize::from(width);
    }
    Some(())
}

fn read_sparse(reader: &mut Reader<'_>, n: usize, width: u8, offsets: &mut [u64; BLOCK]) -> Option<()> {
    let mut bitmap = [0u8; 8];
    bitmap.get_mut(..n.div_ceil(8))?.copy_from_slice(reader.take(n.div_ceil(8))?);
    // Bits beyond the last number would be damage; they must not be counted.
    let mut set = u64::from_le_bytes(bitmap) & (u64::MAX >> (BLOCK - n));
    let mut changed = [0u64; BLOCK];
    read_bits(reader, set.count_ones() as usize, width, &mut changed)?;
    offsets.fill(0);
    for zigzag in changed {
        if set == 0 {
            break;
        }
        *offsets.get_mut(set.trailing_zeros() as usize)? = unzigzag(zigzag.wrapping_add(1)) as u64;
        set &= set - 1;
    }
    Some(())
}
