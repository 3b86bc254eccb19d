//! What can be typed after `squirrel alerts`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::ConfigSource;

/// Shown before the help of `squirrel alerts`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  squirrel alerts                                  what fires and what is about to
  squirrel alerts --json
  squirrel alerts watch --desktop                  what begins and what is over, on this desktop too
  squirrel alerts check rules/*.yml                good files end with exit code 0
  squirrel alerts test tests.yml                   unit tests, in promtool's files
  squirrel alerts backtest rules.yml --since 7d    what would have fired, when, and how long";

/// `squirrel alerts …`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AlertsArgs {
    #[command(subcommand)]
    pub(super) command: Option<AlertsCommand>,
    #[command(flatten)]
    pub(super) list: List,
}

#[derive(Debug, Subcommand)]
pub(super) enum AlertsCommand {
    /// Tell what begins and what is over until it is interrupted, also on the desktop. It runs in your own session,
    /// since the daemon has no desktop.
    #[command(before_help = "\
Examples:
  squirrel alerts watch
  squirrel alerts watch --desktop                  by notify-send, of Debian's libnotify-bin
  squirrel alerts watch --json | jq .alert.labels  a line for each event")]
    Watch(Watch),
    /// Read rule files and say all that is wrong with them, with line and column.
    #[command(before_help = "\
Examples:
  squirrel alerts check rules.yml
  squirrel alerts check --json rules/*.yml | jq '.files[].problems'")]
    Check(Check),
    /// Run unit tests of rules, in the files of `promtool test rules`.
    #[command(before_help = "\
Example:
  squirrel alerts test tests.yml                   its rule_files are relative to it")]
    Test(Check),
    /// Evaluate a rule file over the record: what it would have told, had it been in force. Reads the store itself,
    /// whether a daemon runs or not.
    #[command(before_help = "\
Examples:
  squirrel alerts backtest rules.yml --since 7d
  squirrel alerts backtest rules.yml --since 30d --step 1m --json
  squirrel alerts backtest --built-in --since 1d   the rules that Squirrel brings along")]
    Backtest(Backtest),
}

/// Alone.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Print one JSON document
    #[arg(long)]
    pub(super) json: bool,
    /// The daemon's address
    #[arg(long, value_name = "ADDR:PORT", default_value = crate::live_client::USUAL_ADDRESS)]
    pub(super) server: String,
}

/// What begins and ends.
#[derive(Debug, Args)]
pub(super) struct Watch {
    /// Show it on the desktop too
    #[arg(long)]
    pub(super) desktop: bool,
    /// How often to look, at least 1s
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    pub(super) interval: String,
    /// Print one line of JSON for each event
    #[arg(long)]
    pub(super) json: bool,
    /// The daemon's address
    #[arg(long, value_name = "ADDR:PORT", default_value = crate::live_client::USUAL_ADDRESS)]
    pub(super) server: String,
}

/// Files to judge.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The files; patterns such as rules/*.yml are taken too
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// A look at the past.
#[derive(Debug, Args)]
pub(super) struct Backtest {
    /// The rule file
    #[arg(value_name = "FILE", required_unless_present = "built_in", conflicts_with = "built_in")]
    pub(super) file: Option<PathBuf>,
    /// Try the rules that Squirrel brings along, with the thresholds of the configuration
    #[arg(long)]
    pub(super) built_in: bool,
    /// How long ago to begin, such as 7d
    #[arg(long, value_name = "DURATION", default_value = "1d")]
    pub(super) since: String,
    /// Time between two evaluations [default: the group's interval, else that of the configuration]
    #[arg(long, value_name = "DURATION")]
    pub(super) step: Option<String>,
    #[command(flatten)]
    pub(super) source: ConfigSource,
    /// The data directory [default: as for `squirrel serve`]
    #[arg(long, value_name = "DIR", env = "SQUIRREL_DATA_DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub(super) json: bool,
}
