//! Iperf3's protocol, both ends, and the verdict which part limited a run.
#![forbid(unsafe_code)]
