//! `squirrel probes`: the targets that a daemon probes on a schedule, and one of them in depth.

mod args;
mod draw;
mod list;
mod show;

use args::ProbesCommand;
pub(crate) use args::{EXAMPLES, ProbesArgs};
use serde_json::Value;
use squirrel_model::Timestamp;
use squirrel_sys::terminal;

use crate::output;

/// Columns of what is not printed to a terminal.
const USUAL_COLUMNS: usize = 100;

/// Does what was asked for.
///
/// # Errors
/// No daemon, or a refusal with its words; a target that is down when there was nothing else to say.
pub(crate) fn run(args: &ProbesArgs) -> anyhow::Result<()> {
    match &args.command {
        None => list::run(&args.list),
        Some(ProbesCommand::Show(args)) => show::run(args),
    }
}

/// Prints a schema as it is published.
fn print_schema(schema: &Value) -> anyhow::Result<()> {
    Ok(output::print(&(serde_json::to_string_pretty(schema)? + "\n"))?)
}

/// The width of the terminal; none when the output goes elsewhere.
fn width() -> Option<usize> {
    terminal::size().map(|(_, columns)| columns)
}

/// How long something has lasted: 45 s, 12 min, 3 h, 8 d.
fn lasted(since: Option<f64>, now: f64) -> String {
    let Some(since) = since else { return "-".to_owned() };
    let seconds = (now - since).max(0.0);
    let (value, unit) = match seconds {
        s if s < 90.0 => (s, "s"),
        s if s < 5_400.0 => (s / 60.0, "min"),
        s if s < 172_800.0 => (s / 3_600.0, "h"),
        s => (s / 86_400.0, "d"),
    };
    format!("{value:.0} {unit}")
}

/// A span that somebody chose, in the largest unit that it is whole in: 90 s, 15 min, 6 h, 30 d.
fn span(seconds: f64) -> String {
    let units = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min")];
    let whole = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds % unit == 0.0);
    whole.map_or_else(|| format!("{seconds} s"), |(unit, name)| format!("{} {name}", seconds / unit))
}

/// A moment in RFC 3339, without fractions.
fn moment(seconds: f64) -> String {
    squirrel_api::rules::moment(Some(Timestamp::from_seconds(seconds.trunc())))
}
