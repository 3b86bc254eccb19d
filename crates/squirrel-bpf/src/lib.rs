//! Counts the bytes of each socket inside the kernel, by eBPF.
//!
//! The programs are written in C and committed as built objects; each is tried by loading it, and each is
//! optional. What they count is read as a [`squirrel_sys::SocketLedger`].
#![forbid(unsafe_code)]
