//! Everything that parses what others wrote, as functions of octets that somebody chose.
//!
//! Two judges use the table [`TARGETS`]: the targets of `fuzz/`, which cargo-fuzz guides by coverage (a nightly
//! compiler, hours), and the test of this crate, which needs neither: it shows each target its corpus and what a small
//! mutator of our own makes of it, from a fixed seed, for a bounded time, at every run of the tests.
#![forbid(unsafe_code)]
#![expect(clippy::missing_panics_doc, reason = "panics are what is looked for")]

mod corpus;
mod mutate;
mod targets;

use std::fmt::Debug;

pub use corpus::{corpus, dictionary};
pub use mutate::Mutator;
pub use targets::{TARGETS, Target};

/// Shows octets to the target of this name.
pub fn run(name: &str, octets: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of this name");
    (target.run)(octets);
}

/// Walks the whole value, so that every field is read, and lets nothing of it be optimised away.
fn show(value: &impl Debug) {
    std::hint::black_box(format!("{value:?}"));
}
