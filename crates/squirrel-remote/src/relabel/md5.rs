//! MD5 (RFC 1321), by which `hashmod` divides series among senders so that all of them, and Prometheus, agree. It
//! protects nothing.

/// `floor(2^32 × abs(sin(i + 1)))`, RFC 1321, 3.4.
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// By how much each step turns, for each of the four rounds.
const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// The bytes of a block.
const BLOCK: usize = 64;

/// The last eight bytes of the digest, the most significant first.
pub(super) fn last_half(text: &[u8]) -> u64 {
    // RFC 1321, 3.1 and 3.2: a bit that is one, zeros, and the length in bits.
    let mut padded = text.to_vec();
    padded.push(0x80);
    while padded.len() % BLOCK != BLOCK - 8 {
        padded.push(0);
    }
    padded.extend((text.len() as u64).wrapping_mul(8).to_le_bytes());
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded.chunks_exact(BLOCK) {
        step(&mut state, block);
    }
    let [_, _, c, d] = state.map(u32::swap_bytes);
    u64::from(c) << 32 | u64::from(d)
}

/// RFC 1321, 3.4: one block.
fn step(state: &mut [u32; 4], block: &[u8]) {
    let mut words = [0_u32; 16];
    for (word, octets) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = octets.iter().rev().fold(0, |word, octet| word << 8 | u32::from(*octet));
    }
    let [mut a, mut b, mut c, mut d] = *state;
    for (i, sine) in SINES.into_iter().enumerate() {
        let (mixed, place) = match i / 16 {
            0 => (b & c | !b & d, i),
            1 => (d & b | !d & c, (5 * i + 1) % 16),
            2 => (b ^ c ^ d, (3 * i + 5) % 16),
            _ => (c ^ (b | !d), 7 * i % 16),
        };
        let turned =
            a.wrapping_add(mixed).wrapping_add(sine).wrapping_add(words[place]).rotate_left(TURNS[i / 16][i % 4]);
        (a, d, c, b) = (d, c, b, b.wrapping_add(turned));
    }
    for (sum, part) in state.iter_mut().zip([a, b, c, d]) {
        *sum = sum.wrapping_add(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standard() {
        // RFC 1321, A.5, the second half of each.
        for (text, half) in [
            ("", 0xe980_0998_ecf8_427e),
            ("a", 0x31c3_99e2_6977_2661),
            ("abc", 0xd696_3f7d_28e1_7f72),
            ("message digest", 0x525a_2f31_aaf1_61d0),
            ("abcdefghijklmnopqrstuvwxyz", 0x7dfb_496c_ca67_e13b),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 0xa561_1c2c_9f41_9d9f),
            ("12345678901234567890123456789012345678901234567890123456789012345678901234567890", 0xac49_da2e_2107_b67a),
        ] {
            assert_eq!(last_half(text.as_bytes()), half, "{text:?}");
        }
    }
}
