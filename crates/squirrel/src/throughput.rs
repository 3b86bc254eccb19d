//! `squirrel throughput`: what a path carries, by iperf3's protocol.

mod client;
mod echo;
mod login;
mod numbers;
mod server;
mod show;

use anyhow::anyhow;
use squirrel_throughput::ThroughputError;

use crate::cli::Throughput;
use crate::failure::{Class, classed};

/// Serves or asks.
pub(crate) fn run(command: &Throughput) -> anyhow::Result<()> {
    match command {
        Throughput::Server(args) => server::run(args),
        Throughput::Client(args) => client::run(args),
    }
}

/// An error with the exit code that it has.
fn failed(error: &ThroughputError) -> anyhow::Error {
    let unfit = matches!(error, ThroughputError::Unfit(_) | ThroughputError::Option { .. });
    // The system's error would be said twice, once by the sentence and once as its cause.
    let error = anyhow!("{error}");
    if unfit { classed(Class::Usage, &error) } else { error }
}

/// Which program this is, for documents.
fn version() -> String {
    format!("squirrel {}", env!("CARGO_PKG_VERSION"))
}

/// Which system this is, as `uname -srm` says it; empty where it does not tell.
fn system() -> String {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    let parts = ["ostype", "hostname", "osrelease", "version"].map(|name| read(name).trim().to_owned());
    format!("{} {}", parts.join(" "), std::env::consts::ARCH)
}
