//! Series and samples on disk.
#![forbid(unsafe_code)]

mod bytes;
pub mod codec;
pub mod dir;
