//! Squirrel over HTTP.
#![forbid(unsafe_code)]

pub mod assets;
