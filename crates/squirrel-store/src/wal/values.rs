//! A tick's values as differences to the tick before.
//!
//! Each series has a slot that remembers its last value as a whole number over a power of ten.
//! A value is a varint: 0 is an escape, anything else is one more than the zigzag difference of
//! the whole numbers. After the escape stands a byte: 0 to 6, an exponent, and the whole number
//! follows; 7, the 64 bits of a value that is no decimal follow; 9, the number of slots that did
//! not change follows. A slot without a memory takes a whole value without an escape.

use crate::bytes::{Reader, put_varint, put_zigzag, unzigzag, zigzag};
use crate::codec::decimal::{self, MAX_EXPONENT, RAW};

const ESCAPE: u8 = 0;
const UNCHANGED: u8 = 9;
/// Shorter runs are cheaper as single bytes.
const SHORTEST_RUN: u64 = 4;

/// The last value of a series in this segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    bits: u64,
    n: i64,
    exponent: u8,
}

const NO_MEMORY: u8 = 255;

impl Slot {
    pub(super) const EMPTY: Self = Self { bits: 0, n: 0, exponent: NO_MEMORY };

    fn decimal(n: i64, exponent: u8) -> Self {
        Self { bits: decimal::to_value(n, exponent).to_bits(), n, exponent }
    }

    fn raw(bits: u64) -> Self {
        Self { bits, n: 0, exponent: RAW }
    }

    fn value(self) -> f64 {
        f64::from_bits(self.bits)
    }
}

/// Writes the values of a tick and brings the slots up to date. Both are of one length.
pub(super) fn put_values(slots: &mut [Slot], values: &[f64], out: &mut Vec<u8>) {
    let mut unchanged = 0u64;
    for (slot, &value) in slots.iter_mut().zip(values) {
        if slot.exponent != NO_MEMORY && slot.bits == value.to_bits() {
            unchanged += 1;
            continue;
        }
        put_run(&mut unchanged, out);
        put_changed(slot, value, out);
    }
    put_run(&mut unchanged, out);
}

fn put_run(unchanged: &mut u64, out: &mut Vec<u8>) {
    if *unchanged >= SHORTEST_RUN {
        out.extend_from_slice(&[ESCAPE, UNCHANGED]);
        put_varint(out, *unchanged);
    } else {
        (0..*unchanged).for_each(|_| out.push(1));
    }
    *unchanged = 0;
}

fn put_changed(slot: &mut Slot, value: f64, out: &mut Vec<u8>) {
    if slot.exponent <= MAX_EXPONENT
        && let Some(n) = decimal::to_int(value, slot.exponent)
    {
        // Whole numbers are below 2^53, so the difference and one more fit.
        put_varint(out, zigzag(n - slot.n) + 1);
        (slot.n, slot.bits) = (n, value.to_bits());
        return;
    }
    if slot.exponent != NO_MEMORY {
        out.push(ESCAPE);
    }
    *slot = if let Some((exponent, n)) = decimal::find(value) {
        out.push(exponent);
        put_zigzag(out, n);
        Slot { bits: value.to_bits(), n, exponent }
    } else {
        out.push(RAW);
        out.extend_from_slice(&value.to_bits().to_le_bytes());
        Slot::raw(value.to_bits())
    };
}

/// Reads what [`put_values`] wrote, for as many values as there are slots.
pub(super) fn read_values(reader: &mut Reader<'_>, slots: &mut [Slot]) -> Option<Vec<f64>> {
    let mut values = Vec::with_capacity(slots.len());
    let mut rest = slots.iter_mut();
    while let Some(slot) = rest.next() {
        if slot.exponent == NO_MEMORY {
            let head = reader.u8()?;
            *slot = read_whole(reader, head)?;
            values.push(slot.value());
            continue;
        }
        match reader.varint()? {
            0 => match reader.u8()? {
                UNCHANGED => {
                    values.push(slot.value());
                    for _ in 1..reader.varint()? {
                        let slot = rest.next().filter(|slot| slot.exponent != NO_MEMORY)?;
                        values.push(slot.value());
                    }
                }
                head => {
                    *slot = read_whole(reader, head)?;
                    values.push(slot.value());
                }
            },
            1 => values.push(slot.value()),
            difference => {
                if slot.exponent > MAX_EXPONENT {
                    return None;
                }
                let n = slot.n.checked_add(unzigzag(difference - 1))?;
                (slot.n, slot.bits) = (n, decimal::to_value(n, slot.exponent).to_bits());
                values.push(slot.value());
            }
        }
    }
    Some(values)
}

fn read_whole(reader: &mut Reader<'_>, head: u8) -> Option<Slot> {
    match head {
        RAW => reader.u64().map(Slot::raw),
        exponent if exponent <= MAX_EXPONENT => reader.zigzag().map(|n| Slot::decimal(n, exponent)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => (0i64..5).prop_map(|n| n as f64),
            3 => (-1_000_000i64..1_000_000, 0u8..7).prop_map(|(n, k)| decimal::to_value(n, k)),
            1 => any::<u64>().prop_map(f64::from_bits),
            1 => Just(squirrel_model::stale_marker()),
        ]
    }

    proptest! {
        #[test]
        fn ticks_come_back_to_the_bit(ticks in prop::collection::vec(prop::collection::vec(value(), 20), 1..10)) {
            let (mut write, mut read) = (vec![Slot::EMPTY; 20], vec![Slot::EMPTY; 20]);
            for values in ticks {
                let mut bytes = Vec::new();
                put_values(&mut write, &values, &mut bytes);
                let mut reader = Reader::new(&bytes);
                let back = read_values(&mut reader, &mut read).unwrap();
                prop_assert!(reader.is_empty());
                prop_assert!(back.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), set in 0usize..5) {
            let mut slots = vec![Slot::EMPTY; 5];
            slots.iter_mut().take(set).for_each(|slot| *slot = Slot::decimal(7, 2));
            let _ = read_values(&mut Reader::new(&bytes), &mut slots);
        }
    }
}
