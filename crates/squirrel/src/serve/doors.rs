//! What is opened before privileges are dropped: the kernel's doors, the listening sockets, the data
//! directory. Every complaint names the next step.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use squirrel_channels::Channel;
use squirrel_model::{Labels, Timestamp};
use squirrel_server::ApplicationToken;
use squirrel_store::dir::{Dir, RealDir};
use squirrel_store::{CoarseLimit, OpenReport, Stopwatch, Store, StoreOptions, SyncPolicy};
use squirrel_sys::{Kernel as _, Linux, clock};

use crate::accounting::Opened;
use crate::config::{AccountingLevel, Config, Origin, RemoteParts, Sync};
use crate::failure::{Class, classed};
use crate::keeper::Starting;
use crate::serve::probes;

/// Longest wait for an answer of the process with privileges: the next second must not wait too.
const KEEPER_PATIENCE: Duration = Duration::from_secs(1);

/// Everything that is open.
pub(crate) struct Doors {
    pub(crate) kernel: Linux,
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) store: Store,
    /// What applications must send with each report.
    pub(crate) application_token: Option<ApplicationToken>,
    /// What whoever changes something must send.
    pub(crate) token: ApplicationToken,
    /// Folders of the data directory, for who was told of alerts and for messages under way.
    pub(crate) told: Arc<dyn Dir>,
    pub(crate) messages: Arc<dyn Dir>,
    /// Where alerts are told.
    pub(crate) channels: Vec<Channel>,
    /// Other systems that samples go to and come from, secrets read.
    pub(crate) remote: RemoteParts,
    /// What the accountant reads; `None` when the configuration switched it off.
    pub(crate) sources: Option<Opened>,
    /// What probes on a schedule need.
    pub(crate) probes: probes::Opened,
}

/// Opens all, or says what is in the way.
pub(super) fn open(config: &Config, monotonic: clock::Monotonic) -> anyhow::Result<Doors> {
    let application_token = config.applications.token()?;
    let channels = config.notify.channels().map_err(|error| classed(Class::Usage, &error))?;
    let remote = config.remote.open()?;
    let kernel = Linux::open().context("cannot open the doors to the kernel")?;
    let listeners = listen(config)?;
    let port = listeners.first().and_then(|listener| listener.local_addr().ok()).map_or(0, |address| address.port());
    let store = open_store(config, &instance(&kernel, port), monotonic)?;
    let sources = match config.accounting.value {
        AccountingLevel::Off => None,
        AccountingLevel::Sockets | AccountingLevel::Packets => {
            let opened = Starting::begin().and_then(|starting| Opened::open(starting, KEEPER_PATIENCE));
            Some(opened.context("cannot open what the accounting reads")?)
        }
    };
    let alerts = config.directory.value.join("alerts");
    let folder = |path| RealDir::open(path).map_err(|error| anyhow!("{error}"));
    let (told, messages) = (Arc::new(folder(alerts.clone())?), Arc::new(folder(alerts.join("messages"))?));
    let token = crate::token::of_daemon(&config.directory.value)?;
    let remembered = Arc::new(folder(config.directory.value.join("probes"))?);
    let probes = probes::Opened { pinger: probes::pinger(&config.probes), dir: remembered };
    Ok(Doors { kernel, listeners, store, application_token, token, told, messages, channels, remote, sources, probes })
}

/// `HOST:PORT`, the `instance` label of everything stored.
fn instance(kernel: &Linux, port: u16) -> String {
    let mut name = Vec::new();
    let host = match kernel.read("/proc/sys/kernel/hostname", &mut name) {
        Ok(()) => String::from_utf8_lossy(&name).trim().to_owned(),
        Err(_) => "localhost".to_owned(),
    };
    format!("{host}:{port}")
}

/// Binds every address. An address of the defaults may be missing on this host (no IPv6); one that a
/// person named may not.
fn listen(config: &Config) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for &address in &config.listen.value {
        match TcpListener::bind(address) {
            Ok(listener) => {
                listener.set_nonblocking(true).with_context(|| format!("cannot prepare {address}"))?;
                listeners.push(listener);
            }
            Err(error) if config.listen.origin == Origin::Default && is_absent(&error) => {
                tracing::warn!("not listening on {address}: {error}");
            }
            Err(error) => return Err(explain_bind(address, &error)),
        }
    }
    if listeners.is_empty() {
        bail!("none of the default addresses can be listened on; name one with --listen ADDR:PORT");
    }
    Ok(listeners)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(97 /* EAFNOSUPPORT */)
}

fn explain_bind(address: SocketAddr, error: &io::Error) -> anyhow::Error {
    let next = match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "another program listens there; `ss -ltnp 'sport = :{}'` shows which. Stop it, or choose another port with --listen {}:PORT",
            address.port(),
            if address.is_ipv6() { format!("[{}]", address.ip()) } else { address.ip().to_string() },
        ),
        io::ErrorKind::PermissionDenied => "ports below 1024 need root; choose a higher one with --listen".to_owned(),
        io::ErrorKind::AddrNotAvailable => {
            "this host does not have that address; `ip addr` lists its addresses".to_owned()
        }
        _ => "choose another address with --listen".to_owned(),
    };
    anyhow!("cannot listen on {address}: {error}\n{next}")
}

fn open_store(config: &Config, instance: &str, monotonic: clock::Monotonic) -> anyhow::Result<Store> {
    let directory = &config.directory.value;
    let dir = RealDir::open(directory).map_err(|error| {
        anyhow!(
            "the data directory {} cannot be made: {error}\n{}; its owner and mode must let this user write there",
            directory.display(),
            named_by(config)
        )
    })?;
    let target =
        Labels::new([("job", "squirrel"), ("instance", instance)]).context("the host's name cannot be a label")?;
    let options =
        StoreOptions { stopwatch: Stopwatch::new(move || monotonic.elapsed()), ..store_options(config, target) };
    let (store, report) = Store::open(Arc::new(dir), options, clock::wall())
        .map_err(|error| anyhow!("{error}\nThe directory is {}", named_by(config)))?;
    say(&report, clock::wall());
    Ok(store)
}

/// What the configuration says about the store.
pub(crate) fn store_options(config: &Config, target: Labels) -> StoreOptions {
    let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    let [full, minutes, hours] = config.max_size.each_ref().map(|size| size.value.limit());
    let [keep_minutes, keep_hours] = config.retention_coarse.each_ref().map(|span| millis(span.value));
    StoreOptions {
        step_ms: millis(config.interval.value),
        sync: match config.sync.value {
            Sync::Tick => SyncPolicy::EveryTick,
            Sync::Every(span) => SyncPolicy::Every { ms: millis(span) },
            Sync::Never => SyncPolicy::Never,
        },
        retention_ms: millis(config.retention.value),
        retention_bytes: full,
        coarse: [
            CoarseLimit { retention_ms: keep_minutes, retention_bytes: minutes },
            CoarseLimit { retention_ms: keep_hours, retention_bytes: hours },
        ],
        ..StoreOptions::new(target)
    }
}

/// Who named the data directory, and how to name another.
fn named_by(config: &Config) -> &'static str {
    match config.directory.origin {
        Origin::Default => "the default; choose another with --data-dir DIR",
        Origin::File => "named by directory under [store] in the configuration; --data-dir DIR overrides it",
        Origin::Flag => "named by --data-dir",
    }
}

/// A clean stop marks the end of each series in the second after the last reading, which a quick
/// restart finds in the future.
const AHEAD_SECONDS: i64 = 2;

/// How old the newest sample is. One of the future is said: the clock was wrong then, or is now.
fn newest(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.millis().saturating_sub(at.millis()).div_euclid(1000);
    if seconds < -AHEAD_SECONDS {
        format!(", the newest {} s in the future: was the clock set back?", seconds.unsigned_abs())
    } else {
        format!(", the newest {} s old", seconds.max(0))
    }
}

/// Says what was found, and every loss in a sentence of its own.
fn say(report: &OpenReport, now: Timestamp) {
    if report.series == 0 {
        tracing::info!("the store is new");
    } else {
        let newest = report.newest.map_or_else(String::new, |at| newest(at, now));
        tracing::info!(
            "the store holds {} series: {} samples in {} blocks and {} in the log{newest}",
            report.series,
            report.block_samples,
            report.blocks,
            report.log_samples
        );
    }
    for note in &report.notes {
        tracing::warn!("{note}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_each_resolution_reach_the_store() {
        let text = "[store]\nretention = \"2d\"\nretention_minutes = \"3d\"\nretention_hours = \"4d\"\n\
                    max_size = \"1MiB\"\nmax_size_minutes = \"2MB\"\nmax_size_hours = \"none\"";
        let options = store_options(&Config::of_text(text), Labels::empty());
        let day = 86_400_000;
        assert_eq!((options.retention_ms, options.retention_bytes), (2 * day, 1 << 20));
        let limit = |days: i64, retention_bytes| CoarseLimit { retention_ms: days * day, retention_bytes };
        assert_eq!(options.coarse, [limit(3, 2_000_000), limit(4, 0)]);
        let usual = StoreOptions::new(Labels::empty());
        let written = store_options(&Config::of_text(""), Labels::empty());
        assert_eq!((written.retention_ms, written.coarse), (usual.retention_ms, usual.coarse), "one default, not two");
    }

    #[test]
    fn the_newest_sample_is_said_by_its_age() {
        let now = Timestamp(100_000);
        assert_eq!(newest(Timestamp(88_000), now), ", the newest 12 s old");
        assert_eq!(newest(Timestamp(101_000), now), ", the newest 0 s old", "after a stop in this second");
        assert_eq!(newest(Timestamp(160_000), now), ", the newest 60 s in the future: was the clock set back?");
    }
}
