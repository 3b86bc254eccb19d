//! The tables as they are written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::super::values::{Count, LongSpan, TickSpan};

/// `[[remote_write]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RemoteWrite {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) version: Option<WireVersion>,
    pub(super) bearer_token_file: Option<PathBuf>,
    pub(super) username: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) tenant: Option<String>,
    pub(super) tls: Option<Tls>,
    pub(super) timeout: Option<TickSpan>,
    pub(super) interval: Option<TickSpan>,
    pub(super) max: Option<bool>,
    #[serde(default)]
    pub(super) external_labels: BTreeMap<String, String>,
    pub(super) request_samples: Option<Count>,
    pub(super) shards: Option<Count>,
    pub(super) flush: Option<TickSpan>,
    pub(super) metadata: Option<bool>,
    pub(super) backfill: Option<LongSpan>,
    #[serde(default)]
    pub(super) relabel: Vec<Relabel>,
}

/// The version of remote write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum WireVersion {
    #[serde(rename = "1.0")]
    V1,
    #[serde(rename = "2.0")]
    V2,
}

/// `tls` of a destination, with Prometheus' names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) ca_file: Option<PathBuf>,
    pub(super) cert_file: Option<PathBuf>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) server_name: Option<String>,
    pub(super) min_version: Option<TlsText>,
    pub(super) insecure_skip_verify: Option<bool>,
}

/// The oldest version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum TlsText {
    #[serde(rename = "1.2")]
    V1_2,
    #[serde(rename = "1.3")]
    V1_3,
}

/// `[[remote_write.relabel]]`, with Prometheus' names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Relabel {
    pub(super) action: Option<String>,
    #[serde(default)]
    pub(super) source_labels: Vec<String>,
    pub(super) separator: Option<String>,
    pub(super) regex: Option<String>,
    pub(super) target_label: Option<String>,
    pub(super) replacement: Option<String>,
    pub(super) modulus: Option<u64>,
}

/// `[[otlp]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Otlp {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) interval: Option<TickSpan>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) bearer_token_file: Option<PathBuf>,
    pub(super) username: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) tls: Option<Tls>,
}

/// `[[receive]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Receive {
    pub(super) name: String,
    pub(super) bearer_token_file: Option<PathBuf>,
    pub(super) username: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) max_series: Option<Count>,
    pub(super) max_samples_per_second: Option<Count>,
}
