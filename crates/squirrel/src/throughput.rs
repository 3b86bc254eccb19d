//! `squirrel throughput`: what a path carries, by iperf3's protocol.

mod client;
mod echo;
mod numbers;
mod server;
mod show;

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use squirrel_throughput::{Stop, ThroughputError};

use crate::cli::Throughput;
use crate::failure::{Class, classed};
use crate::frames::{Interrupts, runtime};

/// Serves or asks.
pub(crate) fn run(command: &Throughput) -> anyhow::Result<()> {
    match command {
        Throughput::Server(args) => server::run(args),
        Throughput::Client(args) => client::run(args),
    }
}

/// Works in a thread of its own until that ends by itself, or an interrupt comes and `stop` is set.
fn until_interrupt<T: Send>(stop: &Arc<Stop>, work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
    let (done, ended) = tokio::sync::oneshot::channel();
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let result = work();
            let _ = done.send(());
            result
        });
        let waited = runtime().and_then(|runtime| {
            runtime.block_on(async {
                let mut interrupts = Interrupts::listen().context("cannot listen for interrupts")?;
                tokio::select! {
                    _ = ended => {}
                    () = interrupts.wait() => stop.set(),
                }
                anyhow::Ok(())
            })
        });
        if waited.is_err() {
            // Nothing could end the worker any more.
            stop.set();
        }
        let result = worker.join().map_err(|_| anyhow!("the worker ended unexpectedly"));
        waited.and(result)
    })
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
