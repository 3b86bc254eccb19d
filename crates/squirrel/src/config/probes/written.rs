//! `[[probe]]` as it is written.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use squirrel_check::IpVersion;
use squirrel_model::parse_duration_ms;

use super::super::values::LongSpan;

/// `[[probe]]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Probe {
    pub(super) name: String,
    pub(super) kind: Option<Kind>,
    /// A module of checks, which says the kind by itself.
    pub(super) module: Option<String>,
    /// The version of IP that names are asked by, and no other.
    pub(super) ip: Option<Ip>,
    #[serde(default)]
    pub(super) targets: Vec<String>,
    pub(super) interval: Option<ProbeSpan>,
    pub(super) timeout: Option<ProbeSpan>,
    pub(super) packets: Option<u32>,
    pub(super) query: Option<String>,
    pub(super) command: Option<Vec<String>>,
    pub(super) group: Option<String>,
    #[serde(default)]
    pub(super) parents: Vec<String>,
    pub(super) objective: Option<f64>,
    pub(super) window: Option<LongSpan>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
}

/// What is done to the targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    #[default]
    Ping,
    Path,
    Http,
    Tcp,
    Dns,
    Ntp,
    Plugin,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Path => "path",
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Dns => "dns",
            Self::Ntp => "ntp",
            Self::Plugin => "plugin",
        }
    }
}

/// 4 or 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Ip(pub(super) IpVersion);

impl TryFrom<i64> for Ip {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        match number {
            4 => Ok(Self(IpVersion::V4)),
            6 => Ok(Self(IpVersion::V6)),
            other => Err(format!("ip is 4 or 6, the version of IP that names are asked by, not {other}")),
        }
    }
}

/// A time such as "500ms" or "30s", not nothing and at most an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct ProbeSpan(pub(super) Duration);

impl TryFrom<String> for ProbeSpan {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let ms = parse_duration_ms(&text).map_err(|error| format!("{text:?} is {error}"))?;
        if (1..=3_600_000).contains(&ms) {
            Ok(Self(Duration::from_millis(ms.unsigned_abs())))
        } else {
            Err(format!("a time of probes is 1ms to 1h, such as \"10s\", not {text:?}"))
        }
    }
}

impl Probe {
    /// What is done to the targets, where no module says it.
    pub(super) fn kind(&self) -> Kind {
        self.kind.unwrap_or_default()
    }

    /// The same in a word for people.
    pub(super) fn word(&self) -> &str {
        self.module.as_deref().unwrap_or(self.kind().word())
    }

    /// Program and arguments of a plugin for a target.
    pub(super) fn command_for(&self, target: &str) -> Option<(PathBuf, Vec<String>)> {
        let (program, arguments) = self.command.as_ref()?.split_first()?;
        let arguments = arguments.iter().map(|argument| argument.replace("{target}", target));
        Some((PathBuf::from(program), arguments.collect()))
    }
}
