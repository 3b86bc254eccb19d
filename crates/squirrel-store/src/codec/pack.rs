//! Whole numbers bit-packed in blocks of 64.
//!
//! A block is: the least number (zigzag varint), a byte with the width in bits (bit 7: there are
//! exceptions), the differences to the least number in that width, and the exceptions: how many,
//! then for each its position and the bits that did not fit. A few outliers thus do not widen the
//! other numbers.

use crate::bytes::{Reader, put_varint, put_zigzag};

const BLOCK: usize = 64;
const EXCEPTIONS: u8 = 0x80;
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

/// The order whose differences take the fewest bytes.
pub(crate) fn choose_order(ints: &[i64], scratch: &mut Vec<i64>) -> u8 {
    let mut best = (usize::MAX, 0);
    for order in [1, 0, 2] {
        difference(ints, order, scratch);
        let cost = scratch.chunks(BLOCK).map(|block| plan(block).cost).sum();
        if cost < best.0 {
            best = (cost, order);
        }
    }
    best.1
}

struct Plan {
    base: i64,
    width: u8,
    exceptions: usize,
    /// About how many bytes the block takes.
    cost: usize,
}

fn bits(n: u64) -> usize {
    64 - n.leading_zeros() as usize
}

/// Chooses base and width of a block, with as many exceptions as make it shorter.
fn plan(block: &[i64]) -> Plan {
    let base = block.iter().copied().min().unwrap_or_default();
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
    let base_len = bits(crate::bytes::zigzag(base)).div_ceil(7).max(1);
    Plan { base, width: best.1 as u8, exceptions: best.2, cost: best.0 + base_len + 1 }
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
    out.push(plan.width | if plan.exceptions > 0 { EXCEPTIONS } else { 0 });
    let offset = |n: &i64| n.wrapping_sub(plan.base) as u64;
    if plan.width == WHOLE {
        block.iter().for_each(|n| out.extend_from_slice(&offset(n).to_le_bytes()));
        return;
    }
    let mask = (1u64 << plan.width) - 1;
    let (mut buffer, mut filled) = (0u64, 0u32);
    if plan.width > 0 {
        for n in block {
            buffer |= (offset(n) & mask) << filled;
            filled += u32::from(plan.width);
            // At most 7 bits were left over and 57 come: the buffer never overflows.
            while filled >= 8 {
                out.push(buffer as u8);
                buffer >>= 8;
                filled -= 8;
            }
        }
        if filled > 0 {
            out.push(buffer as u8);
        }
    }
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
    let width = head & !EXCEPTIONS;
    if head == WHOLE {
        for offset in offsets.iter_mut().take(n) {
            *offset = reader.u64()?;
        }
        return Some(base);
    }
    if width > MAX_WIDTH {
        return None;
    }
    let packed = reader.take((n * usize::from(width)).div_ceil(8))?;
    // A copy with room behind it, so that every number is one 8-byte read.
    let mut bytes = [0u8; BLOCK * 8 + 8];
    bytes.get_mut(..packed.len())?.copy_from_slice(packed);
    let mask = (1u64 << width) - 1;
    let mut at = 0usize;
    for offset in offsets.iter_mut().take(n) {
        let word = bytes.get(at / 8..at / 8 + 8)?.first_chunk::<8>()?;
        *offset = (u64::from_le_bytes(*word) >> (at % 8)) & mask;
        at += usize::from(width);
    }
    if head & EXCEPTIONS != 0 {
        for _ in 0..reader.count().filter(|n| *n <= BLOCK)? {
            let at = usize::from(reader.u8()?);
            let high = reader.varint()?;
            *offsets.get_mut(at)? |= high.checked_shl(u32::from(width))?;
        }
    }
    Some(base)
}
