//! What can be typed after `squirrel store`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::ConfigSource;

/// Shown before the help of `squirrel store`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  squirrel store check                             read every byte, say what is damaged and what to do
  squirrel store stats                             what takes how much of the disk
  squirrel store backup /mnt/backup/squirrel       a copy that opens as a store, while the daemon writes
  squirrel store delete --dry-run '{device=\"veth1\"}'";

/// `squirrel store …`.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Read every file of the store, and say what is damaged where. Changes nothing; a daemon may run.
    #[command(before_help = "\
Examples:
  squirrel store check
  squirrel store check --data-dir /mnt/backup/squirrel --json")]
    Check(Look),
    /// Say how many bytes, series and samples there are, by resolution and by metric.
    #[command(before_help = "\
Examples:
  squirrel store stats
  squirrel store stats --top 50")]
    Stats(Stats),
    /// Copy the store into a new folder, consistently, while the daemon writes. Silences and messages about alerts that
    /// wait are copied with it, the daemon's token is not.
    #[command(before_help = "\
Examples:
  squirrel store backup /mnt/backup/squirrel-2026-11-21
  squirrel serve --data-dir /mnt/backup/squirrel-2026-11-21    the copy is a store")]
    Backup(Backup),
    /// Delete samples at every resolution. The daemon must be stopped, but for --dry-run.
    #[command(before_help = "\
Examples:
  squirrel store delete --dry-run '{device=\"veth1\"}'
  squirrel store delete 'squirrel_load' --from 2026-11-20T10:00:00Z --to 2026-11-20T10:05:00Z
  squirrel store delete --all --to 2026-01-01T00:00:00Z")]
    Delete(Delete),
    /// Write samples of full resolution: OpenMetrics with times, JSON lines, or bodies of remote write.
    #[command(before_help = "\
Examples:
  squirrel store export > all.om
  squirrel store export --format jsonl 'node_network_receive_bytes_total{device=\"eth0\"}' --from 2026-11-20T00:00:00Z")]
    Export(Export),
    /// Take over samples: OpenMetrics with times, JSON lines, bodies of remote write, or vnstat's JSON. The daemon must be stopped.
    #[command(before_help = "\
Examples:
  squirrel store import all.om
  vnstat --json > vnstat.json && squirrel store import --format vnstat vnstat.json
  squirrel store import --format jsonl --dry-run samples.jsonl")]
    Import(Import),
}

/// Which store.
#[derive(Debug, Args)]
pub(crate) struct Place {
    #[command(flatten)]
    pub(crate) source: ConfigSource,
    /// The store's folder [default: as for `squirrel serve`]
    #[arg(long, value_name = "DIR", env = "SQUIRREL_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which time.
#[derive(Debug, Args)]
pub(crate) struct Span {
    /// First moment (seconds since 1970, or RFC 3339) [default: the earliest]
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Last moment [default: the latest]
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
}

/// `squirrel store check`.
#[derive(Debug, Args)]
pub(crate) struct Look {
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `squirrel store stats`.
#[derive(Debug, Args)]
pub(crate) struct Stats {
    #[command(flatten)]
    pub(crate) place: Place,
    /// How many metrics to list
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
}

/// `squirrel store backup`.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Folder to make; it must not exist or be empty
    #[arg(value_name = "TARGET")]
    pub(crate) target: PathBuf,
}

/// `squirrel store delete`.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Which series, as in PromQL
    #[arg(value_name = "SELECTOR", required_unless_present = "all")]
    pub(crate) selector: Option<String>,
    #[command(flatten)]
    pub(crate) span: Span,
    /// Only count what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Allow a deletion that names no series, or all of them and no time
    #[arg(long)]
    pub(crate) all: bool,
}

/// `squirrel store export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Which series, as in PromQL [default: all]
    #[arg(value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    #[command(flatten)]
    pub(crate) span: Span,
    /// How to write them
    #[arg(long, value_enum, default_value_t = OutFormat::Openmetrics)]
    pub(crate) format: OutFormat,
    /// File to write instead of standard output; it must not exist
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutFormat {
    /// OpenMetrics text with times. It has no word for the end of a series: stale markers are left out.
    Openmetrics,
    /// A JSON document a line: {"metric":{…},"values":[…],"timestamps":[ms…]}; null is the end of a series.
    Jsonl,
    /// Bodies of Prometheus remote write 1.0 (protobuf in snappy), each behind its length as a varint of protobuf.
    RemoteWrite,
}

/// `squirrel store import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What it is
    #[arg(long, value_enum, default_value_t = InFormat::Openmetrics)]
    pub(crate) format: InFormat,
    /// Only read it, and count what would come
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// How samples are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InFormat {
    /// OpenMetrics text in which each sample has a time, as `promtool tsdb create-blocks-from openmetrics` takes.
    Openmetrics,
    /// What `squirrel store export --format jsonl` writes.
    Jsonl,
    /// Bodies of Prometheus remote write 1.0 or 2.0 (protobuf in snappy), each behind its length as a varint of
    /// protobuf, or one body alone. What `squirrel store export --format remote-write` writes.
    RemoteWrite,
    /// What `vnstat --json` prints: bytes of each hour, and of each day before, as two counters a device. Times
    /// without a timestamp (before vnStat 2.7) are taken for UTC.
    Vnstat,
}
