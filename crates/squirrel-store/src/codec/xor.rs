//! Full-precision values: each is XORed with the one before, and only the bits between the leading
//! and trailing zeros are kept (Pelkonen et al., "Gorilla", VLDB 2015). Every bit pattern survives.

use crate::bytes::Reader;

struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    buffer: u64,
    filled: u32,
}

impl BitWriter<'_> {
    /// Writes the low `n` bits of `value`, most significant first; `n` is at most 64.
    fn put(&mut self, value: u64, n: u32) {
        if n > 32 {
            self.put(value >> 32, n - 32);
            self.put(value & 0xffff_ffff, 32);
            return;
        }
        let mask = (1u64 << n) - 1;
        self.buffer = (self.buffer << n) | (value & mask);
        self.filled += n;
        while self.filled >= 8 {
            self.filled -= 8;
            self.out.push((self.buffer >> self.filled) as u8);
        }
    }

    fn finish(mut self) {
        if self.filled > 0 {
            self.put(0, 8 - self.filled);
        }
    }
}

struct BitReader<'a> {
    rest: Reader<'a>,
    buffer: u64,
    filled: u32,
}

impl BitReader<'_> {
    fn take(&mut self, n: u32) -> Option<u64> {
        if n > 32 {
            let high = self.take(n - 32)?;
            return Some((high << 32) | self.take(32)?);
        }
        while self.filled < n {
            self.buffer = (self.buffer << 8) | u64::from(self.rest.u8()?);
            self.filled += 8;
        }
        self.filled -= n;
        Some((self.buffer >> self.filled) & ((1u64 << n) - 1))
    }
}

/// Bits that the number of leading zeros takes.
const LEAD_BITS: u32 = 5;
/// Bits that the number of kept bits takes; 64 is written as 0.
const KEPT_BITS: u32 = 6;

pub(super) fn put(values: &[f64], out: &mut Vec<u8>) {
    let Some((first, rest)) = values.split_first() else { return };
    out.extend_from_slice(&first.to_bits().to_le_bytes());
    let mut bits = BitWriter { out, buffer: 0, filled: 0 };
    let mut before = first.to_bits();
    let mut window: Option<(u32, u32)> = None;
    for value in rest {
        let xor = value.to_bits() ^ before;
        before = value.to_bits();
        if xor == 0 {
            bits.put(0, 1);
            continue;
        }
        let (lead, trail) = (xor.leading_zeros().min(31), xor.trailing_zeros());
        match window {
            // Another window costs 11 bits: take it only when it saves more.
            Some((l, t)) if l <= lead && t <= trail && lead + trail <= l + t + LEAD_BITS + KEPT_BITS => {
                bits.put(0b10, 2);
                bits.put(xor >> t, 64 - l - t);
            }
            _ => {
                let kept = 64 - lead - trail;
                bits.put(0b11, 2);
                bits.put(u64::from(lead), LEAD_BITS);
                bits.put(u64::from(kept & 63), KEPT_BITS);
                bits.put(xor >> trail, kept);
                window = Some((lead, trail));
            }
        }
    }
    bits.finish();
}

pub(super) fn read(reader: &mut Reader<'_>, count: usize, out: &mut Vec<f64>) -> Option<()> {
    let mut before = reader.u64()?;
    out.push(f64::from_bits(before));
    let mut bits = BitReader { rest: *reader, buffer: 0, filled: 0 };
    let mut window: Option<(u32, u32)> = None;
    for _ in 1..count {
        if bits.take(1)? == 1 {
            if bits.take(1)? == 1 {
                let lead = bits.take(LEAD_BITS)? as u32;
                let kept = match bits.take(KEPT_BITS)? as u32 {
                    0 => 64,
                    kept => kept,
                };
                window = Some((kept, 64u32.checked_sub(lead + kept)?));
            }
            let (kept, trail) = window?;
            before ^= bits.take(kept)? << trail;
        }
        out.push(f64::from_bits(before));
    }
    Some(())
}
