//! What can be typed after `squirrel silence`, `squirrel ack` and `squirrel notify`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::ConfigSource;
use crate::live_client::USUAL_ADDRESS;

/// Shown before the help of `squirrel silence`.
pub(crate) const SILENCE_EXAMPLES: &str = "\
Examples:
  squirrel silence add alertname=LinkReceiveBusy --for 2h --comment 'the nightly copy'
  squirrel silence add 'instance=~\"db.*\"' severity=warning --until 2026-12-01T06:00:00Z
  squirrel silence list
  squirrel silence expire ID";

/// Shown before the help of `squirrel ack`.
pub(crate) const ACK_EXAMPLES: &str = "\
Examples:
  squirrel ack alertname=CarrierFlaps --comment 'cable is on its way'
  squirrel ack 3f1e6b2c9d0a4857 --for 4h           one alert, by the number that `squirrel alerts --json` shows
  squirrel ack --undo alertname=CarrierFlaps";

/// Shown before the help of `squirrel notify`.
pub(crate) const NOTIFY_EXAMPLES: &str = "\
Example:
  squirrel notify test mail                        sends a message, and shows what the other side said";

/// The daemon that is told to do something.
#[derive(Debug, Args)]
pub(super) struct Daemon {
    /// The daemon's address
    #[arg(long, value_name = "ADDR:PORT", default_value = USUAL_ADDRESS)]
    pub(super) server: String,
    #[command(flatten)]
    pub(super) source: ConfigSource,
    /// Its data directory, where its token is [default: as for `squirrel serve`]
    #[arg(long, value_name = "DIR", env = "SQUIRREL_DATA_DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// Until when something holds.
#[derive(Debug, Args)]
pub(super) struct Term {
    /// For how long at most, such as 2h
    #[arg(long = "for", value_name = "DURATION", conflicts_with = "until")]
    pub(super) span: Option<String>,
    /// Until when at most (seconds since 1970, or RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<String>,
}

/// Who does something, and why.
#[derive(Debug, Args)]
pub(super) struct Note {
    /// Who does it [default: the user]
    #[arg(long, value_name = "NAME")]
    pub(super) author: Option<String>,
    /// Why, or what is being done
    #[arg(long, value_name = "TEXT")]
    pub(super) comment: Option<String>,
}

/// `squirrel silence …`
#[derive(Debug, Subcommand)]
pub(crate) enum SilenceCommand {
    /// Silence alerts for a time: they fire, and nobody is told. Prints the silence's id.
    #[command(before_help = "\
Examples:
  squirrel silence add alertname=LinkReceiveBusy device=eth0 --for 2h
  squirrel silence add 'instance=~\"db.*\"' --for 30m --author ada --comment 'new disks'")]
    Add(Add),
    /// List silences and what they take.
    #[command(before_help = "\
Examples:
  squirrel silence list
  squirrel silence list --expired --json")]
    List(List),
    /// End a silence now.
    #[command(before_help = "\
Example:
  squirrel silence expire 1c2d3e4f-0000-8000-9000-000000000001")]
    Expire(Expire),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Conditions that must all hold: label=value, label!=value, label=~"pattern", label!~"pattern"
    #[arg(value_name = "CONDITION", required = true)]
    pub(super) conditions: Vec<String>,
    #[command(flatten)]
    pub(super) term: Term,
    #[command(flatten)]
    pub(super) note: Note,
    #[command(flatten)]
    pub(super) daemon: Daemon,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Those that are over, too
    #[arg(long)]
    pub(super) expired: bool,
    /// The daemon's address
    #[arg(long, value_name = "ADDR:PORT", default_value = USUAL_ADDRESS)]
    pub(super) server: String,
    /// Print one JSON document
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Expire {
    /// The silence's id
    #[arg(value_name = "ID")]
    pub(super) id: String,
    #[command(flatten)]
    pub(super) daemon: Daemon,
}

/// `squirrel ack`
#[derive(Debug, Args)]
pub(crate) struct Ack {
    /// The number of an alert, or conditions that must all hold
    #[arg(value_name = "ALERT", required = true)]
    pub(super) alerts: Vec<String>,
    /// Take the acknowledgement back
    #[arg(long)]
    pub(super) undo: bool,
    #[command(flatten)]
    pub(super) term: Term,
    #[command(flatten)]
    pub(super) note: Note,
    #[command(flatten)]
    pub(super) daemon: Daemon,
}

/// `squirrel notify …`
#[derive(Debug, Subcommand)]
pub(crate) enum NotifyCommand {
    /// Send a message through a channel, and show what the other side says.
    #[command(before_help = "\
Example:
  squirrel notify test mail")]
    Test(Test),
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The channel's name in the configuration
    #[arg(value_name = "CHANNEL")]
    pub(super) channel: String,
    #[command(flatten)]
    pub(super) daemon: Daemon,
}
