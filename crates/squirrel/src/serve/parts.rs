//! The parts of the daemon, each made of the configuration and of what was opened.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use squirrel_channels::{Channel, Channels};
use squirrel_model::Elapsed;
use squirrel_promql::Engine;
use squirrel_remote::{EngineLimits, RemoteEngine};
use squirrel_server::{ApplicationToken, Applications, BuildInfo};
use squirrel_store::Store;
use squirrel_store::dir::Dir;
use squirrel_sys::{Kernel, clock};

use super::alerting::{Desk, KnownChannel, protected};
use super::remote::Remote;
use crate::accounting::{Accounting, Opened};
use crate::config::{AccountingLevel, Config};
use crate::own_metrics;

/// Finds out whose the bytes are, on a thread of its own.
pub(super) fn account(sources: Opened, config: &Config, monotonic: clock::Monotonic) -> anyhow::Result<Accounting> {
    let packets = config.accounting.value == AccountingLevel::Packets;
    let accountant = sources.accountant(config.accounting_options());
    Accounting::start(accountant, packets, monotonic).context("cannot start the accounting")
}

/// Counts packets while somebody looks.
pub(super) fn packet_counter(
    accounting: Option<&Accounting>,
    monotonic: clock::Monotonic,
) -> Arc<dyn Fn(Duration) -> Option<Duration> + Send + Sync> {
    let leases = accounting.map(Accounting::leases);
    Arc::new(move |time| leases.as_ref().map(|leases| leases.renew(time, monotonic.elapsed())))
}

/// Which build this is.
pub(super) fn build() -> BuildInfo {
    BuildInfo { version: env!("CARGO_PKG_VERSION").to_owned(), revision: env!("SQUIRREL_REVISION").to_owned() }
}

/// Takes reports of applications, and knows those that reported before the start.
pub(super) fn applications(
    config: &Config,
    token: Option<ApplicationToken>,
    store: &Store,
    at: Elapsed,
) -> Arc<Applications> {
    let applications = Applications::new(config.applications.limits(), own_metrics::own()).with_token(token);
    if let Err(error) = applications.adopt(store.reader().snapshot().as_ref(), clock::wall(), at) {
        tracing::warn!("applications that reported before the start are not known: {error}");
    }
    Arc::new(applications)
}

/// Another engine for PromQL; what is asked of it comes from threads that may block.
///
/// # Errors
/// A secret of it that cannot be read.
pub(super) fn remote_engine(config: &Config, remote: &mut Remote) -> anyhow::Result<Option<Arc<dyn Engine>>> {
    let Some(to) = config.engine.destination()? else { return Ok(None) };
    tracing::info!("PromQL is asked of {to}");
    let engine = Arc::new(RemoteEngine::new(to, EngineLimits::default(), tokio::runtime::Handle::current()));
    remote.watch(Arc::clone(&engine));
    Ok(Some(engine))
}

/// Starts the channels, and takes up what was told before.
pub(super) fn open_desk(
    config: &Config,
    told: Arc<dyn Dir>,
    messages: Arc<dyn Dir>,
    channels: Vec<Channel>,
    kernel: &dyn Kernel,
) -> anyhow::Result<Desk> {
    let known = channels.iter().map(KnownChannel::from).collect();
    let seed = clock::wall().millis().unsigned_abs() ^ u64::from(std::process::id());
    let parts =
        squirrel_channels::Parts { channels, dir: messages, clock: clock::wall, seed, protected: protected(kernel) };
    let (channels, recovery) = Channels::start(parts).context("cannot open the queue of messages about alerts")?;
    if recovery.waiting > 0 {
        tracing::info!("{} messages about alerts wait since before the start", recovery.waiting);
    }
    if let Some(reason) = &recovery.unwritten {
        tracing::error!("messages about alerts are in memory alone until the disk takes them: {reason}");
    }
    if recovery.damaged > 0 {
        tracing::warn!("{} lines of the queue of messages about alerts were damaged", recovery.damaged);
    }
    Ok(Desk::open(&config.notify.settings, channels, known, told, tokio::runtime::Handle::current())?)
}

/// The dashboard's address as a browser on this host can open it: the unspecified address means all
/// addresses to a server, and nothing to a browser.
pub(super) fn page(address: SocketAddr) -> String {
    let port = address.port();
    match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => format!("http://127.0.0.1:{port}"),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => format!("http://[::1]:{port}"),
        _ => format!("http://{address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_address_can_be_opened() {
        let printed = |address: &str| page(address.parse().unwrap());
        assert_eq!(printed("127.0.0.1:7775"), "http://127.0.0.1:7775");
        assert_eq!(printed("[2001:db8::1]:80"), "http://[2001:db8::1]:80");
        assert_eq!(printed("0.0.0.0:7775"), "http://127.0.0.1:7775");
        assert_eq!(printed("[::]:7775"), "http://[::1]:7775");
    }
}
