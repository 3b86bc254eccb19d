//! The configuration file exactly as it is written. Unknown keys are refused, so that a misspelt
//! setting is never silently a default.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use squirrel_channels::NotifyTables;
use squirrel_notify::{Dependency, Escalation, Flapping, Grouping, Inhibit, Maintenance, QuietHours, Route};

use super::access::Access;
use super::engine::EngineKind;
use super::notify::Written;
use super::probes::Probe;
use super::remote::{Otlp, Receive, RemoteWrite};
use super::sizes::{DiskSize, MemorySize};
use super::values::{AccountingLevel, Count, LongSpan, Sync, TickSpan};

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) server: Server,
    pub(super) store: Store,
    pub(super) collect: Collect,
    pub(super) applications: Applications,
    pub(super) accounting: Accounting,
    pub(super) alerts: Alerts,
    pub(super) checks: Checks,
    pub(super) notify: NotifyTables,
    pub(super) grouping: Grouping,
    pub(super) route: Vec<Route>,
    pub(super) inhibit: Vec<Inhibit>,
    pub(super) dependency: Vec<Dependency>,
    pub(super) maintenance: Vec<Maintenance>,
    pub(super) quiet_hours: Option<QuietHours>,
    pub(super) escalation: Vec<Escalation>,
    pub(super) flapping: Flapping,
    pub(super) log: Log,
    pub(super) query: Query,
    pub(super) remote_write: Vec<RemoteWrite>,
    pub(super) receive: Vec<Receive>,
    pub(super) otlp: Vec<Otlp>,
    pub(super) probe: Vec<Probe>,
    /// The tables about who is told of alerts, as they stand in the file.
    #[serde(skip)]
    pub(super) told: Written,
}

/// The tables that [`File::told`] has.
const TOLD: [&str; 9] =
    ["notify", "grouping", "route", "inhibit", "dependency", "maintenance", "quiet_hours", "escalation", "flapping"];

/// `[server]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    pub(super) listen: Option<Vec<SocketAddr>>,
    pub(super) hosts: Option<Vec<String>>,
    pub(super) allow_remote: Option<bool>,
}

/// `[store]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Store {
    pub(super) directory: Option<PathBuf>,
    pub(super) retention: Option<LongSpan>,
    pub(super) retention_minutes: Option<LongSpan>,
    pub(super) retention_hours: Option<LongSpan>,
    pub(super) max_size: Option<DiskSize>,
    pub(super) max_size_minutes: Option<DiskSize>,
    pub(super) max_size_hours: Option<DiskSize>,
    pub(super) sync: Option<Sync>,
    pub(super) engine: Option<EngineKind>,
    pub(super) url: Option<String>,
    pub(super) access: Option<Access>,
}

/// `[collect]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Collect {
    pub(super) interval: Option<TickSpan>,
    pub(super) disabled: Option<BTreeSet<String>>,
}

/// `[applications]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Applications {
    pub(super) enabled: Option<bool>,
    pub(super) max_instances: Option<Count>,
    pub(super) max_series: Option<Count>,
    pub(super) max_series_total: Option<Count>,
    pub(super) token_file: Option<PathBuf>,
}

/// `[accounting]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Accounting {
    pub(super) level: Option<AccountingLevel>,
    pub(super) connections: Option<usize>,
    pub(super) memory: Option<MemorySize>,
}

/// `[alerts]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Alerts {
    pub(super) rule_files: Option<Vec<PathBuf>>,
    pub(super) interval: Option<TickSpan>,
    pub(super) built_in: Option<bool>,
    pub(super) external_url: Option<String>,
    pub(super) external_labels: BTreeMap<String, String>,
    pub(super) thresholds: BTreeMap<String, f64>,
}

/// `[checks]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Checks {
    pub(super) modules_file: Option<PathBuf>,
    pub(super) allow: Option<Vec<String>>,
    pub(super) at_once: Option<Count>,
}

/// `[log]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    pub(super) level: Option<String>,
}

/// `[query]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Query {
    pub(super) timeout: Option<TickSpan>,
    pub(super) max_samples: Option<u64>,
    pub(super) max_memory: Option<MemorySize>,
    pub(super) max_points: Option<Count>,
    pub(super) max_answer_samples: Option<usize>,
    pub(super) max_concurrency: Option<Count>,
    pub(super) max_waiting: Option<Count>,
}

/// A configuration is small; anything larger is the wrong file.
const MAX_BYTES: u64 = 1 << 20;

impl File {
    /// Reads and parses a file.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let length = std::fs::metadata(path)
            .with_context(|| {
                format!("cannot read the configuration {shown}; `squirrel config init > {shown}` makes one")
            })?
            .len();
        anyhow::ensure!(length <= MAX_BYTES, "{shown} has {length} bytes: this is no configuration of Squirrel");
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the configuration {shown}"))?;
        Self::parse(&text).with_context(|| format!("the configuration {shown} is not valid"))
    }

    /// Parses a text; the error carries line, column and a mark under the place.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut file: Self = toml::from_str(text)?;
        file.told.0 = toml::from_str(text)?;
        file.told.0.retain(|name, _| TOLD.contains(&name));
        Ok(file)
    }
}
