//! Every bit comes back, whatever the shape of times and values; damaged bytes never panic.

use proptest::prelude::*;
use squirrel_model::stale_marker;

use super::*;

fn encoded(times: &[i64], values: &[f64], summarise: bool) -> Vec<u8> {
    let mut out = Vec::new();
    Encoder::new().encode(times, values, summarise, &mut out);
    out
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn check(times: &[i64], values: &[f64]) -> Vec<u8> {
    for summarise in [false, true] {
        let bytes = encoded(times, values, summarise);
        let mut back = Samples::default();
        decode(&bytes, &mut back).unwrap();
        assert_eq!((back.times.as_slice(), bits(&back.values)), (times, bits(values)));
        let header = header(&bytes).unwrap();
        assert_eq!((header.count, header.first_ms), (times.len(), times[0]));
        assert_eq!(header.last_ms, *times.last().unwrap());
        if summarise {
            let (got, want) = (header.summary.unwrap(), Summary::of(values));
            assert_eq!((got.count, got.resets), (want.count, want.resets));
            let same = |a: f64, b: f64| a == b || a.is_nan() && b.is_nan();
            assert!(same(got.min, want.min) && same(got.max, want.max), "{got:?} {want:?}");
            assert!(want.count == 0 || same(got.first, want.first) && same(got.last, want.last));
            let close = same(got.sum, want.sum) || (got.sum - want.sum).abs() <= 1e-9 * (1.0 + want.sum.abs().max(1e9));
            assert!(close || !want.sum.is_finite() || want.max.abs().max(want.min.abs()) > 1e15, "{got:?} {want:?}");
        }
    }
    encoded(times, values, true)
}

fn grid(n: usize) -> Vec<i64> {
    (0..n as i64).map(|i| 1_700_000_000_000 + 1000 * i).collect()
}

#[test]
fn each_shape_of_values_gets_its_type() {
    let times = grid(600);
    let counter: Vec<f64> = (0..600).map(|i| f64::from(i) * 1000.0).collect();
    let rounded: Vec<f64> = (0..600).map(|i| f64::from(i % 7) / 1000.0).collect();
    let full: Vec<f64> = (0..600).map(|i| (f64::from(i) + 0.1).sqrt()).collect();
    let mut ended = counter.clone();
    ended[599] = stale_marker();
    for (name, values, kind, most) in [
        ("constant", vec![5.0; 600], 0, 16),
        ("constant stale", vec![stale_marker(); 600], 0, 24),
        ("counter", counter, 1, 64),
        ("three decimals", rounded, 1, 330),
        ("counter that ends", ended, 1, 200),
        ("full precision", full, 2, 5000),
    ] {
        let bytes = check(&times, &values);
        assert_eq!(bytes[0], kind, "{name}");
        assert!(bytes.len() <= most, "{name}: {} bytes", bytes.len());
    }
}

/// Whole numbers that scatter about normally: sums of twelve uniform ones.
fn noise(n: usize, width: u64) -> Vec<f64> {
    let mut state = 1u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % width
    };
    (0..n).map(|_| (0..12).map(|_| uniform()).sum::<u64>() as f64).collect()
}

#[test]
fn noise_takes_little_more_than_its_entropy() {
    let (times, values) = (grid(1800), noise(1800, 10_000));
    // The deviation of a sum of twelve is that of a normal number: log2(sqrt(2 pi e) * 10,000) bits.
    let entropy = (4.133_f64 * 10_000.0).log2() / 8.0;
    let size = check(&times, &values).len() as f64 / 1800.0;
    assert!(size < entropy + 0.08, "{size:.3} bytes a sample, {entropy:.3} at least");
}

#[test]
fn gaps_jitter_and_a_change_of_step_come_back() {
    let values = |n: usize| (0..n).map(|i| i as f64).collect::<Vec<_>>();
    let mut gaps = grid(600);
    gaps.drain(100..130);
    gaps.drain(300..301);
    let jitter: Vec<i64> = (0..600i64).map(|i| i * 1000 + (i * i) % 7).collect();
    let slower: Vec<i64> = (0..600i64).map(|i| if i < 300 { i * 1000 } else { 300_000 + (i - 300) * 10_000 }).collect();
    let jump: Vec<i64> = (0..10i64).map(|i| if i < 5 { i * 1000 } else { 315_360_000_000 + i * 1000 }).collect();
    for (name, times, kind) in
        [("gaps", gaps, 1), ("jitter", jitter, 4), ("step", slower, 4), ("ten years", jump, 1), ("one", vec![-5], 0)]
    {
        assert_eq!(check(&times, &values(times.len()))[0], kind, "{name}");
    }
}

#[test]
fn reserved_types_are_named_as_newer() {
    for kind in [3, 5, 77] {
        let mut bytes = encoded(&grid(3), &[1.0, 2.0, 4.0], true);
        bytes[0] = kind;
        assert_eq!(decode(&bytes, &mut Samples::default()), Err(CodecError::UnknownType(kind)));
    }
}

#[test]
fn a_chunk_cut_at_any_byte_is_damaged_and_leaves_nothing() {
    let full: Vec<f64> = (0..100).map(|i| (f64::from(i) + 0.1).sqrt()).collect();
    let ints: Vec<f64> = (0..100).map(|i| f64::from(i * i % 91)).collect();
    for values in [full, ints] {
        let bytes = encoded(&grid(100), &values, true);
        for len in 0..bytes.len() {
            let mut out = Samples::default();
            assert!(decode(&bytes[..len], &mut out).is_err(), "{len} of {}", bytes.len());
            assert!(out.times.is_empty() && out.values.is_empty());
        }
    }
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-1_000_000i64..1_000_000).prop_map(|n| n as f64),
        2 => (-1_000_000i64..1_000_000, 0u8..7).prop_map(|(n, k)| n as f64 / decimal::power(k)),
        2 => any::<u64>().prop_map(f64::from_bits),
        1 => Just(stale_marker()),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, -0.0, 0.0, f64::MAX, f64::MIN_POSITIVE, 9_007_199_254_740_993.0]),
    ]
}

proptest! {
    #[test]
    fn any_bits_come_back(raw in prop::collection::vec(any::<u64>(), 1..200)) {
        let values: Vec<f64> = raw.iter().map(|bits| f64::from_bits(*bits)).collect();
        check(&grid(values.len()), &values);
    }

    #[test]
    fn mixed_columns_at_any_times_come_back(
        rows in prop::collection::vec((any_value(), prop_oneof![5 => Just(1000i64), 1 => 1i64..1_000_000, 1 => Just(7000i64)]), 1..=600),
        start in -1_000_000_000_000i64..4_000_000_000_000,
    ) {
        let mut at = start;
        let times: Vec<i64> = rows.iter().map(|(_, step)| { at += step; at }).collect();
        let values: Vec<f64> = rows.iter().map(|(value, _)| *value).collect();
        check(&times, &values);
    }

    #[test]
    fn any_whole_numbers_pack(
        numbers in prop::collection::vec(any::<i64>(), 1..300), scatter in 0u32..64, middle in any::<i64>(), order in 0u8..3,
    ) {
        let numbers: Vec<i64> = numbers.into_iter().map(|n| (n >> scatter).wrapping_add(middle)).collect();
        let (mut deltas, mut bytes, mut back) = (Vec::new(), Vec::new(), Vec::new());
        pack::difference(&numbers, order, &mut deltas);
        pack::put(&deltas, pack::Effort::Full, &mut bytes);
        pack::read(&mut Reader::new(&bytes), numbers[0], numbers.len(), order, |n| back.push(n)).unwrap();
        prop_assert_eq!(back, numbers);
    }

    #[test]
    fn random_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0u8..6) {
        if let Some(first) = bytes.first_mut() { *first = kind; }
        let mut out = Samples::default();
        let _ = decode(&bytes, &mut out);
        let _ = header(&bytes);
        prop_assert!(out.times.len() <= MAX_SAMPLES && out.times.len() == out.values.len());
    }

    #[test]
    fn one_flipped_bit_never_panics(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let values: Vec<f64> = (0..200).map(|i| f64::from(i * i % 91) / 10.0).collect();
        let mut bytes = encoded(&grid(200), &values, true);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let _ = decode(&bytes, &mut Samples::default());
    }
}
