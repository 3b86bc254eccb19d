//! The table of collectors. To add one: a file here, a line in [`COLLECTORS`].

mod softnet;

use crate::CollectorDesc;

/// All collectors, by name. Tests, the manual and the schedule read this table.
pub static COLLECTORS: &[&CollectorDesc] = &[&softnet::DESC];
