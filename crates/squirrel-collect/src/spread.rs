//! The spread of many values in little memory.

/// Values of a power of two are divided into so many buckets.
const PARTS: u32 = 64;
/// Values below this have a bucket each.
const EXACT: u32 = 2 * PARTS;
/// Buckets for all values of 32 bits.
const BUCKETS: usize = (EXACT + (32 - EXACT.ilog2()) * PARTS) as usize;

/// Counts values in buckets that grow with the value: 7 KiB for any number of values, and a
/// quantile is wrong by at most one part in 128. The smallest and the largest value are exact.
pub(crate) struct Spread {
    counts: Box<[u32]>,
    total: u64,
    smallest: u32,
    largest: u32,
}

impl Default for Spread {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS].into(), total: 0, smallest: u32::MAX, largest: 0 }
    }
}

impl Spread {
    pub(crate) fn clear(&mut self) {
        self.counts.fill(0);
        (self.total, self.smallest, self.largest) = (0, u32::MAX, 0);
    }

    pub(crate) fn add(&mut self, value: u32) {
        if let Some(count) = self.counts.get_mut(bucket(value)) {
            *count = count.saturating_add(1);
        }
        self.total += 1;
        self.smallest = self.smallest.min(value);
        self.largest = self.largest.max(value);
    }

    /// The value that a share `q` of all values does not exceed (nearest rank); none without values.
    pub(crate) fn quantile(&self, q: f64) -> Option<f64> {
        let rank = ((q * self.total as f64).ceil() as u64).clamp(1, self.total.max(1));
        if rank == self.total {
            return (self.total > 0).then(|| f64::from(self.largest));
        }
        if rank == 1 {
            return (self.total > 0).then(|| f64::from(self.smallest));
        }
        let mut seen = 0;
        let place = self.counts.iter().position(|&count| {
            seen += u64::from(count);
            seen >= rank
        })?;
        Some(middle(place).clamp(f64::from(self.smallest), f64::from(self.largest)))
    }
}

fn bucket(value: u32) -> usize {
    if value < EXACT {
        return value as usize;
    }
    let power = value.ilog2();
    let part = (value >> (power - PARTS.ilog2())) - PARTS;
    (EXACT + (power - EXACT.ilog2()) * PARTS + part) as usize
}

fn middle(bucket: usize) -> f64 {
    let bucket = bucket as u32;
    if bucket < EXACT {
        return f64::from(bucket);
    }
    let (power, part) = ((bucket - EXACT) / PARTS, (bucket - EXACT) % PARTS);
    let width = f64::from(2 << power);
    (f64::from(PARTS + part) + 0.5) * width - 0.5
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Spread::default().quantile(0.5), None);
        assert_eq!(Spread::default().quantile(1.0), None);
    }

    proptest! {
        #[test]
        fn a_quantile_is_within_one_part_in_128(mut values in prop::collection::vec(any::<u32>().prop_map(|v| v >> (v % 31)), 1..300), q in 0.0f64..=1.0) {
            let mut spread = Spread::default();
            spread.add(7);
            spread.clear();
            for &value in &values {
                spread.add(value);
            }
            values.sort_unstable();
            let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let (exact, got) = (f64::from(values[rank - 1]), spread.quantile(q).unwrap());
            prop_assert!((got - exact).abs() <= exact / 128.0, "{got} for {exact}");
            prop_assert_eq!(spread.quantile(0.0), Some(f64::from(values[0])));
            prop_assert_eq!(spread.quantile(1.0), Some(f64::from(*values.last().unwrap())));
        }
    }
}
