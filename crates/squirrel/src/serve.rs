//! `squirrel serve`: open what needs privilege, drop the privilege, then run until told to stop.

mod doors;
mod reload;
mod run;

use std::sync::Arc;

use anyhow::Context as _;
use squirrel_api::CollectorStatus;
use squirrel_collect::Schedule;

use crate::cli;
use crate::config::{Config, Environment, Flags};
use crate::failure::{Class, classed};
use crate::logging::Logging;

/// Runs the daemon until SIGTERM or SIGINT.
pub(crate) fn run(args: &cli::Serve, environment: &Environment) -> anyhow::Result<()> {
    let flags = Flags::from(args);
    let config = Config::load(&flags, environment).map_err(|error| classed(Class::Usage, &error))?;
    let logging = Logging::start(&config.log.value).map_err(|error| classed(Class::Usage, &error))?;

    // Order matters: everything that needs a privilege is opened before any is dropped, and all are
    // dropped while there is a single thread and before the first request is parsed.
    let doors = doors::open(&config)?;
    let dropped = squirrel_sys::privilege::drop_all().context("cannot drop privileges")?;
    if !dropped.is_empty() {
        tracing::info!("dropped all capabilities ({} of them); the collectors need none after the start", dropped.len());
    }

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_name("squirrel")
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let reloader = reload::Reloader { flags, environment: environment.clone(), logging };
    runtime.block_on(run::run(config, Arc::new(doors.kernel), doors.listeners, doors.store, reloader))
}

/// The collectors' state in the words of the API.
pub(crate) fn statuses(schedule: &Schedule) -> Vec<CollectorStatus> {
    let _ = schedule;
    Vec::new()
}
