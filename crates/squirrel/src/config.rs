//! Configuration: what was written (`file.rs`), what it means here ([`Config`]), and the commented
//! sample (`sample.rs`).

mod access;
mod alerts;
mod applications;
mod checks;
mod engine;
mod file;
mod notify;
mod origin;
mod probes;
mod query;
mod remote;
mod sample;
mod sizes;
mod values;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};

use squirrel_server::AllowedHost;

pub(crate) use alerts::Alerts;
pub(crate) use applications::Applications;
pub(crate) use checks::{Checks, modules};
pub(crate) use engine::EngineChoice;
pub(crate) use notify::Notify;
use origin::default_directory;
pub(crate) use origin::{Environment, Flags, Origin, Sourced};
pub(crate) use probes::Probes;
pub(crate) use query::Query;
pub(crate) use remote::{Printed, Remote, RemoteParts};
pub(crate) use sample::sample;
pub(crate) use sizes::{DiskSize, MemorySize};
pub(crate) use values::{AccountingLevel, Sync, show_span};

/// Where the configuration is looked for when none is named.
const DEFAULT_FILE: &str = "/etc/squirrel/squirrel.toml";

/// The port Squirrel answers on.
const DEFAULT_PORT: u16 = 7775;

/// The configuration in force, every value resolved.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The file it was read from, if there was one.
    pub(crate) path: Option<PathBuf>,
    pub(crate) listen: Sourced<Vec<SocketAddr>>,
    pub(crate) hosts: Sourced<Vec<String>>,
    pub(crate) allow_remote: Sourced<bool>,
    pub(crate) directory: Sourced<PathBuf>,
    pub(crate) retention: Sourced<Duration>,
    /// How long minutes and hours are kept.
    pub(crate) retention_coarse: [Sourced<Duration>; 2],
    /// Most bytes of full resolution, minutes and hours.
    pub(crate) max_size: [Sourced<DiskSize>; 3],
    pub(crate) sync: Sourced<Sync>,
    pub(crate) engine: EngineChoice,
    pub(crate) interval: Sourced<Duration>,
    pub(crate) disabled: Sourced<BTreeSet<String>>,
    pub(crate) applications: Applications,
    pub(crate) accounting: Sourced<AccountingLevel>,
    pub(crate) connections: Sourced<usize>,
    pub(crate) memory: Sourced<MemorySize>,
    pub(crate) alerts: Alerts,
    /// Checks of services that a question names.
    pub(crate) checks: Checks,
    /// Who is told of alerts, and how.
    pub(crate) notify: Notify,
    pub(crate) log: Sourced<String>,
    /// What questions in PromQL may cost.
    pub(crate) query: Query,
    /// Samples to and from other systems.
    pub(crate) remote: Remote,
    /// What is probed on a schedule.
    pub(crate) probes: Probes,
}

fn invalid(path: Option<&std::path::Path>) -> String {
    path.map_or_else(
        || "the configuration is not valid".to_owned(),
        |path| format!("the configuration {} is not valid", path.display()),
    )
}

impl Config {
    /// Reads the file that the flags name (else the default file where it exists) and resolves every
    /// setting.
    ///
    /// # Errors
    /// A file that cannot be read, is not valid (with line and column), or asks for what cannot be.
    pub(crate) fn load(flags: &Flags, environment: &Environment) -> anyhow::Result<Self> {
        let path = flags.config.clone().or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.exists()));
        let file = match &path {
            Some(path) => file::File::read(path)?,
            None => file::File::default(),
        };
        Self::resolve(file, path, flags, environment)
    }

    fn resolve(
        mut file: file::File,
        path: Option<PathBuf>,
        flags: &Flags,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let listen = Some(flags.listen.clone()).filter(|listen| !listen.is_empty());
        let limits = squirrel_account::Options::default();
        let checks = std::mem::take(&mut file.checks);
        let checks = Checks::resolve(checks, path.as_deref()).with_context(|| invalid(path.as_deref()))?;
        let probes = Probes::new(std::mem::take(&mut file.probe), Arc::clone(&checks.modules));
        let mut notify = Notify::resolve(&mut file);
        notify.settings.dependencies.extend(probes.dependencies()?);
        let config = Self {
            engine: EngineChoice::resolve(&file.store),
            listen: Sourced::choose(listen, file.server.listen, default_listen),
            hosts: Sourced::choose(None, file.server.hosts, Vec::new),
            allow_remote: Sourced::choose(flags.allow_remote.then_some(true), file.server.allow_remote, || false),
            directory: match (&flags.data_dir, file.store.directory) {
                (Some(dir), _) => Sourced { value: dir.clone(), origin: Origin::Flag },
                (None, Some(dir)) => Sourced { value: dir, origin: Origin::File },
                (None, None) => Sourced { value: default_directory(environment)?, origin: Origin::Default },
            },
            retention: Sourced::choose(None, file.store.retention.map(Into::into), || Duration::from_hours(14 * 24)),
            retention_coarse: [(file.store.retention_minutes, 90), (file.store.retention_hours, 5 * 365)].map(
                |(written, days)| Sourced::choose(None, written.map(Into::into), || Duration::from_hours(days * 24)),
            ),
            max_size: [file.store.max_size, file.store.max_size_minutes, file.store.max_size_hours]
                .map(|written| Sourced::choose(None, written, || DiskSize::NONE)),
            sync: Sourced::choose(None, file.store.sync, || Sync::Tick),
            interval: Sourced::choose(None, file.collect.interval.map(Into::into), || Duration::from_secs(1)),
            disabled: Sourced::choose(None, file.collect.disabled, BTreeSet::new),
            applications: Applications::resolve(file.applications),
            accounting: Sourced::choose(None, file.accounting.level, || AccountingLevel::Sockets),
            connections: Sourced::choose(None, file.accounting.connections, || limits.connections),
            memory: Sourced::choose(None, file.accounting.memory, || MemorySize(limits.memory)),
            alerts: Alerts::resolve(file.alerts, path.as_deref()).with_context(|| invalid(path.as_deref()))?,
            checks,
            notify,
            log: Sourced::choose(None, file.log.level, || "info".to_owned()),
            query: Query::resolve(&file.query),
            remote: Remote { writes: file.remote_write, receives: file.receive, otlp: file.otlp },
            probes,
            path,
        };
        config.check()?;
        Ok(config)
    }

    /// The configuration that a text means, as root.
    #[cfg(test)]
    pub(crate) fn of_text(text: &str) -> Self {
        let environment = Environment { root: true, ..Environment::default() };
        let file = file::File::parse(text).expect("a valid configuration");
        Self::resolve(file, None, &Flags::default(), &environment).expect("a sensible configuration")
    }

    /// Why a text that parses is refused.
    #[cfg(test)]
    pub(crate) fn of_wrong_text(text: &str) -> anyhow::Error {
        let environment = Environment { root: true, ..Environment::default() };
        let file = file::File::parse(text).expect("a valid file");
        Self::resolve(file, None, &Flags::default(), &environment).expect_err("it is refused")
    }

    /// What single values cannot say: what must not stand together.
    fn check(&self) -> anyhow::Result<()> {
        let place = self.place();
        self.allowed_hosts()?;
        self.query.check().map_err(|error| anyhow::anyhow!("{place}{error:#}"))?;
        self.engine.check().map_err(|error| anyhow::anyhow!("{place}{error:#}"))?;
        if let Some(remote) = self.listen.value.iter().find(|address| !address.ip().is_loopback())
            && !self.allow_remote.value
        {
            bail!(
                "{place}refusing to listen on {remote}: other machines could reach it, and nothing asks them for a password.\n\
                 Listen on 127.0.0.1 and use an SSH tunnel or a reverse proxy with authentication, \
                 or say --allow-remote (allow_remote = true under [server]) if everyone who reaches it may read everything."
            );
        }
        if self.listen.value.is_empty() {
            bail!(
                "{place}listen under [server] is empty: name at least one address, such as \"127.0.0.1:{DEFAULT_PORT}\""
            );
        }
        if !(100..=10_000_000).contains(&self.connections.value) {
            bail!("{place}connections under [accounting] is 100 to 10000000, not {}", self.connections.value);
        }
        self.remote
            .check()
            .with_context(|| self.path.as_deref().map_or_else(String::new, |path| path.display().to_string()))?;
        self.probes.targets().map_err(|error| anyhow::anyhow!("{place}{error:#}"))?;
        let known: BTreeSet<&str> = squirrel_collect::COLLECTORS.iter().map(|desc| desc.name).collect();
        for name in &self.disabled.value {
            if !known.contains(name.as_str()) {
                let names: Vec<&str> = known.iter().copied().collect();
                bail!(
                    "{place}disabled under [collect] names {name:?}, which is no collector; there are: {}",
                    names.join(", ")
                );
            }
        }
        Ok(())
    }

    /// The host names that a request may ask for, beside the bound addresses and the loopback's.
    ///
    /// # Errors
    /// A text that is no host name; a configuration that was loaded has none.
    pub(crate) fn allowed_hosts(&self) -> anyhow::Result<Vec<AllowedHost>> {
        let place = self.place();
        let parse = |name: &String| AllowedHost::parse(name).with_context(|| format!("{place}hosts under [server]"));
        self.hosts.value.iter().map(parse).collect()
    }

    /// The limits of the accountant.
    pub(crate) fn accounting_options(&self) -> squirrel_account::Options {
        squirrel_account::Options {
            connections: self.connections.value,
            memory: self.memory.value.0,
            ..squirrel_account::Options::default()
        }
    }

    /// The beginning of a complaint: the file, if there is one.
    fn place(&self) -> String {
        self.path.as_deref().map_or_else(String::new, |path| format!("{}: ", path.display()))
    }
}

fn default_listen() -> Vec<SocketAddr> {
    vec![(Ipv4Addr::LOCALHOST, DEFAULT_PORT).into(), (Ipv6Addr::LOCALHOST, DEFAULT_PORT).into()]
}

/// Reads a file only to judge it, for `squirrel config check`.
///
/// # Errors
/// As [`Config::load`].
pub(crate) fn check_file(path: Option<&Path>, environment: &Environment) -> anyhow::Result<Config> {
    let flags = Flags { config: path.map(Path::to_path_buf), ..Flags::default() };
    Config::load(&flags, environment)
}

#[cfg(test)]
mod tests;
