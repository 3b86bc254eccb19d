//! What is in memory and not yet in a block.
//!
//! Everything here is immutable once made, so that a reader's view of it never changes:
//! a tick is a [`Row`]; some sixty rows become a [`Part`] (per series one compressed chunk); parts
//! of one window become larger parts, and in the end a block on disk. A reader keeps references.

mod merge;
mod pack;
mod part;
mod row;

pub(crate) use merge::{append_run, cut_to};
pub(crate) use pack::{merge_parts, pack, visit_merged, window_start};
pub(crate) use part::{Part, PartBuilder};
pub(crate) use row::{Layout, LooseRow, Row, TickRow};
