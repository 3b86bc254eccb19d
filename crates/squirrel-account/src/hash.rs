//! A quick hash for numbers that the kernel gave out: cookies, inodes, process ids.
//!
//! Nobody can choose them freely, so a hash that withstands chosen keys is not needed; addresses, which peers can
//! choose, are not hashed with it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map whose keys are such numbers.
pub(crate) type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// Multiplies by the golden ratio and folds the halves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quick(u64);

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(GOLDEN);
    }
}
