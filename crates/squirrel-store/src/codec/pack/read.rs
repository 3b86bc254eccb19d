//! Reading what was packed: damaged blocks give nothing, and never a panic.

use super::{BLOCK, EXCEPTIONS, MAX_HIGH, MAX_WIDTH, SPARSE, WHOLE, WIDTH};
use crate::bytes::{Reader, unzigzag};

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
    let mut middle = 0;
    while left > 0 {
        let n = left.min(BLOCK);
        let base = read_block(reader, n, &mut middle, &mut offsets)?;
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

fn read_block(reader: &mut Reader<'_>, n: usize, middle: &mut i64, offsets: &mut [u64; BLOCK]) -> Option<i64> {
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
        *middle = middle.wrapping_add(base);
        return read_codes(reader, n, width.checked_sub(1)?, offsets).map(|()| *middle);
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

fn read_codes(reader: &mut Reader<'_>, n: usize, low: u8, offsets: &mut [u64; BLOCK]) -> Option<()> {
    /// The high parts of a block at their longest, and room for the last 8-byte read.
    const LONGEST: usize = (BLOCK * (MAX_HIGH as usize + 1)).div_ceil(8) + 8;
    read_bits(reader, n, low, offsets)?;
    let mut bytes = [0u8; LONGEST];
    let held = reader.rest().len().min(LONGEST - 8);
    bytes.get_mut(..held)?.copy_from_slice(reader.rest().get(..held)?);
    let mut at = 0usize;
    for number in offsets.iter_mut().take(n) {
        let word = bytes.get(at / 8..at / 8 + 8)?.first_chunk::<8>()?;
        let high = (u64::from_le_bytes(*word) >> (at % 8)).trailing_zeros();
        if u64::from(high) > MAX_HIGH {
            return None;
        }
        *number = unzigzag(u64::from(high) << low | *number) as u64;
        at += high as usize + 1;
    }
    reader.take(at.div_ceil(8)).map(|_| ())
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
