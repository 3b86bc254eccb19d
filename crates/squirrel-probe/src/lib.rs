//! Asking the network: ping and path as state machines, and the drivers that carry them.
#![forbid(unsafe_code)]
