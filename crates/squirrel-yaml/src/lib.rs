//! YAML with the place of everything: what is wrong in a file is told with line and column, and all of it at once.
//!
//! - [`document`] makes a tree of [`Node`]s out of a text, with limits on its size and depth.
//! - [`Problems`] takes values out of that tree and collects what does not fit.
//!
//! Words mean what they mean to Prometheus and its exporters, which read YAML by go-yaml: files written for those are
//! what this crate is for.
//!
//! Absences: no files (a text is an argument), no writing of YAML, no declaration of whole types.
#![forbid(unsafe_code)]

mod tree;
mod values;

pub use tree::{Document, Kind, Node, Place, Problem, document};
pub use values::{Fields, Problems};
