//! What the targets share. Each target is a line: show everything that can be parsed from these octets.
#![forbid(unsafe_code)]

use std::fmt::Debug;

/// Walks the whole value, so that every field is read, and lets nothing of it be optimised away.
pub fn show(value: &impl Debug) {
    std::hint::black_box(format!("{value:?}"));
}
