//! `squirrel store check|stats|backup|delete|export|import`: looking after what is stored.
//!
//! Check, stats, backup, export and `delete --dry-run` read the folder itself, without its lock: they work the same
//! whether a daemon runs or not. Delete and import need the store for themselves.

mod args;
mod backup;
mod check;
mod delete;
mod export;
mod import;
mod meter;
mod stats;

use anyhow::Context as _;
use squirrel_model::{Matcher, TimeRange};
use squirrel_store::StoreError;
use squirrel_store::dir::RealDir;

pub(crate) use args::{EXAMPLES, StoreCommand};
use args::{Place, Span};

use crate::config::{Config, Environment, Flags};
use crate::failure::{Class, classed};

/// Does what was asked for.
pub(crate) fn run(command: &StoreCommand, environment: &Environment) -> anyhow::Result<()> {
    match command {
        StoreCommand::Check(args) => check::run(args, environment),
        StoreCommand::Stats(args) => stats::run(args, environment),
        StoreCommand::Backup(args) => backup::run(args, environment),
        StoreCommand::Delete(args) => delete::run(args, environment),
        StoreCommand::Export(args) => export::run(args, environment),
        StoreCommand::Import(args) => import::run(args, environment),
    }
}

/// The configuration, which names the store's folder unless the command line does.
fn config(place: &Place, environment: &Environment) -> anyhow::Result<Config> {
    let flags = Flags { config: place.source.config.clone(), data_dir: place.data_dir.clone(), ..Flags::default() };
    Config::load(&flags, environment).map_err(|error| classed(Class::Usage, &error))
}

/// The store's folder, for looking into it.
fn folder(place: &Place, environment: &Environment) -> anyhow::Result<RealDir> {
    RealDir::existing(&config(place, environment)?.directory.value).map_err(of_store)
}

/// Gives an error of the store its exit code.
pub(crate) fn of_store(error: StoreError) -> anyhow::Error {
    let class = match &error {
        StoreError::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => Class::Forbidden,
        StoreError::Io { source, .. } if is_wrong_path(source) => Class::Usage,
        StoreError::Io { .. } => return error.into(),
        _ => Class::Usage,
    };
    classed(class, &anyhow::Error::msg(error.to_string()))
}

fn is_wrong_path(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// The matchers of a selector; none for none.
fn matchers(selector: Option<&str>) -> anyhow::Result<Vec<Matcher>> {
    let Some(text) = selector else { return Ok(Vec::new()) };
    squirrel_promql::parse_selector(text)
        .map_err(|error| classed(Class::Usage, &anyhow::anyhow!("{text:?} selects no series: {error}")))
}

/// The range that was named; an end that was not is open.
fn range(span: &Span) -> anyhow::Result<TimeRange> {
    let time = |text: &Option<String>, otherwise| match text {
        None => Ok(otherwise),
        Some(text) => squirrel_api::params::parse_time(text).with_context(|| format!("{text:?} is no time")),
    };
    let parsed = (|| {
        let range = TimeRange::new(time(&span.from, TimeRange::ALL.start)?, time(&span.to, TimeRange::ALL.end)?);
        anyhow::ensure!(range.start <= range.end, "--from is later than --to");
        Ok(range)
    })();
    parsed.map_err(|error: anyhow::Error| classed(Class::Usage, &error))
}

#[cfg(test)]
mod tests;
