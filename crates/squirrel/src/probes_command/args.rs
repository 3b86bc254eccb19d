//! What can be typed after `squirrel probes`.

use clap::{Args, Subcommand, ValueEnum};

/// Shown before the help of `squirrel probes`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  squirrel probes                                  all targets, the worst first, with their last day
  squirrel probes --group web --history 7d
  squirrel probes shop                             those whose name, group or address has this in it
  squirrel probes --filter 'kind:ping loss:>0.01'
  squirrel probes --json | jq '.probes[] | {instance, state}'
  squirrel probes show edge gw.example             round trips as smoke, the path, its changes";

/// `squirrel probes …`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ProbesArgs {
    #[command(subcommand)]
    pub(super) command: Option<ProbesCommand>,
    #[command(flatten)]
    pub(super) list: List,
}

#[derive(Debug, Subcommand)]
pub(super) enum ProbesCommand {
    /// One target: how it stands, its round trips and loss over time, its path and how that changed.
    #[command(before_help = "\
Examples:
  squirrel probes show edge gw.example
  squirrel probes show edge gw.example --since 6h
  squirrel probes show way far.example --json | jq .path.document.verdict")]
    Show(Show),
}

/// A span of heartbeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum History {
    /// The last hour, by minutes
    #[value(name = "1h")]
    Hour,
    /// The last day, by half hours
    #[value(name = "1d")]
    Day,
    /// The last week, by three hours
    #[value(name = "7d")]
    Week,
    /// The last 30 days, by half days
    #[value(name = "30d")]
    Month,
}

impl History {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "1d",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// The heading of a column of heartbeats.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Hour => "LAST HOUR",
            Self::Day => "LAST DAY",
            Self::Week => "LAST WEEK",
            Self::Month => "LAST 30 DAYS",
        }
    }
}

/// Alone.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Targets whose name, group, kind or address has this in it
    #[arg(value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Targets of this group
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// Targets in this state: down, unreachable, unknown or up
    #[arg(long, value_name = "STATE")]
    pub(super) state: Option<String>,
    /// Conditions such as 'kind:http tail:>50ms -state:up'
    #[arg(long, value_name = "FILTER")]
    pub(super) filter: Option<String>,
    /// What orders the targets: state, instance, took, loss, tail, mos and others
    #[arg(long, value_name = "FIELD")]
    pub(super) sort: Option<String>,
    /// The span of the heartbeats
    #[arg(long, value_name = "SPAN", value_enum, default_value = "1d")]
    pub(super) history: History,
    /// Most targets to show
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(super) limit: u16,
    /// Print one JSON document
    #[arg(long)]
    pub(super) json: bool,
    /// Print the JSON schema of --json
    #[arg(long)]
    pub(super) schema: bool,
    /// The daemon's address
    #[arg(long, value_name = "ADDR:PORT", default_value = crate::live_client::USUAL_ADDRESS)]
    pub(super) server: String,
}

/// One target.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The name of its table in the configuration
    #[arg(value_name = "JOB", required_unless_present = "schema")]
    pub(super) job: Option<String>,
    /// The target, as the configuration names it
    #[arg(value_name = "INSTANCE", required_unless_present = "schema")]
    pub(super) instance: Option<String>,
    /// How far back the drawings begin, such as 6h
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    pub(super) since: String,
    /// Print one JSON document
    #[arg(long)]
    pub(super) json: bool,
    /// Print the JSON schema of --json
    #[arg(long)]
    pub(super) schema: bool,
    /// The daemon's address
    #[arg(long, value_name = "ADDR:PORT", default_value = crate::live_client::USUAL_ADDRESS)]
    pub(super) server: String,
}
